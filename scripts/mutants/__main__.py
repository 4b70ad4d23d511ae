"""Make the mutants of ``chain/``, try them, and compare: python -m scripts.mutants [MODULE ...].

MODULE is like ``chain/tree/merkle.py``; without one, all of them. Nothing is written beside the
code: the mutants stand in a copy in a temporary folder. Exit status 1 when a mutant stands that
docs/mutants.md does not list, or when that page lists one that falls.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.mutants.making import NOT_MUTATED, make_mutants, refused_by_types
from scripts.mutants.page import harmless, report
from scripts.mutants.trying import TESTS

ROOT = Path(__file__).parents[2]
COPIED = ("chain", "tests", "scripts", "docs", "static", "pyproject.toml")


def main() -> int:
    """Do what the module's text says; return the exit status."""
    parser = argparse.ArgumentParser(prog="scripts.mutants", description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes at once")
    parser.add_argument("--folder", type=Path, help="work and measure there; again, only new tests")
    parser.add_argument("--verdicts", type=Path, help="keep them in this file, as JSON")
    asked = parser.parse_args()
    modules = asked.modules or [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "chain").rglob("*.py"))
        if path.name not in NOT_MUTATED
    ]
    with tempfile.TemporaryDirectory(prefix="fapiao-mutants-") as name:
        verdicts = _try_all(asked.folder or Path(name), modules, asked.jobs)
    if asked.verdicts:
        asked.verdicts.write_text(json.dumps(verdicts, indent=1, ensure_ascii=False))
    return report(verdicts, (ROOT / "docs" / "mutants.md").read_text(encoding="utf-8"))


def _try_all(folder: Path, modules: list[str], jobs: int) -> list[dict[str, str]]:
    """Return what became of every mutant, as ``page.Mutant`` reads it."""
    _copy(folder)
    mutants = make_mutants(folder, modules)
    for mutant in mutants:
        mutant["verdict"] = harmless(mutant["original"], mutant["mutant"])
    refused_by_types(folder, mutants)
    _write(folder / "mutants.json", mutants)
    environment = {
        **os.environ,
        "FAPIAO_HYPOTHESIS": "mutants",
        "FAPIAO_MUTANTS_JOBS": str(jobs),
        "PYTHONPATH": str(folder),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-m", "pytest", "-p", "scripts.mutants.trying", *TESTS]
    subprocess.run(command, cwd=folder, env=environment, check=True)
    tried: list[dict[str, str]] = json.loads((folder / "mutants.json").read_text())
    return tried


def _copy(folder: Path) -> None:
    """Copy what git knows, as it stands in the work tree."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--", *COPIED], cwd=ROOT, check=True, capture_output=True
    )
    for name in listing.stdout.decode().rstrip("\0").split("\0"):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())


def _write(path: Path, mutants: list[dict[str, str]]) -> None:
    path.write_text(json.dumps(mutants, ensure_ascii=False))


if __name__ == "__main__":
    sys.exit(main())
