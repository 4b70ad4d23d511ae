"""Cosignatures agree with a real witness's, and are taken from an answer only when they hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.errors import MalformedError, VerificationError
from chain.signing.cosignature import (
    MAX_LINES_BYTES,
    Cosigner,
    add_signatures,
    checked_cosignatures,
    open_cosignatures,
)
from chain.signing.note import (
    COSIGNATURE_V1,
    ED25519,
    Note,
    Signature,
    SignerKey,
    VerifierKey,
    open_note,
    parse_note,
    sign_note,
)
from tests.chain.signing.test_note import cosign as by_the_definition
from tests.chain.trees import outside

TEXT = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
LOG = SignerKey("example.com/behind-the-sofa", bytes(32))
KEYS = [SignerKey(f"witness.example/w{number}", bytes([number]) * 32) for number in (1, 2, 3)]
ONE, TWO, THREE = map(Cosigner, KEYS)
NOTE = sign_note(TEXT, LOG)
TIME = 1679315147


def _lines(*signatures: Signature) -> bytes:
    return "".join(signature.line() for signature in signatures).encode()


def test_it_is_what_the_specification_says() -> None:
    key, signature = by_the_definition(KEYS[0], TEXT, TIME)
    assert ONE.verifier == key
    assert ONE.verifier.kind == COSIGNATURE_V1
    assert ONE.cosign(TEXT, TIME) == signature
    assert signature.timestamp == TIME


def test_a_real_witness_signed_the_same_message() -> None:
    vectors = outside("notes.json")
    note = next(case["note"] for case in vectors["notes"] if "remora.n621.de" in case["signers"])
    key = VerifierKey.parse(vectors["keys"]["remora.n621.de"])
    found = checked_cosignatures(note.encode(), [ONE.verifier, key])
    assert list(found) == [key]
    assert found[key].timestamp == 1779573024


def test_an_extension_line_is_signed_too() -> None:
    extended = TEXT + "extension 1\nextension 2\n"
    signature = ONE.cosign(extended, TIME)
    ONE.verifier.verify(extended, signature)
    with pytest.raises(VerificationError):
        ONE.verifier.verify(extended.replace("2\n", "X\n"), signature)


@pytest.mark.parametrize("time", [0, TIME, 2**63 - 1])
def test_times_that_can_be_signed(time: int) -> None:
    signature = ONE.cosign(TEXT, time)
    ONE.verifier.verify(TEXT, signature)
    assert signature.timestamp == time


@pytest.mark.parametrize("time", [-1, 2**63, 2**64])
def test_times_that_cannot_be_signed(time: int) -> None:
    with pytest.raises(MalformedError, match=r"^cosignature_time\b"):
        ONE.cosign(TEXT, time)


def test_another_time_or_text_does_not_verify() -> None:
    signature = ONE.cosign(TEXT, TIME)
    moved = (TIME + 1).to_bytes(8, "big") + signature.payload[8:]
    with pytest.raises(VerificationError):
        ONE.verifier.verify(TEXT, Signature(signature.name, signature.key_id, moved))
    with pytest.raises(VerificationError):
        ONE.verifier.verify(TEXT.replace("163", "164"), signature)


def test_an_answer_of_several_lines() -> None:
    stranger = Cosigner(SignerKey("stranger.example", bytes([9]) * 32))
    again = Cosigner(SignerKey(KEYS[0].name, bytes([8]) * 32))  # the same name, another key
    lines = [again, ONE, stranger, THREE]
    answer = _lines(*(cosigner.cosign(TEXT, TIME) for cosigner in lines))
    found = open_cosignatures(TEXT, answer, [ONE.verifier, TWO.verifier, THREE.verifier])
    assert list(found) == [ONE.verifier, THREE.verifier]
    assert found[ONE.verifier] == ONE.cosign(TEXT, TIME)


def test_an_answer_without_a_known_key() -> None:
    for answer in (TWO.cosign(TEXT, TIME), LOG.sign(TEXT)):
        with pytest.raises(VerificationError) as refusal:
            open_cosignatures(TEXT, _lines(answer), [ONE.verifier])
        assert refusal.value.code == "signature_missing"


def test_an_answer_with_one_wrong_signature_is_refused_whole() -> None:
    wrong = ONE.cosign(TEXT + "x\n", TIME)
    with pytest.raises(VerificationError) as refusal:
        open_cosignatures(TEXT, _lines(TWO.cosign(TEXT, TIME), wrong), [TWO.verifier, ONE.verifier])
    assert refusal.value.code == "signature"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\n",
        b"garbage\n",
        b"<html>\n",
        b"\xff\xfe\n",
        _lines(ONE.cosign(TEXT, TIME))[:-1],
        _lines(ONE.cosign(TEXT, TIME)) + b"\n",
        b"\n" + _lines(ONE.cosign(TEXT, TIME)),
        _lines(ONE.cosign(TEXT, TIME)) + b"more\n",
        _lines(ONE.cosign(TEXT, TIME)).replace(b"\n", b"\r\n"),
        _lines(ONE.cosign(TEXT, TIME)) * 101,
    ],
)
def test_what_is_not_signature_lines_is_refused(answer: bytes) -> None:
    with pytest.raises(MalformedError) as refusal:
        open_cosignatures(TEXT, answer, [ONE.verifier])
    assert refusal.value.code == "cosignature_lines"


def test_an_answer_may_be_so_long_and_no_longer() -> None:
    filler = Signature("stranger.example", b"1234", bytes(3_000))
    lines = _lines(ONE.cosign(TEXT, TIME), *[filler] * 16)
    assert len(lines) < MAX_LINES_BYTES
    assert open_cosignatures(TEXT, lines, [ONE.verifier])
    spare = MAX_LINES_BYTES - len(lines) - len(Signature("", b"1234", b"").line().encode())
    last = Signature("x" * (spare % 4 + 4), b"1234", b"12" + bytes(spare // 4 * 3 - 3))
    longest = lines + _lines(last)
    assert len(longest) == MAX_LINES_BYTES
    assert open_cosignatures(TEXT, longest, [ONE.verifier])
    with pytest.raises(MalformedError, match="longer"):
        open_cosignatures(TEXT, longest.replace(b" xxxx", b" xxxxx"), [ONE.verifier])
    with pytest.raises(MalformedError, match="longer"):
        open_cosignatures(TEXT, _lines(filler) * 17, [ONE.verifier])


def test_an_empty_line_in_an_answer_does_not_lengthen_the_text() -> None:
    """A witness that signs the checkpoint and more has not cosigned the checkpoint."""
    longer = f"{TEXT}\n— x AAAAAAA=\n"
    answer = f"— x AAAAAAA=\n\n{ONE.cosign(longer, TIME).line()}".encode()
    assert open_note(TEXT.encode() + b"\n" + answer, [ONE.verifier]).text == longer
    with pytest.raises(MalformedError, match="empty line"):
        open_cosignatures(TEXT, answer, [ONE.verifier])


def test_who_has_cosigned_a_note() -> None:
    keys = [ONE.verifier, TWO.verifier, THREE.verifier]
    assert checked_cosignatures(NOTE, keys) == {}
    assert checked_cosignatures(NOTE, []) == {}
    cosigned = add_signatures(NOTE, [THREE.cosign(TEXT, TIME), ONE.cosign(TEXT, TIME)])
    assert list(checked_cosignatures(cosigned, keys)) == [THREE.verifier, ONE.verifier]
    wrong = add_signatures(NOTE, [ONE.cosign(TEXT + "x\n", TIME)])
    with pytest.raises(VerificationError):
        checked_cosignatures(wrong, keys)


def test_cosignatures_stand_below_the_logs_signature() -> None:
    one, two = ONE.cosign(TEXT, TIME), TWO.cosign(TEXT, TIME)
    assert add_signatures(NOTE, [one, two]) == NOTE + _lines(one, two)
    assert add_signatures(add_signatures(NOTE, [one]), [two]) == NOTE + _lines(one, two)
    assert add_signatures(NOTE, []) == NOTE


def test_a_key_keeps_the_line_that_it_has() -> None:
    first, later = ONE.cosign(TEXT, TIME), ONE.cosign(TEXT, TIME + 5)
    note = add_signatures(NOTE, [first])
    assert add_signatures(note, [later]) == note
    assert add_signatures(NOTE, [first, later]) == note
    plain = VerifierKey(KEYS[0].name, ED25519, KEYS[0].verifier.public)
    both = add_signatures(NOTE, [KEYS[0].sign(TEXT), first])  # the same key, as another type
    assert [line.key_id for line in parse_note(both).signatures[1:]] == [
        plain.key_id,
        ONE.verifier.key_id,
    ]


@given(st.binary(max_size=300))
def test_any_answer_is_refused_or_holds(answer: bytes) -> None:
    with pytest.raises((MalformedError, VerificationError)) as refusal:
        open_cosignatures(TEXT, answer, [ONE.verifier])
    assert refusal.value.code in {"cosignature_lines", "signature_missing"}


def test_a_note_can_be_made_of_the_parts() -> None:
    cosigned = add_signatures(NOTE, [ONE.cosign(TEXT, TIME)])
    opened = open_note(cosigned, [LOG.verifier, ONE.verifier])
    assert Note(opened.text, opened.signatures).to_bytes() == cosigned
