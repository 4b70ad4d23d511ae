"""The trail for officials: who did what, and how often callers were refused."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec
from flask import Blueprint, Response, current_app

from chain.entry import format_time
from chain.errors import MalformedError
from invoice_service.api.access import DOOR, Access
from invoice_service.api.answers import json_answer, json_bytes, raw_answer
from invoice_service.api.parts import Parts
from invoice_service.api.requests import accepts, query, shanghai_days, whole_number
from invoice_service.domain.acts import ACT_TYPES, Outcome, Recorded, Said
from invoice_service.openapi.operation import (
    FROM,
    JSON,
    NDJSON,
    STORE,
    TO,
    Operation,
    Parameter,
    Words,
    page,
    says,
)
from invoice_service.services.people.trail import ActFilter, RefusalRow, in_acts

PAGE, LONGEST_PAGE = 100, 1000
LARGEST = 2**53 - 1


class ActBody(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One act; ``hash`` covers it and all before it. What is not said is absent.

    Names are of now, and nothing covers them.
    """

    seq: int
    at: str
    actor: str
    actor_name: str = ""
    origin: str = ""
    type: str
    subject: str
    subject_name: str = ""
    outcome: Outcome
    code: str = ""
    before: Said = {}
    after: Said = {}
    reason: str = ""
    hash: str


class ActPage(msgspec.Struct):
    """``next`` is the ``after`` of the following page; null on the last."""

    acts: list[ActBody]
    next: int | None


class RefusalBody(msgspec.Struct, kw_only=True):
    """How often one was answered 401 or 403 within the hour that begins at ``hour``."""

    hour: str
    code: str
    who: str
    origin: str
    count: int
    first_at: str
    last_at: str


class RefusalPage(msgspec.Struct):
    """``next`` is the ``after`` of the following page; null on the last."""

    refusals: list[RefusalBody]
    next: int | None


WORDS: Final[Words] = {
    "ActBody.seq": says("Counted from 1, without a gap"),
    "ActBody.at": says("UTC", format="date-time"),
    "ActBody.actor": says("Who did it: a key by its id, or a user of the machine"),
    "ActBody.actor_name": says("How the person is called, or whoever holds the key; not hashed"),
    "ActBody.origin": says("The address from which it came"),
    "ActBody.type": says("What was done"),
    "ActBody.subject": says("What it was done to"),
    "ActBody.subject_name": says("How the person or merchant is called, or the key's holder"),
    "ActBody.outcome": says("Whether it was allowed or refused"),
    "ActBody.code": says("Why it was refused"),
    "ActBody.before": says("What it changed, as it was"),
    "ActBody.after": says("What it changed, as it is since"),
    "ActBody.reason": says("As given by whoever did it"),
    "ActBody.hash": says("Covers this act and all before it"),
    "ActPage.acts": says("In order"),
    "ActPage.next": says("The `after` of the following page; null on the last"),
    "RefusalBody.hour": says("When the hour began, UTC", format="date-time"),
    "RefusalBody.code": says("Why callers were refused"),
    "RefusalBody.who": says("The key, or nobody"),
    "RefusalBody.origin": says("The address, or others"),
    "RefusalBody.count": says("How often"),
    "RefusalBody.first_at": says("UTC", format="date-time"),
    "RefusalBody.last_at": says("UTC", format="date-time"),
    "RefusalPage.refusals": says("In order of first refusal"),
    "RefusalPage.next": says("The `after` of the following page; null on the last"),
}

_CODES = ("not_acceptable", "parameter_malformed", "day_invalid", "range_invalid", *STORE)

OPERATIONS: Final = (
    Operation(
        "get",
        "/v1/trail",
        "listActs",
        "officials",
        "Who did what, when and from where, allowed or refused",
        "A page, in order; as NDJSON one act a line",
        ((JSON, ActPage), (NDJSON, ActBody)),
        "official",
        (
            *page(LONGEST_PAGE),
            Parameter("subject", "What it was done to: `merchant:1`, `key:7`, `log`, `clock`"),
            Parameter("actor", "Who did it: `key:7`, `machine:<user>`"),
            Parameter("type", "What was done", schema={"enum": list(ACT_TYPES)}),
            FROM,
            TO,
        ),
        scope="read",
        power="trail",
        codes=_CODES,
    ),
    Operation(
        "get",
        "/v1/trail/refusals",
        "listRefusals",
        "officials",
        "How often callers were answered 401 or 403, by hour, code, key and address",
        "A page, in order of first refusal; as NDJSON one count a line",
        ((JSON, RefusalPage), (NDJSON, RefusalBody)),
        "official",
        (*page(LONGEST_PAGE), FROM, TO),
        scope="read",
        power="trail",
        codes=_CODES,
    ),
)


def blueprint(parts: Parts) -> Blueprint:
    """The routes; officials only."""
    routes = Blueprint("trail", __name__, url_prefix="/v1/trail")
    access = Access(parts.store, parts.clock)

    @routes.get("")
    def acts() -> Response:
        access.official("trail")
        kind = accepts(JSON, NDJSON)
        asked = query("after", "limit", "subject", "actor", "type", "from", "to")
        since, until = shanghai_days(asked)
        wanted = ActFilter(
            subject=asked.get("subject"),
            actor=asked.get("actor"),
            type=_type(asked),
            since=since,
            until=until,
        )
        after, limit = _page(asked)
        found = parts.store.acts(wanted, after, limit)
        names = parts.store.called(in_acts(found))
        bodies = [act_body(one, names) for one in found]
        if kind == NDJSON:
            return _lines(bodies)
        return _by_accept(json_answer(ActPage(bodies, _next([a.seq for a in found], limit))))

    @routes.get("/refusals")
    def refusals() -> Response:
        access.official("trail")
        kind = accepts(JSON, NDJSON)
        asked = query("after", "limit", "from", "to")
        since, until = shanghai_days(asked)
        after, limit = _page(asked)
        current_app.extensions[DOOR].flush()  # of this process; others are a second behind
        found = parts.store.refusals(since, until, after, limit)
        bodies = [refusal_body(row) for row in found]
        if kind == NDJSON:
            return _lines(bodies)
        return _by_accept(json_answer(RefusalPage(bodies, _next([r.id for r in found], limit))))

    return routes


def act_body(found: Recorded, names: Mapping[str, str]) -> ActBody:
    """An act as it is shown; ``names`` as ``TrailReader.called``."""
    act = found.act
    said = msgspec.structs.asdict(act) | {"at": _time(act.at)}
    said |= {"actor_name": names.get(act.actor, ""), "subject_name": names.get(act.subject, "")}
    return ActBody(seq=found.seq, hash=found.hash.hex(), **said)


def refusal_body(row: RefusalRow) -> RefusalBody:
    """A count as it is shown."""
    return RefusalBody(
        hour=_time(row.hour),
        code=row.code,
        who=row.who,
        origin=row.origin,
        count=row.count,
        first_at=_time(row.first_at),
        last_at=_time(row.last_at),
    )


def _type(asked: dict[str, str]) -> str | None:
    named = asked.get("type")
    if named is not None and named not in ACT_TYPES:
        raise MalformedError(
            "parameter_malformed", f"type is one of {', '.join(ACT_TYPES)}", pointer="type"
        )
    return named


def _page(asked: dict[str, str]) -> tuple[int, int]:
    after = whole_number(asked, "after", 0, LARGEST, least=0)
    return after, whole_number(asked, "limit", PAGE, LONGEST_PAGE)


def _next(places: Sequence[int], limit: int) -> int | None:
    return places[-1] if len(places) == limit else None


def _lines(bodies: Sequence[object]) -> Response:
    return _by_accept(raw_answer(b"".join(json_bytes(one) + b"\n" for one in bodies), NDJSON))


def _by_accept(answer: Response) -> Response:
    """The same address has two forms."""
    answer.headers["Vary"] = "Accept"
    return answer


def _time(seconds: int) -> str:
    return format_time(datetime.fromtimestamp(seconds, UTC))
