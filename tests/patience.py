"""How long a test waits for what must come: one bound on a hang, which decides nothing else.

A test that held only on a quick machine would fail for no reason; so none compares the time that
something took with a limit. What must not wait is shown by the order of events, by a count, or by
a code that only a deadline gives.
"""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Final, TypeVar

Result = TypeVar("Result")

PATIENCE: Final = 120.0
"""Seconds after which something is said to hang, on a machine that does ten things beside."""

NEVER: Final = 10 * PATIENCE
"""Seconds of a limit that no test sees the end of: whoever waits for it hangs."""

_PAUSE: Final = 0.02
_LONGEST_PAUSE: Final = 0.1


def wait_until(holds: Callable[[], object], what: str | Callable[[], str]) -> None:
    """Return as soon as it holds; fail when it does not come to hold."""
    end, pause = time.monotonic() + PATIENCE, _PAUSE
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(
                f"waited in vain until {what if isinstance(what, str) else what()}"
            )
        time.sleep(pause)
        pause = min(1.2 * pause, _LONGEST_PAUSE)  # asking takes from those who are waited for


def returns(action: Callable[[], Result]) -> Result:
    """Return what ``action`` does; fail if it hangs, and leave it hanging."""
    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(action())
        except BaseException as error:  # noqa: BLE001  # whatever it is, it is raised below
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert not thread.is_alive(), "it hangs"
    if errors:
        raise errors[0]
    return results[0]


def growing(seconds: float) -> Iterator[float]:
    """Limits to try one after the other, each twice the last: on a busy machine all is slower.

    For what is seen only within a limit that passes: the first long enough for all else will do.
    """
    while seconds < PATIENCE:
        yield seconds
        seconds *= 2
