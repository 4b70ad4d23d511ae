"""The list of mutants that stand: read as it is written, compared with a run, true of the code."""

import ast
from pathlib import Path

import pytest

from scripts.mutants.page import Change, arguments, harmless, report

PAGE = Path("docs/mutants.md").read_text(encoding="utf-8")
LISTED = list(arguments(PAGE))


def _source(change: Change) -> list[str]:
    """The lines of the function, without their indentation."""
    source = Path(change.path).read_text(encoding="utf-8")
    owner, _, name = change.function.rpartition(".")
    bodies = [ast.parse(source).body]
    bodies += [node.body for node in bodies[0] if isinstance(node, ast.ClassDef)] if owner else []
    for node in bodies[-1] if not owner else [one for body in bodies[1:] for one in body]:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return [
                line.strip() for line in (ast.get_source_segment(source, node) or "").split("\n")
            ]
    return []


@pytest.mark.parametrize("change", sorted({change for change, _ in LISTED}), ids=str)
def test_what_is_listed_is_still_in_the_code(change: Change) -> None:
    lines = _source(change)
    assert lines, "there is no such function"
    for old in change.old.split("\n"):
        assert old.replace("def f(", f"def {change.function.rpartition('.')[2]}(") in lines


def test_everything_listed_has_its_reason() -> None:
    assert LISTED
    for change, reason in LISTED:
        assert len(reason) > 10, change


def _mutant(old: str, new: str, verdict: str = "standing") -> dict[str, str]:
    return {
        "path": "chain/x.py",
        "function": "A.f",
        "verdict": verdict,
        "old": old,
        "new": new,
        "original": f"def f():\n    {old}",
        "mutant": f"def f():\n    {new}",
    }


LIST = """### `chain/x.py`
```diff
@@ A.f: it is the same: truly
-return 1
+return 2
-return 1
+return 3
@@ A.g: gone
-x = 1
-y = 2
+x = 2
```
"""


def test_a_list_is_read_as_it_is_written() -> None:
    assert list(arguments(LIST)) == [
        (Change("chain/x.py", "A.f", "return 1", "return 2"), "it is the same: truly"),
        (Change("chain/x.py", "A.f", "return 1", "return 3"), "it is the same: truly"),
        (Change("chain/x.py", "A.g", "x = 1\ny = 2", "x = 2"), "gone"),
    ]


@pytest.mark.parametrize(
    ("mutants", "status", "said"),
    [
        ([_mutant("return 1", "return 2"), _mutant("return 1", "return 3")], 0, "| sum | 2 |"),
        ([_mutant("return 1", "return 2")], 1, "is listed, and fell"),
        ([_mutant("return 1", "return 2")] * 2, 1, "stands, and is not listed"),
        ([_mutant("return 1", "return 2"), _mutant("return 1", "return 4")], 1, "+return 4"),
        ([_mutant("return 1", "return 2"), _mutant("return 1", "return 3", "killed")], 1, "fell"),
    ],
)
def test_a_run_is_compared_with_the_list(
    mutants: list[dict[str, str]], status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    page = LIST.partition("@@ A.g")[0] + "```\n"
    assert report(mutants, page) == status
    assert said in capsys.readouterr().out


def test_what_did_not_run_is_not_compared(capsys: pytest.CaptureFixture[str]) -> None:
    assert report([], LIST) == 0
    assert "sum" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('raise MalformedError("code", "a text")', 'raise MalformedError("code", "XX")', "text"),
        ('raise _refused(f"{n} a")', 'raise _refused(f"{n - 1} a")', "text"),
        ('raise MalformedError("code", "a")', 'raise MalformedError("CODE", "a")', ""),
        ('raise MalformedError("code", "a", at=1)', 'raise MalformedError("code", "b", at=2)', ""),
        ('raise MalformedError("code", "a")', 'raise VerificationError("code", "a")', ""),
        ('raise _damaged(tile, "a text")', 'raise _damaged(tile, "A TEXT")', "text"),
        ('self._refuse_framing(4, "a", "a text")', 'self._refuse_framing(4, "a", "")', "text"),
        ('self._refuse_framing(4, "a", "a text")', 'self._refuse_framing(4, "b", "a text")', ""),
        ('detail = "a text"', 'detail = "A TEXT"', "text"),
        ('other = "a text"', 'other = "A TEXT"', ""),
        ('x.decode("utf-8")', 'x.decode("UTF-8")', "spelling"),
        ('x.decode("utf-8")', 'x.decode("XXutf-8XX")', ""),
        ('run("SELECT a FROM b")', 'run("select a from b")', "spelling"),
        ("run(\"SELECT 'A' FROM b\")", "run(\"select 'a' from b\")", ""),
        ('p.add_argument("--x", help="a")', 'p.add_argument("--x")', "text"),
        ('p.add_argument("--x", type=int)', 'p.add_argument("--x")', ""),
        ("return a < b", "return a <= b", ""),
        ("return [1]", "return [1, 2]", ""),
    ],
)  # fmt: skip
def test_what_no_program_can_see_needs_no_line(old: str, new: str, why: str) -> None:
    assert harmless(f"def f():\n    {old}", f"def f():\n    {new}") == why
