"""``python -m chain verify``, called in this process: every line and every field that it prints."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import chain.witness
from chain.__main__ import _seen_before, main, verify
from chain.audit.evidence import Fork, verify_evidence
from chain.commitment import anchor
from chain.proof.file import MAX_PROOF_BYTES, Proof
from chain.proof.memory import Continued
from chain.proof.verify import verify_proof
from chain.signing.cosignature import Cosigner
from chain.signing.note import SignerKey, parse_note
from chain.tree.states import StateLeaf, StateProof, state_leaf_hash
from chain.tree.tiles import TileFolder
from tests.chain.books import ORIGIN, SIGNER
from tests.chain.forged import Forge, hide, leaves, with_everything

KEY = SIGNER.verifier.text()
WITNESSES = [Cosigner(SignerKey(f"w{number}.example", bytes([number]) * 32)) for number in (1, 2)]
OLDER = ": this is older than what you have seen"
STEPS = {
    "groups": "the groups hash to the password area",
    "entry": "the log entry names that password area",
    "signature": "the log signed the checkpoint",
    "inclusion": "the entry is under the checkpoint's root",
    "seal": "the seal is under the same root",
    "newest": "the seal is the newest under the checkpoint",
    "state": "the state map as of that seal says this of the document",
}


def written(path: Path, proof: Proof) -> str:
    """The name of a file with this proof."""
    path.write_bytes(proof.to_bytes())
    return str(path)


def plain(*, hidden: tuple[str, ...] = ()) -> Proof:
    """A proof of a document against which nothing stands."""
    proof = Forge().proof()
    return Proof(
        document=proof.document,
        groups={**proof.groups, **hide(proof, hidden)},
        placed=proof.placed,
        checkpoint=proof.checkpoint,
        seal=proof.seal,
        state=proof.state,
    )


def cosigned() -> Proof:
    """The same with two cosignatures."""
    proof = plain()
    text = parse_note(proof.checkpoint).text
    lines = [one.cosign(text, 1_800_000_000).line().encode() for one in WITNESSES]
    return Proof(
        document=proof.document,
        groups=proof.groups,
        placed=proof.placed,
        checkpoint=proof.checkpoint + b"".join(lines),
        seal=proof.seal,
        state=proof.state,
    )


def policy(path: Path, quorum: str = "both") -> str:
    """The name of a file that asks for both witnesses."""
    lines = [f"witness W{n} {one.verifier.text()}" for n, one in enumerate(WITNESSES)]
    path.write_text("\n".join([*lines, "group both all W0 W1", f"quorum {quorum}", ""]))
    return str(path)


def test_what_is_proved_is_said_line_by_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    proof = with_everything()
    assert main(["verify", written(tmp_path / "p", proof), "--key", KEY]) == 0
    assert capsys.readouterr() == (
        "".join(f"{number}. {text}: yes\n" for number, text in enumerate(STEPS.values(), start=1))
        + "PROVED\n"
        + f"hash       {json.loads(proof.to_bytes())['hash']}\n"
        + f"log        {ORIGIN}, 11 entries\n"
        + "entry      5\n"
        + "as of      block 3, sealed 2026-11-21T04:00:00Z\n"
        + "seen       nothing of this log before\n"
        + "state      reimbursement locked\n"
        + "hidden     buyer\n",
        "",
    )


@pytest.mark.parametrize(
    ("hidden", "said"), [((), "nothing"), (("buyer", "lines"), "buyer, lines")]
)
def test_a_document_against_which_nothing_stands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], hidden: tuple[str, ...], said: str
) -> None:
    assert main(["verify", written(tmp_path / "p", plain(hidden=hidden)), "--key", KEY]) == 0
    told = capsys.readouterr().out
    assert told.endswith(f"state      nothing stands against it\nhidden     {said}\n")


def test_each_state_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    states = {"reversal": "part", "reimbursement": "locked"}
    leaf = StateLeaf(anchor(Forge().document), states)
    forge = Forge(states=state_leaf_hash(leaf), state=StateProof(leaf, ()))
    assert main(["verify", written(tmp_path / "p", forge.proof()), "--key", KEY]) == 0
    said = "state      reimbursement locked, reversal part\n"
    assert said in capsys.readouterr().out


def test_who_has_cosigned_is_said_when_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path / "p", cosigned())
    asked = ["verify", file, "--key", KEY, "--policy", policy(tmp_path / "policy")]
    assert main(asked) == 0
    assert capsys.readouterr().out.endswith("\ncosigned   w1.example, w2.example\n")
    assert main([*asked, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["witnesses"] == ["w1.example", "w2.example"]
    assert main(["verify", written(tmp_path / "q", plain()), *asked[2:]]) == 1
    assert capsys.readouterr().out.startswith("NOT PROVED at step 3: ")


def test_who_cannot_be_asked_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Witnesses whose type of key is not known here, and without whom the quorum is met."""
    quorum = policy(tmp_path / "policy")
    with Path(quorum).open("a") as file:
        file.write("witness O other.example/w+0123abcd+Amtl\n")
        file.write("witness P more.example/w+0123abcd+Amtm\n")
    file_ = written(tmp_path / "p", cosigned())
    asked = ["verify", file_, "--key", KEY, "--policy", quorum]
    assert main(asked) == 0
    names = ["other.example/w (type 2)", "more.example/w (type 2)"]
    said = f"\nnot asked  {', '.join(names)}: no such keys are known here\n"
    assert capsys.readouterr().out.endswith(said)
    assert main([*asked, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["unchecked"] == names


def test_a_policy_that_is_not_there_cannot_be_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["verify", written(tmp_path / "p", plain()), "--key", KEY]
    assert main([*asked, "--policy", str(tmp_path / "none")]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert str(tmp_path / "none") in told.err
    assert told.err.endswith("No such file or directory (policy_unreadable)\n")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--key", "no key"], "key_text"),
        (["--key", KEY.replace("+", "x+", 1)], "key_id"),
        (["--key", KEY, "--policy", "{file}"], "policy"),
        (["--key", KEY, "--key", "{file}"], "key_text"),
        (["--key", KEY, "--key", "{statement}"], "key_statement"),
    ],
)
def test_who_cannot_be_asked_is_no_forgery(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: str
) -> None:
    """A key or a policy that is misspelled says nothing of the proof."""
    (tmp_path / "file").write_text("rubbish")
    (tmp_path / "statement").write_bytes(plain().checkpoint)
    names = {"file": tmp_path / "file", "statement": tmp_path / "statement"}
    asked = [argument.format(**names) for argument in arguments]
    proof = written(tmp_path / "p", plain())
    assert main(["verify", proof, *asked]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.endswith(f" ({code})\n")
    assert main(["verify", proof, *asked, "--json"]) == 2
    out = capsys.readouterr().out
    answer = json.loads(out)
    assert out.endswith("}\n")
    assert (answer["proved"], answer["code"]) == (None, code)
    assert set(answer) - {"line"} == {"proved", "code", "detail"}


def test_programs_get_every_field(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proof = with_everything()
    assert main(["verify", written(tmp_path / "p", proof), "--key", KEY, "--json"]) == 0
    told = capsys.readouterr().out
    assert told.endswith("}\n")
    answer = json.loads(told)
    hexed, entry = answer.pop("anchor"), json.loads(proof.placed.entry)
    assert hexed in entry.values()
    assert answer == {
        "proved": True,
        "hash": json.loads(proof.to_bytes())["hash"],
        "origin": ORIGIN,
        "size": 11,
        "index": 5,
        "height": 3,
        "sealed_at": "2026-11-21T04:00:00Z",
        "state": {"reimbursement": "locked"},
        "shown": answer["shown"],
        "hidden": ["buyer"],
        "witnesses": [],
        "unchecked": [],
        "memory": {
            "largest": None,
            "others": False,
            "compared": False,
            "why": answer["memory"]["why"],
            "unkept": "",
        },
        "steps": [{"number": number, "name": name} for number, name in enumerate(STEPS, start=1)],
    }
    assert set(answer["shown"]) == {"face", "lines"}


def test_what_is_no_proof_is_neither_proved_nor_refuted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "p").write_bytes(b"\x1b[2J")
    asked = ["verify", str(tmp_path / "p"), "--key", KEY]
    assert main([*asked, "--json"]) == 2
    told = capsys.readouterr().out
    answer = json.loads(told)
    assert told.endswith("}\n")
    assert (answer["proved"], set(answer)) == (None, {"proved", "code", "detail"})
    assert answer["detail"].startswith("no proof file, or a damaged one: ")
    assert main(asked) == 2
    assert capsys.readouterr() == ("", f"{answer['detail']} ({answer['code']})\n")


def test_what_cannot_be_remembered_is_said_and_changes_no_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/proc")  # where nobody can write
    asked = ["verify", written(tmp_path / "p", plain()), "--key", KEY]
    assert main(asked) == 0
    told = capsys.readouterr()
    assert "PROVED\n" in told.out
    assert told.err.startswith("nothing is remembered of this checkpoint: write_failed: ")
    assert main([*asked, "--json"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["memory"]["unkept"].startswith("write_failed: ")
    assert told.err.startswith("nothing is remembered")


def test_the_verifier_alone_goes_by_the_name_that_it_was_called_by(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path / "p", plain())
    monkeypatch.setattr(sys, "argv", ["/opt/bin/fapiao-verify", file, "--key", KEY])
    assert verify() == 0
    for line in (["--help"], []):
        monkeypatch.setattr(sys, "argv", ["/opt/bin/fapiao-verify", *line])
        with pytest.raises(SystemExit):
            verify()
        told = capsys.readouterr()
        assert "usage: fapiao-verify [-h] --key KEY" in told.out + told.err
        assert "python -m chain" not in told.out + told.err


def test_a_refusal_at_a_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = SignerKey(ORIGIN, bytes(32)).verifier.text()
    asked = ["verify", written(tmp_path / "p", plain()), "--key", other]
    assert main([*asked, "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert set(answer) == {"proved", "code", "detail", "step"}
    assert (answer["proved"], answer["step"]) == (False, 3)
    assert main(asked) == 1
    said = f"NOT PROVED at step 3: {answer['detail']} ({answer['code']})\n"
    assert capsys.readouterr().out == said


def test_a_file_as_long_as_it_may_be_is_read_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Blanks behind the proof: what were cut off would be refused with the other code."""
    codes = {MAX_PROOF_BYTES: "not_canonical", MAX_PROOF_BYTES + 1: "proof_too_long"}
    for length, code in codes.items():
        (tmp_path / "p").write_bytes(plain().to_bytes().ljust(length))
        assert main(["verify", str(tmp_path / "p"), "--key", KEY, "--json"]) == 2
        assert json.loads(capsys.readouterr().out)["code"] == code


def test_no_terminal_is_told_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(tmp_path / "a\x1b\u0661\nb"), "--key", KEY]) == 2
    name = tmp_path / "a?\\u0661?b"
    assert capsys.readouterr() == ("", f"cannot read {name}: No such file or directory\n")


@pytest.mark.parametrize(
    "arguments", [[], ["verify"], ["verify", "p"], ["VERIFY", "p", "--key", KEY], ["dance"]]
)
def test_what_is_no_command(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


def test_the_command_line_counts_where_nothing_is_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path / "p", plain())
    monkeypatch.setattr(sys, "argv", ["chain", "verify", file, "--key", KEY])
    assert main() == 0
    assert "PROVED\n" in capsys.readouterr().out
    assert main(["verify", str(tmp_path / "none"), "--key", KEY]) == 2


def test_a_witness_gets_the_arguments_behind_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["witness", "status", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("witness_missing")


def test_what_was_seen_before_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["verify", written(tmp_path / "p", plain()), "--key", KEY]
    memory = tmp_path / "memory.json"
    for said in (
        "\nseen       nothing of this log before\n",
        "\nseen       11 entries of this log before\n",
    ):
        assert main([*asked, "--memory", str(memory)]) == 0
        assert said in capsys.readouterr().out
    assert main([*asked, "--memory", str(memory), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["memory"]
    why = told["why"]
    assert told == {"largest": 11, "others": False, "compared": False, "why": why, "unkept": ""}
    assert main([*asked, "--no-memory"]) == 0
    assert "seen" not in capsys.readouterr().out
    assert main([*asked, "--no-memory", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["memory"] is None


@pytest.mark.parametrize("option", ["--log", "--memory"])
def test_nothing_is_remembered_and_compared_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    """Rather than to leave out silently what was asked for."""
    asked = ["verify", written(tmp_path / "p", plain()), "--key", KEY, "--no-memory"]
    with pytest.raises(SystemExit, match="2"):
        main([*asked, option, str(tmp_path / "x")])
    said = "error: --no-memory remembers nothing: not with --memory or --log\n"
    assert capsys.readouterr().err.endswith(said)


def test_it_remembers_without_being_told_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert main(["verify", written(tmp_path / "p", plain()), "--key", KEY]) == 0
    assert (tmp_path / "state" / "fapiao" / "checkpoints.json").is_file()


def test_a_second_history_is_refused_with_the_evidence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both proofs hold by themselves; whoever has seen one does not believe the other."""
    memory = ["--memory", str(tmp_path / "memory.json")]
    assert main(["verify", written(tmp_path / "p", plain()), "--key", KEY, *memory]) == 0
    capsys.readouterr()
    asked = ["verify", written(tmp_path / "q", with_everything()), "--key", KEY]
    assert main([*asked, *memory]) == 1
    path = tmp_path / "fork-11.evidence.json"
    told = capsys.readouterr().out
    assert told.startswith("NOT PROVED: ")
    assert told.endswith(f" (log_forked); the evidence is in {path}\n")
    assert isinstance(verify_evidence(path.read_bytes(), SIGNER.verifier), Fork)
    assert main([*asked, *memory, "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert (answer["code"], answer["evidence"]) == ("log_forked", str(path))
    assert main([*asked, "--no-memory"]) == 0


def test_where_only_the_verifier_is_installed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second history is refused all the same, without a file; and there is no witness."""
    for name in ("chain.audit.evidence", "chain.witness"):
        monkeypatch.setitem(sys.modules, name, None)
    memory = ["--memory", str(tmp_path / "memory.json")]
    assert main(["verify", written(tmp_path / "p", plain()), "--key", KEY, *memory]) == 0
    capsys.readouterr()
    asked = ["verify", written(tmp_path / "q", with_everything()), "--key", KEY]
    assert main([*asked, *memory]) == 1
    assert capsys.readouterr().out.endswith(" (log_forked)\n")
    assert not list(tmp_path.glob("*.evidence.json"))
    assert main(["witness", "status", str(tmp_path)]) == 2
    said = "the witness comes with the whole service: this is only its verifier\n"
    assert capsys.readouterr().err == said
    monkeypatch.undo()
    monkeypatch.setattr(chain, "witness", chain.witness)  # puts the whole room back afterwards
    for name in [name for name in sys.modules if name.startswith("chain.witness")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "chain.witness.database", None)
    with pytest.raises(ModuleNotFoundError, match="database"):  # something else is missing
        main(["witness", "status", str(tmp_path)])


def test_a_damaged_memory_is_no_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "memory").write_text("{")
    asked = ["verify", written(tmp_path / "p", plain()), "--key", KEY]
    assert main([*asked, "--memory", str(tmp_path / "memory")]) == 2
    told = capsys.readouterr()
    assert (told.out, "(memory_damaged)" in told.err) == ("", True)


def test_the_log_is_asked_for_what_was_seen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A log that has grown since: older proofs are in it, and a fork of it is found out."""
    forge = Forge()
    log = tmp_path / "log"
    TileFolder(log).write_range(0, 11, leaves(forge.entries), forge.entries)
    (log / "checkpoint").write_bytes(forge.note())
    memory = ["--memory", str(tmp_path / "memory.json")]
    asked = ["verify", written(tmp_path / "p", forge.proof()), "--key", KEY, *memory]
    assert main([*asked, "--log", str(log)]) == 0
    assert main([*asked, "--log", str(log)]) == 0
    said = "\nseen       11 entries of this log before; the log contains both\n"
    assert said in capsys.readouterr().out
    assert main([*asked, "--log", str(tmp_path / "none")]) == 0
    shown = capsys.readouterr().out
    assert "\nseen       11 entries of this log before\n" in shown
    other = written(tmp_path / "q", with_everything())
    other_memory = ["--memory", str(tmp_path / "other.json")]
    assert main(["verify", other, "--key", KEY, *other_memory, "--log", str(log)]) == 1
    assert "(log_forked)" in capsys.readouterr().out
    assert (tmp_path / "fork-11.evidence.json").is_file()


@pytest.mark.parametrize(
    ("size", "continued", "lines"),
    [
        (
            11,
            Continued(12, False, True),
            [": this is older than what you have seen; the log contains both"],
        ),
        (
            11,
            Continued(12, False, False, "w"),
            [": this is older than what you have seen; not compared, w"],
        ),
        (11, Continued(10, False, False, "w"), ["; not compared, w"]),
        (11, Continued(11, False, False, "w"), [""]),
        (11, Continued(11, False, True), ["; the log contains both"]),
    ],
)
def test_how_a_proof_stands_to_what_was_seen(
    size: int, continued: Continued, lines: list[str]
) -> None:
    evidence = verify_proof(plain(), SIGNER.verifier)
    assert evidence.size == size
    head = f"seen       {continued.largest} entries of this log before"
    assert _seen_before(evidence.size, continued) == [head + line for line in lines]
    more = _seen_before(evidence.size, replace(continued, others=True))
    assert more[1:] == ["           and of its name by other keys, which is taken for another log"]
