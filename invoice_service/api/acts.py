"""Acts that the log commits to, for whom they concern: what was decided, and the proof of it."""

from typing import Any, Final

import msgspec
from flask import Blueprint, Response

from chain.entry import ACT_TYPES, act_key
from chain.errors import MalformedError, NotFoundError
from chain.hashing import Digest, digest_from_hex
from invoice_service.api.access import Access
from invoice_service.api.answers import JSON, json_answer, raw_answer
from invoice_service.api.parts import Parts
from invoice_service.api.requests import query, whole_number
from invoice_service.domain.acts import LoggedAct, Said
from invoice_service.domain.bounds import LARGEST
from invoice_service.openapi.operation import (
    LOG,
    STORE,
    Operation,
    Parameter,
    Words,
    page,
    says,
)
from invoice_service.services.checking.acts import prove_act
from invoice_service.services.people.sign_in import merchant_of, require_official

PAGE, LONGEST_PAGE = 100, 1000


class DecisionBody(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One act; ``act`` is the commitment in its log entry. What is not said is absent.

    Names are for officials alone, of now, and no part of the document.
    """

    seq: int
    act: str
    type: str
    at: str
    by: str
    by_name: str = ""
    subject: str
    subject_name: str = ""
    before: Said = {}
    after: Said = {}
    reason: str = ""
    previous: str = ""
    index: int | None = None


class DecisionPage(msgspec.Struct):
    """``next`` is the ``after`` of the following page; null on the last."""

    acts: list[DecisionBody]
    next: int | None


WORDS: Final[Words] = {
    "DecisionBody.seq": says("For the order, and for `after`"),
    "DecisionBody.act": says("The commitment in the log entry, hex"),
    "DecisionBody.type": says("What was decided", enum=list(ACT_TYPES)),
    "DecisionBody.at": says("UTC", format="date-time"),
    "DecisionBody.by": says("Who did it: a key, a person, or a user of the machine"),
    "DecisionBody.by_name": says("For officials: how the person, or the key's holder, is called"),
    "DecisionBody.subject_name": says("For officials: how the person or merchant is called"),
    "DecisionBody.subject": says("What it was done to"),
    "DecisionBody.before": says("What it changed, as it was"),
    "DecisionBody.after": says("What it changed, as it is since"),
    "DecisionBody.reason": says("As given by whoever did it"),
    "DecisionBody.previous": says("The commitment of the subject's act before"),
    "DecisionBody.index": says("Its entry in the log; absent while it waits"),
    "DecisionPage.acts": says("In order"),
    "DecisionPage.next": says("The `after` of the following page; null on the last"),
}

_COMMITMENT: Final = Parameter(
    "commitment",
    "The commitment, hex",
    "path",
    {"type": "string", "pattern": "^[0-9a-f]{64}$"},
)

OPERATIONS: Final = (
    Operation(
        "get",
        "/v1/acts",
        "listDecisions",
        "reading",
        "Decisions that the log commits to: a merchant's own, or for officials all",
        "A page, in order",
        ((JSON, DecisionPage),),
        "any",
        page(LONGEST_PAGE),
        scope="read",
        power="look",
        codes=("role_required", "parameter_malformed", *STORE, *LOG),
    ),
    Operation(
        "get",
        "/v1/acts/{commitment}/proof",
        "proveDecision",
        "reading",
        "The proof file of a decision",
        "Canonical JSON; docs/formats.md",
        ((JSON, "object"),),
        "any",
        (_COMMITMENT,),
        scope="read",
        power="look",
        codes=("role_required", "act_unknown", "not_in_log", "not_published", *STORE, *LOG),
    ),
)


def blueprint(parts: Parts) -> Blueprint:
    """The routes; a merchant sees its own alone."""
    routes = Blueprint("acts", __name__, url_prefix="/v1/acts")
    access = Access(parts.store, parts.clock)

    @routes.get("")
    def acts() -> Response:
        whose = _reader(access)
        asked = query("after", "limit")
        after = whole_number(asked, "after", 0, LARGEST, least=0)
        limit = whole_number(asked, "limit", PAGE, LONGEST_PAGE)
        found = parts.store.logged_acts(after, limit, whose)
        bodies = [_body(one, parts.log.find(act_key(one.commitment))) for one in found]
        if whose is None:
            _name(bodies, parts)
        more = found[-1].seq if len(found) == limit else None
        return json_answer(DecisionPage(bodies, more))

    @routes.get("/<commitment>/proof")
    def proof(commitment: str) -> Response:
        whose = _reader(access)
        query()
        wanted = _commitment(commitment)
        answer = raw_answer(prove_act(parts.store, parts.log, wanted, whose), JSON)
        name = f"act-{wanted.hex()[:16]}.fapiao.json"
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return answer

    return routes


def _reader(access: Access) -> int | None:
    """The merchant who asks; None for an official, who may look at all."""
    principal = access.known()
    if principal.role == "merchant":
        return merchant_of(principal, "read")
    require_official(principal, "look")
    return None


def _commitment(text: str) -> Digest:
    try:
        return digest_from_hex(text)
    except MalformedError:
        raise NotFoundError("act_unknown", "a commitment has 64 lower-case hex digits") from None


def _name(bodies: list[DecisionBody], parts: Parts) -> None:
    """Say the names of who decided and about whom; a merchant is not told them."""
    names = parts.store.called({who for one in bodies for who in (one.by, one.subject)})
    for one in bodies:
        one.by_name, one.subject_name = names.get(one.by, ""), names.get(one.subject, "")


def _body(act: LoggedAct, index: int | None) -> DecisionBody:
    said: dict[str, Any] = msgspec.json.decode(act.document)
    del said["version"]
    return DecisionBody(seq=act.seq, act=act.commitment.hex(), index=index, **said)
