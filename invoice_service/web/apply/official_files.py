"""Applications and requests for quota, as tables to be taken along."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from invoice_service.documents.bureau_tables import APPLICATIONS, QUOTA_REQUESTS, TITLES, table
from invoice_service.documents.taken import Row, Taken
from invoice_service.domain.application import State
from invoice_service.domain.merchant import districts, industries
from invoice_service.services.admission.ports import (
    ApplicationStore,
    QuotaRequestStore,
    RequestState,
)
from invoice_service.services.ports import Account
from invoice_service.web.bureau.words import in_both, places
from invoice_service.web.ground.catalogs import N_

_AT_ONCE: Final = 200
_STATES: Final = {
    "received": N_("received"),
    "notice": N_("public notice"),
    "examined": N_("examined"),
    "admitted": N_("admitted"),
    "refused": N_("refused"),
    "withdrawn": N_("withdrawn"),
}
_REQUESTS: Final = {
    "open": N_("waiting"),
    "granted": N_("granted"),
    "refused": N_("not granted"),
    "withdrawn": N_("withdrawn"),
}
_KINDS: Final = {"quota": N_("quota"), "leave": N_("to leave")}
_LIMITS: Final = ("quota", "month_quota", "invoice_limit")


def applications(store: ApplicationStore, states: Sequence[State], state: str, text: str) -> Taken:
    """Those in these states, or that are searched for, whole: what the desk's list shows."""

    def rows() -> Iterator[Row]:
        after = 0
        while found := store.applications(states, after, _AT_ONCE, text=text):
            rivals = store.competing([one.tax_id for one in found])
            for one in found:
                until = one.notice_until if one.state == "notice" else None
                place = one.industry, one.district
                who = one.id, one.state, one.name, one.tax_id
                yield (*who, *place, one.at, until, rivals.get(one.tax_id, 0))
            after = found[-1].id

    words = {
        "state": in_both(_STATES),
        "industry": places(industries()),
        "district": places(districts()),
    }
    tables = (table("applications", APPLICATIONS, words, rows, "record"),)
    return Taken("applications", TITLES["applications"], {"state": state, "text": text}, tables)


def quota_requests(
    store: QuotaRequestStore, account: Callable[[int], Account | None], state: RequestState
) -> Taken:
    """The queue in one state, whole, with what each merchant may issue now."""

    def rows() -> Iterator[Row]:
        after = 0
        while found := store.quota_requests(None, state, after, _AT_ONCE):
            for one in found:
                of = account(one.merchant_id)
                limits = of.merchant.quotas() if of else None
                now = [getattr(limits, name, None) for name in _LIMITS]
                asked = [getattr(one.quotas, name) for name in _LIMITS]
                yield (
                    *(one.id, one.state, one.kind, one.merchant_id, one.merchant, one.at),
                    *(*asked, one.reason, one.answer, one.answered_at),
                    *(*now, of.used if of else None),
                )
            after = found[-1].id

    words = {"state": in_both(_REQUESTS), "kind": in_both(_KINDS)}
    tables = (table("quota_requests", QUOTA_REQUESTS, words, rows, "record"),)
    return Taken("quota_requests", TITLES["quota_requests"], {"state": state}, tables)
