"""What the page remembers with says of shared cases what ``chain`` says of them."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.chain.histories import History
from tests.chain.trees import leaves
from tests.outside import need
from tests.vectors.make import path_of
from tests.vectors.memory_cases import consistency_code, files, memory_case, memory_outcome

RUNNER = Path(__file__).with_name("seen.mjs")
SECONDS = 120


def _run(vectors: Path, *arguments: str) -> dict[str, Any]:
    """The outcomes of the page's code, under Node."""
    done = subprocess.run(
        [need("node"), RUNNER, vectors, *arguments], capture_output=True, text=True, timeout=SECONDS
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("plain", [(), ("--plain",)], ids=["WebCrypto", "vendored"])
def test_the_page_agrees_on_every_shared_case(plain: tuple[str, ...]) -> None:
    cases = json.loads(path_of("memory").read_text("utf-8"))
    found = _run(path_of("memory"), *plain)
    for family in ("consistency", "memory"):
        said = {case["name"]: case["expected"] for case in cases[family]}
        names = [case["name"] for case in cases[family]]
        assert dict(zip(names, found[family], strict=True)) == said


def test_they_agree_on_a_log_with_three_levels_of_tiles(tmp_path: Path) -> None:
    """A log of more than 256 tiles."""
    log = History(leaves(66_000))
    case = memory_case([log.note(65_537), log.note(3)], log.note(65_800), log="long")
    tiles = {"long": files(log)}
    vectors = tmp_path / "vectors.json"
    vectors.write_text(json.dumps({"consistency": [], "logs": tiles, "memory": [case]}))
    [found] = _run(vectors)["memory"]
    assert found == memory_outcome(case, tiles)
    assert found["compared"] is True


def test_they_agree_on_the_published_consistency_proofs(tmp_path: Path) -> None:
    published = json.loads((path_of("memory").parent / "outside/rfc6962.json").read_text("utf-8"))
    roots = published["roots"]
    cases = [
        {
            "old": str(one["old"]),
            "new": str(one["new"]),
            "path": one["path"],
            "old_root": roots[one["old"]],
            "new_root": roots[one["new"]],
        }
        for one in published["consistency"]
    ]
    vectors = tmp_path / "vectors.json"
    vectors.write_text(json.dumps({"consistency": cases, "logs": {}, "memory": []}))
    assert {consistency_code(case) for case in cases} == {"ok"}
    assert set(_run(vectors)["consistency"]) == {"ok"}


def test_the_page_reads_another_implementation_s_cosignature() -> None:
    script = (
        "import { readFileSync } from 'node:fs';"
        "const { key, note } = JSON.parse(readFileSync(process.argv[1], 'utf8'));"
        "const { openNote, parseKey } = await import(process.argv[2]);"
        "const { signers } = await openNote(note, [await parseKey(key)]);"
        "console.log(signers.length)"
    )
    root = Path(__file__).parents[2]
    files = root / "tests/vectors/outside/mldsa.json", root / "static/verify/note.js"
    done = subprocess.run(
        [need("node"), "--input-type=module", "-e", script, *files],
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert (done.stdout, done.stderr) == ("1\n", "")
