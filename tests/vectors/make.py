"""Make the golden files: ``python -m tests.vectors.make`` writes them, ``--check`` compares.

One file a format. What they hold is fixed for version 1: a difference means that our code has
changed, and a commit that changes a file says so.
"""

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from chain.canonical import JsonValue, encode
from chain.commitment import (
    GROUPS,
    act_digest,
    anchor,
    check_code,
    closing_digest,
    document_digest,
    group_digest,
    password_area,
)
from chain.entry import (
    Reversal,
    act_entry,
    anchor_entry,
    closing_entry,
    lock_entry,
    seal_entry,
)
from chain.hashing import EMPTY_ROOT, ZERO, Digest, leaf_hash, sha256
from chain.log.database import SqliteLogStore
from chain.log.log import Log
from chain.proof.file import Group, HiddenGroup, Proof, ShownGroup, build_proof
from chain.proof.receipt import receipt_of
from chain.proof.tlogproof import TlogProof, tlog_proof_of
from chain.signing.checkpoint import Checkpoint, sign_checkpoint
from chain.signing.cosignature import Cosigner
from chain.signing.keyfile import Cost, seal_key
from chain.signing.note import (
    COSIGNATURE_V1,
    Note,
    Signature,
    SignerKey,
    VerifierKey,
    parse_note,
    sign_note,
)
from chain.signing.receipt import with_receipts
from chain.tree.merkle import Edge
from chain.tree.merkle_slow import slow_consistency_path, slow_inclusion_path, slow_root
from chain.tree.tiles import TileFolder
from tests.chain.state_map import State, map_root, prove
from tests.chain.trees import entries, leaves
from tests.vectors.answer_cases import answers
from tests.vectors.documents import BUYER, FACE, LINES, SALTS
from tests.vectors.memory_cases import memory
from tests.vectors.promise_cases import promises

HERE = Path(__file__).parent
ORIGIN = "log.example/fapiao"
LOG = SignerKey(ORIGIN, bytes(range(32)))
PROMISE = SignerKey(f"{ORIGIN}/promise", bytes(range(1, 33)))
WITNESS = SignerKey("witness.example/w1", bytes(range(2, 34)))
NOON = datetime(2026, 8, 10, 4, 0, 0, tzinfo=UTC)

ACT: dict[str, JsonValue] = {
    "version": 1,
    "type": "suspension",
    "at": "2026-08-10T04:00:00Z",
    "by": "person:2",
    "subject": "merchant:7",
    "before": {"status": "active"},
    "after": {"status": "suspended"},
    "reason": "no such restaurant at 福田区",
    "previous": sha256(b"the act before").hex(),
}

DOCUMENTS: dict[str, JsonValue] = {"face": FACE, "buyer": BUYER, "lines": LINES}


def canonical() -> object:
    """JSON texts with their canonical form."""
    texts = [
        '{ "b" : 1, "a" : [ true, false, "x" ] }',
        '{"\\u20ac": "Euro", "\\r": "CR", "\\u00f6": "ö", "1": "one", "\\ufb33": "Hebrew"}',
        '"\\u0000\\u0007\\b\\t\\n\\u000b\\f\\r\\u001f\\u007f\\"\\\\\\/\\u2028\\ud83d\\ude00"',
        "[9007199254740991, -9007199254740991, 0]",
        '{"": {}, "a": [], "aa": "", "A": 0}',
    ]
    return [{"json": text, "canonical": encode(json.loads(text)).decode()} for text in texts]


def _digest() -> Digest:
    face, buyer, lines = (
        group_digest(group, SALTS[group], encode(DOCUMENTS[group])) for group in GROUPS
    )
    return document_digest(face, buyer, lines)


def commitment() -> object:
    """A document's groups, their digests, and what follows from them."""
    groups = {
        group: {
            "document": DOCUMENTS[group],
            "canonical": encode(DOCUMENTS[group]).decode(),
            "salt": SALTS[group].hex(),
            "digest": group_digest(group, SALTS[group], encode(DOCUMENTS[group])).hex(),
        }
        for group in GROUPS
    }
    totals = encode({"day": "2026-08-10", "count": 1, "total": 11300})
    return {
        "groups": groups,
        "digest": _digest().hex(),
        "password_area": password_area(_digest()),
        "check_code": check_code(_digest()),
        "anchor": anchor(_digest()).hex(),
        "closing": {
            "salt": SALTS["face"].hex(),
            "totals": totals.decode(),
            "digest": closing_digest(SALTS["face"], totals).hex(),
        },
        "act": {
            "salt": SALTS["face"].hex(),
            "document": encode(ACT).decode(),
            "digest": act_digest(SALTS["face"], encode(ACT)).hex(),
        },
    }


def entry() -> object:
    """Each kind of log entry, with its leaf hash."""
    blue, red, other = anchor(_digest()), sha256(b"red"), sha256(b"other")
    kinds = {
        "invoice": anchor_entry("invoice", blue),
        "reversed in full": anchor_entry("invoice", red, reverses=blue, reversal="full"),
        "reversed in part": anchor_entry("invoice", red, reverses=blue, reversal="part"),
        "locked": lock_entry("reimbursement", blue, "locked", other),
        "released": lock_entry("reimbursement", blue, "released", other),
        "closed": lock_entry("reimbursement", blue, "closed", other),
        "closing": closing_entry("2026-08-10", 41, other),
        "act": act_entry("suspension", other),
        "first seal": seal_entry(1, ZERO, 0, 41, NOON),
        "next seal": seal_entry(2, other, 42, 0, NOON + timedelta(seconds=1), red),
    }
    return {
        name: {"entry": data.decode(), "leaf": leaf_hash(data).hex()}
        for name, data in kinds.items()
    }


def note() -> object:
    """Keys, a promise, a checkpoint, and one that a witness cosigned."""
    text = Checkpoint(ORIGIN, 42, sha256(b"root")).to_text()
    promise = "\n".join(
        (PROMISE.name, password_area(_digest()), "2026-08-10T04:00:00Z", "2026-08-10T04:01:00Z", "")
    )
    witness = VerifierKey(WITNESS.name, COSIGNATURE_V1, WITNESS.verifier.public)
    seconds = int(NOON.timestamp())
    plain = WITNESS.sign(f"cosignature/v1\ntime {seconds}\n{text}").payload
    cosigned = Signature(witness.name, witness.key_id, seconds.to_bytes(8, "big") + plain)
    return {
        "keys": {
            signer.name: {"secret": signer.text(), "public": signer.verifier.text()}
            for signer in (LOG, PROMISE)
        },
        "witness": {"secret": WITNESS.text(), "public": witness.text(), "time": seconds},
        "promise": sign_note(promise, PROMISE).decode(),
        "empty": sign_checkpoint(Checkpoint(ORIGIN, 0, EMPTY_ROOT), LOG).decode(),
        "checkpoint": sign_checkpoint(Checkpoint(ORIGIN, 42, sha256(b"root")), LOG).decode(),
        "cosigned": Note(text, (LOG.sign(text), cosigned)).to_bytes().decode(),
    }


def tree() -> object:
    """Roots, edges and paths of trees over the entries ``entry 0``, ``entry 1``, …"""
    sizes = [1, 2, 3, 6, 7, 8, 255, 256, 257, 300]
    hashes = leaves(300)

    def edge(size: int) -> str:
        grown = Edge()
        grown.extend(hashes[:size])
        return grown.to_bytes().hex()

    return {
        "trees": [
            {
                "size": size,
                "root": slow_root(hashes[:size]).hex(),
                "edge": edge(size),
            }
            for size in sizes
        ],
        "inclusion": [
            {"index": index, "size": size, "path": _hex(slow_inclusion_path(hashes[:size], index))}
            for size in (1, 7, 8, 300)
            for index in sorted({0, size // 2, size - 1})
        ],
        "consistency": [
            {"old": old, "new": new, "path": _hex(slow_consistency_path(hashes[:new], old))}
            for old, new in ((1, 1), (3, 7), (4, 8), (6, 8), (256, 300), (257, 300))
        ],
    }


def tile() -> object:
    """Every file of a folder that has published the sizes 3, 256 and 600."""
    hashes, items = leaves(600), entries(600)
    with tempfile.TemporaryDirectory() as name:
        folder, old = TileFolder(Path(name)), 0
        for new in (3, 256, 600):
            folder.write_range(old, new, hashes[old:new], items[old:new])
            old = new
        files = sorted(path for path in Path(name).rglob("*") if path.is_file())
        return {
            path.relative_to(name).as_posix(): sha256(path.read_bytes()).hex() for path in files
        }


def state() -> object:
    """State maps with proofs of what is in them and of what is not."""
    keys = [sha256(b"key %d" % number) for number in range(6)]
    full: dict[Digest, State] = {
        keys[0]: {"reversal": "full"},
        keys[1]: {"reversal": "part", "reimbursement": "locked"},
        keys[2]: {"pledge": "pledged", "reimbursement": "closed"},
    }
    returns: dict[Digest, State] = {
        keys[0]: {"reversal": "part"},
        keys[1]: {"reversal": "full"},
        keys[3]: {"reversal": "part"},
    }
    maps: tuple[dict[Digest, State], ...]
    maps = ({}, {keys[0]: full[keys[0]]}, full, {keys[0]: returns[keys[0]]}, returns)
    return [_state_map(items, keys) for items in maps]


def _state_map(items: Mapping[Digest, State], keys: list[Digest]) -> object:
    proofs = []
    for key in keys:
        leaf, siblings = prove(items, key)
        shown = {} if leaf is None else {"leaf": {"key": leaf.key.hex(), "value": leaf.value}}
        proofs.append({"key": key.hex(), **shown, "siblings": _hex(siblings)})
    return {
        "root": map_root(items).hex(),
        "items": {key.hex(): value for key, value in items.items()},
        "proofs": proofs,
    }


def proof() -> object:
    """Proof files of one document: all groups shown, two hidden, and after its returns."""
    proofs = _proofs() | _proofs_in_parts()
    files = {name: one.to_bytes().decode() for name, one in proofs.items()}
    return {"log_key": LOG.verifier.text(), "files": files}


def _proofs() -> dict[str, Proof]:
    shown: dict[str, Group] = {
        group: ShownGroup(SALTS[group], encode(DOCUMENTS[group])) for group in GROUPS
    }
    hidden = {
        group: HiddenGroup(group_digest(group, SALTS[group], encode(DOCUMENTS[group])))
        for group in ("buyer", "lines")
    }
    face_only = {**shown, **hidden}
    ours = anchor(_digest())
    others = [anchor_entry("invoice", sha256(b"other %d" % number)) for number in range(9)]
    red = anchor_entry("invoice", sha256(b"red"), reverses=ours, reversal="full")
    with tempfile.TemporaryDirectory() as name:
        store = SqliteLogStore(Path(name) / "log.db")
        log = Log(ORIGIN, store, TileFolder(Path(name)), Path(name))
        _publish(log, [*others[:2], anchor_entry("invoice", ours), others[2]], others[3:])
        normal = [build_proof(log, 2, _digest(), groups) for groups in (shown, face_only)]
        _publish(log, [red])
        made = [*normal, build_proof(log, 2, _digest(), shown)]
        store.close()
    return dict(zip(("shown", "face only", "reversed"), made, strict=True))


def _proofs_in_parts() -> dict[str, Proof]:
    """The same document in another log: after one part of it was taken back, two, and the rest."""
    shown = {group: ShownGroup(SALTS[group], encode(DOCUMENTS[group])) for group in GROUPS}
    ours = anchor(_digest())
    made = {}
    with tempfile.TemporaryDirectory() as name:
        store = SqliteLogStore(Path(name) / "log.db")
        log = Log(ORIGIN, store, TileFolder(Path(name)), Path(name))
        _publish(log, [anchor_entry("invoice", ours)])
        steps: tuple[tuple[str, Reversal], ...]
        steps = (("a part", "part"), ("two parts", "part"), ("part by part", "full"))
        for name_, how in steps:
            red = sha256(b"red: " + name_.encode())
            _publish(log, [anchor_entry("invoice", red, reverses=ours, reversal=how)])
            made[f"reversed, {name_}"] = build_proof(log, 0, _digest(), shown)
        store.close()
    return made


def tlogproof() -> object:
    """C2SP tlog-proofs of one entry: good ones, and bent ones with the code that refuses them."""
    first = tlog_proof_of(_proofs()["shown"])
    note = parse_note(first.checkpoint)
    cosigned = Note(note.text, (*note.signatures, Cosigner(WITNESS).cosign(note.text, 1786334400)))
    good = {
        "as written": first,
        "without extra": replace(first, extra=b""),
        "extra is anything": replace(first, extra=b"believed by nobody"),
        "cosigned": replace(first, checkpoint=cosigned.to_bytes()),
        "larger tree": tlog_proof_of(_proofs()["reversed"]),
    }
    return {
        "log_key": LOG.verifier.text(),
        "witness": Cosigner(WITNESS).verifier.text(),
        "entry": first.extra.decode(),
        "good": {name: one.to_bytes().decode() for name, one in good.items()},
        "bent": {
            name: {"code": code, "text": text}
            for name, (code, text) in _bent_tlog_proofs(first).items()
        },
    }


def _bent_tlog_proofs(good: TlogProof) -> dict[str, tuple[str, str]]:
    text = good.to_bytes().decode()
    other = sha256(b"other")
    changed = {
        "path": (other, *good.path[1:]),
        "short": good.path[:-1],
        "long": (*good.path, other),
    }
    bent = {name: replace(good, path=path) for name, path in changed.items()}
    bent["index"] = replace(good, index=3)
    bent["outside"] = replace(good, index=99)
    bent["key"] = replace(good, checkpoint=sign_note(parse_note(good.checkpoint).text, PROMISE))
    texts = {name: one.to_bytes().decode() for name, one in bent.items()}
    return {
        "another version": ("tlog_proof", text.replace("@v1", "@v2")),
        "carriage returns": ("tlog_proof", text.replace("\n", "\r\n")),
        "empty extra": ("tlog_proof", re.sub("extra .*", "extra ", text)),
        "extra after index": ("tlog_proof", re.sub("(extra .*\n)(index .*\n)", r"\2\1", text)),
        "leading zero": ("tlog_proof", text.replace("index 2", "index 02")),
        "no index": ("tlog_proof", text.replace("index 2\n", "")),
        "hash without padding": ("tlog_proof", re.sub("(index 2\n.*)=\n", r"\1\n", text)),
        "no empty line": ("tlog_proof", text.replace("\n\n", "\n", 1).rpartition("\n\n")[0]),
        "no signature": ("note", text.rpartition("\n\n")[0] + "\n"),
        "line at the end": ("note", f"{text}\n"),
        "another index": ("root_mismatch", texts["index"]),
        "index outside": ("index_outside", texts["outside"]),
        "another hash": ("root_mismatch", texts["path"]),
        "path too short": ("path_length", texts["short"]),
        "path too long": ("path_length", texts["long"]),
        "another key": ("signature_missing", texts["key"]),
        "another size": ("signature", text.replace(f"{ORIGIN}\n", f"{ORIGIN}\n1", 1)),
    }


def receipt() -> object:
    """COSE receipts of the same entry: a good one, and bent ones with their codes."""
    proof = _proofs()["shown"]
    text = Checkpoint.parse(parse_note(proof.checkpoint).text)
    good = receipt_of(replace(proof, checkpoint=sign_checkpoint(text, *with_receipts([LOG]))))
    other = sha256(b"other")
    bent = {
        "another hash": ("signature", replace(good, path=(other, *good.path[1:]))),
        "path too short": ("path_length", replace(good, path=good.path[:-1])),
        "another index": ("signature", replace(good, index=3)),
        "index outside": ("index_outside", replace(good, index=99)),
        "another size": ("path_length", replace(good, signed=replace(good.signed, size=1 << 40))),
        "another key": (
            "signature_missing",
            replace(good, signed=replace(good.signed, key_id=b"none")),
        ),
        "another log": ("origin_mismatch", replace(good, signed=replace(good.signed, origin="x"))),
    }
    return {
        "log_key": LOG.verifier.text(),
        "hash": password_area(proof.document),
        "checkpoint": sign_checkpoint(text, *with_receipts([LOG])).decode(),
        "good": good.to_bytes().hex(),
        "bent": {
            name: {"code": code, "receipt": one.to_bytes().hex()}
            for name, (code, one) in bent.items()
        },
    }


def _publish(log: Log, *blocks: list[bytes]) -> None:
    for block in blocks:
        head = log.head()
        log.sequence(head, block, sealed_at=NOON, cursor=head.cursor + len(block))
    log.publish(LOG)


def promise() -> object:
    """Promises of both versions."""
    return promises()


def keyfile() -> object:
    """An encrypted key, at the lowest cost that is read, with salt and nonce of 16 and 12 bytes."""
    sealed = seal_key(LOG, b"passphrase", lambda size: bytes(range(size)), Cost(log_n=14))
    return {"passphrase": "passphrase", "file": sealed.decode(), "key": LOG.text()}


FORMATS: dict[str, Callable[[], object]] = {
    make.__name__: make
    for make in (
        *(
            canonical,
            commitment,
            entry,
            note,
            tree,
            tile,
            state,
            proof,
            tlogproof,
            receipt,
            promise,
            keyfile,
        ),
        memory,
        answers,
    )
}


def _hex(digests: list[Digest]) -> list[str]:
    return [digest.hex() for digest in digests]


def text_of(name: str) -> str:
    """Make one golden file's text."""
    return json.dumps(FORMATS[name](), ensure_ascii=False, indent=1) + "\n"


def path_of(name: str) -> Path:
    """Return where that golden file stands."""
    return HERE / f"{name}.json"


def main() -> int:
    """Write the files, or say which differ from what they should be."""
    parser = argparse.ArgumentParser(description="make the golden files")
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if one differs")
    check: bool = parser.parse_args().check
    differs = 0
    for name in FORMATS:
        path, text = path_of(name), text_of(name)
        if path.exists() and path.read_text("utf-8") == text:
            continue
        differs += 1
        sys.stdout.write(f"{path.name} {'differs' if check else 'written'}\n")
        if not check:
            path.write_text(text, "utf-8")
    return 1 if check and differs else 0


if __name__ == "__main__":
    sys.exit(main())
