"""The simulated time."""

from datetime import UTC, datetime


class Clock:
    """A clock that stands at ``moment`` (unix seconds) until it is moved."""

    def __init__(self, moment: int) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        """The time, in UTC."""
        return datetime.fromtimestamp(self.moment, UTC)

    def unix(self) -> int:
        """The time in seconds since 1970."""
        return self.moment
