"""What beat sends, and how it keeps time."""

from time import monotonic
from typing import Any, Final

from celery.beat import ScheduleEntry, Scheduler
from kombu.exceptions import KombuError

WAITING: Final = 3
"""Messages that may wait in the queue; with so many there, another would say nothing new."""


class SteadyScheduler(Scheduler):  # type: ignore[misc]  # celery has no types
    """Sends each entry at its interval, by a clock that nobody can set, to a short queue.

    Celery's own scheduler goes by the wall clock: set back by an hour, it sends nothing for an
    hour. It sends whether or not anybody receives, so that while no worker runs the queue grows by
    a message a second. And it keeps a file that a kill can spoil; here nothing is kept.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 # as Celery calls it
        self._due: dict[str, float] = {}
        super().__init__(*args, **kwargs)

    def tick(self) -> float:
        """Send what is due; return the seconds until something is."""
        now = monotonic()
        for name, entry in self.schedule.items():
            due = self._due.get(name, now)
            if due <= now:
                following = due + _interval(entry)
                # What was missed while the machine slept is not made up for.
                self._due[name] = following if following > now else now + _interval(entry)
                self._send(entry)
        return max(0.0, min(self._due.values(), default=1.0) - monotonic())

    def _send(self, entry: ScheduleEntry) -> None:
        if self._waiting() < WAITING:
            self.apply_entry(entry, producer=self.producer)  # logs what goes wrong, and goes on

    def _waiting(self) -> int:
        """Return how many messages wait; 0 when the broker cannot say, or has no queue yet."""
        try:
            with self.connection.channel() as channel:
                queue = self.app.conf.task_default_queue
                return int(channel.queue_declare(queue=queue, passive=True).message_count)
        except (KombuError, *self.connection.connection_errors, *self.connection.channel_errors):
            return 0


def _interval(entry: ScheduleEntry) -> float:
    seconds: float = entry.schedule.run_every.total_seconds()
    return seconds
