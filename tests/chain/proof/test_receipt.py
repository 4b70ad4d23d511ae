"""COSE receipts: another library takes them, each bent one is refused, no size is believed."""

from dataclasses import replace
from random import Random

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from scitt_cose import verify_receipt as strangers_verify

from chain.entry import anchor_entry
from chain.errors import ConflictError, MalformedError, Problem, VerificationError
from chain.hashing import Digest, leaf_hash, sha256
from chain.proof.receipt import Receipt, parse_receipt, receipt_of, verify_receipt
from chain.proof.verify import verify_proof
from chain.signing import cbor
from chain.signing.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from chain.signing.keys import Last, LogKey, LogKeys
from chain.signing.note import Note, SignerKey, VerifierKey, parse_note
from chain.signing.receipt import ReceiptSigner, SignedRoot, signed_root, with_receipts
from chain.tree.merkle import MAX_SIZE
from chain.tree.merkle_slow import slow_inclusion_path, slow_root
from tests.chain.books import ORIGIN, SIGNER
from tests.chain.forged import with_everything, with_receipt
from tests.chain.trees import entries
from tests.scale import share

KEY = SIGNER.verifier
OTHER = SignerKey(ORIGIN, bytes([7]) * 32)
PLAIN, PROOF = with_everything(), with_receipt()
GOOD = receipt_of(PROOF)
ENTRY = PROOF.placed.entry
FILE = GOOD.to_bytes()


def _signed(size: int, root: Digest, *signers: SignerKey) -> SignedRoot:
    note = sign_checkpoint(Checkpoint(ORIGIN, size, root), *with_receipts(signers or (SIGNER,)))
    signed = signed_root(parse_note(note))
    assert signed is not None
    return signed


def _tree(size: int) -> list[tuple[Receipt, bytes]]:
    """Every entry of a tree of plain entries, and its receipt."""
    items = entries(size)
    hashes = [leaf_hash(item) for item in items]
    signed = _signed(size, slow_root(hashes))
    paths = (tuple(slow_inclusion_path(hashes, index)) for index in range(size))
    return [
        (Receipt(signed, index, path), item)
        for index, (path, item) in enumerate(zip(paths, items, strict=True))
    ]


def _pem(key: VerifierKey) -> bytes:
    public = Ed25519PublicKey.from_public_bytes(key.public)
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _code(data: bytes, entry: bytes = ENTRY, keys: VerifierKey | LogKeys = KEY) -> str:
    try:
        verify_receipt(parse_receipt(data), entry, keys)
    except (MalformedError, VerificationError) as problem:
        return problem.code
    return "ok"


def test_the_receipt_has_the_form_of_the_rfc() -> None:
    message = cbor2.loads(FILE)
    protected, unprotected, payload, signature = message.value
    assert (message.tag, payload, len(signature)) == (18, None, 64)
    assert cbor2.loads(protected) == {
        1: -8,
        4: KEY.key_id,
        15: {1: ORIGIN},
        395: 1,
        -65_538: 11,
    }
    [proof] = unprotected[396][-1]
    assert list(cbor2.loads(proof)) == [11, 5, list(GOOD.path)]


def test_the_entry_of_a_red_invoice_is_made_from_its_digest() -> None:
    assert GOOD.reverses is not None
    assert GOOD.entry(PROOF.document) == ENTRY
    assert _code(FILE) == "ok"
    blue = replace(GOOD, reverses=None)
    assert blue.entry(PROOF.document) == anchor_entry("invoice", sha256(_anchor_text()))
    assert _code(blue.to_bytes(), blue.entry(PROOF.document)) == "signature"
    itself = replace(GOOD, reverses=(sha256(_anchor_text()), "full"))
    with pytest.raises(VerificationError) as caught:
        itself.entry(PROOF.document)
    assert caught.value.code == "anchor_mismatch"


def _anchor_text() -> bytes:
    return b"fapiao/v1/anchor\n" + PROOF.document


@pytest.mark.parametrize("size", range(1, 9))
def test_every_leaf_of_small_trees_proves_itself_and_no_other(size: int) -> None:
    for receipt, entry in _tree(size):
        logged = verify_receipt(parse_receipt(receipt.to_bytes()), entry, KEY)
        assert (logged.checkpoint.size, logged.index) == (size, receipt.index)
        assert strangers_verify(
            receipt.to_bytes(), leaf_entry_hex=entry.hex(), log_public_key_pem=_pem(KEY)
        ).ok
        assert _code(receipt.to_bytes(), entry + b"x") == "signature"
        for index in set(range(size + 1)) - {receipt.index}:
            assert _code(replace(receipt, index=index).to_bytes(), entry) != "ok"
        for at in range(len(receipt.path)):
            path = (*receipt.path[:at], sha256(b"x"), *receipt.path[at + 1 :])
            assert _code(replace(receipt, path=path).to_bytes(), entry) == "signature"
            short = receipt.path[:at] + receipt.path[at + 1 :]
            assert _code(replace(receipt, path=short).to_bytes(), entry) == "path_length"
        longer = replace(receipt, path=(*receipt.path, sha256(b"x")))
        assert _code(longer.to_bytes(), entry) == "path_length"


def test_no_changed_byte_passes() -> None:
    chance = Random(9942)
    for at in range(len(FILE)):
        others = chance.sample([value for value in range(256) if value != FILE[at]], 4)
        for value in (FILE[at] ^ 1, *others):
            bent = FILE[:at] + bytes([value]) + FILE[at + 1 :]
            try:
                receipt = parse_receipt(bent)
                verify_receipt(receipt, receipt.entry(PROOF.document), KEY)
            except (MalformedError, VerificationError):
                continue
            raise AssertionError(f"byte {at} may be {value}")
    for cut in range(len(FILE)):
        with pytest.raises(MalformedError):
            parse_receipt(FILE[:cut])
    with pytest.raises(MalformedError):
        parse_receipt(FILE + b"\x00")


@pytest.mark.scaled
def test_many_receipts_are_small_and_another_library_takes_them() -> None:
    """Whole: 10,000 invoices; each in the same tree of as many and their seals."""
    count = share(10_000, 100)
    items = [anchor_entry("invoice", sha256(b"%d" % number)) for number in range(count)]
    rows = [[leaf_hash(item) for item in items]]
    while len(rows[-1]) > 1:  # the subtree hashes, level by level: the slow way takes minutes
        row = rows[-1]
        pairs = zip(row[::2], [*row[1::2], None], strict=False)
        rows.append([a if b is None else sha256(b"\x01" + a + b) for a, b in pairs])
    signed = _signed(count, rows[-1][0])
    pem, longest = _pem(KEY), 0
    for index, item in enumerate(items):
        places = ((row, (index >> level) ^ 1) for level, row in enumerate(rows[:-1]))
        path = tuple(row[at] for row, at in places if at < len(row))
        data = Receipt(signed, index, path, (sha256(b"blue"), "part")).to_bytes()
        assert verify_receipt(parse_receipt(data), item, KEY).index == index
        found = strangers_verify(data, leaf_entry_hex=item.hex(), log_public_key_pem=pem)
        assert (found.ok, found.issuer, found.leaf_index) == (True, ORIGIN, index), found.errors
        longest = max(longest, len(data))
    assert longest < 700


def test_the_size_in_the_path_is_not_believed() -> None:
    value = cbor2.loads(FILE).value
    inclusion = cbor.encode([12, GOOD.index, [bytes(step) for step in GOOD.path]])
    unprotected: dict[int, cbor.Value] = {396: {-1: [inclusion]}, -65_539: list(value[1][-65_539])}
    other = cbor.encode(cbor.Tagged((18, [value[0], unprotected, None, value[3]])))
    assert _code(other) == "receipt_size"
    assert _code(replace(GOOD, signed=replace(GOOD.signed, size=12)).to_bytes()) == "signature"


def test_whose_key_counts() -> None:
    assert _code(FILE, keys=OTHER.verifier) == "signature_missing"
    elsewhere = SignerKey("another.example/log", bytes(range(32)))
    assert _code(FILE, keys=elsewhere.verifier) == "origin_mismatch"
    root = open_checkpoint(PROOF.checkpoint, KEY).root
    for last, code in ((Last(11, root), "ok"), (Last(12, root), "ok"), (Last(10, root), "")):
        keys = LogKeys(ORIGIN, (LogKey(OTHER.verifier), LogKey(KEY, last=last)))
        assert _code(FILE, keys=keys) == (code or "key_retired")
    keys = LogKeys(ORIGIN, (LogKey(OTHER.verifier), LogKey(KEY, revoked=True)))
    assert _code(FILE, keys=keys) == "key_revoked"
    forged = replace(GOOD, signed=replace(GOOD.signed, key_id=OTHER.verifier.key_id))
    assert _code(forged.to_bytes(), keys=OTHER.verifier) == "signature"


def test_a_checkpoint_keeps_its_meaning_with_the_line_for_receipts() -> None:
    assert verify_proof(PROOF, KEY).steps == verify_proof(PLAIN, KEY).steps
    assert parse_note(PROOF.checkpoint).text == parse_note(PLAIN.checkpoint).text
    with pytest.raises(ConflictError) as caught:
        receipt_of(PLAIN)
    assert caught.value.code == "receipt_missing"


def test_the_newest_line_is_taken_and_none_of_strangers() -> None:
    note = parse_note(PROOF.checkpoint)
    newer = sign_checkpoint(Checkpoint.parse(note.text), *with_receipts([SIGNER, OTHER]))
    receipt = receipt_of(replace(PROOF, checkpoint=newer))
    assert _code(receipt.to_bytes(), keys=OTHER.verifier) == "ok"
    line = ReceiptSigner(SIGNER).sign(note.text)
    for foreign in (replace(line, name="w.example/w"), replace(line, payload=line.payload + b"x")):
        bent = Note(note.text, (SIGNER.sign(note.text), foreign)).to_bytes()
        assert signed_root(parse_note(bent)) is None


def test_neither_signature_is_taken_for_the_other() -> None:
    """What COSE signs begins as no text does, and nothing else is signed in that way."""
    for text in (b"", b"books.example/log\n11\n", b"\x83", b"\xd2\x84"):
        with pytest.raises(MalformedError) as caught:
            SIGNER.sign_structure(text)
        assert caught.value.code == "cose_structure"
        with pytest.raises(VerificationError):
            KEY.verify_structure(text, SIGNER.sign("x\n").payload)
    signed = SIGNER.sign("x\n")
    with pytest.raises(Problem):
        KEY.verify_structure(b"x\n", signed.payload)


HEADER: dict[int, cbor.Value] = {1: -8, 4: KEY.key_id, 15: {1: ORIGIN}, 395: 1, -65_538: 11}
INCLUSION = cbor.encode([11, 5, [bytes(step) for step in GOOD.path]])


def _message(header: cbor.Value, unprotected: dict[int, cbor.Value] | None = None) -> cbor.Tagged:
    paths: dict[int, cbor.Value] = {396: {-1: [INCLUSION]}}
    beside = paths if unprotected is None else unprotected
    return cbor.Tagged((18, [cbor.encode(header), beside, None, GOOD.signed.signature]))


BENT: dict[str, cbor.Value] = {
    "no tag": [b"", {}, None, bytes(64)],
    "another tag": cbor.Tagged((98, [b"", {}, None, bytes(64)])),
    "no header": cbor.Tagged((18, [b"\xa0", {}, None, bytes(64)])),
    "a payload": cbor.Tagged((18, [b"", {}, bytes(32), bytes(64)])),
    "five parts": cbor.Tagged((18, [b"", {}, None, bytes(64), None])),
    "a header that is no map": _message([]),
    "claims that are no map": _message(HEADER | {15: []}),
    "no key": _message({key: value for key, value in HEADER.items() if key != 4}),
    "no path": _message(HEADER, {}),
    "paths that are no map": _message(HEADER, {396: []}),
    "two paths": _message(HEADER, {396: {-1: [INCLUSION, INCLUSION]}}),
    "a path that is no list": _message(HEADER, {396: {-1: [cbor.encode([11, 5, None])]}}),
    "a path of no hashes": _message(HEADER, {396: {-1: [cbor.encode([11, 5, [5]])]}}),
    "a path of short hashes": _message(HEADER, {396: {-1: [cbor.encode([11, 5, [b"x"]])]}}),
    "a reversal of nothing": _message(HEADER, {396: {-1: [INCLUSION]}, -65_539: []}),
    "a reversal of another kind": _message(
        HEADER, {396: {-1: [INCLUSION]}, -65_539: [bytes(32), "half"]}
    ),
    "a label of others": _message(HEADER, {1: 1, 396: {-1: [INCLUSION]}}),
    "a label of others in the header": _message(HEADER | {2: 1}),
}


@pytest.mark.parametrize("name", BENT)
def test_other_messages_are_no_receipts(name: str) -> None:
    with pytest.raises(MalformedError) as caught:
        parse_receipt(cbor.encode(BENT[name]))
    assert caught.value.code == "receipt"


def test_the_message_of_which_the_bent_ones_are_made_is_read() -> None:
    plain = replace(GOOD, reverses=None)
    assert parse_receipt(cbor.encode(_message(HEADER))) == plain
    for reversal in ("part", "full"):
        beside: dict[int, cbor.Value] = {
            396: {-1: [INCLUSION]},
            -65_539: [bytes(sha256(b"blue")), reversal],
        }
        read = parse_receipt(cbor.encode(_message(HEADER, beside)))
        assert read.reverses == (sha256(b"blue"), reversal)


def _written(
    signed: SignedRoot = GOOD.signed,
    index: int = GOOD.index,
    path: tuple[Digest, ...] = GOOD.path,
) -> str:
    receipt = Receipt(signed, index, path)
    try:
        assert parse_receipt(receipt.to_bytes()) == receipt
    except MalformedError as problem:
        return problem.code
    return "ok"


def test_what_is_no_receipt_is_not_written() -> None:
    good = GOOD.signed
    for size in (1, 2, MAX_SIZE):
        assert _written(replace(good, size=size)) == "ok"
    for size in (-1, 0, MAX_SIZE + 1):
        assert _written(replace(good, size=size)) == "receipt"
    for bent in (
        replace(good, key_id=good.key_id[:3]),
        replace(good, key_id=good.key_id + b"x"),
        replace(good, origin="a b"),
        replace(good, origin=""),
        replace(good, signature=bytes(63)),
        replace(good, signature=bytes(65)),
    ):
        assert _written(bent) == "receipt"
    for index, code in ((-1, "receipt"), (0, "ok"), (1, "ok")):
        assert _written(index=index) == code
    for steps, code in ((0, "ok"), (63, "ok"), (64, "receipt")):
        assert _written(path=(sha256(b"x"),) * steps) == code


def test_a_receipt_has_4096_bytes_at_most() -> None:
    def named(length: int) -> SignedRoot:
        return replace(GOOD.signed, origin="a" * length)

    beside = len(Receipt(named(3000), 5, GOOD.path).to_bytes()) - 3000
    assert _written(named(4096 - beside)) == "ok"
    assert _written(named(4097 - beside)) == "receipt"


def test_what_is_established_is_the_root_that_was_signed() -> None:
    root = open_checkpoint(PROOF.checkpoint, KEY).root
    logged = verify_receipt(GOOD, ENTRY, KEY)
    assert (logged.checkpoint, logged.index) == (Checkpoint(ORIGIN, 11, root), 5)


def test_a_receipt_has_what_the_proof_says() -> None:
    assert receipt_of(PROOF) == GOOD
    assert (GOOD.index, GOOD.path) == (PROOF.placed.index, PROOF.placed.path)
    assert GOOD.reverses is not None
