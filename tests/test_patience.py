"""No test is decided by how long something took, and one patience bounds what hangs."""

import ast
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.patience import NEVER

TESTS = Path(__file__).parent
FILES = sorted(TESTS.rglob("*.py"))
CLOCKS = {"monotonic", "perf_counter", "process_time", "time"}
LONGEST = 500
BELOW, ABOVE = (ast.Lt, ast.LtE), (ast.Gt, ast.GtE)


def _is_span(node: ast.expr) -> bool:
    """Whether this is the time from some moment until now."""
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub)):
        return False
    call = node.left
    name = call.func if isinstance(call, ast.Call) else None
    return isinstance(name, ast.Attribute) and name.attr in CLOCKS


def upper_bounds(tree: ast.Module) -> Iterator[int]:
    """Lines that compare a span of time with what it may be at most."""
    named = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and _is_span(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }

    def spans(node: ast.expr) -> bool:
        return _is_span(node) or (isinstance(node, ast.Name) and node.id in named)

    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            for less, how, more in zip(sides, node.ops, sides[1:], strict=False):
                if (isinstance(how, BELOW) and spans(less)) or (
                    isinstance(how, ABOVE) and spans(more)
                ):
                    yield node.lineno


def own_limits(tree: ast.Module) -> Iterator[int]:
    """Lines that give whatever must come a limit of their own: a second or more."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.keyword) and node.arg == "timeout"):
            continue
        limit = node.value.value if isinstance(node.value, ast.Constant) else None
        if isinstance(limit, int | float) and limit >= 1:
            yield node.value.lineno


@pytest.mark.parametrize("find", [upper_bounds, own_limits])
def test_time_decides_nothing(find: Callable[[ast.Module], Iterator[int]]) -> None:
    found = {
        f"{path.relative_to(TESTS)}:{line}"
        for path in FILES
        for line in find(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert found == set()


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("assert time.monotonic() - began < 2", [1]),
        ("assert 1 <= time.monotonic() - began <= 2", [1]),
        ("assert 2 > time.perf_counter() - began", [1]),
        ("took = time.monotonic() - began\nassert took < 5", [2]),
        ("assert time.monotonic() - began >= 2", []),
        ("took = time.monotonic() - began\nassert 0.2 <= took", []),
    ],
)
def test_an_upper_bound_is_seen(source: str, lines: list[int]) -> None:
    assert list(upper_bounds(ast.parse(source))) == lines


def test_what_hangs_is_named_by_the_same_patience() -> None:
    settings = tomllib.loads((TESTS.parent / "pyproject.toml").read_text(encoding="utf-8"))
    assert settings["tool"]["pytest"]["ini_options"]["timeout"] == NEVER


def test_files_are_named_by_what_they_hold_and_are_short() -> None:
    named_by_nothing = [path.name for path in FILES if path.stem.endswith("_edges")]
    long = [path.name for path in FILES if len(path.read_text().splitlines()) > LONGEST]
    assert (named_by_nothing, long) == ([], [])
