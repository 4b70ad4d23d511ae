"""C2SP tlog-proof: one spelling, every bent case refused, extra data believed by nobody."""

import base64
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.commitment import anchor
from chain.entry import anchor_entry, lock_entry
from chain.errors import MalformedError, Problem, VerificationError
from chain.hashing import Digest, leaf_hash, sha256
from chain.proof.file import build_proof
from chain.proof.tlogproof import (
    MAX_EXTRA,
    MAX_PATH,
    MAX_TLOG_PROOF,
    TlogProof,
    entry_of,
    parse_tlog_proof,
    tlog_proof_of,
    verify_tlog_proof,
)
from chain.signing.checkpoint import Checkpoint, sign_checkpoint
from chain.signing.cosignature import Cosigner
from chain.signing.note import MAX_NOTE_SIZE, Note, SignerKey, parse_note
from chain.signing.policy import Policy
from chain.tree.merkle import MAX_SIZE
from chain.tree.merkle_slow import slow_inclusion_path, slow_root
from tests.chain.books import ORIGIN, SIGNER, Books, digest_of, shown
from tests.chain.forged import Forge, with_everything
from tests.chain.trees import entries

KEY = SIGNER.verifier
PROOF = with_everything()
ENTRY = PROOF.placed.entry
GOOD = tlog_proof_of(PROOF)
FILE = GOOD.to_bytes()
LINES = FILE.decode().split("\n")


def _tree(size: int, index: int) -> tuple[TlogProof, bytes]:
    """The proof of an entry in a tree of plain entries, and the entry."""
    items = entries(size)
    hashes = [leaf_hash(item) for item in items]
    note = sign_checkpoint(Checkpoint(ORIGIN, size, slow_root(hashes)), SIGNER)
    return TlogProof(index, tuple(slow_inclusion_path(hashes, index)), note), items[index]


def _refused(data: bytes, code: str = "tlog_proof") -> None:
    with pytest.raises(MalformedError) as caught:
        parse_tlog_proof(data)
    assert caught.value.code == code


def _fails(proof: TlogProof, entry: bytes = ENTRY, policy: Policy | None = None) -> str:
    """The code with which a proof that can be read does not verify."""
    parse_tlog_proof(proof.to_bytes())
    with pytest.raises(Problem) as caught:
        verify_tlog_proof(proof, entry, KEY, policy or Policy())
    return caught.value.code


def test_the_file_has_the_form_of_the_specification() -> None:
    path = [base64.b64encode(step).decode() for step in GOOD.path]
    assert LINES[:3] == ["c2sp.org/tlog-proof@v1", f"extra {_base64(ENTRY)}", "index 5"]
    assert LINES[3 : 3 + len(path)] == path
    assert "\n".join(LINES[4 + len(path) :]).encode() == PROOF.checkpoint
    assert LINES[3 + len(path)] == ""


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


@pytest.mark.parametrize("extra", [b"", b"x", ENTRY, bytes(MAX_EXTRA)], ids=len)
def test_reads_what_it_writes(extra: bytes) -> None:
    proof = replace(GOOD, extra=extra)
    assert parse_tlog_proof(proof.to_bytes()) == proof
    assert (b"\nextra " in proof.to_bytes()) == bool(extra)


@pytest.mark.parametrize("size", range(1, 9))
def test_every_leaf_of_small_trees_proves_itself_and_no_other(size: int) -> None:
    for index in range(size):
        proof, entry = _tree(size, index)
        logged = verify_tlog_proof(parse_tlog_proof(proof.to_bytes()), entry, KEY)
        assert (logged.checkpoint.size, logged.index, logged.witnesses) == (size, index, ())
        for bent in _bent_paths(proof):
            with pytest.raises(Problem):
                verify_tlog_proof(bent, entry, KEY)
        with pytest.raises(VerificationError):
            verify_tlog_proof(proof, entry + b"x", KEY)
        for other in set(range(size + 1)) - {index}:
            with pytest.raises(Problem):
                verify_tlog_proof(replace(proof, index=other), entry, KEY)


def _bent_paths(proof: TlogProof) -> list[TlogProof]:
    """The path with each hash changed or left out, lengthened, turned round."""
    path = proof.path
    bent = [(*path, sha256(b"more")), (sha256(b"more"), *path)]
    bent += [(*path[:at], *path[at + 1 :]) for at in range(len(path))]
    bent += [
        (*path[:at], Digest(bytes(31) + bytes([path[at][0] ^ 1])), *path[at + 1 :])
        for at in range(len(path))
    ]
    if len(path) > 1:
        bent.append(path[::-1])
    return [replace(proof, path=tuple(steps)) for steps in bent]


def test_a_proof_from_a_real_log(tmp_path: Path) -> None:
    books = Books(tmp_path)
    books.grow(3, 300)
    for index in (0, 3, 200, 304):
        proof = build_proof(books.log, index, digest_of(shown()), shown())
        found = parse_tlog_proof(tlog_proof_of(proof).to_bytes())
        assert verify_tlog_proof(found, books.log.entry(index), KEY).checkpoint.size == 305
        assert found.extra == books.log.entry(index)


def test_extra_data_is_believed_by_nobody() -> None:
    """Whatever stands there, only the entry that was brought along counts."""
    for extra in (b"", b"lie", ENTRY):
        proof = replace(GOOD, extra=extra)
        assert verify_tlog_proof(proof, ENTRY, KEY) == verify_tlog_proof(GOOD, ENTRY, KEY)
        assert _fails(proof, b"lie") == "root_mismatch"


def test_the_checkpoint_must_be_the_logs() -> None:
    other = SignerKey(ORIGIN, bytes(32))
    unsigned = parse_note(Forge(signer=other).note()).to_bytes()
    assert _fails(replace(GOOD, checkpoint=unsigned)) == "signature_missing"
    bent = GOOD.checkpoint.replace(b"\n11\n", b"\n12\n")
    assert bent != GOOD.checkpoint
    assert _fails(replace(GOOD, checkpoint=bent)) == "signature"


def test_a_policy_asks_for_witnesses() -> None:
    witness = Cosigner(SignerKey("witness.example/w", bytes(range(3, 35))))
    policy = Policy((witness.verifier,), 1)
    assert _fails(GOOD, ENTRY, policy) == "quorum"
    note = parse_note(GOOD.checkpoint)
    line = witness.cosign(note.text, 1_800_000_000)
    cosigned = Note(note.text, (*note.signatures, line)).to_bytes()
    logged = verify_tlog_proof(replace(GOOD, checkpoint=cosigned), ENTRY, KEY, policy)
    assert logged.witnesses == ("witness.example/w",)


def _line(at: int, change: Callable[[str], str]) -> bytes:
    """The file with one line changed."""
    return "\n".join([*LINES[:at], change(LINES[at]), *LINES[at + 1 :]]).encode()


BENT = {
    "nothing": b"",
    "other version": FILE.replace(b"@v1", b"@v2"),
    "space after header": _line(0, lambda line: f"{line} "),
    "carriage returns": FILE.replace(b"\n", b"\r\n"),
    "byte order mark": b"\xef\xbb\xbf" + FILE,
    "leading line": b"\n" + FILE,
    "no extra after extra": _line(1, lambda _: "extra "),
    "extra without space": _line(1, lambda line: line.replace("extra ", "extra")),
    "extra with two spaces": _line(1, lambda line: line.replace("extra ", "extra  ")),
    "extra not base64": _line(1, lambda _: "extra !"),
    "extra without padding": _line(1, lambda _: "extra eA"),
    "extra with stray bits": _line(1, lambda _: "extra eB=="),
    "extra twice": _line(1, lambda line: f"{line}\n{line}"),
    "extra after index": b"\n".join(
        [LINES[0].encode(), LINES[2].encode(), *(line.encode() for line in (LINES[1], *LINES[3:]))]
    ),
    "extra too long": replace(GOOD, extra=b"")
    .to_bytes()
    .replace(b"index", f"extra {_base64(bytes(MAX_EXTRA + 1))}\nindex".encode()),
    "no index": FILE.replace(b"index 5\n", b""),
    "index twice": FILE.replace(b"index 5\n", b"index 5\nindex 5\n"),
    "index without number": _line(2, lambda _: "index "),
    "index 05": _line(2, lambda _: "index 05"),
    "index +5": _line(2, lambda _: "index +5"),
    "index -5": _line(2, lambda _: "index -5"),
    "index 5_0": _line(2, lambda _: "index 5_0"),
    "index of other digits": _line(2, lambda _: "index ٥"),
    "index with space": _line(2, lambda _: "index 5 "),
    "index alone": _line(2, lambda _: "5"),
    "Index": _line(2, lambda _: "Index 5"),
    "index too large": _line(2, lambda _: f"index {2**63}"),
    "index endless": _line(2, lambda _: "index 1" + "0" * 5000),
    "hash of 31 bytes": _line(3, lambda _: _base64(bytes(31))),
    "hash of 33 bytes": _line(3, lambda _: _base64(bytes(33))),
    "hash in hex": _line(3, lambda _: "00" * 32),
    "hash url-safe": _line(3, lambda _: _base64(b"\xff" * 32).replace("/", "_")),
    "hash without padding": _line(3, lambda line: line.rstrip("=")),
    "hash with stray bits": _line(3, lambda _: "A" * 42 + "B="),
    "hash indented": _line(3, lambda line: f" {line}"),
    "path too long": _line(3, lambda line: "\n".join([line] * (MAX_PATH + 1))),
    "no empty line": FILE.partition(b"\n\n")[0],
    "header alone": f"{LINES[0]}\n\n".encode() + GOOD.checkpoint,
}


@pytest.mark.parametrize("data", BENT.values(), ids=BENT.keys())
def test_other_spellings_are_refused(data: bytes) -> None:
    _refused(data)


NOTES = {
    "two empty lines": FILE.replace(b"\n\n", b"\n\n\n", 1),
    "no checkpoint": FILE.partition(b"\n\n")[0] + b"\n\n",
    "no signature": FILE.rpartition(b"\n\n")[0] + b"\n",
    "cut short": FILE[:-1],
    "more at the end": FILE + b"\n",
    "not UTF-8": FILE + b"\xff",
}


@pytest.mark.parametrize("data", [*list(NOTES.values())[1:]], ids=[*list(NOTES)[1:]])
def test_the_checkpoint_must_be_a_note(data: bytes) -> None:
    _refused(data, "note")


def test_a_checkpoint_that_begins_with_an_empty_line_is_no_checkpoint() -> None:
    proof = parse_tlog_proof(NOTES["two empty lines"])
    with pytest.raises(Problem):
        verify_tlog_proof(proof, ENTRY, KEY)


def test_too_long_is_refused_before_it_is_read() -> None:
    _refused(FILE + bytes(MAX_TLOG_PROOF), "tlog_proof_too_long")
    assert MAX_TLOG_PROOF > MAX_NOTE_SIZE + MAX_EXTRA * 4 // 3 + 45 * MAX_PATH + 100


@pytest.mark.parametrize(
    "proof",
    [
        replace(GOOD, index=-1),
        replace(GOOD, path=(Digest(b"short"),)),
        replace(GOOD, extra=bytes(MAX_EXTRA + 1)),
        replace(GOOD, checkpoint=b"nothing"),
    ],
    ids=["index", "path", "extra", "checkpoint"],
)
def test_what_cannot_be_read_is_not_written(proof: TlogProof) -> None:
    with pytest.raises(MalformedError):
        proof.to_bytes()


@given(st.binary() | st.text().map(str.encode))
def test_nothing_else_gets_out_of_the_parser(data: bytes) -> None:
    for one in (data, FILE[:40] + data, FILE[: len(FILE) // 2] + data):
        with suppress(MalformedError):
            assert parse_tlog_proof(one).to_bytes() == one


@given(st.integers(0, len(FILE) - 1), st.integers(0, 255))
def test_every_changed_byte_is_refused_or_does_not_verify_or_is_extra(at: int, byte: int) -> None:
    data = FILE[:at] + bytes([byte]) + FILE[at + 1 :]
    try:
        proof = parse_tlog_proof(data)
        verify_tlog_proof(proof, ENTRY, KEY)
    except Problem:
        return
    assert replace(proof, extra=ENTRY) == GOOD


def test_the_holder_makes_the_entry_and_extra_is_only_a_copy_of_it() -> None:
    document = PROOF.document
    red = anchor_entry("invoice", anchor(document), reverses=sha256(b"blue"), reversal="full")
    other = anchor_entry("invoice", anchor(sha256(b"other")))
    lock = lock_entry("reimbursement", anchor(document), "locked", sha256(b"holder"))
    own = anchor_entry("invoice", anchor(document))
    for extra, expected in (
        (b"", own),
        (own, own),
        (red, red),
        (other, own),
        (lock, own),
        (red + b" ", own),
        (b"nonsense", own),
    ):
        assert entry_of(replace(GOOD, extra=extra), document) == expected


def test_each_limit_itself_is_allowed() -> None:
    longest = replace(GOOD, path=tuple(sha256(b"%d" % n) for n in range(MAX_PATH)))
    assert parse_tlog_proof(longest.to_bytes()) == longest
    _refused(FILE.replace(b"index 5", b"index %d" % MAX_SIZE))
    largest = FILE.replace(b"index 5", b"index %d" % (MAX_SIZE - 1))
    assert parse_tlog_proof(largest).index == MAX_SIZE - 1
    _refused(FILE + b"x" * (MAX_TLOG_PROOF - len(FILE)), "note")
    _refused(FILE + b"x" * (MAX_TLOG_PROOF - len(FILE) + 1), "tlog_proof_too_long")
