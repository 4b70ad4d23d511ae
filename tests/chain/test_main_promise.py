"""``python -m chain verify`` with a promise: every line and every field that it prints."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chain.__main__ import main
from chain.commitment import anchor, password_area
from chain.hashing import sha256
from chain.proof.promise import sign_group
from chain.signing.note import SignerKey

SIGNER = SignerKey("log.example/fapiao/promise", bytes(range(32)))
NOON = datetime(2026, 8, 10, 4, 0, 0, tzinfo=UTC)
DOCUMENT = sha256(b"an invoice")


@pytest.fixture
def asked(tmp_path: Path) -> list[str]:
    """The command for a good promise."""
    (text,) = sign_group(SIGNER, [DOCUMENT], NOON, NOON + timedelta(minutes=1), bytes)
    (tmp_path / "promise").write_text(text)
    return ["verify", str(tmp_path / "promise"), "--key", SIGNER.verifier.text()]


def test_a_promise_is_told_line_by_line(
    asked: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(asked) == 0
    assert capsys.readouterr().out == (
        "PROMISED\n"
        f"hash       {password_area(DOCUMENT)}\n"
        "log        log.example/fapiao\n"
        "issued     at 2026-08-10T04:00:00Z or later\n"
        "in the log by 2026-08-10T04:01:00Z\n"
    )


def test_programs_get_every_field_of_a_promise(
    asked: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*asked, "--json"]) == 0
    told = capsys.readouterr().out
    assert told.endswith("}\n")
    assert json.loads(told) == {
        "promised": True,
        "version": 2,
        "origin": "log.example/fapiao",
        "hash": password_area(DOCUMENT),
        "anchor": anchor(DOCUMENT).hex(),
        "given": "2026-08-10T04:00:00Z",
        "deadline": "2026-08-10T04:01:00Z",
    }


@pytest.mark.parametrize("option", ["--policy", "--log", "--memory"])
def test_a_promise_has_nothing_to_compare(
    asked: list[str], option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("quorum none\n")
    with pytest.raises(SystemExit, match="2"):
        main([*asked, option, str(tmp_path / "file")])
    said = "error: a promise has no checkpoint: not with --policy, --log or --memory\n"
    assert capsys.readouterr().err.endswith(said)
