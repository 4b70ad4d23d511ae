"""Cases about a verifier that remembers: consistency proofs, and what is held against what."""

import base64
import tempfile
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

from chain.audit.continuity import ask_log
from chain.audit.evidence import fork_evidence
from chain.errors import Problem
from chain.hashing import Digest, digest_from_hex
from chain.proof.memory import ForkedError, Memory, hold_against
from chain.signing.checkpoint import open_checkpoint
from chain.signing.keys import LogKeys
from chain.signing.note import SignerKey, VerifierKey
from chain.tree.merkle import verify_consistency
from chain.tree.tiles import TileFolder
from tests.chain.histories import ORIGIN, SIGNER, History
from tests.chain.trees import entries, flip, leaves

SIZE = 300
LOG = History(leaves(SIZE))
AT = 100
FORK = LOG.fork(AT)
NEW = SignerKey(ORIGIN, bytes([9]) * 32)


def memory() -> dict[str, Any]:
    """Consistency proofs, logs' files, and what was seen; each with what must come of it."""
    return {"consistency": list(_consistency()), "logs": _logs(), "memory": list(_memory())}


def _consistency() -> Iterator[dict[str, Any]]:
    for old, new in [
        (1, 1),
        (1, 2),
        (2, 3),
        (3, 7),
        (4, 7),
        (6, 8),
        (7, 8),
        (255, 300),
        (256, 300),
    ]:
        for name, case in _bent(old, new):
            yield {"name": f"{old} to {new}, {name}", **case, "expected": consistency_code(case)}
    for old, new in [(0, 0), (0, 5), (5, 3), (1, 2**63), (0, 2**63)]:
        case = _proof(old, new, LOG.checkpoint(3).root, LOG.checkpoint(5).root, [])
        name = f"{old} to {new}"
        yield {"name": name, **case, "expected": consistency_code(case)}


def _bent(old: int, new: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """A proof that holds, and ways to bend it."""
    path, roots = list(LOG.proof(old, new)), (LOG.checkpoint(old).root, LOG.checkpoint(new).root)
    make = partial(_proof, old, new)
    yield "right", make(*roots, path)
    yield "another old root", make(flip(roots[0], 0), roots[1], path)
    yield "another new root", make(roots[0], flip(roots[1], 255), path)
    yield "one hash too many", make(*roots, [*path, roots[0]])
    yield "one hash too many before it", make(*roots, [roots[0], *path])
    yield "from another size", _proof(old + 1, new + 1, *roots, path)
    yield "no hashes", make(*roots, [])
    if path:
        yield "one hash too few", make(*roots, path[:-1])
        yield "one hash too few before it", make(*roots, path[1:])
    for at in range(len(path)):
        yield f"hash {at} changed", make(*roots, [*path[:at], flip(path[at], 7), *path[at + 1 :]])


def _proof(old: int, new: int, old_root: Digest, new_root: Digest, path: list[Digest]) -> Any:  # noqa: ANN401  # JSON
    sizes = {"old": str(old), "new": str(new)}
    roots = {"old_root": old_root.hex(), "new_root": new_root.hex()}
    return sizes | roots | {"path": [digest.hex() for digest in path]}


def consistency_code(case: dict[str, Any]) -> str:
    """What ``chain`` says of a consistency proof."""
    old_root, new_root = digest_from_hex(case["old_root"]), digest_from_hex(case["new_root"])
    path = [digest_from_hex(text) for text in case["path"]]
    try:
        verify_consistency(int(case["old"]), old_root, int(case["new"]), new_root, path)
    except Problem as problem:
        return problem.code
    return "ok"


@cache
def _logs() -> dict[str, dict[str, str]]:
    """The files of logs that may be asked, by their names."""
    whole = files(LOG)
    first, rest = whole["tile/0/000"], "tile/0/001.p/44"
    damaged = base64.b64encode(bytes(8192)).decode()
    longer = {
        "tile/0/001": base64.b64encode(base64.b64decode(whole[rest]).ljust(8192, b"x")).decode()
    }
    return {
        "whole": whole,
        "half": files(History(LOG.leaves[: SIZE // 2])),
        "gone": {},
        "without a tile": {name: data for name, data in whole.items() if name != "tile/0/000"},
        "with a damaged tile": whole | {"tile/0/000": damaged},
        "with a long tile": whole | {rest: _longer(whole[rest])},
        "with a short tile": whole | {"tile/0/000": first[:4000]},
        "with a tile that has grown full": {
            name: one for name, one in whole.items() if name != rest
        }
        | longer,
    }


def _longer(data: str) -> str:
    return base64.b64encode(base64.b64decode(data) + bytes(32)).decode()


def files(log: History) -> dict[str, str]:
    """What a log publishes, but for its entries: base64 by path."""
    size = len(log.leaves)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        TileFolder(folder).write_range(0, size, log.leaves, entries(size))
        (folder / "checkpoint").write_bytes(log.note(size))
        return {
            path.relative_to(folder).as_posix(): base64.b64encode(path.read_bytes()).decode()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and "entries" not in path.parts
        }


def _memory() -> Iterator[dict[str, Any]]:
    for name, case in _cases():
        yield {"name": name, **case, "expected": memory_outcome(case, _logs())}


def _cases() -> Iterator[tuple[str, dict[str, Any]]]:
    yield "nothing before", memory_case([], LOG.note(5))
    yield "the same", memory_case([LOG.note(5)], LOG.note(5))
    yield "a smaller one", memory_case([LOG.note(5)], LOG.note(3))
    yield "a larger one", memory_case([LOG.note(5)], LOG.note(9))
    yield "between two", memory_case([LOG.note(5), LOG.note(9)], LOG.note(7))
    yield "another root", memory_case([LOG.note(120)], FORK.note(120))
    yield (
        "another root, not of the newest",
        memory_case([LOG.note(120), LOG.note(200)], FORK.note(120)),
    )
    yield "another root, the other way round", memory_case([FORK.note(120)], LOG.note(120))
    both = [SIGNER.verifier.text(), NEW.verifier.text()]
    later = History(LOG.leaves, NEW)
    yield "by another key", memory_case([LOG.note(5)], later.note(5), [NEW.verifier.text()])
    yield "a fork by another key", memory_case([LOG.note(120)], later.fork(AT).note(120), both)
    yield "the same by another key", memory_case([LOG.note(5)], later.note(5), both)
    for log in _logs():
        yield f"asked, {log}", memory_case([LOG.note(5), LOG.note(290)], LOG.note(256), log=log)
    yield "asked for the empty log", memory_case([LOG.note(0)], LOG.note(5), log="whole")
    yield "the empty log again", memory_case([LOG.note(0)], FORK.note(0))
    for sizes in [(120, 150), (300, 5), (1, 150), (5, 256)]:
        seen, fresh = sizes
        yield (
            f"the log forked before {seen}",
            memory_case([FORK.note(seen)], LOG.note(fresh), log="whole"),
        )
        yield (
            f"the log forked before {fresh}",
            memory_case([LOG.note(seen)], FORK.note(fresh), log="whole"),
        )


def memory_case(
    seen: list[bytes], note: bytes, keys: list[str] | None = None, log: str | None = None
) -> dict[str, Any]:
    """Notes that were seen, and the one to hold against them; ``log`` names the one to ask."""
    return {
        "keys": keys or [SIGNER.verifier.text()],
        "seen": [one.decode() for one in seen],
        "note": note.decode(),
        "log": log,
    }


def memory_outcome(case: dict[str, Any], logs: dict[str, dict[str, str]]) -> dict[str, Any]:
    """What ``chain`` makes of a case: what it says, and the notes that it keeps."""
    keys = LogKeys.of(*map(VerifierKey.parse, case["keys"]))
    note = case["note"].encode()
    with tempfile.TemporaryDirectory() as name:
        kept = Memory(Path(name, "memory", "memory.json"))
        for one in map(str.encode, case["seen"]):
            kept.keep((open_checkpoint(one, SIGNER.verifier), one))
        ask = (
            None
            if case["log"] is None
            else partial(ask_log, _laid_out(logs[case["log"]], Path(name)), keys)
        )
        try:
            found = hold_against(kept, (open_checkpoint(note, keys), note), keys, ask)
        except ForkedError as forked:
            evidence = forked.evidence or fork_evidence(*forked.notes, None, keys)
            return {"code": forked.code, "evidence": evidence.decode()}
        return {
            "code": "ok",
            "largest": found.largest,
            "others": found.others,
            "compared": found.compared,
            "why": found.why.partition(":")[0],
            "notes": kept._notes(),  # whole, of all logs
        }


def _laid_out(log: dict[str, str], folder: Path) -> str:
    """The files of a log, in a folder."""
    for path, data in log.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(base64.b64decode(data))
    return str(folder)
