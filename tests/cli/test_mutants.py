"""The list of mutants that stand: read as it is written, compared with a run, true of the code."""

import ast
import re
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from scripts.mutants.page import Change, arguments, harmless, read_pages, report
from scripts.mutants.table import COLUMNS, Row, changed, modules, read_table, row_of, with_rows

PAGE = Path("docs/mutants.md").read_text(encoding="utf-8")
LISTED = list(arguments(read_pages(Path())))


def _source(change: Change) -> list[str]:
    """The lines of the function, without their indentation."""
    source = Path(change.path).read_text(encoding="utf-8")
    owner, _, name = change.function.rpartition(".")
    bodies = [ast.parse(source).body]
    bodies += [
        node.body for node in bodies[0] if isinstance(node, ast.ClassDef) and node.name == owner
    ]
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


LIST = """## `chain/x.py`
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
    ("mutants", "said"),
    [
        ([_mutant("return 1", "return 2")], "is listed, and fell"),
        ([_mutant("return 1", "return 2")] * 2, "stands, and is not listed"),
        ([_mutant("return 1", "return 2"), _mutant("return 1", "return 4")], "+return 4"),
        ([_mutant("return 1", "return 2"), _mutant("return 1", "return 3", "killed")], "fell"),
        ([_mutant("return 1", "return 2", "no test")], "return 3"),
        ([], "is listed, and fell"),
    ],
)
def test_a_module_of_which_the_list_is_not_true_is_not_counted(
    mutants: list[dict[str, str]], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(["chain/x.py"], mutants, ONE_LIST) == {}
    assert said in capsys.readouterr().out


ONE_LIST = LIST.partition("@@ A.g")[0] + "```\n"


def test_a_module_of_which_the_list_is_true_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    mutants = [
        _mutant("return 1", "return 2"),
        _mutant("return 1", "return 3", "no test"),
        _mutant("return 1", "return 4", "killed"),
    ]
    counts = report(["chain/x.py", "chain/y.py"], mutants, ONE_LIST)
    assert counts == {"chain/x.py": Counter(argued=2, killed=1), "chain/y.py": Counter()}
    assert capsys.readouterr().out == ""


def test_what_did_not_run_is_not_compared(capsys: pytest.CaptureFixture[str]) -> None:
    assert report([], [], LIST) == {}
    assert capsys.readouterr().out == ""


def _not_tried(page: str) -> list[str]:
    """The modules that the page says are without a row."""
    named = re.search(r"^Not tried yet: (.+)\.$", page, re.MULTILINE)
    return [name.strip("`") for name in named[1].split(", ")] if named else []


def test_every_module_has_its_row_or_is_said_to_have_none() -> None:
    assert sorted([row.module for row in read_table(PAGE)] + _not_tried(PAGE)) == modules(Path())


def test_the_table_adds_up_and_has_as_many_argued_as_are_listed() -> None:
    argued = Counter(change.path for change, _ in LISTED)
    for row in read_table(PAGE):
        assert row.counts[COLUMNS.index("argued")] == argued[row.module], row.module
    assert with_rows(PAGE, []) == PAGE


def test_every_room_has_its_page() -> None:
    for page in Path("docs/mutants").glob("*.md"):
        for path in re.findall(r"^## `(\S+)`$", page.read_text(encoding="utf-8"), re.MULTILINE):
            folder = "chain" if page.stem == "ground" else f"chain/{page.stem}"
            assert str(Path(path).parent) == folder


ROWS = [
    Row("chain/a.py", (1, 2, 3, 4, 5, 6), date(2026, 1, 2), "01234567"),
    Row("chain/tree/b.py", (10, 20, 30, 40, 50, 60), date(2026, 1, 3), "89abcdef"),
]


def test_a_run_is_entered_beside_the_others() -> None:
    page = with_rows("Before.\n\n| module | x |\n|---|\n| old | 1 |\n\nAfter.\n", ROWS)
    assert read_table(page) == ROWS
    assert page.startswith("Before.\n\n| module | mutants | killed |")
    assert page.endswith("| sum | 231 | 11 | 22 | 33 | 44 | 55 | 66 |  |  |\n\nAfter.\n")
    later = row_of("chain/a.py", {"killed": 7, "argued": 1}, date(2026, 2, 1), "x = 1\n")
    assert later.counts == (7, 0, 0, 0, 0, 1)
    assert read_table(with_rows(page, [later])) == [later, ROWS[1]]


def test_what_has_changed_since_it_was_tried_is_told(tmp_path: Path) -> None:
    (tmp_path / "chain").mkdir()
    for name in ("__init__", "a", "b", "c"):
        (tmp_path / f"chain/{name}.py").write_text("x = 1\n", encoding="utf-8")
    assert modules(tmp_path) == ["chain/a.py", "chain/b.py", "chain/c.py"]
    tried = [row_of(f"chain/{name}.py", {}, date(2026, 1, 2), "x = 1\n") for name in "ab"]
    page = with_rows("| module |\n", tried)
    assert changed(page, tmp_path) == ["chain/c.py"]
    (tmp_path / "chain/a.py").write_text("x = 1  # the same\n", encoding="utf-8")
    (tmp_path / "chain/b.py").write_text("x = 2\n", encoding="utf-8")
    assert changed(page, tmp_path) == ["chain/b.py", "chain/c.py"]


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
        ('x.decode("utf-16")', 'x.decode("UTF-16")', "spelling"),
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
