"""The proof cases are what their script makes, and both verifiers say the same of each."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.vectors.make_proofs import FAMILIES, FOLDER, path_of, text_of

RUNNER = Path(__file__).with_name("run.mjs")
SECONDS = 120


def rows(family: str) -> list[dict[str, Any]]:
    """A family's cases, as any reader sees them."""
    return [json.loads(line) for line in path_of(family).read_text("utf-8").splitlines()]


def expected(row: dict[str, Any]) -> dict[str, Any]:
    """What every verifier must say of a case."""
    said = {"name": row["name"], "code": row["expected"], "step": row["step"]}
    return said | ({"evidence": row["evidence"]} if "evidence" in row else {})


@pytest.mark.parametrize("family", FAMILIES)
def test_the_script_finds_no_difference(family: str) -> None:
    """So what Python says is what stands in the files."""
    assert path_of(family).read_text("utf-8") == text_of(family)


def test_every_file_has_its_maker() -> None:
    assert {path.stem for path in FOLDER.glob("*")} == set(FAMILIES)


def test_there_are_hundreds_and_every_code_and_step_is_among_them() -> None:
    cases = [row for family in FAMILIES for row in rows(family)]
    assert len(cases) > 900
    assert sum(row["expected"] == "ok" for row in cases) > 40
    assert {row["expected"] for row in cases} >= CODES
    assert {row["step"] for row in cases} == {None, 1, 2, 3, 4, 5, 6, 7}


CODES = {
    *("proof_too_long", "proof_version", "proof_malformed", "password_area"),
    *("not_utf8", "not_json", "not_canonical", "duplicate_key", "too_deep"),
    *("number_not_integer", "number_out_of_range"),
    *("key_text", "key_type", "key_id", "key_weak", "hash_mismatch"),
    *("entry_malformed", "entry_too_long", "entry_kind", "anchor_mismatch", "reversal_mismatch"),
    *("note", "signature", "signature_missing", "checkpoint", "origin_mismatch", "empty_root"),
    *("index_outside", "path_length", "root_mismatch", "time_malformed", "day_malformed"),
    *("seal_kind", "seal_place", "seal_not_newest"),
    *("key_retired", "key_revoked", "key_ambiguous", "key_statement", "statement_order"),
    *("policy", "policy_key_type", "policy_log", "quorum"),
    *("statement_untrusted", "statement_unsigned", "statement_contradicts"),
    *("state_depth", "state_elsewhere", "state_shape", "state_value", "state_root"),
}


@pytest.mark.parametrize("arguments", [(), ("--plain",)], ids=["WebCrypto", "vendored"])
def test_the_page_s_verifier_agrees_under_node(arguments: tuple[str, ...]) -> None:
    node = shutil.which("node")
    assert node, "node is not installed: the page's verifier cannot be tested"
    files = [path_of(family) for family in FAMILIES]
    done = subprocess.run(
        [node, RUNNER, *arguments, *files], capture_output=True, text=True, timeout=SECONDS
    )
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert found == [expected(row) for family in FAMILIES for row in rows(family)]
