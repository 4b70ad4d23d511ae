"""The list of merchants, one's file and its invoices, as tables to be taken along."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Protocol

from invoice_service.documents.bureau_tables import (
    FIGURES,
    LIMITS,
    MERCHANTS,
    MONTHS,
    RATES,
    SCANS,
    TITLES,
    table,
)
from invoice_service.documents.bureau_tables import INVOICES as INVOICE_COLUMNS
from invoice_service.documents.taken import Row, Taken
from invoice_service.domain.acts import Recorded
from invoice_service.domain.merchant import Merchant, districts, industries
from invoice_service.services.help.ports import ScanStore
from invoice_service.services.people.trail import NEWEST, ActFilter, TrailReader
from invoice_service.services.ports import Account, InvoiceFilter, InvoiceReader, MerchantFilter
from invoice_service.services.reporting.mix import MixedReport
from invoice_service.web.bureau.acts import acts_table
from invoice_service.web.bureau.words import INVOICES, STATUSES, in_both, places
from invoice_service.web.ground.catalogs import N_

DECISIONS: Final = ("admission", "suspension", "quota")
"""The types of acts that are decisions about a merchant."""
FIRST_DAY: Final = "2000-01-01"
TABLES: Final = {
    "merchant": N_("The merchant"),
    "whole": N_("All together"),
    "months": N_("By month"),
    "rates": N_("By rate"),
    "scans": N_("Scans that did not fit"),
    "decisions": N_("Decisions"),
}
"""Those of a merchant's file."""

_AT_ONCE: Final = 500
_SCANS: Final = 1_000_000
"""More than there are rows of scans: so many a day, and days are let go."""
_SIDES: Final = ("gross", "reversed", "net")
_MONEY: Final = ("amount", "tax", "total")


class Store(InvoiceReader, TrailReader, Protocol):
    """What files are read from."""

    def merchants_found(self, wanted: MerchantFilter, after: int, limit: int) -> list[int]:
        """Ids above ``after``, in order."""
        ...

    def account(self, merchant_id: int) -> Account | None:
        """One merchant."""
        ...


def all_merchants(
    store: Store, wanted: MerchantFilter, shown: Callable[[Account], Account]
) -> Taken:
    """The list, whole; ``shown`` is how somebody sees one."""

    def rows() -> Iterator[Row]:
        after = 0
        while ids := store.merchants_found(wanted, after, _AT_ONCE):
            for one in ids:
                if (account := store.account(one)) is not None:
                    yield _merchant(shown(account))
            after = ids[-1]

    tables = (table("merchants", MERCHANTS, _words(), rows, "record"),)
    return Taken("merchants", TITLES["merchants"], wanted._asdict(), tables)


def decisions(store: TrailReader, merchant: Merchant) -> Iterator[Recorded]:
    """What was decided about one, the newest first."""
    subject, found = f"merchant:{merchant.id}", list[Recorded]()
    for type_ in DECISIONS:
        before, wanted = NEWEST, ActFilter(subject=subject, type=type_)
        while some := store.newest_acts(wanted, before, _AT_ONCE):
            found += (one for one in some if one.act.outcome == "done")
            before = some[-1].seq
    return iter(sorted(found, key=lambda one: -one.seq))


def merchant_file(
    store: Store, scans: ScanStore, account: Account, months: MixedReport, rates: MixedReport
) -> Taken:
    """One's file; both reports are of the same block."""
    merchant, whole = account.merchant, months.head

    def one() -> Iterator[Row]:
        yield (*_merchant(account), *_limits(account))

    def scanned() -> Iterator[Row]:
        for some in scans.scans(FIRST_DAY, "9999-12-31", _SCANS, merchant.id):
            yield some.hash, some.count, some.first_day, some.last_day

    def decided() -> Iterator[Recorded]:
        return decisions(store, merchant)

    return Taken(
        what="merchant",
        title=f"{TITLES['merchant']} {merchant.id}",
        query={"merchant": str(merchant.id), "at_block": str(whole["block"]["height"])},
        tables=(
            table("merchant", (*MERCHANTS, *LIMITS), _words(), one, "record"),
            table("whole", FIGURES, {}, lambda: [tuple(_sums(whole))], "chain"),
            table("months", MONTHS, {}, _figures("month", months), "chain"),
            table("rates", RATES, {}, _figures("rate", rates), "chain"),
            table("scans", SCANS, {}, scanned, "record"),
            acts_table("decisions", decided, store.called),
        ),
        at={"block": whole["block"]},
    )


def merchant_invoices(store: InvoiceReader, merchant: Merchant, last: int) -> Taken:
    """Its invoices, blue and red, up to one; with what stands of them now."""

    def rows() -> Iterator[Row]:
        wanted, after = InvoiceFilter(merchant_id=merchant.id), 0
        while found := store.invoices(wanted, after, _AT_ONCE):
            for one in found:
                if one.seq > last:
                    return
                red = one.type == "red"
                yield (
                    *(one.code, one.number, one.type, one.issued_at, one.till, one.order_id),
                    *(one.amount, one.tax, one.total, None if red else one.left),
                    *(one.reverses_hash or "", one.hash),
                )
            after = found[-1].seq

    query = {"merchant": str(merchant.id), "up_to": str(last)}
    words = {"type": in_both(INVOICES)}
    tables = (table("invoices", INVOICE_COLUMNS, words, rows, "proofs"),)
    return Taken("invoices", f"{TITLES['invoices']} {merchant.id}", query, tables)


def _words() -> dict[str, Mapping[str, str]]:
    return {
        "district": places(districts()),
        "industry": places(industries()),
        "status": in_both(STATUSES),
    }


def _merchant(account: Account) -> Row:
    one = account.merchant
    place = one.district, one.industry
    return one.id, one.name, one.tax_id, *place, account.used, one.quota, one.status


def _limits(account: Account) -> Row:
    one = account.merchant
    of_month = one.month_quota, account.month, account.month_used
    return account.created_at, *of_month, one.invoice_limit, one.batch


def _figures(key: str, report: MixedReport) -> Callable[[], Iterator[Row]]:
    """The rows of a report, which are read once."""
    held = list(report.rows)

    def rows() -> Iterator[Row]:
        for row in held:
            yield row["keys"][key], *_sums(row)

    return rows


def _sums(found: Mapping[str, Any]) -> Iterator[int]:
    for side in _SIDES:
        yield int(found[side]["count"])
        yield from (int(found[side][name]) for name in _MONEY)
