"""Open bills: kept, merged, dropped; none of it sells anything."""

from msgspec import UNSET

from chain.errors import MalformedError
from invoice_service.domain.tax import TaxRates
from invoice_service.domain.text import check_identifier
from invoice_service.services.till.ports import Bill, BillStore, Hand
from invoice_service.services.till.rows import Names, Row, bill_row
from invoice_service.services.till.shapes import BillContent, BillRequest, MergeRequest
from invoice_service.services.till.splitting import check_bill


class Bills:
    """A merchant's open bills, which all of its tills share."""

    def __init__(self, store: BillStore, rates: TaxRates, max_lines: int) -> None:
        self._store = store
        self._rates = rates
        self._max_lines = max_lines

    def open(self, merchant_id: int) -> list[Bill]:
        """All of them, the oldest first."""
        return self._store.open_bills(merchant_id)

    def one(self, merchant_id: int, bill_id: str) -> Bill | None:
        """One, whatever became of it."""
        return self._store.bill(merchant_id, bill_id)

    def row(self, bill: Bill, names: Names) -> Row:
        """One as pages are shown it; of one that is being settled, which parts are sold."""
        sold = self._store.sold_parts(bill) if bill.state == "settling" else []
        return bill_row(bill, names, sold)

    def put(self, hand: Hand, bill_id: str, asked: BillRequest) -> Bill:
        """Keep what stands on it now; MalformedError as ``check_bill``, ConflictError."""
        content = BillContent(
            lines=asked.lines, table=asked.table, discount=asked.discount, buyer=asked.buyer
        )
        self._check(content)
        return self._store.put_bill(hand, bill_id, asked.version, content)

    def drop(self, hand: Hand, bill_id: str, version: int) -> None:
        """Nothing was sold."""
        self._store.drop_bill(hand, bill_id, version)

    def merge(self, hand: Hand, bill_id: str, asked: MergeRequest) -> Bill:
        """Take the other's lines and discount over, and drop it; ConflictError, MalformedError."""
        if asked.from_id == bill_id:
            raise MalformedError("list_twice", "a bill joins another one", pointer="/from")
        into = self._store.bill(hand.merchant_id, bill_id)
        gone = self._store.bill(hand.merchant_id, asked.from_id)
        first = into.content if into is not None else BillContent()
        second = gone.content if gone is not None else BillContent()
        content = BillContent(
            lines=[*first.lines, *second.lines],
            table=first.table,
            discount=first.discount + second.discount,
            buyer=second.buyer if first.buyer is UNSET else first.buyer,
        )
        self._check(content)
        return self._store.merge_bills(
            hand, (bill_id, asked.version), (asked.from_id, asked.from_version), content
        )

    def _check(self, content: BillContent) -> None:
        if isinstance(content.table, str):
            check_identifier(content.table, "/table")
        check_bill(content, self._rates, self._max_lines)
