"""The table of parsers: good inputs, how each is read, and the codes by which it may refuse.

``read`` returns nothing for what is accepted, after holding its canonical spelling against the
input where the format has one; it raises a Problem for all else.
"""

import json
import tempfile
from datetime import timedelta
from functools import cache
from pathlib import Path
from random import Random

from chain.audit.evidence import is_evidence, verify_evidence
from chain.canonical import decode, decode_canonical, encode
from chain.commitment import parse_password_area, password_area
from chain.entry import (
    anchor_entry,
    closing_entry,
    format_entry,
    lock_entry,
    parse_entry,
    seal_entry,
)
from chain.hashing import ZERO, sha256
from chain.proof.file import parse_proof
from chain.proof.promise import open_promise, sign_group
from chain.proof.receipt import parse_receipt, receipt_of
from chain.proof.tlogproof import parse_tlog_proof, tlog_proof_of, verify_tlog_proof
from chain.proof.verify import verify_proof
from chain.signing.checkpoint import Checkpoint, open_checkpoint
from chain.signing.cosignature import Cosigner, SubtreeCosigner, open_cosignatures
from chain.signing.keyfile import Cost, open_key, seal_key
from chain.signing.note import Note, SignerKey, open_note, parse_note, sign_note
from chain.signing.policy import parse_policy
from chain.tree.tiles import TileFolder, decode_bundle, encode_bundle, parse_tile_path
from chain.witness.judge import Request, read_checkpoint
from invoice_service.config import load
from invoice_service.domain.qrtext import parse_qr_text, scan_url
from invoice_service.domain.request import parse_record, parse_request, parse_reversal
from tests.chain.books import NOON, ORIGIN, SIGNER
from tests.chain.forged import Forge, with_everything, with_receipt
from tests.chain.histories import history
from tests.fuzz.key_parsers import KEY_PARSERS
from tests.fuzz.parser import OtherSpellingError, Parser, same, text_of, void

KEY = SIGNER.verifier
WITNESS = Cosigner(SignerKey("witness.example/w1", bytes([1]) * 32))
OTHER = Cosigner(SignerKey("witness.example/w2", bytes([2]) * 32))
PROMISER = SignerKey(f"{ORIGIN}/promise", bytes(range(1, 33)))
PASSPHRASE = b"correct horse"
_CONFIG = Path(__file__).parents[2] / "config.toml"

JSON_CODES = frozenset(
    {"not_utf8", "not_json", "duplicate_key", "number_not_integer", "number_out_of_range"}
    | {"too_deep", "not_canonical"}
)
NOTE_CODES = frozenset({"note", "signature", "signature_missing"})
ENTRY_CODES = frozenset(
    {"entry_too_long", "entry_malformed", "not_canonical", "time_malformed", "day_malformed"}
)
CHECKPOINT_CODES = NOTE_CODES | {"checkpoint", "empty_root", "origin_mismatch"}
PATH_CODES = frozenset({"index_outside", "path_length", "root_mismatch"})
PROOF_CODES = JSON_CODES | {
    *("proof_too_long", "proof_version", "proof_malformed", "password_area"),
}
VERIFY_CODES = (PROOF_CODES | ENTRY_CODES | CHECKPOINT_CODES | PATH_CODES) | {
    *("hash_mismatch", "entry_kind", "anchor_mismatch", "reversal_mismatch"),
    *("seal_kind", "seal_place", "seal_not_newest"),
    *("state_value", "state_depth", "state_elsewhere", "state_shape", "state_root"),
}
REVERSAL_CODES = frozenset(
    {"body_too_large", "not_utf8", "not_json", "lone_surrogate", "duplicate_key", "unknown_field"}
    | {"missing_field", "wrong_type", "amount_not_fen", "value_unknown"}
)
REQUEST_CODES = REVERSAL_CODES | {
    *("no_lines", "text_empty", "text_too_long", "amount_out_of_range", "too_many_lines"),
    *("price_twice", "unit_price_yuan_invalid", "business_day_invalid", "parts_invalid"),
    "password_area",
    *(
        "control_character",
        "text_damaged",
        "identifier_ambiguous",
        "buyer_incomplete",
        "tax_id_invalid",
    ),
}


def _decode(data: bytes) -> None:
    value = decode(data)
    same(lambda: encode(decode_canonical(encode(value))), encode(value))


def _canonical(data: bytes) -> None:
    value = decode_canonical(data)
    same(lambda: encode(value), data)


def _entry(data: bytes) -> None:
    entry = parse_entry(data)
    same(lambda: format_entry(entry), data)


def _bundle(data: bytes) -> None:
    entries = decode_bundle(data, 3)
    same(lambda: encode_bundle(entries), data)


def _open_note(data: bytes) -> None:
    opened = open_note(data, [KEY, WITNESS.verifier])
    same(lambda: parse_note(data).text, opened.text)


def _checkpoint(data: bytes) -> None:
    same(Checkpoint.parse(text_of(data)).to_text, text_of(data))


def _policy(data: bytes) -> None:
    policy = parse_policy(data)
    if not policy.met_by(policy.witnesses):
        raise OtherSpellingError("nobody could meet it")


def _tlog_proof(data: bytes) -> None:
    proof = parse_tlog_proof(data)
    same(proof.to_bytes, data)
    verify_tlog_proof(proof, _ENTRY, KEY)


def _tile(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tile" / "0" / "000.p" / "3"
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
        hashes = TileFolder(Path(folder)).read_hashes(0, 0, 3)
        same(lambda: b"".join(hashes), data)


def _evidence(data: bytes) -> None:
    is_evidence(data)
    verify_evidence(data, _HISTORY.keys[0], PROMISER.verifier, None)


def _whole_key_file(data: bytes) -> None:
    """The lines above the check may be anything: whoever bends on purpose makes the check too."""
    open_key(data + b"check " + sha256(data).hex().encode() + b"\n", PASSPHRASE)


def _resigned_checkpoint(data: bytes) -> None:
    """A text that the log itself has signed, whatever it says."""
    text = text_of(data)
    same(open_checkpoint(sign_note(text, SIGNER), KEY).to_text, text)


def _resigned_promise(data: bytes) -> None:
    note = sign_note(text_of(data), PROMISER)
    open_promise(_HEAD_2 + b"\n\n" + note if b"\nv2\n" in data else note, PROMISER.verifier)


def _request(data: bytes) -> None:
    request = Request.parse(data)
    same(request.to_bytes, data)
    read_checkpoint(parse_note(request.note).text)


def _cosignatures(data: bytes) -> None:
    for key, signature in open_cosignatures(_TEXT, data, [WITNESS.verifier]).items():
        if key != WITNESS.verifier or signature.line().encode() not in data:
            raise OtherSpellingError("this is not what the witness signed")


def _password_area(data: bytes) -> None:
    digest = parse_password_area(text_of(data))
    same(lambda: password_area(digest), text_of(data))


def _qr(data: bytes) -> None:
    found = parse_qr_text(text_of(data))
    same(lambda: password_area(parse_password_area(found.hash)), found.hash)


def _config(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.toml"
        path.write_bytes(data)
        load(path, {})


def _environment(data: bytes) -> None:
    name, _, value = text_of(data).partition("=")
    load(None, {name: value})


_EVERYTHING = with_everything()
_ENTRY = _EVERYTHING.placed.entry
_FILES = tuple(proof.to_bytes() for proof in (_EVERYTHING, Forge().proof()))
_NOTE = _EVERYTHING.checkpoint
_TEXT = parse_note(_NOTE).text
_HISTORY = history(9)
_COSIGNED = Note(
    _TEXT,
    (
        *parse_note(_NOTE).signatures,
        *(one.cosign(_TEXT, 1_700_000_000) for one in (WITNESS, OTHER)),
    ),
).to_bytes()
_LINES = _COSIGNED[len(_NOTE) :]
_HASH = password_area(sha256(b"a document"))
_PROMISE = sign_note(
    f"{PROMISER.name}\n{_HASH}\n2026-11-21T04:00:00Z\n2026-11-21T04:01:00Z\n", PROMISER
)
_PROMISE_2 = sign_group(
    PROMISER,
    [parse_password_area(_HASH), *map(sha256, (b"b", b"c", b"d", b"e"))],
    NOON,
    NOON + timedelta(minutes=1),
    Random(1).randbytes,
)[0].encode()
_HEAD_2, _, _NOTE_2 = _PROMISE_2.partition(b"\n\n")
PROMISE_CODES = PATH_CODES | {
    *("promise_malformed", "password_area", "time_malformed", "promise_of_another", "tree_size"),
}
_ENTRIES = (
    anchor_entry("invoice", sha256(b"a")),
    anchor_entry("invoice", sha256(b"a"), reverses=sha256(b"b"), reversal="part"),
    lock_entry("reimbursement", sha256(b"a"), "locked", sha256(b"holder")),
    closing_entry("2026-11-21", 7, sha256(b"totals")),
    seal_entry(2, ZERO, 4, 3, NOON, sha256(b"states")),
)
_POLICY = (
    f"# who must have seen it\nlog {KEY.text()} https://books.example/log/\n"
    f"witness one {WITNESS.verifier.text()}\twitness.example\n"
    f"witness two {OTHER.verifier.text()}\n\ngroup both all one two\ngroup some 1 both\n"
    "quorum some\n"
).encode()
_OTHER_KEYS = (
    f"witness one {WITNESS.verifier.text()}\n"
    f"witness new {SubtreeCosigner('new.example', bytes(32)).verifier.text()}\n"
    "witness odd odd.example+0123abcd+Amtl\ngroup some 2 one new odd\nquorum some\n"
).encode()
_URL = scan_url("https://fapiao.test", _HASH, "00000001", 49810).encode()
_COMMAS = f"01,10,144031809110,00000001,91440300708461136T,469.91,20261121,{_HASH}".encode()
_MEAL = json.dumps(
    {
        "order_id": "T1",
        "lines": [{"name": "餐费", "unit_price": 49810, "tax_rate": "0.06", "quantity": "2"}],
        "buyer": {"kind": "company", "name": "某某公司", "tax_id": "91440300708461136T"},
        "total": 49810,
        "remark": "谢谢",
    },
    ensure_ascii=False,
).encode()
_SALE = json.dumps(
    {
        "order_id": "T2",
        "discount": 5,
        "lines": [
            {"name": "a", "total": 100, "discount": 3, "tax_rate": "0", "tax_kind": "exempt"},
            {"name": "b", "unit_price_yuan": "0.4981", "unit": "克", "tax_rate": "0.06"},
        ],
        "buyer": {"kind": "organisation", "name": "x"},
    },
    ensure_ascii=False,
).encode()

_PART = json.dumps(
    {
        "order_id": "001",
        "till": "T 3",
        "business_day": "2018-08-10",
        "part": 1,
        "parts": 2,
        "order_total": 20000,
        "replaces": f"01{'ab' * 32}",
        "lines": [{"name": "a", "unit_price": 9900, "tax_rate": "0.06"}],
    }
).encode()


@cache
def _key_file() -> bytes:
    return seal_key(SIGNER, PASSPHRASE, Random(1).randbytes, Cost(log_n=14))


def _forks() -> tuple[bytes, ...]:
    """Evidence of two roots of one size, of two sizes, and of a broken promise."""
    mine, other = _HISTORY, _HISTORY.fork(4)
    small, large = mine.note(6), other.note(9)
    one_size = sorted(
        (mine.note(9), large), key=lambda note: open_checkpoint(note, mine.keys[0]).root
    )
    prefix: dict[str, object] = {
        "path": [digest.hex() for digest in other.proof(6, 9)],
        "root": other.checkpoint(6).root.hex(),
    }
    texts = {"kind": "fork", "version": 1}
    return (
        encode(texts | {"checkpoints": [note.decode() for note in one_size]}),
        encode(texts | {"checkpoints": [small.decode(), large.decode()], "prefix": prefix}),
        encode(
            {"kind": "broken_promise", "version": 1}
            | {"promise": _PROMISE.decode(), "checkpoint": _NOTE.decode()}
        ),
        encode(
            {"kind": "broken_promise", "version": 2}
            | {"promise": _PROMISE_2.decode(), "checkpoint": _NOTE.decode()}
        ),
    )


PARSERS = (
    *KEY_PARSERS,
    Parser("json", _decode, (*_FILES, *_ENTRIES), JSON_CODES),
    Parser(
        "canonical JSON",
        _canonical,
        (*_FILES, *_ENTRIES),
        JSON_CODES,
    ),
    Parser(
        "note",
        lambda data: same(parse_note(data).to_bytes, data),
        (_NOTE, _COSIGNED, _PROMISE),
        frozenset({"note"}),
    ),
    Parser("signed note", _open_note, (_NOTE, _COSIGNED), NOTE_CODES),
    Parser(
        "checkpoint",
        _checkpoint,
        (_TEXT.encode(), _HISTORY.checkpoint(0).to_text().encode()),
        frozenset({"checkpoint", "empty_root"}),
    ),
    Parser(
        "signed checkpoint",
        lambda data: void(open_checkpoint(data, KEY)),
        (_NOTE, _COSIGNED),
        CHECKPOINT_CODES,
    ),
    Parser(
        "checkpoint, signed",
        _resigned_checkpoint,
        (_TEXT.encode(),),
        frozenset({"note", "checkpoint", "empty_root", "origin_mismatch"}),
    ),
    Parser(
        "policy",
        _policy,
        (_POLICY, _OTHER_KEYS, b"quorum none\n"),
        frozenset({"policy", "policy_key_type"}),
    ),
    Parser("proof", lambda data: same(parse_proof(data).to_bytes, data), _FILES, PROOF_CODES),
    Parser(
        "verified proof",
        lambda data: void(verify_proof(parse_proof(data), KEY)),
        _FILES,
        VERIFY_CODES,
    ),
    Parser(
        "tlog-proof",
        _tlog_proof,
        (tlog_proof_of(_EVERYTHING).to_bytes(),),
        CHECKPOINT_CODES | PATH_CODES | {"tlog_proof", "tlog_proof_too_long"},
    ),
    Parser(
        "receipt",
        lambda data: same(parse_receipt(data).to_bytes, data),
        (receipt_of(with_receipt()).to_bytes(),),
        frozenset({"receipt", "receipt_size"}),
    ),
    Parser("entry", _entry, _ENTRIES, ENTRY_CODES),
    Parser(
        "tile path",
        lambda data: same(parse_tile_path(text_of(data)).path, text_of(data)),
        (b"tile/0/x001/x234/067", b"tile/entries/000.p/255", b"tile/63/999"),
        frozenset({"tile_path"}),
    ),
    Parser("tile", _tile, (b"".join(map(sha256, _ENTRIES[:3])),), frozenset({"tile_damaged"})),
    Parser(
        "bundle",
        _bundle,
        (encode_bundle(_ENTRIES[:3]), encode_bundle([b"", b"x", b"y" * 65_535])),
        frozenset({"bundle"}),
    ),
    Parser(
        "evidence",
        _evidence,
        _forks(),
        JSON_CODES
        | CHECKPOINT_CODES
        | PATH_CODES
        | {
            "evidence_malformed",
            "evidence_version",
            "no_fork",
            "mirror_missing",
            "consistency_sizes",
        },
    ),
    Parser(
        "promise",
        lambda data: void(open_promise(data, PROMISER.verifier)),
        (_PROMISE, _PROMISE_2),
        NOTE_CODES | PROMISE_CODES,
    ),
    Parser(
        "promise, signed",
        _resigned_promise,
        tuple(parse_note(note).text.encode() for note in (_PROMISE, _NOTE_2)),
        PROMISE_CODES | {"note"},
    ),
    Parser(
        "key file",
        lambda data: void(open_key(data, PASSPHRASE)),
        (_key_file(),),
        frozenset({"key_file_damaged"}),
    ),
    Parser(
        "key file with its check",
        _whole_key_file,
        (_key_file().rpartition(b"check ")[0],),
        frozenset(
            {
                "key_file",
                "key_file_damaged",
                "key_file_version",
                "key_file_cost",
                "passphrase_wrong",
            }
        ),
    ),
    Parser(
        "witness request",
        _request,
        (_HISTORY.request(0, 3), _HISTORY.request(3, 9)),
        frozenset({"witness_request", "note", "checkpoint", "empty_root"}),
    ),
    Parser(
        "cosignatures",
        _cosignatures,
        (_LINES,),
        frozenset({"cosignature_lines", "signature", "signature_missing"}),
    ),
    Parser("password area", _password_area, (_HASH.encode(),), frozenset({"password_area"})),
    Parser(
        "QR text",
        _qr,
        (_URL, _COMMAS),
        frozenset(
            {
                "qr_invalid",
                "qr_ordinary_vat",
                "password_area",
                "bill_num_invalid",
                "amount_invalid",
                "claims_differ",
            }
            | {"duplicate_parameter", "query_malformed"}
        ),
    ),
    Parser(
        "issue request",
        lambda data: void(parse_request(data)),
        (_MEAL, _SALE, _PART),
        REQUEST_CODES,
    ),
    Parser(
        "record of a batch",
        lambda data: void(parse_record(data)),
        (_PART.replace(b"{", b'{"idempotency_key":"k",', 1),),
        REQUEST_CODES | {"idempotency_key_invalid"},
    ),
    Parser(
        "reversal request",
        lambda data: void(parse_reversal(data)),
        (b'{"reason":"SALES_RETURN"}',),
        REVERSAL_CODES,
    ),
    Parser("config.toml", _config, (_CONFIG.read_bytes(),), frozenset({"config_invalid"})),
    Parser(
        "environment",
        _environment,
        (
            b"FAPIAO_WEB_PORT=8001",
            b'FAPIAO_TAX_RATES=["0", "0.06"]',
            b"FAPIAO_SERVICE_DATA_DIR=var/x",
        ),
        frozenset({"config_invalid"}),
    ),
)
