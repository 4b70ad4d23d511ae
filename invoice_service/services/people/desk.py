"""Everything about people who sign in, put together over one store."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from invoice_service.services.people.entrance import Entrance
from invoice_service.services.people.factors import Factors, Sealer
from invoice_service.services.people.oidc import Provider, Settings
from invoice_service.services.people.passkeys import Passkeys
from invoice_service.services.people.person import FactorStore, PeopleStore
from invoice_service.services.people.proposals import Proposals, ProposalStore
from invoice_service.services.people.sessions import Lifetimes, Sessions, SessionStore
from invoice_service.services.people.staff import Staff
from invoice_service.services.people.trail import ActStore
from invoice_service.services.people.tries import Bounds, Counts


class DeskStore(PeopleStore, ProposalStore, FactorStore, SessionStore, ActStore, Protocol):
    """What all of it needs of a store."""


class PeopleDesk(NamedTuple):
    """What pages and commands work with."""

    entrance: Entrance
    sessions: Sessions
    factors: Factors
    passkeys: Passkeys
    staff: Staff
    counts: Counts
    proposals: Proposals
    provider: Provider
    clock: Callable[[], int]


def open_desk(
    store: DeskStore,
    sealer: Sealer,
    public_url: str,
    lifetimes: Lifetimes,
    invitation_seconds: int,
    clock: Callable[[], int],
    randbytes: Callable[[int], bytes],
    counts: Counts,
    *,
    two: bool = True,
    proposal_seconds: int = 604_800,
    oidc: Settings | None = None,
) -> PeopleDesk:
    """``clock`` gives unix seconds; ``randbytes`` must be fit for secrets; ``counts`` of tries.

    ``two`` and ``proposal_seconds`` as ``Proposals`` has them; ``oidc`` as ``Provider``.
    """
    sessions = Sessions(store, lifetimes, clock, randbytes)
    factors = Factors(store, sealer, clock, randbytes)
    passkeys = Passkeys(store, sealer, public_url, clock, randbytes)
    proposals = Proposals(store, clock, randbytes, invitation_seconds, proposal_seconds, two=two)

    def makes_none() -> bool:
        return oidc is not None and oidc.two_person and proposals.in_force()

    return PeopleDesk(
        entrance=Entrance(store, sessions, factors, passkeys, sealer, Bounds(counts), makes_none),
        sessions=sessions,
        factors=factors,
        passkeys=passkeys,
        staff=Staff(store, randbytes, invitation_seconds),
        counts=counts,
        provider=Provider(oidc, sealer, public_url, clock, randbytes),
        proposals=proposals,
        clock=clock,
    )
