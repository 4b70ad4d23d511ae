"""The real witness server, killed by itself at the one moment that its environment names.

``FATAL=decided``: what is to be stored is made and signed, and not stored. ``FATAL=stored``: it
is in the database, and not yet in the note beside it. ``FATAL=noted``: it is everywhere, and the
answer has not left. The moment comes with the first checkpoint of at least ``FATAL_SIZE``.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import chain.witness.database as store_module
from chain.durable import write_file
from chain.witness.database import WitnessStore
from chain.witness.judge import Seen
from chain.witness.server import main

MOMENT = os.environ["FATAL"]
SIZE = int(os.environ["FATAL_SIZE"])
_update = WitnessStore.update
_is_time = False


def _die(moment: str) -> None:
    if moment == MOMENT and _is_time:
        os.kill(os.getpid(), signal.SIGKILL)


def _fatal_update(self: WitnessStore, origin: str, change: Callable[[Seen | None], Seen]) -> Seen:
    def decide(before: Seen | None) -> Seen:
        global _is_time
        seen = change(before)
        _is_time = seen.checkpoint.size >= SIZE
        _die("decided")
        return seen

    seen = _update(self, origin, decide)
    _die("noted")
    return seen


def _fatal_write(path: Path, data: bytes) -> None:
    _die("stored")
    write_file(path, data)


if __name__ == "__main__":
    WitnessStore.update = _fatal_update  # type: ignore[method-assign]  # to die in the middle
    store_module.write_file = _fatal_write  # type: ignore[attr-defined, assignment]  # the same
    sys.exit(main())
