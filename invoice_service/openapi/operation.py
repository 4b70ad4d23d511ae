"""What a door says of its calls, for ``/openapi.json``: the words that all doors share."""

from typing import Any, Literal, NamedTuple

JSON, NDJSON, CSV, TEXT, HTML = (
    "application/json",
    "application/x-ndjson",
    "text/csv",
    "text/plain",
    "text/html",
)

Shape = type[Any] | Literal["string", "bytes", "object"]
"""A struct, or what has none."""

Shapes = tuple[tuple[str, Shape], ...]
"""(content type, shape) of each form that a body has."""


class Parameter(NamedTuple):
    """One parameter of a call."""

    name: str
    text: str
    place: Literal["query", "path", "header"] = "query"
    schema: dict[str, Any] = {"type": "string"}  # noqa: RUF012 # never changed
    required: bool = False


class Operation(NamedTuple):
    """One call; ``key`` says whose API key it takes."""

    method: Literal["get", "post", "put", "delete"]
    path: str
    name: str
    tag: str
    summary: str
    answer: str
    answers: Shapes
    key: Literal["", "merchant", "official", "any", "optional"] = ""
    parameters: tuple[Parameter, ...] = ()
    body: Shapes = ()
    statuses: tuple[int, ...] = (200,)


def whole(least: int, most: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": least, "maximum": most}


HASH_TEXT = {"type": "string", "pattern": "^01[0-9a-f]{64}$"}
DAY = {"type": "string", "format": "date"}
NUMBER = {"type": "string", "pattern": "^[0-9]{8}$"}

HASH = Parameter("hash", "The password area", "path", HASH_TEXT)
FROM = Parameter("from", "First Shanghai date", schema=DAY)
TO = Parameter("to", "Last Shanghai date, included", schema=DAY)


def page(most: int) -> tuple[Parameter, Parameter]:
    return (
        Parameter("after", "`next` of the page before"),
        Parameter("limit", "Entries of a page", schema=whole(1, most)),
    )


def slip(*, required: bool) -> tuple[Parameter, ...]:
    return (
        Parameter("hash", "The password area", schema=HASH_TEXT, required=required),
        Parameter("bill_num", "The number", schema=NUMBER, required=required),
        Parameter(
            "total_amount", "Fen, tax included", schema=whole(-(10**13), 10**13), required=required
        ),
    )
