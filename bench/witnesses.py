"""From a signed checkpoint to a published one: three witness processes, of which two must sign."""

import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from Crypto.Random import get_random_bytes

from chain.entry import anchor_entry
from chain.hashing import sha256
from chain.log.database import SqliteLogStore
from chain.log.log import Log
from chain.signing.note import SignerKey, VerifierKey
from chain.signing.policy import Policy
from chain.tree.tiles import TileFolder
from chain.witness.client import Limits, Witnesses
from chain.witness.cosigning import Cosigning
from chain.witness.server import init

NAME = "bench.example/log"
ROUNDS = 20
ENTRIES = 100
GRACE = 0.2
PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Cosigned:
    """Seconds until publication, median: with three witnesses, and with one of them silent."""

    all_three: float
    one_silent: float
    rounds: int


def cosigned(folder: Path) -> Cosigned:
    """Publish block after block under a policy, over loopback."""
    signer = SignerKey.generate(NAME, get_random_bytes)
    with (
        _witness(folder / "w0", signer) as one,
        _witness(folder / "w1", signer) as two,
        _witness(folder / "w2", signer) as three,
    ):
        urls = dict(found for found, _ in (one, two, three))
        policy = Policy(tuple(urls), 2, urls=urls)
        store = SqliteLogStore(folder / "log.db")
        tiles = folder / "log"
        tiles.mkdir()
        log = Log(NAME, store, TileFolder(tiles), tiles, policy)
        witnesses = Witnesses(policy, Limits(exchange=5.0, grace=GRACE))
        asking = Cosigning(store, log, log.publisher, policy, witnesses)
        log.publish(signer)  # the empty log needs nobody
        try:
            times = [_round(log, asking, signer) for _ in range(ROUNDS)]
            three[1].send_signal(signal.SIGSTOP)
            silent = [_round(log, asking, signer) for _ in range(ROUNDS)]
        finally:
            three[1].send_signal(signal.SIGCONT)
            asking.close()
            store.close()
    return Cosigned(statistics.median(times), statistics.median(silent), ROUNDS)


def _round(log: Log, asking: Cosigning, signer: SignerKey) -> float:
    """Seal, sign, and return how long it took from then until everybody could see it."""
    head = log.head()
    drafts = [
        anchor_entry("invoice", sha256(b"%d" % index))
        for index in range(head.size, head.size + ENTRIES)
    ]
    log.sequence(head, drafts, sealed_at=datetime.now(UTC), cursor=head.cursor)
    log.publish(signer)
    size, start = log.head().size, time.perf_counter()
    asked = threading.Thread(target=asking.run)
    asked.start()
    while log.latest_checkpoint()[0].size != size:
        if time.perf_counter() - start > PATIENCE:
            raise RuntimeError("the witnesses did not let it be published")
        time.sleep(0.0005)
    taken = time.perf_counter() - start
    asked.join()  # it waits on for the silent one
    return taken


@contextmanager
def _witness(
    folder: Path, log: SignerKey
) -> Iterator[tuple[tuple[VerifierKey, str], "subprocess.Popen[str]"]]:
    """A witness's process; its key and its address."""
    key = init(folder, f"witness.example/{folder.name}", [log.verifier.text()])
    process = subprocess.Popen(
        [sys.executable, "-m", "chain", "witness", "serve", str(folder), "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield (key, _address(process.stdout)), process
    finally:
        process.terminate()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _address(output: IO[str] | None) -> str:
    """The address that the witness says it listens at."""
    for line in output or ():
        if " at http" in line:
            return line.split()[-1]
    raise RuntimeError("the witness did not start")
