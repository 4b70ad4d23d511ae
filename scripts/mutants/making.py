"""Make the mutants of modules, all in one file each, and drop those that mypy refuses."""

import ast
import difflib
import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from mutmut.mutation.file_mutation import mutate_file_contents

_NUMBER = re.compile(r"__mutmut_\d+$")


def make_mutants(folder: Path, modules: list[str]) -> list[dict[str, str]]:
    """Put every mutant of ``modules`` beside its original; return what each one changes."""
    os.chdir(folder)  # where mutmut looks for its settings
    made = []
    for module in modules:
        path = folder / module
        mutated = mutate_file_contents(module, path.read_text(encoding="utf-8"))
        path.write_text(mutated.code, encoding="utf-8")
        sources = _functions(mutated.code)
        for name in mutated.mutant_names:
            original = sources[_NUMBER.sub("__mutmut_orig", name)]
            old, new = _difference(original, sources[name])
            made.append(
                {
                    "id": _identity(module, name),
                    "path": module,
                    "function": _plain(name),
                    "old": old,
                    "new": new,
                    "original": original,
                    "mutant": sources[name],
                    "verdict": "",
                }
            )
    return made


def _functions(source: str) -> dict[str, str]:
    """Return the copies that mutmut made of each function: name -> dedented source, as ``f``."""
    lines, found = source.splitlines(), {}
    for name, node in _copies(source):
        first, last = node.lineno - 1, node.end_lineno
        body = "\n".join(line[node.col_offset :] for line in lines[first:last])
        found[name] = body.replace(name, "f", 1)
    return found


def _copies(source: str) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and "__mutmut_" in node.name:
            yield node.name, node


def _plain(name: str) -> str:
    """Return ``Class.method`` or ``function`` for mutmut's name of it."""
    bare = _NUMBER.sub("", name)
    return bare.removeprefix("xǁ").replace("ǁ", ".") if "ǁ" in bare else bare.removeprefix("x_")


def _difference(original: str, mutant: str) -> tuple[str, str]:
    """Return the lines that go and those that come, without indentation."""
    lines = list(difflib.ndiff(original.splitlines(), mutant.splitlines()))
    old, new = ([line[2:].strip() for line in lines if line[0] == mark] for mark in "-+")
    return "\n".join(old), "\n".join(new)


def refused_by_types(folder: Path, mutants: list[dict[str, str]]) -> None:
    """Give mutants in which mypy, as strict as in every check, finds an error that verdict."""
    found: dict[str, set[str]] = defaultdict(set)
    spans: dict[str, list[tuple[int, int, str]]] = {}
    modules = sorted({mutant["path"] for mutant in mutants})
    for path, line, message in _type_errors(folder, modules):
        if path not in spans:
            source = (folder / path).read_text(encoding="utf-8")
            spans[path] = [(one.lineno, one.end_lineno or 0, name) for name, one in _copies(source)]
        names = [name for first, last, name in spans[path] if first <= line <= last]
        if not names:
            raise RuntimeError(f"mypy finds fault with more than mutants: {path}:{line} {message}")
        found[_identity(path, names[0])].add(message)
    for mutant in mutants:
        # Every copy of a method declares the attributes that it declares: no fault of a mutant.
        original = _NUMBER.sub("__mutmut_orig", mutant["id"])
        if not mutant["verdict"] and found[mutant["id"]] - found[original]:
            mutant["verdict"] = "refused by mypy"


def _type_errors(folder: Path, modules: list[str]) -> Iterator[tuple[str, int, str]]:
    """Yield path, line and message of each error that mypy finds."""
    command = [sys.executable, "-m", "mypy", "--output=json", "--no-warn-unused-ignores", *modules]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"mypy: {done.stderr or done.stdout}")
    for line in done.stdout.splitlines():
        said = json.loads(line)
        if said["severity"] == "error":
            yield said["file"], said["line"], said["message"]


def _identity(path: str, name: str) -> str:
    """Return how mutmut's trampolines know a mutant."""
    return f"{path.removesuffix('.py').replace('/', '.')}.{name}"
