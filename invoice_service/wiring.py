"""The one place that picks concrete parts: makes an instance on disk, and opens it."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from Crypto.Random import get_random_bytes

from chain.cosigning import Cosigning
from chain.durable import make_folder, write_file
from chain.errors import ConflictError, MalformedError, UnavailableError
from chain.log import Log
from chain.note import SignerKey, VerifierKey, sign_note
from chain.policy import MAX_POLICY_BYTES, NO_WITNESSES, Policy, parse_policy
from chain.store.sqlite import SqliteLogStore
from chain.tiles import TileFolder
from chain.witness_client import Limits, Witnesses
from invoice_service.config import Config
from invoice_service.domain.numbering import Scheme
from invoice_service.issuer import DirectIssuer, IssuerClient
from invoice_service.keyring import (
    all_encrypted,
    find_passphrase,
    read_key,
    read_signer,
    write_signer,
)
from invoice_service.services.anchor import Anchoring
from invoice_service.services.ports import Issuer
from invoice_service.storage.sqlite import SqliteStore, create_store

Clock = Callable[[], datetime]

LOG_KEY = "log.key"
PROMISE_KEY = "promise.key"
LOG_VKEY = "log.vkey"
PROMISE_VKEY = "promise.vkey"
KEYS_NOTE = "keys.note"


def now() -> datetime:
    """Read the machine's clock, in UTC."""
    return datetime.now(UTC)


def secret_keys(config: Config) -> list[Path]:
    """Where the secret keys are."""
    return [config.keys_dir / LOG_KEY, config.keys_dir / PROMISE_KEY]


@dataclass(frozen=True)
class Instance:
    """An open instance: what the front doors, the commands and the workers are given."""

    config: Config
    store: SqliteStore
    log: Log
    log_store: SqliteLogStore
    issuer: Issuer
    log_key: VerifierKey
    promise_key: VerifierKey
    keys_note: bytes
    policy: Policy = NO_WITNESSES
    clock: Clock = now
    randbytes: Callable[[int], bytes] = get_random_bytes

    def log_signer(self) -> SignerKey:
        """Read the log's secret key; only who anchors calls this (docs/trust.md)."""
        return _read_signer(self.config, LOG_KEY)

    def promise_signer(self) -> SignerKey:
        """Read the promise key; only who answers issues calls this."""
        return _read_signer(self.config, PROMISE_KEY)

    def check_keys(self) -> None:
        """Read both secret keys and drop them, to say early what would fail later."""
        self.log_signer()
        self.promise_signer()

    def anchoring(self) -> Anchoring:
        """Everything that anchoring works with, the log's secret key included."""
        signers = (self.log_signer(),)  # opened once: that takes a fraction of a second
        return Anchoring(
            invoices=self.store,
            totals=self.store.totals,
            log=self.log,
            signers=lambda: signers,
            clock=self.clock,
            randbytes=self.randbytes,
            max_block=self.config.anchor.max_block,
            cosigners=self._cosigning() if self.policy.witnesses else None,
        )

    def _cosigning(self) -> Cosigning:
        settings = self.config.witness
        limits = Limits(exchange=settings.timeout, grace=settings.grace)
        witnesses = Witnesses(self.policy, limits)
        return Cosigning(self.log_store, self.log, self.log.publisher, self.policy, witnesses)

    def close(self) -> None:
        """Close the database connections of this process."""
        self.store.close()
        self.log_store.close()


def init_instance(
    config: Config,
    *,
    clock: Clock = now,
    randbytes: Callable[[int], bytes] = get_random_bytes,
) -> Instance:
    """Make folders, keys, databases and the checkpoint of the empty log.

    Raises ConflictError ``already_initialised`` where an instance is; an interrupted call can be
    repeated: the keys are written last but one, the databases before them.
    """
    if (config.keys_dir / KEYS_NOTE).exists():
        raise ConflictError("already_initialised", f"{config.data_dir} holds an instance already")
    _read_policy(config)  # before anything is made that would have to be unmade
    for folder in (config.keys_dir, config.log_dir, config.broker_dir, config.run_dir):
        make_folder(folder)
    config.keys_dir.chmod(0o700)
    create_store(config.invoices_db)
    log = _open_log(config, SqliteLogStore(config.log_db), NO_WITNESSES)
    signer = _make_keys(config, randbytes)
    log.publish(signer, signed_at=clock())
    return open_instance(config, clock=clock, randbytes=randbytes)


def open_instance(
    config: Config,
    *,
    clock: Clock = now,
    randbytes: Callable[[int], bytes] = get_random_bytes,
) -> Instance:
    """Open what ``init_instance`` made; UnavailableError ``not_initialised`` where nothing is."""
    keys_note = config.keys_dir / KEYS_NOTE
    if not keys_note.exists():
        raise UnavailableError(
            "not_initialised", f"{config.data_dir} holds no instance: run `fapiao init` first"
        )
    make_folder(config.run_dir)
    policy = _read_policy(config)
    store = SqliteStore(config.invoices_db, _scheme(config))
    log_store = SqliteLogStore(config.log_db)
    return Instance(
        config=config,
        store=store,
        log=_open_log(config, log_store, policy),
        log_store=log_store,
        issuer=IssuerClient(
            config.run_dir / "issuer.sock", DirectIssuer(store, lambda: int(clock().timestamp()))
        ),
        log_key=_read_verifier(config, LOG_VKEY),
        promise_key=_read_verifier(config, PROMISE_VKEY),
        keys_note=keys_note.read_bytes(),
        policy=policy,
        clock=clock,
        randbytes=randbytes,
    )


def _open_log(config: Config, store: SqliteLogStore, policy: Policy) -> Log:
    return Log(config.log_origin, store, TileFolder(config.log_dir), config.log_dir, policy)


def _read_policy(config: Config) -> Policy:
    """Read whose cosignatures the log needs; without a policy, nobody's.

    Raises UnavailableError ``policy_unreadable``; MalformedError ``policy``, and
    ``policy_of_another_log`` for one that names logs, but not ours.
    """
    if not config.witness.policy:
        return NO_WITNESSES
    try:
        with Path(config.witness.policy).open("rb") as file:
            policy = parse_policy(file.read(MAX_POLICY_BYTES + 1))
    except OSError as error:
        raise UnavailableError(
            "policy_unreadable", f"cannot read {config.witness.policy}: {error.strerror}"
        ) from error
    if policy.logs and config.log_origin not in {key.name for key in policy.logs}:
        raise MalformedError(
            "policy_of_another_log", f"{config.witness.policy} is not for {config.log_origin}"
        )
    return policy


def _scheme(config: Config) -> Scheme:
    numbering = config.numbering
    return Scheme(
        region=numbering.region,
        industry_kind=numbering.industry_kind,
        class_=numbering.class_,
        copy=numbering.copy,
        amount_limit=numbering.amount_limit,
        first_batch=numbering.first_batch,
        last_batch=numbering.last_batch,
        numbers_per_batch=numbering.numbers_per_batch,
        max_backwards=config.clock.max_backwards,
    )


def _make_keys(config: Config, randbytes: Callable[[int], bytes]) -> SignerKey:
    """Make both key pairs, and the log key's note over the two public keys."""
    origin = config.log_origin
    log_signer = _keep_signer(config, LOG_KEY, LOG_VKEY, origin, randbytes)
    promise_signer = _keep_signer(config, PROMISE_KEY, PROMISE_VKEY, f"{origin}/promise", randbytes)
    text = f"{origin}/keys\n{log_signer.verifier.text()}\n{promise_signer.verifier.text()}\n"
    write_file(config.keys_dir / KEYS_NOTE, sign_note(text, log_signer))
    return log_signer


def _keep_signer(
    config: Config, secret: str, public: str, name: str, randbytes: Callable[[int], bytes]
) -> SignerKey:
    """Read the key that an interrupted call left, or make one; encrypted with a passphrase."""
    path, passphrase = config.keys_dir / secret, find_passphrase(os.environ)
    there = path.exists()
    signer = _read_signer(config, secret) if there else SignerKey.generate(name, randbytes)
    if not there or (passphrase is not None and not all_encrypted([path])):
        write_signer(path, signer, passphrase, randbytes)
    write_file(config.keys_dir / public, f"{signer.verifier.text()}\n".encode())
    return signer


def _read_signer(config: Config, name: str) -> SignerKey:
    """Read a secret key; the passphrase of an encrypted one is in this process's environment."""
    return read_signer(config.keys_dir / name, os.environ)


def _read_verifier(config: Config, name: str) -> VerifierKey:
    return VerifierKey.parse(read_key(config.keys_dir / name).decode(errors="replace").rstrip("\n"))
