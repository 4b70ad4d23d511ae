"""What an ML-DSA-44 cosignature is over, byte by byte; and the keys that make them."""

import base64

import pytest

from chain.errors import MalformedError, VerificationError
from chain.hashing import leaf_hash
from chain.signing.cosignature import SubtreeCosigner
from chain.signing.note import (
    ML_DSA_44,
    OtherKey,
    Signature,
    SignerKey,
    VerifierKey,
    open_note,
    parse_any_key,
    sign_note,
)
from chain.signing.subtree import MAX_NAME, whole_tree_message
from tests.chain.trees import outside

ROOT = bytes(range(32))
ENCODED = base64.b64encode(ROOT).decode()
TEXT = f"log.example/a\n20852163\n{ENCODED}\n"
TIME = 1_679_315_147
KEY = SubtreeCosigner("witness.example/w1", bytes(range(32)))


def test_the_message_is_what_the_specification_says() -> None:
    expected = (
        b"subtree/v1\n\0"
        + b"\x12witness.example/w1"
        + TIME.to_bytes(8, "big")
        + b"\x0dlog.example/a"
        + bytes(8)
        + (20852163).to_bytes(8, "big")
        + ROOT
    )
    assert whole_tree_message("witness.example/w1", TIME, TEXT) == expected


def test_another_implementation_signed_the_same_message() -> None:
    """Its key is the one that its seed makes here, and its signature is hedged: not ours."""
    published = outside("mldsa.json")
    key = VerifierKey.parse(published["key"])
    own = SubtreeCosigner(key.name, bytes.fromhex(published["seed"]))
    assert own.verifier == key
    opened = open_note(published["note"].encode(), [key])
    [signature] = opened.signatures
    assert signature.timestamp == 0
    assert own.cosign(opened.text, 0) != signature
    assert (
        opened.text.split("\n")[2]
        == base64.b64encode(leaf_hash(published["leaf"].encode())).decode()
    )
    with pytest.raises(VerificationError, match=r"^signature\b"):
        key.verify(opened.text.replace("\n1\n", "\n2\n"), signature)


def test_lengths_are_those_of_the_bytes() -> None:
    text = TEXT.replace("log.example/a", "账本.example")
    message = whole_tree_message("证人.example", 0, text)
    assert message[12:13] == bytes([len("证人.example".encode())])
    assert bytes([len("账本.example".encode())]) + "账本.example".encode() in message


def test_extension_lines_are_not_signed() -> None:
    extended = TEXT + "extension 1\nextension 2\n"
    assert whole_tree_message("w", TIME, extended) == whole_tree_message("w", TIME, TEXT)
    KEY.verifier.verify(extended, KEY.cosign(TEXT, TIME))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "log.example\n5\n",
        f"log.example\n5\n{ENCODED}",
        f"\n5\n{ENCODED}\n",
        f"log.example\n05\n{ENCODED}\n",
        f"log.example\n-5\n{ENCODED}\n",
        f"log.example\n5 \n{ENCODED}\n",
        f"log.example\n{2**63}\n{ENCODED}\n",
        f"log.example\n{'9' * 20}\n{ENCODED}\n",
        f"log.example\n5\n{ENCODED[:-1]}\n",
        f"log.example\n5\n{ENCODED} \n",
        f"log.example\n5\n{base64.b64encode(bytes(31)).decode()}\n",
        f"log.example\n5\n{base64.b64encode(bytes(33)).decode()}\n",
        f"{'x' * (MAX_NAME + 1)}\n5\n{ENCODED}\n",
    ],
)
def test_only_a_checkpoint_can_be_cosigned(text: str) -> None:
    with pytest.raises(MalformedError, match=r"^note\b"):
        KEY.cosign(text, TIME)
    with pytest.raises(VerificationError, match=r"^signature\b"):
        KEY.verifier.verify(text, KEY.cosign(TEXT, TIME))


@pytest.mark.parametrize("size", [0, 1, 2**63 - 1])
def test_sizes_that_can_be_cosigned(size: int) -> None:
    text = f"{'x' * MAX_NAME}\n{size}\n{ENCODED}\n"
    KEY.verifier.verify(text, KEY.cosign(text, TIME))
    assert whole_tree_message("w", TIME, text).endswith(size.to_bytes(8, "big") + ROOT)


@pytest.mark.parametrize("time", [0, TIME, 2**63 - 1])
def test_times_that_can_be_signed(time: int) -> None:
    signature = KEY.cosign(TEXT, time)
    KEY.verifier.verify(TEXT, signature)
    assert signature.timestamp == time
    assert len(signature.payload) == 8 + 2420


@pytest.mark.parametrize("time", [-1, 2**63])
def test_times_that_cannot_be_signed(time: int) -> None:
    with pytest.raises(MalformedError, match=r"^cosignature_time\b"):
        KEY.cosign(TEXT, time)


def test_nothing_else_holds() -> None:
    right = KEY.cosign(TEXT, TIME)
    late = (2**63).to_bytes(8, "big") + right.payload[8:]
    for payload in (
        b"",
        right.payload[:8],
        right.payload[8:],
        right.payload[:-1],
        right.payload + b"\0",
        right.payload[:72],
        late,
        *(_flipped(right.payload, at) for at in (0, 7, 8, 40, 1000, 2427)),
    ):
        with pytest.raises(VerificationError, match=r"^signature\b"):
            KEY.verifier.verify(TEXT, Signature(right.name, right.key_id, payload))
    for text in (TEXT.replace("a\n", "b\n"), TEXT.replace("20852163", "20852164")):
        with pytest.raises(VerificationError, match=r"^signature\b"):
            KEY.verifier.verify(text, right)


def _flipped(payload: bytes, at: int) -> bytes:
    return payload[:at] + bytes([payload[at] ^ 1]) + payload[at + 1 :]


def test_it_names_its_signer() -> None:
    """So one key under two names signs twice, unlike an Ed25519 cosignature."""
    other = SubtreeCosigner("witness.example/w2", bytes(range(32)))
    assert other.verifier.public == KEY.verifier.public
    moved = Signature(KEY.verifier.name, KEY.verifier.key_id, other.cosign(TEXT, TIME).payload)
    with pytest.raises(VerificationError, match=r"^signature\b"):
        KEY.verifier.verify(TEXT, moved)


def test_without_randomness_it_signs_alike_and_with_it_never() -> None:
    alike = [SubtreeCosigner.parse(KEY.text()).cosign(TEXT, TIME) for _ in range(2)]
    assert alike == [KEY.cosign(TEXT, TIME)] * 2
    asked: list[int] = []

    def randbytes(count: int) -> bytes:
        asked.append(count)
        return bytes([len(asked)]) * count

    hedged = SubtreeCosigner.parse(KEY.text(), randbytes)
    signatures = [hedged.cosign(TEXT, TIME) for _ in range(2)]
    assert len({KEY.cosign(TEXT, TIME), *signatures}) == 3
    assert asked == [32, 32]
    for signature in signatures:
        KEY.verifier.verify(TEXT, signature)


def test_a_key_is_read_as_it_is_written() -> None:
    assert VerifierKey.parse(KEY.verifier.text()) == KEY.verifier
    assert (KEY.verifier.kind, len(KEY.verifier.public)) == (ML_DSA_44, 1312)
    assert KEY.text().startswith("PRIVATE+KEY+witness.example/w1+")
    assert SubtreeCosigner.parse(KEY.text()).text() == KEY.text()
    assert "PRIVATE" not in repr(KEY)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (KEY.verifier.text(), "key_text"),
        (SignerKey("w", bytes(32)).text(), "key_type"),
        (KEY.text().replace("+w", "+v", 1), "key_id"),
        (KEY.text()[:-4], "key_text"),
        ("", "key_text"),
    ],
)
def test_a_secret_key_that_is_none(text: str, code: str) -> None:
    with pytest.raises(MalformedError, match=rf"^{code}\b"):
        SubtreeCosigner.parse(text)


def test_secret_keys_of_other_kinds_are_not_plain_signers() -> None:
    with pytest.raises(MalformedError, match=r"^key_type\b"):
        SignerKey.parse(KEY.text())


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_seed_has_its_length(length: int) -> None:
    with pytest.raises(MalformedError, match=r"^key_text\b"):
        SubtreeCosigner("w", bytes(length))


@pytest.mark.parametrize("length", [0, 32, 1311, 1313])
def test_a_public_key_has_its_length(length: int) -> None:
    with pytest.raises(MalformedError, match=r"^key_text\b"):
        VerifierKey("w", ML_DSA_44, bytes(length))


def test_a_name_may_be_so_long() -> None:
    public = KEY.verifier.public
    assert VerifierKey("é" * 127 + "x", ML_DSA_44, public).kind == ML_DSA_44
    with pytest.raises(MalformedError, match=r"^key_text\b"):
        VerifierKey("é" * 128, ML_DSA_44, public)


def test_a_note_with_both_kinds_of_signatures() -> None:
    log = SignerKey("log.example/a", bytes(32))
    note = sign_note(TEXT, log) + KEY.cosign(TEXT, TIME).line().encode()
    opened = open_note(note, [log.verifier, KEY.verifier])
    assert [one.name for one in opened.signatures] == [log.name, KEY.verifier.name]


def _key(kind: int, rest: bytes, key_id: str = "0123abcd", name: str = "w.example") -> str:
    return f"{name}+{key_id}+{base64.b64encode(bytes([kind]) + rest).decode()}"


@pytest.mark.parametrize("kind", [0, 2, 3, 5, 7, 255])
def test_a_key_of_another_type_is_told_apart(kind: int) -> None:
    read = parse_any_key(_key(kind, b"xy"))
    assert read == OtherKey("w.example", kind, bytes.fromhex("0123abcd"), b"xy")
    with pytest.raises(MalformedError, match=r"^key_type\b"):
        VerifierKey.parse(_key(kind, b"xy"))


def test_a_key_of_a_known_type_is_read_as_ever() -> None:
    for key in (KEY.verifier, SignerKey("log.example/a", bytes(32)).verifier):
        assert parse_any_key(key.text()) == key
    with pytest.raises(MalformedError, match=r"^key_id\b"):
        parse_any_key(KEY.verifier.text().replace("w1", "w2"))


@pytest.mark.parametrize(
    "text",
    [
        _key(2, b""),
        _key(2, b"x", key_id="0123ABCD"),
        _key(2, b"x", key_id="0123abc"),
        _key(2, b"x", key_id="0123abcde"),
        _key(2, b"x", name="a b"),
        _key(2, b"x", name=""),
        "w.example+0123abcd+",
        "w.example+0123abcd",
        "w.example+0123abcd+AnhA=",
    ],
)
def test_a_key_of_another_type_has_one_spelling(text: str) -> None:
    with pytest.raises(MalformedError, match=r"^key_text\b"):
        parse_any_key(text)
