"""Keys, key statements and policies as a person names them, and what the command makes of them."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from chain.__main__ import main
from chain.errors import Problem
from chain.signing.checkpoint import Checkpoint, open_checkpoint
from chain.signing.cosignature import Cosigner, add_signatures
from chain.signing.keys import Last, LogKey, LogKeys
from chain.signing.note import SignerKey, parse_note
from chain.signing.policy import MAX_POLICY_BYTES
from chain.signing.statement import MAX_STATEMENT, KeyStatement
from chain.signing.trusted import read_policy, read_trusted
from tests.chain.books import ORIGIN, SIGNER
from tests.chain.forged import Forge, with_everything

NEW = SignerKey(ORIGIN, bytes([2]) * 32)
PROMISE = SignerKey(f"{ORIGIN}/promise", bytes(32)).verifier
WITNESSES = [Cosigner(SignerKey(f"w{n}.example", bytes([40 + n]) * 32)) for n in range(3)]
CHECKPOINT = open_checkpoint(Forge().note(), SIGNER.verifier)
LATER = Last(CHECKPOINT.size, CHECKPOINT.root)


def _keys(*keys: LogKey) -> LogKeys:
    return LogKeys(ORIGIN, keys, (PROMISE,))


NOTES = [
    KeyStatement(1, _keys(LogKey(SIGNER.verifier))).sign(SIGNER),
    KeyStatement(2, _keys(LogKey(SIGNER.verifier), LogKey(NEW.verifier))).sign(SIGNER, NEW),
    KeyStatement(3, _keys(LogKey(NEW.verifier), LogKey(SIGNER.verifier, last=LATER))).sign(
        SIGNER, NEW
    ),
]
STOLEN = KeyStatement(3, _keys(LogKey(NEW.verifier), LogKey(SIGNER.verifier, revoked=True)))

Files = Callable[..., str]


@pytest.fixture
def file(tmp_path: Path) -> Files:
    """Writes a file and returns its name."""

    def write(name: str, data: bytes | str) -> str:
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return str(path)

    return write


def _code(*texts: str) -> str:
    with pytest.raises(Problem) as caught:
        read_trusted(texts)
    return caught.value.code


def test_one_key_as_text_or_in_a_file(file: Files) -> None:
    text = SIGNER.verifier.text()
    lines = file("log.vkey", f"{text}\n{PROMISE.text()}\n")  # as GET /log/key answers
    for texts in ([text], [f" {text}\n"], [lines], [text, lines]):
        assert read_trusted(texts) == SIGNER.verifier
    assert read_trusted([text, NEW.verifier.text()]) == LogKeys.of(SIGNER.verifier, NEW.verifier)


def test_statements_in_any_order(file: Files) -> None:
    names = [file(f"{n}.note", note) for n, note in enumerate(NOTES)]
    for signer in (SIGNER, NEW):
        key = signer.verifier.text()
        keys = read_trusted([names[2], key, names[0], names[1], names[0]])
        assert keys == KeyStatement.parse(NOTES[2]).keys
    assert _code(*names) == "key_text"  # nobody says who is believed
    assert _code(names[2], SignerKey(ORIGIN, bytes(32)).verifier.text()) == "statement_untrusted"


def test_statements_are_ordered_by_number_not_as_text(file: Files) -> None:
    names = [
        file(
            f"{number}.note", KeyStatement(number, KeyStatement.parse(note).keys).sign(SIGNER, NEW)
        )
        for number, note in ((10, NOTES[2]), (9, NOTES[1]))
    ]
    for order in (names, names[::-1]):
        assert read_trusted([SIGNER.verifier.text(), *order]) == KeyStatement.parse(NOTES[2]).keys


@pytest.mark.parametrize(
    "text", ["", "x", "x\n", "a+b", "/nowhere", "k" * 1024, "k" * 5000, "\0", "\udcff"]
)
def test_what_is_no_key(text: str) -> None:
    assert _code(text) == "key_text"


def test_what_looks_like_a_file_is_missed_as_one(tmp_path: Path) -> None:
    for name in (tmp_path / "key", "keys/log.pub", "keys\\log"):
        with pytest.raises(Problem, match=r"^key_text\b.*no such file"):
            read_trusted([str(name)])


def test_what_cannot_be_read(file: Files, tmp_path: Path) -> None:
    assert _code(SIGNER.verifier.text(), file("x", b"a/keys\n1\n\n\n")) == "note"
    assert _code(SIGNER.verifier.text(), file("x", NOTES[0][:-5])) == "note"
    assert _code(SIGNER.verifier.text(), file("x", b"a/keys\n1\n")) == "note"
    assert _code(file("x", b"\xff\n")) == "key_text"
    assert _code("k" * 1023) == "key_unreadable"  # too long for a name, and for nothing else
    with pytest.raises(Problem) as caught:
        read_policy(tmp_path)
    assert caught.value.code == "policy_unreadable"


def test_files_may_be_as_long_as_what_they_hold(file: Files, tmp_path: Path) -> None:
    spare = MAX_STATEMENT - len(NOTES[0]) - len("\u2014 ".encode()) - len(" \n")
    line = f"\u2014 {'x' * (spare % 4 + 4)} {'A' * (spare // 4 * 4 - 4)}\n".encode()
    assert len(NOTES[0] + line) == MAX_STATEMENT
    read = read_trusted([SIGNER.verifier.text(), file("longest", NOTES[0] + line)])
    assert read == KeyStatement.parse(NOTES[0]).keys
    assert _code(SIGNER.verifier.text(), file("x", NOTES[0] + line + b"x")) == "key_statement"
    end = "\nquorum none\n"
    assert read_policy(Path(file("p", "#" * (MAX_POLICY_BYTES - len(end)) + end))).quorum == 0
    with pytest.raises(Problem, match="longer"):
        read_policy(Path(file("p", "#" * (MAX_POLICY_BYTES - len(end) + 1) + end)))


def _said(
    capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0
) -> dict[str, object]:
    """What the command answers with --json."""
    assert main(["verify", "--json", *arguments]) == status
    answer = json.loads(capsys.readouterr().out)
    assert isinstance(answer, dict)
    return answer


@pytest.mark.parametrize(
    ("pinned", "signer", "notes", "code"),
    [
        (SIGNER, SIGNER, NOTES, None),
        (NEW, SIGNER, NOTES, None),
        (NEW, SIGNER, NOTES[2:], None),
        (SIGNER, NEW, NOTES, None),
        (NEW, SIGNER, [], "signature_missing"),
        (SIGNER, NEW, [], "signature_missing"),
        (SIGNER, SIGNER, [*NOTES[:2], STOLEN.sign(SIGNER, NEW)], "key_revoked"),
        (NEW, NEW, [*NOTES[:2], STOLEN.sign(SIGNER, NEW)], None),
        (SIGNER, SIGNER, [NOTES[2][:-1]], "note"),
    ],
)
def test_the_command_follows_statements(
    file: Files,
    capsys: pytest.CaptureFixture[str],
    pinned: SignerKey,
    signer: SignerKey,
    notes: list[bytes],
    code: str | None,
) -> None:
    proof = file("p.json", Forge(signer=signer).proof().to_bytes())
    keys = [pinned.verifier.text(), *(file(f"{n}.note", note) for n, note in enumerate(notes))]
    arguments = [word for key in keys for word in ("--key", key)]
    asked = code != "note"  # else there is nobody to ask: that is no verdict
    answer = _said(capsys, proof, *arguments, status=0 if code is None else 2 - asked)
    assert answer.get("code") == code
    assert answer["proved"] is ((code is None) if asked else None)


def _cosigned(*witnesses: Cosigner, time: int = 1_800_000_000) -> bytes:
    proof = with_everything()
    text = parse_note(proof.checkpoint).text
    lines = [witness.cosign(text, time) for witness in witnesses]
    return replace(proof, checkpoint=add_signatures(proof.checkpoint, lines)).to_bytes()


def _policy(quorum: str = "two", log: str = "") -> str:
    lines = [f"witness w{n} {key.verifier.text()}" for n, key in enumerate(WITNESSES)]
    return "\n".join([*([f"log {log}"] if log else []), *lines, "group two 2 w0 w1 w2", ""]) + (
        f"quorum {quorum}\n"
    )


def test_a_policy_is_met_and_says_who_cosigned(
    file: Files, capsys: pytest.CaptureFixture[str]
) -> None:
    proof = file("p.json", _cosigned(WITNESSES[0], WITNESSES[2]))
    key = SIGNER.verifier.text()
    for log in ("", key):
        policy = file("policy", _policy(log=log))
        answer = _said(capsys, proof, "--key", key, "--policy", policy)
        assert answer["witnesses"] == ["w0.example", "w2.example"]
    assert main(["verify", proof, "--key", key, "--policy", policy]) == 0
    assert "cosigned   w0.example, w2.example\n" in capsys.readouterr().out
    assert main(["verify", proof, "--key", key]) == 0
    assert "cosigned" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("witnesses", "policy", "code", "step"),
    [
        ([0], _policy(), "quorum", 3),
        ([], _policy(), "quorum", 3),
        ([], _policy("none"), None, None),
        ([0, 1], _policy(log=NEW.verifier.text()), "policy_log", 3),
        ([0, 1], _policy().replace("quorum two\n", ""), "policy", None),
        ([0, 1], _policy()[:-1], "policy", None),
        ([0, 1], "", "policy", None),
        ([0, 1], "\0", "policy", None),
    ],
)
def test_a_policy_is_not_met_or_not_one(
    file: Files,
    capsys: pytest.CaptureFixture[str],
    witnesses: list[int],
    policy: str,
    code: str | None,
    step: int | None,
) -> None:
    proof = file("p.json", _cosigned(*(WITNESSES[n] for n in witnesses)))
    arguments = (proof, "--key", SIGNER.verifier.text(), "--policy", file("policy", policy))
    status = {None: 0, "policy": 2}.get(code, 1)
    answer = _said(capsys, *arguments, status=status)
    assert (answer.get("code"), answer.get("step")) == (code, step)


def test_a_wrong_cosignature_by_a_witness_that_counts(
    file: Files, capsys: pytest.CaptureFixture[str]
) -> None:
    proof = with_everything()
    other = Checkpoint(ORIGIN, 1, CHECKPOINT.root).to_text()
    lines = [WITNESSES[0].cosign(parse_note(proof.checkpoint).text, 5)]
    lines += [WITNESSES[n].cosign(other, 5) for n in (1, 2)]
    data = replace(proof, checkpoint=add_signatures(proof.checkpoint, lines)).to_bytes()
    arguments = ("--key", SIGNER.verifier.text(), "--policy", file("policy", _policy()))
    assert _said(capsys, file("p.json", data), *arguments, status=1)["code"] == "signature"


def test_a_policy_for_the_old_key_holds_for_those_that_follow(
    file: Files, capsys: pytest.CaptureFixture[str]
) -> None:
    proof = file("p.json", Forge(signer=NEW).proof().to_bytes())
    policy = file("policy", _policy("none", log=SIGNER.verifier.text()))
    notes = [file(f"{n}.note", note) for n, note in enumerate(NOTES)]
    keys = [word for note in notes for word in ("--key", note)]
    _said(capsys, proof, "--key", SIGNER.verifier.text(), *keys, "--policy", policy)


def test_files_that_are_not_there_are_no_verdict(
    file: Files, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    proof, key = file("p.json", _cosigned()), SIGNER.verifier.text()
    nowhere = str(tmp_path / "nowhere")
    assert main(["verify", proof, "--key", key, "--policy", nowhere]) == 2
    assert capsys.readouterr().out == ""
