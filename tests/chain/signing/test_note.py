"""Signed notes agree with those of other programs, and have one spelling."""

import base64
import threading
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.errors import MalformedError, VerificationError
from chain.hashing import sha256
from chain.signing.note import (
    COSIGNATURE_V1,
    ED25519,
    MAX_NOTE_SIZE,
    MAX_SIGNATURES,
    STRUCTURE,
    Note,
    Signature,
    SignerKey,
    VerifierKey,
    open_note,
    parse_note,
    sign_note,
)
from tests.chain.trees import outside

OUTSIDE = outside("notes.json")
KEYS = {name: VerifierKey.parse(text) for name, text in OUTSIDE["keys"].items()}
PETER = SignerKey.parse(OUTSIDE["secret_key"])
PETER_TEXT = OUTSIDE["keys"]["PeterNeumann"]
PETER_NOTE: bytes = OUTSIDE["notes"][0]["note"].encode()
BOTH_NOTE: bytes = OUTSIDE["notes"][1]["note"].encode()
TEXT = parse_note(PETER_NOTE).text

LOG = SignerKey("log.example/fapiao", bytes(range(32)))
WITNESS = SignerKey("witness.example/w1", bytes(range(1, 33)))


def cosign(signer: SignerKey, text: str, seconds: int) -> tuple[VerifierKey, Signature]:
    """Make what a witness makes, from the specification and the plain signature."""
    key = VerifierKey(signer.name, COSIGNATURE_V1, signer.verifier.public)
    plain = signer.sign(f"cosignature/v1\ntime {seconds}\n{text}")
    payload = seconds.to_bytes(8, "big") + plain.payload
    return key, Signature(signer.name, key.key_id, payload)


@pytest.mark.parametrize("name", sorted(KEYS))
def test_keys_of_others_are_read_and_written_alike(name: str) -> None:
    assert KEYS[name].name == name
    assert KEYS[name].text() == OUTSIDE["keys"][name]


@pytest.mark.parametrize("case", OUTSIDE["notes"])
def test_notes_of_others_verify(case: dict[str, object]) -> None:
    note, signers = case["note"], case["signers"]
    assert isinstance(note, str)
    assert isinstance(signers, list)
    assert parse_note(note.encode()).to_bytes() == note.encode()
    for signer in signers:
        opened = open_note(note.encode(), [KEYS[signer]])
        assert [signature.name for signature in opened.signatures] == [signer]
    if signers:
        opened = open_note(note.encode(), list(KEYS.values()))
        assert [signature.name for signature in opened.signatures] == signers


@pytest.mark.parametrize("case", OUTSIDE["notes"])
def test_notes_of_others_bent_do_not_verify(case: dict[str, object]) -> None:
    note, signers = str(case["note"]), case["signers"]
    assert isinstance(signers, list)
    for signer in signers:
        good = open_note(note.encode(), [KEYS[signer]]).signatures[0]
        payload = good.payload[:-1] + bytes([good.payload[-1] ^ 1])
        bent = note.replace(good.line(), Signature(good.name, good.key_id, payload).line())
        with pytest.raises(VerificationError, match="signature by"):
            open_note(bent.encode(), [KEYS[signer]])
        with pytest.raises(VerificationError, match="signature by"):
            open_note(f"x{note}".encode(), [KEYS[signer]])


def test_a_real_witness_cosigned_at_this_time() -> None:
    note = next(case["note"] for case in OUTSIDE["notes"] if "remora.n621.de" in case["signers"])
    (signature,) = open_note(note.encode(), [KEYS["remora.n621.de"]]).signatures
    assert signature.timestamp == 1779573024
    (plain,) = open_note(PETER_NOTE, [PETER.verifier]).signatures
    assert plain.timestamp is None


def test_signing_makes_the_published_note() -> None:
    assert sign_note(TEXT, PETER) == PETER_NOTE
    assert PETER.verifier == KEYS["PeterNeumann"]
    assert PETER.text() == OUTSIDE["secret_key"]


def test_key_id_is_as_the_specification_says() -> None:
    public = LOG.verifier.public
    for kind in (ED25519, COSIGNATURE_V1):
        expected = sha256(b"log.example/fapiao\n" + bytes([kind]) + public)[:4]
        assert VerifierKey("log.example/fapiao", kind, public).key_id == expected


def test_what_cose_signs_is_never_taken_for_a_text() -> None:
    message = STRUCTURE + b"three more"
    signature = LOG.sign_structure(message)
    LOG.verifier.verify_structure(message, signature)
    assert LOG.key_id == LOG.verifier.key_id
    witness = VerifierKey(LOG.name, COSIGNATURE_V1, LOG.verifier.public)
    for key, bent, signed in (
        (witness, message, signature),
        (LOG.verifier, message + b"\x00", signature),
        (LOG.verifier, message, signature[:-1]),
        (LOG.verifier, TEXT.encode(), LOG.sign(TEXT).payload),
    ):
        with pytest.raises(VerificationError, match=r"^signature\b"):
            key.verify_structure(bent, signed)
    for other in (b"", b"\x83", TEXT.encode()):
        with pytest.raises(MalformedError, match=r"^cose_structure\b"):
            LOG.sign_structure(other)


def test_keys_are_equal_by_what_they_are() -> None:
    assert SignerKey("a", bytes(32)) == SignerKey("a", bytes(32))
    assert SignerKey("a", bytes(32)) != SignerKey("b", bytes(32))
    assert SignerKey("a", bytes(32)).verifier == SignerKey("a", bytes(32)).verifier
    assert SignerKey("a", bytes(32)).verifier != SignerKey("a", bytes([1] * 32)).verifier


def test_a_secret_key_is_not_shown() -> None:
    shown = repr(LOG) + str(LOG)
    assert "Private" not in shown
    assert repr(bytes(range(32))) not in shown
    assert bytes(range(32)).hex() not in shown
    assert "EdDSA" not in shown


def test_what_was_checked_stays_as_it_was() -> None:
    note = parse_note(PETER_NOTE)
    for thing, field in (
        (note, "text"),
        (note.signatures[0], "payload"),
        (LOG.verifier, "public"),
        (LOG, "name"),
    ):
        with pytest.raises(FrozenInstanceError):
            setattr(thing, field, "other")


def test_generate_takes_its_randomness_from_the_caller() -> None:
    asked: list[int] = []

    def randbytes(count: int) -> bytes:
        asked.append(count)
        return bytes(count)

    assert SignerKey.generate("a", randbytes).text() == SignerKey("a", bytes(32)).text()
    assert asked == [32]


@given(st.binary(min_size=32, max_size=32), st.sampled_from(["a", "log.example/发票", "x" * 300]))
def test_keys_round_trip(seed: bytes, name: str) -> None:
    key = SignerKey(name, seed)
    assert SignerKey.parse(key.text()).text() == key.text()
    assert VerifierKey.parse(key.verifier.text()) == key.verifier
    open_note(sign_note("text\n", key), [key.verifier])


# --- Texts of keys -----------------------------------------------------------------------


@pytest.mark.parametrize("text", [PETER_TEXT, OUTSIDE["secret_key"]])
def test_no_mangled_key_is_read(text: str) -> None:
    parse = SignerKey.parse if text.startswith("PRIVATE") else VerifierKey.parse
    for first in range(len(text)):
        for last in range(first + 1, len(text) + 1):
            if (first, last) != (0, len(text)):
                with pytest.raises(MalformedError):
                    parse(text[first:last])
    for at in range(len(text)):
        with pytest.raises(MalformedError):
            parse(text[:at] + chr(ord(text[at]) + 1) + text[at + 1 :])
        for extra in (" ", "\n", "=", "A", "+"):
            with pytest.raises(MalformedError):
                parse(text[:at] + extra + text[at:])
    for extra in (" ", "\n", "=", "A", "AAAA", "+"):
        with pytest.raises(MalformedError):
            parse(text + extra)


@pytest.mark.parametrize("name", sorted(OUTSIDE["refused_keys"]))
def test_keys_that_others_refuse_are_refused(name: str) -> None:
    with pytest.raises(MalformedError):
        VerifierKey.parse(OUTSIDE["refused_keys"][name])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "key_text"),
        ("a+b", "key_text"),
        (PETER_TEXT.replace("c74f20a3", "C74F20A3"), "key_id"),
        (PETER_TEXT.replace("c74f20a3", "c74f20a4"), "key_id"),
        (PETER_TEXT.replace("PeterNeumann", "PeterNeuman"), "key_id"),
        (PETER_TEXT.replace("PeterNeumann", ""), "key_text"),
        (PETER_TEXT.replace("+ARpc", "+AhpC"), "key_type"),
        (PETER_TEXT.replace("/LDE", "_LDE"), "key_text"),  # the URL alphabet
        ("Peter Neumann" + PETER_TEXT[12:], "key_text"),
        ("Peter\x01" + PETER_TEXT[12:], "key_text"),
        ("Peter\u3000" + PETER_TEXT[12:], "key_text"),
        ("Peter\udcff" + PETER_TEXT[12:], "key_text"),  # what a bad byte on a command line becomes
    ],
)
def test_each_bad_key_has_its_code(text: str, code: str) -> None:
    with pytest.raises(MalformedError) as caught:
        VerifierKey.parse(text)
    assert caught.value.code == code


@pytest.mark.parametrize("half", [0xD800, 0xDBFF, 0xDC00, 0xDFFF])
def test_half_a_surrogate_stands_in_no_name(half: int) -> None:
    with pytest.raises(MalformedError, match=r"^key_text\b"):
        VerifierKey.parse(f"Peter{chr(half)}{PETER_TEXT[12:]}")


def test_only_an_ed25519_secret_is_read() -> None:
    secret = base64.b64encode(b"\x04" + bytes(range(32))).decode()
    with pytest.raises(MalformedError, match=r"^key_type\b"):
        SignerKey.parse(f"PRIVATE+KEY+a+00000000+{secret}")
    with pytest.raises(MalformedError, match=r"^key_text\b"):
        SignerKey.parse(PETER_TEXT)
    name, _, rest = OUTSIDE["secret_key"].removeprefix("PRIVATE+KEY+").split("+", 2)
    with pytest.raises(MalformedError, match=r"^key_id\b"):
        SignerKey.parse(f"PRIVATE+KEY+{name}+00000000+{rest}")


@pytest.mark.parametrize("length", [0, 31, 33, 56, 57, 64])
def test_keys_of_another_length(length: int) -> None:
    with pytest.raises(MalformedError, match=r"^key_text\b"):
        SignerKey("a", bytes(length))
    with pytest.raises(MalformedError, match=r"^key_text\b"):
        VerifierKey("a", ED25519, bytes(length))


# --- Notes -------------------------------------------------------------------------------

SIGNATURES = PETER_NOTE[len(TEXT.encode()) + 1 :]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"\n\n",
        TEXT.encode(),
        TEXT.encode() + b"\n",
        PETER_NOTE[:-1],
        PETER_NOTE[:-1] + b"x",
        SIGNATURES,
        b"\n" + SIGNATURES,
        PETER_NOTE + b"\n",
        PETER_NOTE + b"Unexpected line.\n",
        PETER_NOTE + b"\xe2\x80\x94 \n",
        b"\x01" + PETER_NOTE,
        b"\x00" + PETER_NOTE,
        b"a\tb\n" + PETER_NOTE,
        b"\xff" + PETER_NOTE,
        b"\xed\xa0\x80" + PETER_NOTE,
        PETER_NOTE.replace(b"\n", b"\r\n"),
        PETER_NOTE.decode().encode("utf-16"),
        TEXT.encode() + SIGNATURES,  # no empty line
        TEXT.encode() + b"\n\n" + SIGNATURES[4:],
        PETER_NOTE.replace("—".encode(), b"-"),
        PETER_NOTE.replace("— ".encode(), "—".encode()),
        PETER_NOTE.replace("— ".encode(), "—  ".encode()),
        PETER_NOTE.replace(b"PeterNeumann", b""),
        PETER_NOTE.replace(b"PeterNeumann", b"Peter Neumann"),
        PETER_NOTE.replace(b"PeterNeumann", b"Peter+Neumann"),
        PETER_NOTE.replace(b"PeterNeumann", "Peter\u00a0Neumann".encode()),
        PETER_NOTE.replace(b"PeterNeumann", b"Peter\x02Neumann"),
        PETER_NOTE.replace(b"wJnAM=", b"wJnAM"),
        PETER_NOTE.replace(b"wJnAM=", b"wJnAM=="),
        PETER_NOTE.replace(b"wJnAM=", b"wJnAN="),  # other bits that padding throws away
        PETER_NOTE.replace(b"x08go/", b"x08go_"),
        PETER_NOTE.replace(b"x08go/", b"x08 go/"),
        PETER_NOTE.replace(b"x08go/", b" x08go/"),
        PETER_NOTE.replace(b"x08go/", b"x08go\x0b/"),
        TEXT.encode() + b"\n\xe2\x80\x94 a AAAA\n",  # less than a key id
        TEXT.encode() + b"\n\xe2\x80\x94 a AAAAAA==\n",  # a key id without a signature
        TEXT.encode() + b"\n\xe2\x80\x94 a\n",
        TEXT.encode() + b"\n\xe2\x80\x94 a \n",
    ],
)
def test_what_is_no_note(data: bytes) -> None:
    with pytest.raises(MalformedError) as caught:
        open_note(data, [PETER.verifier])
    assert caught.value.code == "note"


def test_text_and_signatures_part_at_the_last_empty_line() -> None:
    text = "one\n\n— PeterNeumann AAAAAAAA\n\ntwo\n"
    assert open_note(sign_note(text, PETER), [PETER.verifier]).text == text
    assert open_note(sign_note("\n\n", PETER), [PETER.verifier]).text == "\n\n"


def test_an_empty_text_can_be_signed_by_nobody() -> None:
    for text in ("", "a", "a\rb\n", "\x00\n"):
        with pytest.raises(MalformedError, match=r"^note\b"):
            sign_note(text, PETER)


def test_limits() -> None:
    assert (MAX_NOTE_SIZE, MAX_SIGNATURES) == (1_000_000, 100)
    line = SIGNATURES
    assert len(parse_note(TEXT.encode() + b"\n" + line * MAX_SIGNATURES).signatures) == 100
    with pytest.raises(MalformedError, match="signatures"):
        parse_note(TEXT.encode() + b"\n" + line * (MAX_SIGNATURES + 1))
    fits = "x" * (MAX_NOTE_SIZE - len(line) - 2) + "\n"
    assert parse_note(fits.encode() + b"\n" + line).text == fits
    with pytest.raises(MalformedError, match="longer"):
        parse_note(b"x" + fits.encode() + b"\n" + line)


def test_unknown_keys_are_passed_over() -> None:
    enoch = KEYS["EnochRoot"]
    opened = open_note(BOTH_NOTE, [enoch])
    assert opened.text == TEXT
    assert [signature.name for signature in opened.signatures] == ["EnochRoot"]
    # The same name with another id, and the same id with another name, are unknown as well.
    stranger = SignerKey("PeterNeumann", bytes(32))
    note = parse_note(PETER_NOTE)
    alike = Signature("CarmenSandiego", PETER.verifier.key_id, bytes(64))
    bent = Note(TEXT, (stranger.sign("other\n"), alike, *note.signatures)).to_bytes()
    assert open_note(bent, [PETER.verifier]).signatures == note.signatures


def test_a_note_without_a_known_signature_is_refused() -> None:
    for keys in ([], [LOG.verifier], [WITNESS.verifier, KEYS["EnochRoot"]]):
        with pytest.raises(VerificationError) as caught:
            open_note(PETER_NOTE, keys)
        assert caught.value.code == "signature_missing"


def test_one_bad_signature_of_a_known_key_refuses_the_note() -> None:
    good, bad = PETER.sign(TEXT), PETER.sign("other\n")
    for signatures in ([good, bad], [bad, good], [bad], [LOG.sign(TEXT), bad]):
        with pytest.raises(VerificationError) as caught:
            open_note(Note(TEXT, tuple(signatures)).to_bytes(), [PETER.verifier, LOG.verifier])
        assert caught.value.code == "signature"


@pytest.mark.parametrize("length", [1, 4, 63, 65, 72, 100])
def test_a_known_signature_of_another_length(length: int) -> None:
    note = Note(TEXT, (Signature(LOG.name, LOG.verifier.key_id, bytes(length)),))
    with pytest.raises(VerificationError, match=r"^signature\b"):
        open_note(note.to_bytes(), [LOG.verifier])


def test_a_key_counts_once() -> None:
    """However often a key signs, it is one signer: a quorum counts what comes back."""
    once, again = (cosign(WITNESS, TEXT, seconds) for seconds in (1, 2))
    note = Note(TEXT, (PETER.sign(TEXT), once[1], PETER.sign(TEXT), again[1])).to_bytes()
    opened = open_note(note, [PETER.verifier, once[0]])
    assert opened.signatures == (PETER.sign(TEXT), once[1])


def test_the_same_key_may_be_given_twice_but_two_keys_not_pass_for_one() -> None:
    assert open_note(PETER_NOTE, [PETER.verifier, VerifierKey.parse(PETER_TEXT)])
    twin = VerifierKey("PeterNeumann", ED25519, LOG.verifier.public)
    object.__setattr__(twin, "key_id", PETER.verifier.key_id)  # finding one takes 2^32 tries
    with pytest.raises(MalformedError, match=r"^key_ambiguous\b"):
        open_note(PETER_NOTE, [PETER.verifier, twin])


def test_several_signers() -> None:
    data = sign_note("text\n", LOG, WITNESS, PETER)
    opened = open_note(data, [PETER.verifier, LOG.verifier])
    assert [signature.name for signature in opened.signatures] == [LOG.name, PETER.name]
    assert parse_note(data).to_bytes() == data


@given(st.integers(0, len(BOTH_NOTE) - 1), st.integers(1, 255))
def test_no_changed_byte_passes(at: int, change: int) -> None:
    bent = BOTH_NOTE[:at] + bytes([BOTH_NOTE[at] ^ change]) + BOTH_NOTE[at + 1 :]
    try:
        opened = open_note(bent, [KEYS["PeterNeumann"], KEYS["EnochRoot"]])
    except (MalformedError, VerificationError):
        return
    # All that can pass is a signature turned into an unknown key's.
    assert opened.text == TEXT
    assert len(opened.signatures) == 1


@given(st.binary(max_size=200) | st.text(alphabet="— \nab+=/AZ09\t\ud7ff", max_size=120))
def test_nothing_else_escapes(data: bytes | str) -> None:
    raw = data if isinstance(data, bytes) else data.encode()
    try:
        note = parse_note(raw)
    except MalformedError:
        return
    assert note.to_bytes() == raw


@given(st.text(alphabet="+— \nab=/AZ09\udcff", max_size=80))
def test_nothing_else_escapes_from_keys(text: str) -> None:
    for parse in (VerifierKey.parse, SignerKey.parse):
        for shown in (text, f"PRIVATE+KEY+{text}", f"{text}={PETER_TEXT}"):
            with pytest.raises(MalformedError):
                parse(shown)


# --- Cosignatures ------------------------------------------------------------------------


def test_a_cosignature_verifies_and_counts_for_its_own_key_only() -> None:
    key, signature = cosign(WITNESS, TEXT, 1_700_000_000)
    note = Note(TEXT, (PETER.sign(TEXT), signature)).to_bytes()
    opened = open_note(note, [key])
    assert opened.signatures == (signature,)
    assert opened.signatures[0].timestamp == 1_700_000_000
    assert VerifierKey.parse(key.text()) == key
    with pytest.raises(VerificationError, match=r"^signature_missing\b"):
        open_note(note, [WITNESS.verifier])


def test_a_bent_cosignature() -> None:
    key, signature = cosign(WITNESS, TEXT, 1_700_000_000)
    for at in range(len(signature.payload)):
        payload = bytearray(signature.payload)
        payload[at] ^= 1
        bent = Signature(signature.name, signature.key_id, bytes(payload))
        with pytest.raises(VerificationError, match="signature by"):
            open_note(Note(TEXT, (bent,)).to_bytes(), [key])
    for payload_ in (signature.payload[8:], signature.payload + b"\x00", signature.payload[:-1]):
        bent = Signature(signature.name, signature.key_id, payload_)
        with pytest.raises(VerificationError, match="signature by"):
            open_note(Note(TEXT, (bent,)).to_bytes(), [key])


def test_a_time_beyond_63_bits() -> None:
    for seconds, passes in ((2**63 - 1, True), (2**63, False)):
        key, signature = cosign(WITNESS, TEXT, seconds)
        note = Note(TEXT, (signature,)).to_bytes()
        if passes:
            open_note(note, [key])
        else:
            with pytest.raises(VerificationError, match="signature by"):
                open_note(note, [key])


def test_threads_share_a_key() -> None:
    """The library's numbers are C objects; signing and checking must not disturb each other."""
    expected = {number: sign_note(f"{number}\n", LOG) for number in range(40)}
    wrong: list[int] = []

    def work() -> None:
        for number, note in expected.items():
            if sign_note(f"{number}\n", LOG) != note:
                wrong.append(number)
            open_note(note, [LOG.verifier])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
