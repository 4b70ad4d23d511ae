"""Everything that admission can do, put together over one store."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from invoice_service.services.admission.bench import Bench, QuotaDesk
from invoice_service.services.admission.desk import Applications
from invoice_service.services.admission.owner import FirstOwner, OwnerStore
from invoice_service.services.admission.ports import (
    ApplicationStore,
    Listed,
    PaperFiles,
    QuotaRequestStore,
    Room,
)
from invoice_service.services.people.trail import ActStore
from invoice_service.services.people.tries import Counts


class OfficeStore(ApplicationStore, QuotaRequestStore, OwnerStore, ActStore, Protocol):
    """What all of it needs of a store."""


class Admission(NamedTuple):
    """The desks: who applies, who examines, who asks for more and who answers, who is let in."""

    applications: Applications
    bench: Bench
    quotas: QuotaDesk
    owners: FirstOwner


def open_admission(
    room: Room,
    notice_days: int,
    offer_seconds: int,
    store: OfficeStore,
    files: PaperFiles,
    counts: Counts,
    clock: Callable[[], int],
    randbytes: Callable[[int], bytes],
    listed: Listed,
) -> Admission:
    """Over one store; ``clock`` gives unix seconds, ``randbytes`` must be fit for secrets."""
    return Admission(
        Applications(store, files, counts, clock, randbytes, room, listed),
        Bench(store, store, files, clock, room, notice_days, offer_seconds),
        QuotaDesk(store, store),
        FirstOwner(store, clock, randbytes, offer_seconds),
    )
