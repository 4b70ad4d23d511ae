"""The bureau's people, and what was proposed among them, as tables to be taken along."""

from collections.abc import Iterator
from typing import Final

from invoice_service.documents.bureau_tables import PEOPLE, PROPOSALS, TITLES, table
from invoice_service.documents.taken import Row, Taken
from invoice_service.services.people.proposals import Proposal, ProposalStore
from invoice_service.web.bureau.words import ENDS, GRAVE, PERSON_STATES, ROLES, in_both
from invoice_service.web.ground.catalogs import N_

TABLES: Final = {"people": N_("Who works here"), "proposals": N_("Proposals")}

_AT_ONCE: Final = 500


def people_and_proposals(store: ProposalStore, now: int) -> Taken:
    """All of both; ``now`` (unix seconds) is when a proposal's time is over or not."""

    def people() -> Iterator[Row]:
        for one in store.people(None):
            codes = "yes" if one.totp else ""
            times = one.created_at, one.suspended_at, one.removed_at
            yield one.id, one.name, one.login, one.role, one.state, codes, *times

    def proposals() -> Iterator[Row]:
        before = 0
        while found := store.proposals(before, _AT_ONCE):
            named = {who for one in found for who in (one.actor, one.subject, one.decided_by)}
            names = store.called(named)
            for one in found:
                called = (names.get(who, "") for who in (one.subject, one.actor, one.decided_by))
                yield _proposal(one, now, *called)
            before = found[-1].id

    of_people = {"role": in_both(ROLES), "state": in_both(PERSON_STATES)}
    words = {"kind": in_both(GRAVE), "role": in_both(ROLES), "state": in_both(ENDS)}
    tables = (
        table("people", PEOPLE, of_people, people, "record"),
        table("proposals", PROPOSALS, words, proposals, "record"),
    )
    return Taken("people", TITLES["people"], {}, tables)


def _proposal(one: Proposal, now: int, of: str, actor: str, decided_by: str) -> Row:
    said = (str(one.said.get(name, "")) for name in ("name", "login", "role"))
    return (
        *(one.id, one.kind, one.subject, of, *said, one.reason, one.actor, actor),
        *(one.at, one.expires_at, one.seen(now), one.decided_by, decided_by, one.decided_at),
    )
