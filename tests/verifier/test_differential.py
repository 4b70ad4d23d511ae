"""Both verifiers, Python's and the page's, on the same bent files: one verdict, code and step.

`FUZZ_EXAMPLES=20000 pytest tests/verifier/test_differential.py` takes more of them;
`FUZZ_FROM=...` takes others.
"""

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.fuzz import EXAMPLES
from tests.vectors.make_proofs import check
from tests.verifier.bent_files import BentFile, bent_file

RUNNER = Path(__file__).with_name("run.mjs")
FIRST = int(os.environ.get("FUZZ_FROM", "0"))
COUNT = 4 * EXAMPLES
AT_ONCE = 1000
"""Files for one run of Node."""


def python_says(file: BentFile) -> dict[str, Any]:
    """The outcome in the words of the page's verifier."""
    (code, step), evidence = check(file.data, file.key)
    return {"name": file.name, "code": code, "step": step} | (
        {"evidence": evidence} if code == "ok" else {}
    )


def node_says(files: list[BentFile]) -> list[dict[str, Any]]:
    """What the page's verifier makes of them, in one process."""
    node = shutil.which("node")
    assert node, "node is not installed: the page's verifier cannot be tested"
    rows = [
        {"name": one.name, "key": one.key, "base64": base64.b64encode(one.data).decode()}
        for one in files
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    done = subprocess.run([node, RUNNER, "/dev/stdin"], input=text, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def batches() -> Iterator[list[BentFile]]:
    """The files of this run, so many at once."""
    for start in range(FIRST, FIRST + COUNT, AT_ONCE):
        yield [bent_file(n) for n in range(start, min(start + AT_ONCE, FIRST + COUNT))]


def test_both_verifiers_say_the_same_of_every_bent_file() -> None:
    outcomes: dict[tuple[str, int | None], int] = {}
    for files in batches():
        for file, theirs in zip(files, node_says(files), strict=True):
            ours = python_says(file)
            assert theirs == ours, f"{file.name}: {file.data!r} by {file.key}"
            which = ours["code"], ours["step"]
            outcomes[which] = outcomes.get(which, 0) + 1
    assert {step for _, step in outcomes} == {None, 1, 2, 3, 4, 5, 6, 7}
    assert {code for code, _ in outcomes} >= MET


MET = {
    *("ok", "not_json", "not_canonical", "proof_malformed", "hash_mismatch", "key_text"),
    *("entry_malformed", "entry_kind", "anchor_mismatch", "note", "signature", "checkpoint"),
    *("signature_missing", "origin_mismatch", "index_outside", "path_length", "root_mismatch"),
    *("seal_kind", "seal_place", "seal_not_newest"),
    *("state_depth", "state_elsewhere", "state_shape", "state_value", "state_root"),
}
"""Codes that the first few hundred files lead to."""
