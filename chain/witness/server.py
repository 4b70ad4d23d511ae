"""``python -m chain witness init|add-key|serve|status``: a witness, alone in a process.

It needs this package, its folder and a port. ``chain.witness.judge`` says what it answers to whom,
and why; ``chain.witness.http`` how; ``chain.witness.database`` what it remembers.
"""

import argparse
import json
import os
import secrets
import signal
import sys
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from chain.durable import fsync_dir, make_folder, write_file
from chain.entry import format_time
from chain.errors import ConflictError, MalformedError, Problem, RefusedError, UnavailableError
from chain.signing.cosignature import Cosigner, SubtreeCosigner
from chain.signing.note import KEY_SIZE, SignerKey, VerifierKey
from chain.signing.policy import parse_policy
from chain.witness.database import WitnessStore, create_store
from chain.witness.http import WitnessServer
from chain.witness.judge import Clock, Inconsistent, Seen, Witness

KEY_FILE: Final = "witness.key"
PUBLIC_FILE: Final = "witness.vkey"
ML_DSA_KEY_FILE: Final = "witness-mldsa.key"
ML_DSA_PUBLIC_FILE: Final = "witness-mldsa.vkey"
LOGS_FILE: Final = "logs.policy"
SECRET: Final = 0o600

_WHAT: Final = (
    "An independent witness: it cosigns a log's checkpoints while the log only grows."
    " It needs a folder and a port."
)

OK, CANNOT = 0, 2
"""Exit statuses."""


def init(folder: Path, name: str, logs: Sequence[str]) -> VerifierKey:
    """Make a new witness's folder, whole or not at all, and return its Ed25519 key.

    ``logs`` are the keys of the logs that it is to know. Raises MalformedError for a name or
    a key that cannot be; ConflictError ``witness_exists``.
    """
    keys = [VerifierKey.parse(text) for text in logs]
    listed = "".join(f"log {key.text()}\n" for key in keys) + "quorum none\n"
    parse_policy(listed.encode())
    signer = SignerKey.generate(name, secrets.token_bytes)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConflictError("witness_exists", f"{folder} is there already, and not empty")
    verifier = Cosigner(signer).verifier
    # A crash before the rename leaves only the folder aside, in which nothing has been signed.
    aside = folder.parent / f".{folder.name}.{secrets.token_hex(4)}.tmp"
    make_folder(aside)
    create_store(aside, verifier)
    write_file(aside / KEY_FILE, f"{signer.text()}\n".encode(), mode=SECRET)
    write_file(aside / PUBLIC_FILE, f"{verifier.text()}\n".encode())
    write_file(aside / LOGS_FILE, listed.encode())
    _make_ml_dsa_key(aside, name)
    aside.rename(folder)
    fsync_dir(folder.parent)
    return verifier


def add_key(folder: Path) -> VerifierKey:
    """Give a witness that has only an Ed25519 key an ML-DSA-44 key, too, and return that.

    Raises ConflictError ``key_exists``; errors as ``read_key``.
    """
    name = read_key(folder / KEY_FILE).name
    if (folder / ML_DSA_KEY_FILE).exists():
        raise ConflictError("key_exists", f"there is an ML-DSA-44 key in {folder} already")
    return _make_ml_dsa_key(folder, name)


def _make_ml_dsa_key(folder: Path, name: str) -> VerifierKey:
    key = SubtreeCosigner(name, secrets.token_bytes(KEY_SIZE))
    # A crash before the next line leaves a public key without its secret: both are made anew.
    write_file(folder / ML_DSA_PUBLIC_FILE, f"{key.verifier.text()}\n".encode())
    write_file(folder / ML_DSA_KEY_FILE, f"{key.text()}\n".encode(), mode=SECRET)
    return key.verifier


def read_key(path: Path) -> SignerKey:
    """Read a secret key that nobody else may read; RefusedError ``key_exposed`` if others may."""
    return SignerKey.parse(_read_secret(path))


def read_ml_dsa_keys(folder: Path) -> list[SubtreeCosigner]:
    """Read the ML-DSA-44 key beside the other one, if there is any; errors as ``read_key``."""
    path = folder / ML_DSA_KEY_FILE
    if not path.exists():
        return []
    return [SubtreeCosigner.parse(_read_secret(path), secrets.token_bytes)]


def _read_secret(path: Path) -> str:
    try:
        if path.stat().st_mode & 0o077:
            raise RefusedError("key_exposed", f"others can read {path}: chmod 600 it")
        return path.read_text("utf-8").removesuffix("\n")
    except UnicodeDecodeError:
        raise MalformedError("key_text", f"{path} is not the text of a key") from None
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise UnavailableError("key_unreadable", f"cannot read {path}: {reason}") from error


def read_logs(path: Path) -> tuple[VerifierKey, ...]:
    """Read which logs to know from a policy file; of that, its ``log`` lines count."""
    try:
        return parse_policy(path.read_bytes()).logs
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise UnavailableError("logs_unreadable", f"cannot read {path}: {reason}") from error


def serve(folder: Path, address: tuple[str, int], clock: Clock) -> None:
    """Be the witness of ``folder`` until SIGTERM or SIGINT; call it in the main thread."""
    cosigner = Cosigner(read_key(folder / KEY_FILE))
    others = read_ml_dsa_keys(folder)
    logs = read_logs(folder / LOGS_FILE)
    store = WitnessStore(folder)
    try:
        for lost in store.claim(cosigner.verifier):
            _say(f"{lost.checkpoint.origin}: the database was behind; back at {_where(lost)}")
        witness = Witness(cosigner, logs, store, clock, *others)
        with WitnessServer(address, witness, clock) as server:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
            _say(f"witness {cosigner.verifier.text()}, logs known: {len(logs)}, at {server.url}")
            for other in others:
                _say(f"and {other.verifier.text()}")
            server.serve_forever()
    finally:
        store.close()


def status(folder: Path) -> tuple[list[Seen], list[Inconsistent]]:
    """What the witness of ``folder`` has seen, and what did not fit; it may be running."""
    store = WitnessStore(folder)
    try:
        return store.seen(), store.inconsistent()
    finally:
        store.close()


def main(arguments: Sequence[str] | None = None, prog: str = "python -m chain witness") -> int:
    """Run the command line; the exit status is 0, or 2 when it could not be done."""
    options = _parser(prog).parse_args(arguments)
    try:
        options.run(options)
    except (Problem, OSError) as problem:
        sys.stderr.write(f"{problem}\n")
        return CANNOT
    return OK


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=prog, description=_WHAT)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    make = commands.add_parser("init", help="make a key and an empty memory in a new folder")
    make.add_argument("--name", required=True, help="the witness's name: a host, perhaps a path")
    make.add_argument("--log", action="append", default=[], metavar="KEY", help="a log to know")
    make.set_defaults(run=_init)
    add = commands.add_parser("add-key", help="add an ML-DSA-44 key to a witness without one")
    add.set_defaults(run=_add_key)
    run = commands.add_parser("serve", help="answer POST /add-checkpoint")
    run.add_argument("--host", default="127.0.0.1", help="where to listen (127.0.0.1)")
    run.add_argument("--port", type=int, default=8600, help="0 takes a free one (8600)")
    run.set_defaults(run=_serve)
    show = commands.add_parser("status", help="tell what it has seen, and what did not fit")
    show.add_argument("--json", action="store_true", help="print for programs")
    show.set_defaults(run=_status)
    for command in (make, add, run, show):
        command.add_argument("folder", type=Path, metavar="FOLDER", help="the witness's folder")
    return parser


def _init(options: argparse.Namespace) -> None:
    key = init(options.folder, options.name, options.log)
    (other,) = read_ml_dsa_keys(options.folder)
    _say(f"{key.text()}\n{_for_policies(key, other.verifier)}")


def _add_key(options: argparse.Namespace) -> None:
    other = add_key(options.folder)
    key = Cosigner(read_key(options.folder / KEY_FILE)).verifier
    _say(f"{_for_policies(key, other)}\nIt signs from the next start on.")


def _for_policies(key: VerifierKey, other: VerifierKey) -> str:
    """The lines for a log's policy: one witness, which has cosigned if either key has."""
    name, url = key.name, "http://HOST:PORT"
    return (
        "For a log's policy:\n"
        f"witness {name}#ed25519 {key.text()} {url}\n"
        f"witness {name}#mldsa {other.text()} {url}\n"
        f"group {name} any {name}#ed25519 {name}#mldsa"
    )


def _serve(options: argparse.Namespace) -> None:
    serve(options.folder, (options.host, options.port), lambda: int(time.time()))


def _status(options: argparse.Namespace) -> None:
    seen, inconsistent = status(options.folder)
    if options.json:
        _say(
            json.dumps(
                {"seen": [_seen(s) for s in seen], "inconsistent": [_odd(i) for i in inconsistent]}
            )
        )
        return
    for one in seen:
        _say(f"{one.checkpoint.origin}: {_where(one)}")
    for odd in inconsistent:
        _say(f"\nDID NOT FIT ({odd.code}):\n{odd.note.to_bytes().decode()}")


def _seen(seen: Seen) -> dict[str, str | int]:
    checkpoint = seen.checkpoint
    return {
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "time": _utc(seen.time),
        "note": seen.note.to_bytes().decode(),
    }


def _odd(inconsistent: Inconsistent) -> dict[str, str | int]:
    checkpoint = inconsistent.checkpoint
    return {
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "code": inconsistent.code,
        "note": inconsistent.note.to_bytes().decode(),
    }


def _where(seen: Seen) -> str:
    return f"size {seen.checkpoint.size}, cosigned {_utc(seen.time)}"


def _utc(moment: int) -> str:
    return format_time(datetime.fromtimestamp(moment, UTC))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
