"""``fapiao acts``, and acts' proofs on the command line: of both programs, offline."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from invoice_service.config import load
from invoice_service.services.checking.acts import prove_act
from invoice_service.wiring import open_instance
from tests.chain.served import serve
from tests.cli.town import TAX_ID, Town
from tests.patience import PATIENCE


def _proof(town: Town, place: int) -> Path:
    """The proof file of the act at that place; the first is the merchant's admission."""
    instance = open_instance(load(town.folder / "config.toml", {}))
    act = instance.store.logged_acts(place - 1, 1)[0]
    path = town.folder / f"act-{place}.fapiao.json"
    path.write_bytes(prove_act(instance.store, instance.log, act.commitment, None))
    instance.close()
    return path


@pytest.fixture
def decided(town: Town) -> Town:
    """An instance whose merchant was admitted and suspended, without any invoice."""
    town.run("merchants", "suspend", TAX_ID)
    town.run("anchor")
    return town


def test_acts_are_counted_from_the_log_alone(decided: Town) -> None:
    said = decided.asked("acts")
    assert (said["origin"], said["size"], said["total"]) == ("fapiao.test/log", 3, 2)
    assert said["counts"]["admission"] == said["counts"]["suspension"] == 1
    assert said["counts"]["log_key"] == 0
    decided.sell(1, status=1)
    decided.run("keys", "rotate-log")
    decided.run("anchor")
    assert decided.asked("acts")["counts"]["log_key"] == 1
    assert "3 acts among" in decided.run("acts")


def test_so_are_those_of_anybodys_copy(decided: Town, empty: Town) -> None:
    key = decided.asked("keys", "log")["log_key"]
    [log] = decided.folder.glob("var/*/log")
    with serve(log) as served:
        decided.run("mirror", served.url, "copy", "--key", key)
    [data] = decided.folder.glob("var/*")
    data.rename(decided.folder / "gone")
    said = empty.asked("acts", "--mirror", "copy", "--key", key)
    assert (said["total"], said["size"]) == (2, 3)
    tile = next((decided.folder / "copy" / "tile" / "entries").rglob("3"))
    tile.write_bytes(tile.read_bytes().replace(b"suspension", b"admissions"))
    empty.refusal("acts", "--mirror", "copy", "--key", key)


def test_a_proof_holds_in_both_programs(decided: Town) -> None:
    key = decided.asked("keys", "log")["log_key"]
    path = _proof(decided, 2)
    said = decided.asked("verify", str(path), "--key", key)
    assert (said["proved"], said["index"], said["block"]) == ("act", 1, 1)
    assert said["document"]["after"] == {"status": "suspended"}
    text = decided.run("verify", str(path), "--offline", "--key", key)
    assert "in the log: entry 1 of 3" in text
    assert "status suspended" in text
    alone = _alone(path, key)
    assert alone.returncode == 0, alone.stderr
    assert alone.stdout.startswith("1. the log entry commits to this act: yes\n")
    assert "PROVED" in alone.stdout
    assert "after      status suspended" in alone.stdout
    again: dict[str, Any] = json.loads(_alone(path, key, "--json").stdout)
    assert again["act"] == said["act"]
    assert again["document"] == said["document"]


def _alone(path: Path, key: str, *more: str) -> "subprocess.CompletedProcess[str]":
    command = [
        sys.executable,
        "-m",
        "chain",
        "verify",
        str(path),
        "--key",
        key,
        "--no-memory",
        *more,
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)


def test_one_letter_more_and_neither_believes_it(decided: Town) -> None:
    key = decided.asked("keys", "log")["log_key"]
    path = _proof(decided, 2)
    path.write_bytes(path.read_bytes().replace(b'"status":"suspended"', b'"status":"suspendee"'))
    assert "act_mismatch" in decided.refusal("verify", str(path), "--key", key)
    alone = _alone(path, key)
    assert alone.returncode == 1
    assert alone.stdout.startswith("NOT PROVED at step 1:")
    path.write_bytes(path.read_bytes().replace(b'"version":1}', b'"version":2}'))
    assert _alone(path, key).returncode == 2
    assert "proof_version" in decided.refusal("verify", str(path), "--key", key, status=2)


def test_the_audit_counts_them_and_names_one_that_was_made_up(decided: Town) -> None:
    counted = {"documents": 2, "pending": 0, "before": 0, "since": 0, "bound": 0}
    assert decided.asked("audit")["acts_for_log"] == counted
    assert "2 acts for the log, 0 not in it yet" in decided.run("audit")
    [file] = decided.folder.glob("var/*/invoices.db")
    with closing(sqlite3.connect(file)) as owner:
        owner.execute("DROP TRIGGER logged_acts_no_update")
        text = "replace(CAST(document AS TEXT), 'suspended', 'closed')"
        owner.execute(f"UPDATE logged_acts SET document = CAST({text} AS BLOB)")
        owner.commit()
    said = decided.asked("audit", status=1)
    assert (said["kind"], said["place"]) == ("logged act", 2)
