"""A report that somebody has: its question, and where it is another than the one that is made."""

from collections.abc import Mapping
from typing import Any

import msgspec

from chain.audit.finding import AuditError
from chain.errors import MalformedError
from invoice_service.services.reporting.question import FILTERS, Question


class _At(msgspec.Struct):
    height: int


class _Head(msgspec.Struct):
    """What a report says of its question."""

    version: int
    by: list[str]
    measure: str
    compare: list[str]
    filters: dict[str, str]
    block: _At
    first: str = msgspec.field(name="from")
    last: str = msgspec.field(name="to")
    top: int = 0
    bottom: int = 0


def question_of(report: bytes) -> Question:
    """The question that a report of version 3 answers. MalformedError ``report_malformed``."""
    try:
        head = msgspec.json.decode(report, type=_Head)
    except msgspec.MsgspecError as error:
        raise _not_ours(str(error)) from error
    if head.version != 3 or not set(head.filters) <= set(FILTERS):
        raise _not_ours("it is of another version")
    return Question(
        by=tuple(head.by),
        first=head.first or None,
        last=head.last or None,
        at_block=head.block.height,
        measure=head.measure,
        compare=tuple(head.compare),
        top=head.top,
        bottom=head.bottom,
        **head.filters,
    )


def compare_reports(expected: bytes, found: bytes) -> int:
    """Return the number of rows; AuditError ``report`` for the first figure that is another."""
    right = msgspec.json.decode(expected)
    if expected == found:
        return len(right["rows"])
    try:
        other = msgspec.json.decode(found, type=dict[str, Any])
        rows = {_name(row): row for row in other.pop("rows")}
    except (msgspec.MsgspecError, KeyError, TypeError, AttributeError) as error:
        raise _not_ours(str(error)) from error
    wanted = {_name(row): row for row in right.pop("rows")}
    for name in [*wanted, *(name for name in rows if name not in wanted)]:
        _differ(f"row {name}", wanted.get(name), rows.get(name))
    _differ("whole", right, other)
    raise AuditError("report", "whole", "these bytes", "the same in other bytes")


def _differ(place: str, right: Any, other: Any) -> None:  # noqa: ANN401 # any JSON
    """Name the first member that is another."""
    if right == other:
        return
    if isinstance(right, dict) and isinstance(other, dict):
        for name in sorted(right.keys() | other.keys()):
            _differ(f"{place}, {name}", right.get(name), other.get(name))
    raise AuditError("report", place, _shown(right), _shown(other))


def _shown(value: Any) -> str:  # noqa: ANN401 # any JSON
    return "nothing" if value is None else msgspec.json.encode(value).decode()


def _name(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {key}" for name, key in row["keys"].items()) or "whole"


def _not_ours(why: str) -> MalformedError:
    return MalformedError("report_malformed", f"this is no report of version 3: {why}")
