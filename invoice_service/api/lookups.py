"""``/v1/lookups``: who of the bureau looked at merchants and invoices, how often, and why."""

from datetime import UTC, datetime
from typing import Final

import msgspec
from flask import Blueprint, Response

from chain.entry import format_time
from invoice_service.api.access import Access
from invoice_service.api.answers import json_answer
from invoice_service.api.parts import Parts
from invoice_service.api.requests import query, shanghai_days, whole_number
from invoice_service.openapi.operation import (
    FROM,
    JSON,
    STORE,
    TO,
    Operation,
    Parameter,
    Words,
    says,
    whole,
)

MOST: Final = 1000


class LookupBody(msgspec.Struct, kw_only=True, omit_defaults=True):
    """How often one looked for one purpose; each look-up stands in the trail (``lookup``)."""

    actor: str
    person: int | None = None
    purpose: str
    count: int
    subjects: int
    first_at: str
    last_at: str


class LookupList(msgspec.Struct):
    """The most look-ups first."""

    lookups: list[LookupBody]


WORDS: Final[Words] = {
    "LookupBody.actor": says("Who looked: a person or a key by its number"),
    "LookupBody.person": says("Which person that is; absent where nobody is known to hold the key"),
    "LookupBody.purpose": says("As it was said; `unsaid` where it was not"),
    "LookupBody.count": says("How often: once an hour for each thing that was looked at"),
    "LookupBody.subjects": says("At how many merchants, invoices and lists"),
    "LookupBody.first_at": says("UTC", format="date-time"),
    "LookupBody.last_at": says("UTC", format="date-time"),
    "LookupList.lookups": says("The most look-ups first"),
}

OPERATIONS: Final = (
    Operation(
        "get",
        "/v1/lookups",
        "listLookups",
        "officials",
        "Who looked at merchants and invoices, how often, and why",
        "Counts by official and purpose",
        ((JSON, LookupList),),
        "official",
        (FROM, TO, Parameter("limit", "Rows at most; 1000 unless given", schema=whole(1, MOST))),
        scope="read",
        power="trail",
        codes=("parameter_malformed", "day_invalid", "range_invalid", *STORE),
    ),
)


def blueprint(parts: Parts) -> Blueprint:
    """The route; officials only."""
    routes = Blueprint("lookups", __name__)
    access = Access(parts.store, parts.clock)

    @routes.get("/v1/lookups")
    def listing() -> Response:
        access.official("trail")
        asked = query("from", "to", "limit")
        since, until = shanghai_days(asked)
        limit = whole_number(asked, "limit", MOST, MOST)
        found = parts.lookups.store.lookups(since, until, limit)
        return json_answer(
            LookupList(
                [
                    LookupBody(
                        actor=one.actor,
                        person=one.person,
                        purpose=one.purpose,
                        count=one.count,
                        subjects=one.subjects,
                        first_at=_time(one.first_at),
                        last_at=_time(one.last_at),
                    )
                    for one in found
                ]
            )
        )

    return routes


def _time(seconds: int) -> str:
    return format_time(datetime.fromtimestamp(seconds, UTC))
