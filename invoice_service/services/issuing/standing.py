"""How a merchant's own invoices stand now: what was taken back of each, and what replaced it."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Final, Protocol

import msgspec

from chain.commitment import parse_password_area
from chain.errors import NotFoundError, Problem
from chain.hashing import Digest
from invoice_service.domain.lifecycle import reversal_of
from invoice_service.domain.money import Fen
from invoice_service.domain.qrtext import read_hash
from invoice_service.domain.verdict import Verdict, judge

AT_ONCE: Final = 500
"""Invoices that are looked up together."""


class Stood(msgspec.Struct, frozen=True):
    """What the rows say of one: its place, total, how much was taken back, by which numbers, and
    the numbers that were issued for the same order (or part) later; and whether its buyer was a
    person who was erased.
    """

    seq: int
    total: Fen
    returned: Fen
    reds: tuple[str, ...] = ()
    later: tuple[str, ...] = ()
    erased: bool = False


class Standing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One invoice now; ``left`` (fen) is there once something was taken back.

    ``reversed_by`` and ``replaced_by`` are numbers of invoices.
    """

    hash: str
    state: Verdict
    left: int | None = None
    reversed_by: tuple[str, ...] = ()
    replaced_by: tuple[str, ...] = ()
    buyer_erased: bool = False


class StandingReader(Protocol):
    """Looking them up."""

    def stood(self, merchant_id: int, digests: Sequence[Digest]) -> list[Stood | None]:
        """Each in order; None for what is not this merchant's."""
        ...


class Standings:
    """Tells merchants."""

    def __init__(self, invoices: StandingReader, taken: Callable[[], int]) -> None:
        """``taken`` gives how many invoices are in the published log."""
        self._invoices, self._taken = invoices, taken

    def each(
        self, merchant_id: int, hashes: Iterator[str | Problem]
    ) -> Iterator[Standing | Problem]:
        """One after the other: NotFoundError ``invoice_unknown``, MalformedError
        ``password_area``, or the problem that stands in a hash's place; the log is asked once.
        """
        taken = self._taken()
        while some := list(islice(hashes, AT_ONCE)):
            yield from self._some(merchant_id, some, taken)

    def of(self, merchant_id: int, hashes: Sequence[str]) -> dict[str, Standing]:
        """Those that are this merchant's, by hash."""
        found = self.each(merchant_id, iter(hashes))
        return {one.hash: one for one in found if isinstance(one, Standing)}

    def _some(
        self, merchant_id: int, hashes: Sequence[str | Problem], taken: int
    ) -> Iterator[Standing | Problem]:
        read = [_read(text) for text in hashes]
        digests = [one[1] for one in read if not isinstance(one, Problem)]
        rows = iter(self._invoices.stood(merchant_id, digests))
        for one in read:
            if isinstance(one, Problem):
                yield one
                continue
            row = next(rows)
            yield _unknown() if row is None else _standing(one[0], row, taken)


def _read(text: str | Problem) -> tuple[str, Digest] | Problem:
    if isinstance(text, Problem):
        return text
    try:
        hash_ = read_hash(text)
        return hash_, parse_password_area(hash_)
    except Problem as problem:
        return problem


def _unknown() -> NotFoundError:
    return NotFoundError("invoice_unknown", "there is no such invoice")


def _standing(hash_: str, row: Stood, taken: int) -> Standing:
    reversal = reversal_of(row.total, row.returned) if row.reds else None
    return Standing(
        hash=hash_,
        state=judge(known=True, slip_agrees=True, reversal=reversal, anchored=row.seq <= taken),
        left=row.total - row.returned if row.reds else None,
        reversed_by=row.reds,
        replaced_by=row.later,
        buyer_erased=row.erased,
    )
