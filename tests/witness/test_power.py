"""Cut the power at every system call of a witness: what it has answered, it remembers."""

import socket
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from chain.errors import Problem, VerificationError
from chain.signing.cosignature import Cosigner, open_cosignatures
from chain.witness.database import WitnessStore
from chain.witness.judge import Witness
from chain.witness.server import KEY_FILE, init, read_key
from tests.patience import wait_until
from tests.power.disk import Disk
from tests.power.harness import Cut, check_cuts, everywhere, power_cuts
from tests.power.tracing import load, trace_run, traced_process
from tests.witness.programs.cosigner import LOG
from tests.witness.running import SERVER, WitnessProcess

PROGRAM = [sys.executable, "-m", "tests.witness.programs.cosigner"]
SIZES = (3, 3, 5, 20, 33)


def _made(tmp_path: Path) -> Path:
    """A new witness's folder, inside one that is watched."""
    data = tmp_path / "data"
    data.mkdir()
    init(data / "witness", "witness.example/w1", [key.text() for key in LOG.keys])
    return data


def _told(sent: bytes, cosigner: Cosigner) -> int:
    """Which of ``SIZES`` was cosigned in what left through a socket, or 0."""
    line = sent[max(sent.find("\u2014".encode()), 0) :]
    for size in SIZES:
        with suppress(Problem):
            open_cosignatures(LOG.checkpoint(size).to_text(), line, [cosigner.verifier])
            return size
    return 0


def check_witness(folder: Path, cut: Cut) -> None:
    """It starts, knows at least what it has answered, and cosigns nothing else of that size."""
    (folder / "witness" / KEY_FILE).chmod(0o600)  # of modes the model of the disk knows nothing
    cosigner = Cosigner(read_key(folder / "witness" / KEY_FILE))
    told = max((_told(sent, cosigner) for sent in cut.sent), default=0)
    with closing(WitnessStore(folder / "witness")) as store:
        store.claim(cosigner.verifier)
        seen = store.seen()
        known = seen[0].checkpoint if seen else LOG.checkpoint(0)
        assert known.size >= told, f"size {told} was cosigned, {known.size} is known"
        assert known == LOG.checkpoint(known.size), "another history is known"
        witness = Witness(cosigner, LOG.keys, store, lambda: 1_800_000_000)
        if known.size:
            with pytest.raises(VerificationError):
                witness.add_checkpoint(LOG.fork(known.size - 1).request(known.size, 40))
        witness.add_checkpoint(LOG.request(known.size, 40))


@pytest.mark.slow
def test_no_power_cut_makes_a_witness_forget_what_it_cosigned(tmp_path: Path) -> None:
    data = _made(tmp_path)
    disk = Disk.holding(data)
    command = [*PROGRAM, str(data / "witness"), *map(str, SIZES)]
    calls = trace_run(tmp_path / "trace", command, {})
    cuts = power_cuts(calls, disk, where=everywhere, seed=2, torn=2)
    assert check_cuts(cuts, tmp_path / "states", check_witness) > 30


def _cuts(tmp_path: Path, **careless: str) -> Iterator[Cut]:
    """The cuts under a witness that is careless about something."""
    data = _made(tmp_path)
    disk = Disk.holding(data)
    command = [*PROGRAM, str(data / "witness"), "3", "5"]
    calls = trace_run(tmp_path / "trace", command, careless)
    return power_cuts(calls, disk, where=everywhere, seed=3, torn=0)


@pytest.mark.parametrize("forgotten", ["folder-syncs", "database-syncs"])
def test_one_copy_makes_up_for_the_other(tmp_path: Path, forgotten: str) -> None:
    """A disk that is careless with one of the two does not make a witness forget."""
    check_cuts(_cuts(tmp_path, FORGET=forgotten), tmp_path / "states", check_witness)


def test_half_a_note_stops_a_witness(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="witness_damaged"):
        check_cuts(_cuts(tmp_path, FORGET="file-syncs"), tmp_path / "states", check_witness)


def test_without_the_second_copy_a_forgotten_sync_is_found(tmp_path: Path) -> None:
    """The same checks fail when what is answered is not durable anywhere."""
    cuts = _cuts(tmp_path, FORGET="database-syncs", NOTES="none")
    with pytest.raises(AssertionError, match="was cosigned, 0 is known"):
        check_cuts(cuts, tmp_path / "states", check_witness)


def _wait_for(port: int) -> None:
    def listens() -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return True
        return False

    wait_until(listens, "it listens")


@pytest.mark.slow
def test_no_power_cut_under_the_real_server_either(tmp_path: Path) -> None:
    data = _made(tmp_path)
    disk = Disk.holding(data)
    witness = WitnessProcess(data / "witness")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, *SERVER, "serve", str(witness.folder), "--port", str(port)]
    with traced_process(tmp_path / "trace", command, {}):
        _wait_for(port)
        witness.url = f"http://127.0.0.1:{port}"
        for old, new in zip((0, *SIZES), SIZES, strict=False):
            witness.cosignature(LOG.request(old, new))
            assert witness.post(LOG.fork(new - 1).request(old, new)).status in (409, 422)
    calls = load(tmp_path / "trace")
    cuts = power_cuts(calls, disk, where=everywhere, seed=2, torn=1)
    told: list[int] = []
    cosigner = Cosigner(read_key(witness.folder / KEY_FILE))

    def check(folder: Path, cut: Cut) -> None:
        told.extend(_told(sent, cosigner) for sent in cut.sent)
        check_witness(folder, cut)

    assert check_cuts(cuts, tmp_path / "states", check) > 30
    assert set(told) >= set(SIZES), "the trace shows no answers"
