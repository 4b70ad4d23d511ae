"""The machine's own limits: what each step would reach if it did nothing else."""

import os
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from Crypto.Hash import SHA256
from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa

from bench.timing import Rate, per_second, repeat

PAGE = 4096
ROW_BYTES = 1200  # about what one stored invoice takes
ENTRY_BYTES = 103  # an invoice's log entry
BATCH = 1000


@dataclass(frozen=True, slots=True)
class Limits:
    """Times and rates of single steps, one process, nothing else running."""

    fdatasync: Rate
    sha256: float
    sign: float
    verify: float
    insert_commit: float
    insert_batch: float


def measure_limits(folder: Path, seconds: float) -> Limits:
    """Measure all of them, each for about ``seconds``, writing only below ``folder``."""
    return Limits(
        fdatasync=sync_rate(folder, seconds),
        sha256=hash_rate(seconds),
        sign=sign_rate(seconds),
        verify=verify_rate(seconds),
        insert_commit=commit_rate(folder, seconds),
        insert_batch=batch_rate(folder, seconds),
    )


def sync_rate(folder: Path, seconds: float) -> Rate:
    """Write one page in place and fdatasync it: what a durable answer costs at least."""
    page = secrets.token_bytes(PAGE)
    handle = os.open(folder / "raw", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.pwrite(handle, bytes(PAGE * 64), 0)
        os.fsync(handle)

        def once() -> None:
            os.pwrite(handle, page, 0)
            os.fdatasync(handle)

        return repeat(once, seconds)
    finally:
        os.close(handle)


def hash_rate(seconds: float) -> float:
    """SHA-256 digests a second over a log entry's length."""
    data = secrets.token_bytes(ENTRY_BYTES)
    digest = SHA256.digest

    def thousand() -> None:
        for _ in range(BATCH):
            digest(data)

    return repeat(thousand, seconds).per_second * BATCH


def sign_rate(seconds: float) -> float:
    """Ed25519 signatures a second over a promise's length."""
    signer = eddsa.new(ECC.generate(curve="ed25519"), "rfc8032")
    data = secrets.token_bytes(160)
    return repeat(lambda: signer.sign(data), seconds).per_second


def verify_rate(seconds: float) -> float:
    """Ed25519 signatures checked a second."""
    key = ECC.generate(curve="ed25519")
    data = secrets.token_bytes(160)
    signature = eddsa.new(key, "rfc8032").sign(data)
    verifier = eddsa.new(key.public_key(), "rfc8032")
    return repeat(lambda: verifier.verify(data, signature), seconds).per_second


def commit_rate(folder: Path, seconds: float) -> float:
    """Rows a second, a durable SQLite transaction each."""
    with _table(folder / "single.db") as database:
        rows = _rows()

        def once() -> None:
            database.execute("BEGIN IMMEDIATE")
            database.execute("INSERT INTO rows VALUES (?, ?, ?)", next(rows))
            database.execute("COMMIT")

        return repeat(once, seconds).per_second


def batch_rate(folder: Path, seconds: float) -> float:
    """Rows a second, a thousand in one durable SQLite transaction."""
    with _table(folder / "batch.db") as database:
        rows = _rows()

        def once() -> None:
            database.execute("BEGIN IMMEDIATE")
            database.executemany(
                "INSERT INTO rows VALUES (?, ?, ?)", [next(rows) for _ in range(BATCH)]
            )
            database.execute("COMMIT")

        return repeat(once, seconds).per_second * BATCH


@contextmanager
def _table(path: Path) -> Iterator[sqlite3.Connection]:
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    # As an invoice has it: one index in order of writing, one in the random order of hashes.
    database.execute("CREATE TABLE rows (n INTEGER PRIMARY KEY, hash BLOB UNIQUE, body BLOB)")
    try:
        yield database
    finally:
        database.close()


def _rows() -> Iterator[tuple[None, bytes, bytes]]:
    body = secrets.token_bytes(ROW_BYTES)
    while True:
        yield None, secrets.token_bytes(32), body


def append_rate(count: int, leaves: Sequence[bytes]) -> float:
    """Return raw digests a second for ``count`` leaves and the nodes over them, hashing alone."""
    digest = SHA256.digest

    def all_of_them() -> None:
        row = [digest(leaf) for leaf in leaves[:count]]
        while len(row) > 1:
            row = [digest(left + right) for left, right in zip(row[::2], row[1::2], strict=False)]

    return per_second(count, all_of_them)
