"""Compare the mutants that stand with those that the pages in docs/mutants/ argue away.

A list there is a ``diff`` block under a heading that names the file. ``@@ function: reason``
stands above one or more changes, each of lines that go (``-``) and lines that come (``+``).
Two kinds are not even tried, since a program can tell them: see ``harmless``.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

_TEXTS = {
    **dict.fromkeys(("MalformedError", "VerificationError", "ConflictError", "RefusedError"), 1),
    **dict.fromkeys(("NotFoundError", "UnavailableError"), 1),
    **dict.fromkeys(("TimeoutError", "ValueError", "_malformed", "_refused", "_unreadable"), 0),
    "_damaged": -1,
    "self._refuse_framing": 2,
}
"""Which argument of which call only people read: the detail of a problem."""

_HELP = {"prog", "description", "help", "metavar"}
"""Arguments that stand in nothing but the help of a command."""

_NAMED = {"detail", "reason", "what", "who"}
"""What a local variable is called that holds such a text, or a part of it."""

_CODECS = re.compile(r"utf-?(8|16)|ascii", re.IGNORECASE)
_QUERY = re.compile(r"(SELECT|INSERT|UPDATE|DELETE|BEGIN|COMMIT|ROLLBACK|PRAGMA)\b[^']*", re.DOTALL)


@dataclass(frozen=True, order=True)
class Change:
    """What a mutant changes: file, function, and lines without their indentation."""

    path: str
    function: str
    old: str
    new: str

    def __str__(self) -> str:
        lines = [f"-{line}" for line in self.old.split("\n")]
        lines += [f"+{line}" for line in self.new.split("\n")]
        return "\n".join([f"## `{self.path}`", f"@@ {self.function}: ", *lines])


def read_pages(root: Path) -> str:
    """Return the lists of all rooms, one after the other."""
    found = sorted((root / "docs" / "mutants").glob("*.md"))
    return "\n".join(path.read_text(encoding="utf-8") for path in found)


def report(
    modules: Iterable[str], mutants: list[dict[str, str]], pages: str
) -> dict[str, Counter[str]]:
    """Print what the pages do not say truly of ``modules``; count those of which they do.

    What stands counts as ``argued`` there.
    """
    counts: dict[str, Counter[str]] = {module: Counter() for module in modules}
    standing: Counter[Change] = Counter()
    for mutant in mutants:
        stands = mutant["verdict"] in {"standing", "no test"}
        verdict = "argued" if stands else mutant["verdict"]
        counts[mutant["path"]][verdict] += 1
        if stands:
            standing[Change(*(mutant[x] for x in ("path", "function", "old", "new")))] += 1
    listed = Counter(change for change, _ in arguments(pages) if change.path in counts)
    unlisted, stale = standing - listed, listed - standing
    for title, changes in (("stands, and is not listed", unlisted), ("is listed, and fell", stale)):
        for change in sorted(changes.elements()):
            print(f"\n{title}:\n{change}")
            counts.pop(change.path, None)
    return counts


def arguments(pages: str) -> Iterator[tuple[Change, str]]:
    """Yield every change that the pages list, with why it cannot matter."""
    for path, blocks in re.findall(r"^## `(\S+)`\n(.*?)(?=^#|\Z)", pages, re.MULTILINE | re.DOTALL):
        for block in re.findall(r"^```diff\n(.*?)^```", blocks, re.MULTILINE | re.DOTALL):
            for part in re.split(r"^@@ ", block, flags=re.MULTILINE)[1:]:
                head, _, lines = part.partition("\n")
                function, _, reason = head.partition(": ")
                for old, new in re.findall(r"((?:^-.*\n)*)((?:^\+.*\n)*)", lines, re.MULTILINE):
                    if old or new:
                        yield Change(path, function, _bare(old), _bare(new)), reason


def _bare(lines: str) -> str:
    return "\n".join(line[1:].strip() for line in lines.splitlines())


def harmless(original: str, mutant: str) -> str:
    """Say why two functions do the same for every program, or "" when that cannot be seen.

    ``text``: only the wording of a problem's detail (codes and extras are tested) or of a
    command's help differs.
    ``spelling``: only the case of a codec's name or of a query without literals differs.
    """
    one, two = ast.parse(original), ast.parse(mutant)
    if _same(one, two, text=False):
        return "spelling"
    return "text" if _same(one, two, text=True) else ""


def _same(one: object, two: object, *, text: bool) -> bool:
    """Compare trees, or parts of them, but for what ``harmless`` allows."""
    if type(one) is not type(two):
        return False
    if isinstance(one, ast.Constant) and isinstance(two, ast.Constant):
        return one.value == two.value or _other_case(one.value, two.value)
    if text and isinstance(one, ast.Call) and isinstance(two, ast.Call):
        one, two = _without_text(one), _without_text(two)
    if text and isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) in _NAMED:
        return isinstance(two, ast.Assign) and ast.dump(one.targets[0]) == ast.dump(two.targets[0])
    if isinstance(one, ast.AST):
        return all(_same(getattr(one, name), getattr(two, name), text=text) for name in one._fields)
    if isinstance(one, list) and isinstance(two, list):
        return all(_same(mine, other, text=text) for mine, other in zip_longest(one, two))
    return one == two


def _other_case(one: object, two: object) -> bool:
    if not isinstance(one, str) or not isinstance(two, str) or one.lower() != two.lower():
        return False
    return bool(_CODECS.fullmatch(one) or _QUERY.fullmatch(one))


def _without_text(call: ast.Call) -> ast.Call:
    """Return the call with an empty text where it has a text for people."""
    name = ast.unparse(call.func)
    if name.endswith(("ArgumentParser", ".add_argument", ".add_subparsers", ".add_parser")):
        rest = [one for one in call.keywords if one.arg not in _HELP]
        return ast.Call(func=call.func, args=call.args, keywords=rest)
    if name not in _TEXTS or len(call.args) <= max(_TEXTS[name], 0):
        return call
    where = _TEXTS[name] % len(call.args)
    if ast.unparse(call.args[where]) == "None":
        return call
    arguments = [*call.args[:where], ast.Constant(""), *call.args[where + 1 :]]
    return ast.Call(func=call.func, args=arguments, keywords=call.keywords)
