"""A checkpoint is three lines in one spelling, believed only under its own log's key."""

import base64
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.errors import MalformedError, VerificationError
from chain.hashing import EMPTY_ROOT, Digest, sha256
from chain.signing.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from chain.signing.note import COSIGNATURE_V1, SignerKey, VerifierKey, parse_note, sign_note
from chain.tree.merkle import MAX_SIZE
from tests.chain.trees import outside

OUTSIDE = {case["note"]: case["signers"] for case in outside("notes.json")["notes"]}
KEYS = {name: VerifierKey.parse(text) for name, text in outside("notes.json")["keys"].items()}

LOG = SignerKey("log.example/fapiao", bytes(range(32)))
CHECKPOINT = Checkpoint("log.example/fapiao", 20852163, sha256(b"a root"))
TEXT = CHECKPOINT.to_text()
ROOT = base64.b64encode(CHECKPOINT.root).decode()


def test_text() -> None:
    assert f"log.example/fapiao\n20852163\n{ROOT}\n" == TEXT
    assert Checkpoint.parse(TEXT) == CHECKPOINT


def test_the_specifications_example() -> None:
    note = next(note for note in OUTSIDE if note.startswith("example.com/behind-the-sofa"))
    checkpoint = Checkpoint.parse(parse_note(note.encode()).text)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert checkpoint.root.hex().startswith("0ac5186a9186")
    assert checkpoint.to_text() == parse_note(note.encode()).text


@pytest.mark.parametrize(
    ("origin", "size"),
    [("example.com/log/testdata", 100270), ("arche2025h1.staging.ct.transparency.dev", 1432088532)],
)
def test_checkpoints_of_others_open(origin: str, size: int) -> None:
    note = next(note for note in OUTSIDE if note.startswith(origin + "\n"))
    assert open_checkpoint(note.encode(), KEYS[origin]).size == size


@pytest.mark.parametrize("size", [0, 1, 9, 10, 2**53, MAX_SIZE])
def test_sizes(size: int) -> None:
    root = EMPTY_ROOT if size == 0 else CHECKPOINT.root
    checkpoint = Checkpoint("a", size, root)
    assert Checkpoint.parse(checkpoint.to_text()) == checkpoint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n\n",
        TEXT[:-1],
        TEXT + "\n",
        TEXT + "extension\n",
        "\n" + TEXT,
        TEXT.replace("\n", "\r\n"),
        TEXT.replace("20852163", "020852163"),
        TEXT.replace("20852163", "+20852163"),
        TEXT.replace("20852163", "-1"),
        TEXT.replace("20852163", "-0"),
        TEXT.replace("20852163", "20_852_163"),
        TEXT.replace("20852163", " 20852163"),
        TEXT.replace("20852163", "20852163 "),
        TEXT.replace("20852163", ""),
        TEXT.replace("20852163", "1e3"),
        TEXT.replace("20852163", "\uff11\uff12"),
        TEXT.replace("20852163", "\u0661"),
        TEXT.replace("20852163", str(MAX_SIZE + 1)),
        TEXT.replace("20852163", "9" * 19),
        TEXT.replace("20852163", "9" * 5000),
        TEXT.replace("log.example/fapiao", ""),
        TEXT.replace("log.example/fapiao", "log example"),
        TEXT.replace("log.example/fapiao", "log+example"),
        TEXT.replace("log.example/fapiao", "log\u2003example"),
        TEXT.replace("log.example/fapiao", "log\texample"),
        TEXT.replace("log.example/fapiao", "log\udcffexample"),
        TEXT.replace(ROOT, ROOT[:-1]),
        TEXT.replace(ROOT, ROOT + "="),
        TEXT.replace(ROOT, " " + ROOT),
        TEXT.replace(ROOT, ""),
        TEXT.replace(ROOT, base64.b64encode(bytes(31)).decode()),
        TEXT.replace(ROOT, base64.b64encode(bytes(33)).decode()),
        TEXT.replace(ROOT, base64.urlsafe_b64encode(b"\xff" * 32).decode()),
        TEXT.replace(ROOT, base64.b64encode(b"\xff" * 32).decode()[:-2] + "9="),
        TEXT.replace(ROOT, CHECKPOINT.root.hex()),
        TEXT.replace(ROOT, ROOT[:-1] + "é"),
    ],
)
def test_a_checkpoint_has_one_spelling(text: str) -> None:
    with pytest.raises(MalformedError) as caught:
        Checkpoint.parse(text)
    assert caught.value.code == "checkpoint"


def test_nothing_has_only_one_root() -> None:
    assert Checkpoint.parse(Checkpoint("a", 0, EMPTY_ROOT).to_text()).size == 0
    with pytest.raises(VerificationError) as caught:
        Checkpoint.parse(Checkpoint("a", 0, CHECKPOINT.root).to_text())
    assert caught.value.code == "empty_root"


def test_sign_and_open() -> None:
    other = SignerKey("witness.example", bytes(32))
    note = sign_checkpoint(CHECKPOINT, LOG, other)
    assert note == sign_note(TEXT, LOG, other)
    assert open_checkpoint(note, LOG.verifier) == CHECKPOINT


@pytest.mark.parametrize(
    "checkpoint",
    [
        Checkpoint("a b", 1, CHECKPOINT.root),
        Checkpoint("a", -1, CHECKPOINT.root),
        Checkpoint("a", MAX_SIZE + 1, CHECKPOINT.root),
        Checkpoint("a", 1, Digest(bytes(31))),
        Checkpoint("a", 0, CHECKPOINT.root),
        Checkpoint("a\n1", 1, CHECKPOINT.root),
    ],
)
def test_nothing_is_signed_that_cannot_be_read(checkpoint: Checkpoint) -> None:
    with pytest.raises((MalformedError, VerificationError)):
        sign_checkpoint(checkpoint, SignerKey("a", bytes(32)))


def test_a_key_speaks_for_its_own_log_only() -> None:
    other = SignerKey("log.example/other", bytes(range(32)))
    with pytest.raises(VerificationError, match=r"^origin_mismatch\b"):
        open_checkpoint(sign_checkpoint(CHECKPOINT, other), other.verifier)


def test_without_the_logs_signature() -> None:
    witness = SignerKey("witness.example", bytes(32))
    with pytest.raises(VerificationError, match=r"^signature_missing\b"):
        open_checkpoint(sign_checkpoint(CHECKPOINT, witness), LOG.verifier)


def test_what_was_checked_stays_as_it_was() -> None:
    for field in ("origin", "size", "root"):
        with pytest.raises(FrozenInstanceError):
            setattr(CHECKPOINT, field, "other")


def test_a_witnesss_key_is_not_a_logs() -> None:
    key = VerifierKey(LOG.name, COSIGNATURE_V1, LOG.verifier.public)
    with pytest.raises(MalformedError, match=r"^key_type\b"):
        open_checkpoint(sign_checkpoint(CHECKPOINT, LOG), key)


@pytest.mark.parametrize("at", range(len(TEXT)))
def test_a_signed_checkpoint_bent_anywhere(at: int) -> None:
    note = sign_checkpoint(CHECKPOINT, LOG)
    for bit in range(8):
        bent = note[:at] + bytes([note[at] ^ 1 << bit]) + note[at + 1 :]
        with pytest.raises((MalformedError, VerificationError)):
            open_checkpoint(bent, LOG.verifier)


@given(st.text(alphabet="a0123\n=+/AZ -\udcff", max_size=60))
def test_nothing_else_escapes(text: str) -> None:
    try:
        checkpoint = Checkpoint.parse(text)
    except (MalformedError, VerificationError):
        return
    assert checkpoint.to_text() == text
