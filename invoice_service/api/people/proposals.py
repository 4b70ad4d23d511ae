"""``/v1/proposals``: what one official proposes, and another confirms."""

from datetime import UTC, datetime
from typing import Final

import msgspec
from flask import Blueprint, Response

from chain.entry import format_time
from chain.errors import MalformedError
from invoice_service.api.access import Access
from invoice_service.api.answers import JSON, json_answer
from invoice_service.api.merchants.register import CREATED
from invoice_service.api.parts import Parts
from invoice_service.api.requests import body, media_type, query, whole_number
from invoice_service.domain.acts import Said
from invoice_service.domain.bounds import LARGEST, Number
from invoice_service.domain.reading import read_json
from invoice_service.openapi.operation import (
    STORE,
    TEXTS,
    Operation,
    Parameter,
    Words,
    page,
    says,
    whole,
)
from invoice_service.services.people.proposals import Actor, Grave, Proposal, State
from invoice_service.services.people.roles import OfficialRole, Power
from invoice_service.services.people.trail import LONGEST_REASON

PROPOSAL: Final = Parameter("proposal", "The proposal's number", "path", whole(1, LARGEST))
_PAGE: Final = 100
_LONGEST_PAGE: Final = 1000


class ProposalRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is to be done, once another administrator confirms it."""

    kind: Grave
    person: Number | None = None
    merchant: Number | None = None
    role: OfficialRole | None = None
    name: str = ""
    login: str = ""
    reason: str = ""


class ProposalBody(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A proposal; ``invitation`` stands only in the answer that confirms one."""

    id: int
    kind: Grave
    person: int | None = None
    merchant: int | None = None
    role: str = ""
    name: str = ""
    login: str = ""
    reason: str = ""
    state: State
    proposed_by: str
    proposer: int
    proposed_at: str
    expires_at: str
    decided_by: str = ""
    decided_at: str = ""
    invitation: str = ""


class ProposalPage(msgspec.Struct):
    """``next`` is the ``after`` of the following page; null on the last."""

    proposals: list[ProposalBody]
    next: int | None


_FIELDS: Final = {
    "kind": says(
        "`role`: another role for `person`; `invitation`: somebody new, with `name`, `login` and"
        " `role`; `reinvitation`: void all that lets `person` in, and invite anew; `removal`: never"
        " again; `revocation`: `merchant` issues no more, for good"
    ),
    "person": says("Whom of the bureau it is about"),
    "merchant": says("Which merchant it is about"),
    "role": says("The role to have"),
    "name": says("Of somebody new: as shown to others", maxLength=40),
    "login": says("Of somebody new: the sign-in name, before the @", maxLength=32),
    "reason": says("Why; it stands in the trail", maxLength=LONGEST_REASON),
}
WORDS: Final[Words] = {
    **{f"ProposalRequest.{name}": text for name, text in _FIELDS.items()},
    **{f"ProposalBody.{name}": text for name, text in _FIELDS.items()},
    "ProposalBody.id": says("Given out here"),
    "ProposalBody.state": says("`expired` where nobody has decided in time"),
    "ProposalBody.proposed_by": says("Who proposed it, as the trail has it"),
    "ProposalBody.proposer": says("Which person that is"),
    "ProposalBody.proposed_at": says("UTC", format="date-time"),
    "ProposalBody.expires_at": says("Until when it can be confirmed, UTC", format="date-time"),
    "ProposalBody.decided_by": says("Who confirmed or withdrew it"),
    "ProposalBody.decided_at": says("When, UTC", format="date-time"),
    "ProposalBody.invitation": says("The link by which a password is set, once: only here"),
    "ProposalPage.proposals": says("The newest first"),
    "ProposalPage.next": says("The `after` of the following page; null on the last"),
}

_ONE = ("parameter_malformed", "proposal_unknown", *STORE)

OPERATIONS: Final = (
    Operation(
        "get",
        "/v1/proposals",
        "listProposals",
        "officials",
        "What was proposed that takes two",
        "A page, the newest first",
        ((JSON, ProposalPage),),
        "official",
        page(_LONGEST_PAGE),
        scope="manage",
        power="staff",
        codes=("parameter_malformed", *STORE),
    ),
    Operation(
        "post",
        "/v1/proposals",
        "propose",
        "officials",
        "Propose what takes two",
        "The proposal",
        ((JSON, ProposalBody),),
        "official",
        (),
        ((JSON, ProposalRequest),),
        (201,),
        scope="manage",
        power="people",
        codes=(
            *(*TEXTS, "value_unknown", "login_invalid", "role_of_another", "person_unknown"),
            *(
                "merchant_unknown",
                "missing_field",
                "amount_out_of_range",
                "holder_unknown",
                "proposal_open",
                "role_same",
                "merchant_revoked",
                "login_taken",
            ),
            *("database_refused", *STORE),
        ),
    ),
    Operation(
        "get",
        "/v1/proposals/{proposal}",
        "readProposal",
        "officials",
        "A proposal",
        "The proposal",
        ((JSON, ProposalBody),),
        "official",
        (PROPOSAL,),
        scope="manage",
        power="staff",
        codes=_ONE,
    ),
    Operation(
        "post",
        "/v1/proposals/{proposal}/confirmation",
        "confirmProposal",
        "officials",
        "Do what somebody else has proposed",
        "The proposal",
        ((JSON, ProposalBody),),
        "official",
        (PROPOSAL,),
        scope="manage",
        power="people",
        codes=(
            *(*_ONE, "same_person", "holder_unknown", "proposal_over", "login_taken"),
            *("person_unknown", "role_same"),
            *("last_administrator", "merchant_revoked", "database_refused"),
        ),
    ),
    Operation(
        "delete",
        "/v1/proposals/{proposal}",
        "withdrawProposal",
        "officials",
        "End a proposal that nobody has confirmed",
        "The proposal",
        ((JSON, ProposalBody),),
        "official",
        (PROPOSAL,),
        scope="manage",
        power="people",
        codes=(*_ONE, "proposal_over", "database_refused"),
    ),
)

_request: Final[msgspec.json.Decoder[ProposalRequest]] = msgspec.json.Decoder(ProposalRequest)


def proposals_blueprint(parts: Parts) -> Blueprint:
    """The routes; officials only."""
    return ProposalCalls(parts).blueprint()


class ProposalCalls:
    """Proposing, confirming, withdrawing."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._access = Access(parts.store, parts.clock)
        self._desk = parts.people.proposals
        self._limit = parts.config.limits.body_bytes
        self._base = f"{parts.config.service.public_url}/invitation/"

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("proposals", __name__, url_prefix="/v1/proposals")
        routes.get("")(self.listing)
        routes.post("")(self.propose)
        routes.get("/<proposal>")(self.one)
        routes.post("/<proposal>/confirmation")(self.confirm)
        routes.delete("/<proposal>")(self.withdraw)
        return routes

    def listing(self) -> Response:
        """The newest first."""
        self._access.official("staff")
        asked = query("after", "limit")
        limit = whole_number(asked, "limit", _PAGE, _LONGEST_PAGE)
        after = whole_number(asked, "after", 0, LARGEST, least=0)
        found = self._desk.store.proposals(after, limit)
        more = found[-1].id if len(found) == limit else None
        return json_answer(ProposalPage([self._body(one) for one in found], more))

    def propose(self) -> Response:
        """A new one."""
        actor = self._actor("people")
        media_type(JSON)
        asked = read_json(body(self._limit), _request, max_bytes=self._limit)
        subject, said = _meant(asked)
        made = self._desk.propose(asked.kind, subject, said, asked.reason, actor)
        return json_answer(self._body(made), CREATED)

    def one(self, proposal: str) -> Response:
        """One of them."""
        self._actor("staff")
        return json_answer(self._body(self._desk.one(_id(proposal))))

    def confirm(self, proposal: str) -> Response:
        """Do it."""
        actor = self._actor("people")
        done = self._desk.confirm(_id(proposal), actor)
        return json_answer(self._body(done.proposal, done.token))

    def withdraw(self, proposal: str) -> Response:
        """Not to be done."""
        actor = self._actor("people")
        return json_answer(self._body(self._desk.withdraw(_id(proposal), actor)))

    def _actor(self, power: Power) -> Actor:
        principal = self._access.official(power)
        query()
        by = self._access.by(principal, int(self._parts.clock().timestamp()))
        return Actor(by, principal.person)

    def _body(self, found: Proposal, token: str = "") -> ProposalBody:
        room, _, number = found.subject.partition(":")
        return ProposalBody(
            id=found.id,
            kind=found.kind,
            person=int(number) if room == "person" else None,
            merchant=int(number) if room == "merchant" else None,
            **{name: str(text) for name, text in found.said.items()},
            reason=found.reason,
            state=found.seen(int(self._parts.clock().timestamp())),
            proposed_by=found.actor,
            proposer=found.person_id,
            proposed_at=_time(found.at),
            expires_at=_time(found.expires_at),
            decided_by=found.decided_by,
            decided_at="" if found.decided_at is None else _time(found.decided_at),
            invitation=self._base + token if token else "",
        )


def _meant(asked: ProposalRequest) -> tuple[str, Said]:
    """What a proposal is about, and what it comes to; MalformedError ``missing_field``."""
    said: Said = {}
    if asked.kind in ("role", "invitation"):
        if asked.role is None:
            raise MalformedError("missing_field", "role says which one", pointer="/role")
        said["role"] = asked.role
    if asked.kind == "invitation":
        return "bureau", said | {"name": asked.name, "login": asked.login}
    room = "merchant" if asked.kind == "revocation" else "person"
    number = asked.merchant if room == "merchant" else asked.person
    if number is None:
        raise MalformedError("missing_field", f"{room} says whom it is about", pointer=f"/{room}")
    return f"{room}:{number}", said


def _id(text: str) -> int:
    return whole_number({"proposal": text}, "proposal", 0, LARGEST)


def _time(seconds: int) -> str:
    return format_time(datetime.fromtimestamp(seconds, UTC))
