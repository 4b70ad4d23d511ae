"""The instance's secret keys on disk, plain or encrypted, and the passphrase that opens them.

The passphrase comes from the environment, FAPIAO_PASSPHRASE, or from the file that
FAPIAO_PASSPHRASE_FILE names. It is read when a key is, kept nowhere, and stands in no message.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from chain.durable import write_file
from chain.errors import (
    MalformedError,
    Problem,
    RefusedError,
    UnavailableError,
    VerificationError,
)
from chain.signing.es256 import SecretKey, parse_secret
from chain.signing.keyfile import DEFAULT_COST, MAX_KEY_FILE, Cost, is_encrypted, open_key, seal_key
from chain.signing.note import SignerKey

PASSPHRASE: Final = "FAPIAO_PASSPHRASE"  # noqa: S105  # the variable's name
NEW_PASSPHRASE: Final = "FAPIAO_NEW_PASSPHRASE"  # noqa: S105  # the variable's name
MAX_PASSPHRASE: Final = 4096
"""In bytes; a whole file by mistake is none."""

SECRET: Final = 0o600


def find_passphrase(environ: Mapping[str, str], name: str = PASSPHRASE) -> bytes | None:
    """The passphrase in ``name``, or in the file that ``name``_FILE names; None without either.

    Raises MalformedError: ``passphrase_twice``, ``passphrase_empty``, ``passphrase_too_long``;
    RefusedError ``passphrase_exposed`` for a file that others can read; UnavailableError
    ``passphrase_unreadable``.
    """
    text, file = environ.get(name), environ.get(f"{name}_FILE")
    if text is not None and file is not None:
        raise MalformedError("passphrase_twice", f"{name} and {name}_FILE are both set")
    if text is None and file is None:
        return None
    found = os.fsencode(text) if text is not None else _read_passphrase(Path(str(file)))
    if not found:
        raise MalformedError("passphrase_empty", f"the passphrase of {name} is empty")
    if len(found) > MAX_PASSPHRASE:
        raise MalformedError(
            "passphrase_too_long", f"a passphrase has at most {MAX_PASSPHRASE} bytes"
        )
    return found


def read_signer(path: Path, environ: Mapping[str, str]) -> SignerKey:
    """Read a secret key, plain or encrypted.

    Raises UnavailableError ``key_unreadable``, RefusedError ``passphrase_missing``, and those of
    ``find_passphrase``, ``keyfile.open_key`` and ``SignerKey.parse``.
    """
    signer = read_secret(path, environ)
    if not isinstance(signer, SignerKey):
        raise MalformedError("key_type", f"{path} holds a key of another kind")
    return signer


def read_secret(path: Path, environ: Mapping[str, str]) -> SecretKey:
    """Read a secret key of either kind; errors as ``read_signer``."""
    data = read_key(path)
    if not is_encrypted(data):
        return _plain(data)
    passphrase = find_passphrase(environ)
    if passphrase is None:
        raise RefusedError(
            "passphrase_missing", f"{path} is encrypted: set {PASSPHRASE} or {PASSPHRASE}_FILE"
        )
    return open_key(data, passphrase)


def write_signer(
    path: Path,
    signer: SecretKey,
    passphrase: bytes | None,
    randbytes: Callable[[int], bytes],
    cost: Cost = DEFAULT_COST,
) -> None:
    """Write a secret key durably, with mode 0600; encrypted where there is a passphrase.

    A crash leaves what was there before, or the new file. UnavailableError as ``write_file``.
    """
    if passphrase is None:
        data = f"{signer.text()}\n".encode()
    else:
        data = seal_key(signer, passphrase, randbytes, cost)
        if open_key(data, passphrase) != signer:  # before it replaces the only copy
            raise UnavailableError("write_failed", f"the key for {path} was encrypted wrongly")
    write_file(path, data, mode=SECRET)


def encrypt_keys(
    paths: Sequence[Path],
    new: bytes,
    old: bytes | None,
    randbytes: Callable[[int], bytes],
    cost: Cost = DEFAULT_COST,
) -> list[Path]:
    """Put all keys under the passphrase ``new``, and return the files that were written.

    ``old`` opens those that are encrypted already. All are read before any is written, so a wrong
    passphrase changes nothing. A crash leaves each file whole, under the old or the new
    passphrase; the same call again finishes, since a key that ``new`` opens is left alone.
    """
    signers = [(path, _open(path, new, old)) for path in paths]
    written = []
    for path, signer in signers:
        # A crash here: the keys before this one are under ``new``, the others as they were.
        if signer is not None:
            write_signer(path, signer, new, randbytes, cost)
            written.append(path)
        forget_asides(path)
    return written


def all_encrypted(paths: Sequence[Path]) -> bool:
    """Whether every one of these keys is encrypted; UnavailableError ``key_unreadable``."""
    return all(is_encrypted(read_key(path)) for path in paths)


def read_key(path: Path) -> bytes:
    """The bytes of a key's file; UnavailableError ``key_unreadable``."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_KEY_FILE + 1)
    except FileNotFoundError:
        raise UnavailableError(
            "key_unreadable",
            f"the key {path} is missing: put it back from the backup of keys/; nothing was changed",
        ) from None
    except OSError as error:
        raise UnavailableError(
            "key_unreadable", f"cannot read the key {path}: {os.strerror(error.errno or 0)}"
        ) from error


def _open(path: Path, new: bytes, old: bytes | None) -> SecretKey | None:
    """The key, or None if ``new`` opens it already."""
    data = read_key(path)
    if not is_encrypted(data):
        return _plain(data)
    try:
        open_key(data, new)
    except VerificationError as problem:
        if problem.code != "passphrase_wrong" or old is None:
            raise _named(problem, path) from None
    else:
        return None
    try:
        return open_key(data, old)
    except Problem as problem:
        raise _named(problem, path) from None


def _named(problem: Problem, path: Path) -> Problem:
    """The same problem, saying which file has it."""
    return type(problem)(problem.code, f"{path}: {problem.detail}")


def forget_asides(path: Path) -> None:
    """Remove what a killed writer left beside a key: it may be the plain key."""
    for aside in path.parent.glob(f".{path.name}.*.tmp"):
        with suppress(OSError):
            aside.unlink()


def _plain(data: bytes) -> SecretKey:
    try:
        return parse_secret(data.decode().rstrip("\n"))
    except UnicodeDecodeError:
        raise MalformedError("key_text", "this is not the text of a secret key") from None


def _read_passphrase(path: Path) -> bytes:
    """The file's content but for one line feed at its end."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise RefusedError("passphrase_exposed", f"others can read {path}: chmod 600 it")
            return file.read(MAX_PASSPHRASE + 2).removesuffix(b"\n")
    except OSError as error:
        raise UnavailableError(
            "passphrase_unreadable",
            f"cannot read the passphrase in {path}: {os.strerror(error.errno or 0)}",
        ) from error
