"""tlog-scales, by somebody else, reads our log; and we read the proofs that it makes."""

import pytest

from chain.entry import parse_entry
from chain.proof.tlogproof import parse_tlog_proof, verify_tlog_proof
from chain.tree.tiles import TileFolder
from tests.chain.served import serve
from tests.strangers.bent import few_bends, forked, telling
from tests.strangers.homes import home, refused, run, told
from tests.strangers.logs import EVEN, SIZES, Grown, Web

pytestmark = pytest.mark.slow
SCRIPT = "scales.py"


def reading(log: Grown, url: str, *old: Grown) -> dict[str, object]:
    """Read the log, those of its entries that lead through all its last files, older ones too."""
    notes = [one.note.read_text() for one in old]
    return {"url": url, "key": log.key.text(), "entries": telling(log.size), "old": notes}


@pytest.mark.parametrize("size", [*SIZES, EVEN])
def test_it_reads_entries_and_proves_them(size: int, logs: dict[int, Grown], served: Web) -> None:
    log = logs[size]
    # It proves no growth from the empty tree, from which every tree grows.
    old = [] if size == EVEN else [logs[earlier] for earlier in SIZES if 0 < earlier <= size]
    assert told(home("tlog-scales"), SCRIPT, reading(log, served.url(size), *old)) == {
        "origin": log.checkpoint.origin,
        "size": size,
        "root": log.checkpoint.root.hex(),
        "entries": len(telling(size)),
        "trees": len(old),
    }


@pytest.mark.parametrize("size", [257, 70_000])
def test_it_refuses_a_bent_log(size: int, logs: dict[int, Grown]) -> None:
    log = logs[size]
    with serve(log.folder) as static:
        for what, bent in few_bends(log):
            static.bent = dict(bent)
            error = refused(home("tlog-scales"), SCRIPT, reading(log, static.url))
            assert error, what
        static.bent = {}
        told(home("tlog-scales"), SCRIPT, reading(log, static.url))


def test_it_refuses_a_history_of_another(logs: dict[int, Grown], served: Web) -> None:
    larger = reading(logs[257], served.url(257), logs[70_000])
    refused(home("tlog-scales"), SCRIPT, larger)
    for size in (2, 255, 256):
        fork = larger | {"old": [forked(logs[257], size).decode()]}
        assert "ConsistencyProofInvalid" in refused(home("tlog-scales"), SCRIPT, fork)


@pytest.mark.parametrize("size", [2, 257, 70_000])
def test_our_verifier_takes_the_proof_that_its_command_makes(
    size: int, logs: dict[int, Grown], served: Web
) -> None:
    """``tlog-tiles gen-proof`` and ``get-leaf``, against ``chain.proof.tlogproof``."""
    program = home("tlog-scales") / "bin" / "tlog-tiles"
    log = logs[size]
    for index in {0, size // 2, size - 1}:
        proof = run(program, "gen-proof", served.url(size), index)
        assert proof.returncode == 0, proof.stderr
        leaf = run(program, "get-leaf", "--check", served.url(size), index)
        entry = leaf.stdout.encode()
        assert entry == next(TileFolder(log.folder).entries(index, size))
        logged = verify_tlog_proof(parse_tlog_proof(proof.stdout.encode()), entry, log.key)
        assert (logged.index, logged.checkpoint) == (index, log.checkpoint)
        assert parse_entry(entry)
