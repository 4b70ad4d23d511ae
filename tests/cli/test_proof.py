"""``fapiao proof``: from the instance, or from a file in hand; whole, or with groups hidden."""

from pathlib import Path
from typing import Any

import pytest

from chain.commitment import anchor, parse_password_area
from chain.entry import anchor_entry
from chain.proof.file import hidden_in, parse_proof
from chain.proof.tlogproof import parse_tlog_proof, verify_tlog_proof
from chain.signing.note import VerifierKey
from tests.cli.town import Town


@pytest.fixture
def invoice(town: Town) -> dict[str, Any]:
    """An anchored invoice; what the result file says of it."""
    [only] = town.sell(1)
    town.run("anchor")
    return only


def _hidden(file: str) -> tuple[str, ...]:
    return hidden_in(parse_proof(Path(file).read_bytes()))


@pytest.mark.parametrize("names", [(), ("buyer",), ("lines",), ("buyer", "lines")])
def test_groups_are_hidden_from_the_start(
    town: Town, invoice: dict[str, Any], names: tuple[str, ...]
) -> None:
    options = [word for name in names for word in ("--hide", name)]
    file = town.run("proof", invoice["hash"], *options).strip()
    assert file == "00000001.fapiao.json"
    assert _hidden(file) == names


def test_a_holder_hides_more_with_nothing_but_the_file(
    town: Town, invoice: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = town.run("proof", invoice["hash"]).strip()
    key = town.run("keys", "log").splitlines()[0]
    (town.folder / "var").rename(town.folder / "gone")
    monkeypatch.setenv("FAPIAO_URL", "http://127.0.0.1:1")  # nobody is asked
    less = town.run("proof", "--from", whole, "--hide", "buyer").strip()
    assert less == "00000001.hidden.fapiao.json"
    assert (_hidden(whole), _hidden(less)) == ((), ("buyer",))
    least = town.run("proof", "--from", less, "--hide", "lines", "--output", "least.json").strip()
    assert _hidden(least) == ("buyer", "lines")
    found = town.asked("verify", least, "--offline", "--key", key)
    assert (found["verdict"], found["hidden"]) == ("authentic", ["buyer", "lines"])
    said = town.run("verify", less, "--offline", "--key", key)
    assert "hidden by whoever made this file: buyer\n" in said
    assert "hidden" not in town.run("verify", whole, "--offline", "--key", key)


def test_a_proof_checked_here_says_too_what_it_hides(town: Town, invoice: dict[str, Any]) -> None:
    file = town.run("proof", invoice["hash"], "--hide", "lines").strip()
    assert town.asked("verify", file)["hidden"] == ["lines"]
    assert "hidden" not in town.asked("verify", invoice["hash"])


def test_a_bent_file_is_not_passed_on(town: Town, invoice: dict[str, Any]) -> None:
    file = Path(town.run("proof", invoice["hash"]).strip())
    bent = town.folder / "bent.json"
    bent.write_bytes(file.read_bytes().replace(b'"total":11300', b'"total":1'))
    refusal = town.refusal("proof", "--from", str(bent), "--hide", "lines", "--output", "out.json")
    assert "hash_mismatch" in refusal
    assert not Path("out.json").exists()


@pytest.mark.parametrize(
    "arguments",
    [(), ("01" + "0" * 64, "--from", "config.toml"), ("01" + "0" * 64, "--hide", "face")],
    ids=["neither", "both", "face"],
)
def test_what_cannot_be_meant(town: Town, arguments: tuple[str, ...]) -> None:
    town.refusal("proof", *arguments, status=2)


def test_a_tlog_proof_from_the_instance_and_from_a_file(
    town: Town, invoice: dict[str, Any]
) -> None:
    key = VerifierKey.parse(town.run("keys", "log").splitlines()[0])
    straight = town.run("proof", invoice["hash"], "--tlog").strip()
    assert straight == "00000001.tlog-proof"
    file = town.run("proof", invoice["hash"], "--hide", "buyer").strip()
    town.run("proof", "--from", file, "--tlog", "--output", "later.tlog-proof")
    assert Path("later.tlog-proof").read_bytes() == Path(straight).read_bytes()
    entry = anchor_entry("invoice", anchor(parse_password_area(invoice["hash"])))
    proof = parse_tlog_proof(Path(straight).read_bytes())
    assert verify_tlog_proof(proof, entry, key).index == 0
    assert proof.extra == entry
