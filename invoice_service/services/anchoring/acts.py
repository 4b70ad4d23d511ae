"""Acts that wait for the log: those to which no entry commits yet.

The log alone says which it has, as with days that are closed: nothing else remembers.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final, Protocol

import msgspec

from chain.entry import act_key, parse_time
from chain.errors import MalformedError
from invoice_service.domain.acts import LoggedAct

ACTS_A_BLOCK: Final = 256
"""Acts that one block takes at most, beside its invoices."""


class ActDocuments(Protocol):
    """What anchoring needs of the acts; ``seq`` counts them from 1 without a gap."""

    def last_logged_act(self) -> int:
        """Return ``seq`` of the newest; 0 when there is none."""
        ...

    def logged_acts(self, after: int, limit: int) -> Sequence[LoggedAct]:
        """Return up to ``limit`` acts above ``after``, lowest first."""
        ...


class ActLog(Protocol):
    """What finding the acts that wait needs of the log."""

    def find(self, key: bytes) -> int | None:
        """Return the index of the entry with this key."""
        ...


def waiting_acts(acts: ActDocuments, log: ActLog) -> list[LoggedAct]:
    """Return the acts for the next block, in their order, ``ACTS_A_BLOCK`` at most."""
    return list(islice(_waiting(acts, log), ACTS_A_BLOCK))


def acts_waiting(acts: ActDocuments, log: ActLog) -> tuple[int, int]:
    """Return how many wait, and since when the oldest does: unix seconds, 0 where none waits.

    A few reads by key, however many wait. Raises MalformedError for a document that is none.
    """
    done = last_in_log(acts, log)
    rows = acts.logged_acts(done, 1)
    return (acts.last_logged_act() - done, _made_at(rows[0])) if rows else (0, 0)


class _Made(msgspec.Struct):
    """What is read of a document here."""

    at: str


def _made_at(act: LoggedAct) -> int:
    try:
        return int(parse_time(msgspec.json.decode(act.document, type=_Made).at).timestamp())
    except msgspec.MsgspecError as error:
        raise MalformedError("record_damaged", f"the document of act {act.seq}: {error}") from error


def _waiting(acts: ActDocuments, log: ActLog) -> Iterator[LoggedAct]:
    done = last_in_log(acts, log)
    while rows := acts.logged_acts(done, ACTS_A_BLOCK):
        # All of them wait, unless somebody has changed rows behind our back. Then what the log
        # has must not be offered again: it would be refused, and the invoices with it.
        yield from (row for row in rows if not _is_in(log, row))
        done = rows[-1].seq


def last_in_log(acts: ActDocuments, log: ActLog, size: int | None = None) -> int:
    """Return ``seq`` of the last act that the log has; 0 for none. They get there in order.

    With ``size``, of those among the log's first so many entries.
    """
    last = acts.last_logged_act()
    if not last or _has(acts, log, last, size):
        return last
    low, high = 0, last  # the log has the one at low (or low is 0), not the one at high
    while high - low > 1:
        middle = (low + high) // 2
        if _has(acts, log, middle, size):
            low = middle
        else:
            high = middle
    return low


def _has(acts: ActDocuments, log: ActLog, seq: int, size: int | None) -> bool:
    rows = [row for row in acts.logged_acts(seq - 1, 1) if row.seq == seq]
    return any(_is_in(log, row, size) for row in rows)


def _is_in(log: ActLog, act: LoggedAct, size: int | None = None) -> bool:
    index = log.find(act_key(act.commitment))
    return index is not None and (size is None or index < size)
