"""Looking at what was sold: a day's list, one invoice, the figures, titles used before."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple, Protocol

from chain.commitment import parse_password_area
from chain.errors import MalformedError, NotFoundError, RefusedError
from invoice_service.domain.document import read_lines
from invoice_service.domain.invoice import StoredInvoice
from invoice_service.domain.likeness import folded
from invoice_service.domain.money import parse_yuan
from invoice_service.domain.returns import left_of
from invoice_service.services.people.person import PeopleReader
from invoice_service.services.ports import InvoiceReader
from invoice_service.services.records import checked_face, own_invoice
from invoice_service.services.till.figures import add_up
from invoice_service.services.till.ports import Listed, LookStore, Sought, Span
from invoice_service.services.till.rows import Names, Row, buyer_of, detail_lines, invoice_row

AT_ONCE: Final = 100
SCANNED: Final = 5_000
"""Invoices in which a search of all days looks at once; one of a day looks at the whole day."""

TITLES: Final = 10
LONGEST_SEARCH: Final = 100
_ALL: Final = 2**62


class Store(LookStore, InvoiceReader, PeopleReader, Protocol):
    """What looking needs of a store."""


class Wanted(NamedTuple):
    """Which invoices: of these days (None: all) below a place, and what is searched for."""

    span: Span | None = None
    text: str = ""
    before: int = _ALL


class Books:
    """A merchant's invoices, as its tills see them."""

    def __init__(self, store: Store, published: Callable[[], int]) -> None:
        """``published`` is the last invoice that the public log has."""
        self._store = store
        self._published = published

    def names(self, merchant_id: int) -> Names:
        """The names of a merchant's people, of those who have left, too."""
        return Names({one.id: one.name for one in self._store.people(merchant_id)})

    def listing(self, merchant_id: int, wanted: Wanted) -> dict[str, Any]:
        """A page of the list, the newest first."""
        found, last = self._found(merchant_id, wanted)
        published, names = self._published(), self.names(merchant_id)
        return {
            "invoices": [invoice_row(one, published, names) for one in found],
            "next": None if last is None else str(last),
        }

    def rows_at(self, merchant_id: int, seqs: list[int], names: Names | None = None) -> list[Row]:
        """The lines of the list for these places, those that are the merchant's."""
        published = self._published()
        names = names or self.names(merchant_id)
        return [
            invoice_row(one, published, names) for one in self._store.listed_at(merchant_id, seqs)
        ]

    def own(self, merchant_id: int, hash_: str) -> StoredInvoice:
        """One invoice, believed; NotFoundError ``invoice_unknown``, the same for another's."""
        return own_invoice(self._store, parse_password_area(hash_), merchant_id)

    def one(self, merchant_id: int, hash_: str) -> dict[str, Any]:
        """One invoice whole, with what is left of each line, and its red ones."""
        invoice = self.own(merchant_id, hash_)
        names = self.names(merchant_id)
        reds = self._store.returns_of(invoice.seq) if invoice.type == "blue" else []
        lines = read_lines(invoice.lines)
        left = (
            left_of(lines, [read_lines(red.lines) for red in reds])
            if invoice.type == "blue"
            else []
        )
        return {
            **self.rows_at(merchant_id, [invoice.seq], names)[0],
            "lines": detail_lines(lines, left),
            "buyer": buyer_of(invoice),
            # An invoice that no page has sold may be paid so, too, and goes back alike.
            "prepaid": bool(self._store.released_for(parse_password_area(invoice.hash))),
            "red": self.rows_at(merchant_id, [red.seq for red in reds], names),
        }

    def whole_days(self, merchant_id: int, span: Span, most: int) -> list[StoredInvoice]:
        """All invoices of these days, believed, in order of issue.

        NotFoundError ``day_empty``; RefusedError ``day_too_long`` for more than ``most``.
        """
        found = self._store.listed(merchant_id, span, _ALL, most + 1)
        if not found:
            raise NotFoundError("day_empty", "nothing was sold on this day")
        if len(found) > most:
            raise RefusedError("day_too_long", f"more than {most} invoices are of this day")
        invoices = [one.invoice for one in reversed(found)]
        for invoice in invoices:
            checked_face(invoice)
        return invoices

    def figures(self, merchant_id: int, span: Span) -> dict[str, Any]:
        """The sums of these days."""
        figures = self._store.figures(merchant_id, span)
        return add_up(figures, self.names(merchant_id).of)

    def titles(self, merchant_id: int, text: str) -> list[dict[str, str]]:
        """Titles of companies and organisations that were used here before, the newest first."""
        _check_search(text)
        return self._store.titles(merchant_id, text, TITLES)

    def _found(self, merchant_id: int, wanted: Wanted) -> tuple[list[Listed], int | None]:
        """What is found, and where the next page goes on."""
        if not wanted.text:
            found = self._store.listed(merchant_id, wanted.span, wanted.before, AT_ONCE)
            return found, found[-1].invoice.seq if len(found) == AT_ONCE else None
        _check_search(wanted.text)
        if wanted.span is not None:
            found, last = self._of_days(merchant_id, wanted, wanted.span)
            if found or wanted.before != _ALL:
                return found, last
        if wanted.before == _ALL:
            named = self._store.named(merchant_id, wanted.text, AT_ONCE)
            if named or wanted.span is not None:
                return named, None
        return self._scan(merchant_id, wanted)

    def _of_days(
        self, merchant_id: int, wanted: Wanted, span: Span
    ) -> tuple[list[Listed], int | None]:
        """Wherever among these days it is; what is called just so comes first."""
        text, first = wanted.text, wanted.before == _ALL
        named = self._store.named(merchant_id, text, AT_ONCE, span) if first else []
        sought = Sought(text, _fen(text))
        found = self._store.searched(merchant_id, span, sought, wanted.before, AT_ONCE)
        there = {one.invoice.seq for one in named}
        rest = [one for one in found if one.invoice.seq not in there]
        return [*named, *rest], found[-1].invoice.seq if len(found) == AT_ONCE else None

    def _scan(self, merchant_id: int, wanted: Wanted) -> tuple[list[Listed], int | None]:
        found: list[Listed] = []
        before = wanted.before
        for _ in range(0, SCANNED, AT_ONCE):
            page = self._store.listed(merchant_id, wanted.span, before, AT_ONCE)
            found += [one for one in page if _holds(one.invoice, wanted.text)]
            if len(page) < AT_ONCE:
                return found, None
            before = page[-1].invoice.seq
            if len(found) >= AT_ONCE:
                break
        return found, before


def _holds(invoice: StoredInvoice, text: str) -> bool:
    """Whether a text is a part of its names, or its amount in yuan."""
    texts = (invoice.number, invoice.order_id, invoice.hash)
    named = folded(text) in folded(buyer_of(invoice).get("name", ""))
    return named or any(text in one for one in texts) or _fen(text) == abs(invoice.total)


def _fen(text: str) -> int | None:
    try:
        return parse_yuan(text.removeprefix("¥"))
    except MalformedError:
        return None


def _check_search(text: str) -> None:
    if len(text) > LONGEST_SEARCH:
        raise MalformedError(
            "text_too_long", f"a search has at most {LONGEST_SEARCH} characters", pointer="q"
        )
