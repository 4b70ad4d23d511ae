"""Make mutants of the code, try them, and compare: python -m scripts.mutants [MODULE ...].

MODULE is like ``chain/tree/merkle.py``; without one, all of ``chain/``. Nothing is written beside
the code: the mutants stand in a copy in a temporary folder. Exit status 1 when a mutant stands that
the pages in docs/mutants/ do not list, or when one of them lists one that falls.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from scripts.mutants.making import make_mutants, refused_by_types
from scripts.mutants.page import harmless, read_pages, report
from scripts.mutants.table import changed, modules, row_of, with_rows
from scripts.mutants.trying import KILLED, OPTIONS, TESTS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "mutants.md"
COPIED = ("chain", "tests", "scripts", "docs", "static", "pyproject.toml")


def main() -> int:
    """Do what the module's text says; return the exit status."""
    asked = _arguments()
    page = PAGE.read_text(encoding="utf-8")
    some = changed(page, ROOT) if asked.changed else asked.modules or modules(ROOT)
    known = json.loads(asked.known.read_text()) if asked.known else []
    verdicts: list[dict[str, str]] = []
    with tempfile.TemporaryDirectory(prefix="fapiao-mutants-") as name:
        for area in TESTS:
            if here := [module for module in some if module.startswith(f"{area}/")]:
                folder = (asked.folder or Path(name)) / area
                mutants = _make(folder, area, here, known)
                _try_all(folder, mutants, area, jobs=asked.jobs, near=asked.near)
                verdicts += json.loads((folder / "mutants.json").read_text())
    if asked.verdicts:
        _write(asked.verdicts, verdicts)
    counts, today = report(some, verdicts, read_pages(ROOT)), datetime.now(UTC).date()
    rows = [
        row_of(module, counts[module], today, (ROOT / module).read_text(encoding="utf-8"))
        for module in counts
    ]
    print("", *rows, sep="\n")
    if asked.enter:
        PAGE.write_text(with_rows(page, rows), encoding="utf-8")
    return 0 if len(rows) == len(some) else 1


def _path(text: str) -> Path:
    return Path(text).absolute()  # the working folder changes


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts.mutants", description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE")
    parser.add_argument("--changed", action="store_true", help="those changed since their row")
    parser.add_argument("--near", action="store_true", help="only by the tests of their rooms")
    parser.add_argument("--enter", action="store_true", help="enter the rows in docs/mutants.md")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes at once")
    parser.add_argument(
        "--folder", type=_path, help="work there; of the same modules, measure only new tests again"
    )
    parser.add_argument("--verdicts", type=_path, help="keep them in this file, as JSON")
    parser.add_argument("--known", type=_path, help="such a file: what was killed counts as killed")
    asked = parser.parse_args()
    for module in asked.modules:
        if module.partition("/")[0] not in TESTS or not (ROOT / module).is_file():
            parser.error(f"there is no such module to be tried: {module}")
    return asked


def _make(
    folder: Path, area: str, some: list[str], known: list[dict[str, str]]
) -> list[dict[str, str]]:
    """Return every mutant, as ``page.Change`` reads it; with a verdict where none is tried."""
    _copy(folder, area)
    mutants = make_mutants(folder, some)
    for mutant in mutants:
        mutant["verdict"] = harmless(mutant["original"], mutant["mutant"])
    refused_by_types(folder, mutants)
    _remember(mutants, known)
    return mutants


def _try_all(
    folder: Path, mutants: list[dict[str, str]], area: str, *, jobs: int, near: bool
) -> None:
    """Try those without a verdict; what became of all stands in ``mutants.json`` then."""
    _write(folder / "mutants.json", mutants)
    environment = {
        **os.environ,
        "FAPIAO_HYPOTHESIS": "mutants",
        "FAPIAO_MUTANTS_JOBS": str(jobs),
        "FAPIAO_MUTANTS_NEAR": "near" if near else "",
        "PYTHONPATH": str(folder),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-m", "pytest", "-p", "scripts.mutants.trying"]
    command += [*TESTS[area], *OPTIONS]
    subprocess.run(command, cwd=folder, env=environment, check=True)


def _remember(mutants: list[dict[str, str]], known: list[dict[str, str]]) -> None:
    """Do not try again what was killed before, of a function that is as it was."""
    same = ("path", "function", "original", "mutant")
    killed = {tuple(one[x] for x in same) for one in known if one["verdict"] == KILLED}
    for mutant in mutants:
        if not mutant["verdict"] and tuple(mutant[x] for x in same) in killed:
            mutant["verdict"] = KILLED


def _copy(folder: Path, area: str) -> None:
    """Copy what git knows, as it stands in the work tree."""
    command = ["git", "ls-files", "-z", "--", *COPIED, area]
    listing = subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    for name in listing.stdout.decode().rstrip("\0").split("\0"):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())


def _write(path: Path, mutants: list[dict[str, str]]) -> None:
    path.write_text(json.dumps(mutants, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    sys.exit(main())
