"""Refusals at a till that bring more than words: the bill as it is now, what was sold already."""

from typing import Any, TypeVar, cast

from chain.errors import Problem

_Refusal = TypeVar("_Refusal", bound=Problem)


def with_members(problem: _Refusal, **members: object) -> _Refusal:
    """The problem with further members for its answer, which may be any JSON."""
    cast("dict[str, Any]", problem.extra).update(members)
    return problem
