"""The key pairs that an instance begins with, and how its processes read the secret ones."""

import os
from collections.abc import Callable
from pathlib import Path

from chain.durable import write_file
from chain.errors import UnavailableError
from chain.signing.es256 import SecretKey
from chain.signing.keys import LogKey, LogKeys
from chain.signing.note import SignerKey
from chain.signing.statement import PROMISE, KeyStatement
from invoice_service.config import Config
from invoice_service.keys.folder import (
    LOG_KEY,
    LOG_VKEY,
    PROMISE_KEY,
    PROMISE_VKEY,
    KeyFolder,
)
from invoice_service.keys.secrets import (
    all_encrypted,
    find_passphrase,
    read_secret,
    read_signer,
    write_signer,
)


def key_folder(config: Config) -> KeyFolder:
    """The instance's keys, public and secret."""
    return KeyFolder(config.keys_dir, read_own_signer)


def make_keys(config: Config, randbytes: Callable[[int], bytes]) -> SignerKey:
    """Make both key pairs, and the log's first statement of its keys."""
    origin = config.log_origin
    log_signer = _keep_signer(config, LOG_KEY, LOG_VKEY, origin, randbytes)
    promise_signer = _keep_signer(config, PROMISE_KEY, PROMISE_VKEY, origin + PROMISE, randbytes)
    keys = LogKeys(origin, (LogKey(log_signer.verifier),), (promise_signer.verifier,))
    key_folder(config).add(KeyStatement(1, keys).sign(log_signer))
    return log_signer


def _keep_signer(
    config: Config, secret: str, public: str, name: str, randbytes: Callable[[int], bytes]
) -> SignerKey:
    """Read the key that an interrupted call left, or make one; encrypted with a passphrase."""
    path, passphrase = config.keys_dir / secret, find_passphrase(os.environ)
    there = path.exists()
    signer = read_own_signer(path) if there else SignerKey.generate(name, randbytes)
    if not there or (passphrase is not None and not all_encrypted([path])):
        write_signer(path, signer, passphrase, randbytes)
    write_file(config.keys_dir / public, f"{signer.verifier.text()}\n".encode())
    return signer


def write_as_kept(
    keys: KeyFolder, path: Path, signer: SecretKey, *, randbytes: Callable[[int], bytes]
) -> None:
    """Keep a new key as the log's is kept: who can open that one can open this one, too."""
    encrypted = all_encrypted(keys.secret_paths()[:1])
    passphrase = find_passphrase(os.environ) if encrypted else None
    write_signer(path, signer, passphrase, randbytes)


def read_promise_signer(config: Config, keys: KeyFolder) -> SignerKey:
    """Read the key that promises; UnavailableError ``instance_mixed`` for another instance's."""
    signer = read_own_signer(config.keys_dir / PROMISE_KEY)
    if signer.verifier != keys.keys().promise[-1]:
        raise UnavailableError(
            "instance_mixed", f"keys/{PROMISE_KEY} is not the key of this instance's promises"
        )
    return signer


def read_own_secret(path: Path) -> SecretKey:
    """Read a secret key of either kind, likewise."""
    return read_secret(path, os.environ)


def read_own_signer(path: Path) -> SignerKey:
    """Read a secret key; the passphrase of an encrypted one is in this process's environment."""
    return read_signer(path, os.environ)
