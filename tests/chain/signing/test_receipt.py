"""The line that a checkpoint has for receipts: whose it is, and what stands in it."""

from chain.hashing import sha256
from chain.signing.checkpoint import Checkpoint
from chain.signing.note import Note, SignerKey
from chain.signing.receipt import (
    ReceiptSigner,
    SignedRoot,
    protected_header,
    signed_bytes,
    signed_root,
    with_receipts,
)

NAME = "books.example/log"
KEY = SignerKey(NAME, bytes(range(32)))
OTHER = SignerKey(NAME, bytes([7]) * 32)
CHECKPOINT = Checkpoint(NAME, 11, sha256(b"root"))
TEXT = CHECKPOINT.to_text()


def test_its_id_is_made_like_others_of_types_without_a_number() -> None:
    public = KEY.verifier.public
    whole = NAME.encode() + b"\n\xffrfc9942-rfc9162_sha256-eddsa" + public
    assert ReceiptSigner(KEY).key_id == sha256(whole)[:4]
    assert ReceiptSigner(KEY).name == NAME
    assert with_receipts([KEY, OTHER]) == (KEY, OTHER, ReceiptSigner(KEY), ReceiptSigner(OTHER))


def test_the_key_of_the_log_signs_the_size_and_the_root() -> None:
    line = ReceiptSigner(KEY).sign(TEXT)
    assert (line.name, line.key_id) == (NAME, ReceiptSigner(KEY).key_id)
    assert line.payload[:4] == KEY.key_id
    protected = protected_header(NAME, KEY.key_id, 11)
    KEY.verifier.verify_structure(signed_bytes(protected, CHECKPOINT.root), line.payload[4:])


def test_only_a_line_of_a_key_that_signed_the_checkpoint_is_taken() -> None:
    own, line = KEY.sign(TEXT), ReceiptSigner(KEY).sign(TEXT)
    found = SignedRoot(NAME, KEY.key_id, 11, line.payload[4:])
    assert signed_root(Note(TEXT, (own, line))) == found
    assert signed_root(Note(TEXT, (line, own))) == found
    assert signed_root(Note(TEXT, (own, line, ReceiptSigner(OTHER).sign(TEXT)))) == found
    assert signed_root(Note(TEXT, (line,))) is None
    assert signed_root(Note(TEXT, (OTHER.sign(TEXT), line))) is None
    assert signed_root(Note(TEXT, ())) is None
