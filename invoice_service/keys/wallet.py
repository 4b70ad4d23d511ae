"""The key that signs for wallets: made when an operator wants it, and changed the same way.

It is there once a key statement names it. The newest that a statement names signs; those before it
stay good for what they signed, unless they were stolen. Killed anywhere, the same call goes on.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from chain.durable import fsync_dir
from chain.errors import NotFoundError, UnavailableError
from chain.signing.es256 import SecretKey, WalletSigner
from chain.signing.keys import LogKeys
from chain.signing.statement import WALLET, KeyStatement
from invoice_service.keys.begin import read_own_secret, write_as_kept
from invoice_service.keys.folder import PROMISE_KEY, KeyFolder

WALLET_KEY: Final = "wallet.key"
NEXT_WALLET_KEY: Final = "wallet.next.key"


def wallet_paths(folder: Path) -> list[Path]:
    """The files with secret keys for wallets that are in ``keys/``."""
    return [path for name in (NEXT_WALLET_KEY, WALLET_KEY) if (path := folder / name).exists()]


def other_paths(folder: Path) -> list[Path]:
    """The files with secret keys in ``keys/`` that are not the log's own."""
    return [folder / PROMISE_KEY, *wallet_paths(folder)]


def wallet_keys(
    keys: KeyFolder, store: "StatementStore", randbytes: Callable[[int], bytes]
) -> "WalletKeys":
    """Those of this machine's instance; no web process reads their secret (docs/trust.md)."""
    write = partial(write_as_kept, keys, randbytes=randbytes)
    return WalletKeys(keys, store, read_own_secret, write, randbytes)


class StatementStore(Protocol):
    """What making statements needs of the log's database."""

    def bind_statement(self, number: int, digest: str) -> None:
        """Remember that this statement was made."""
        ...


@dataclass(frozen=True, slots=True)
class WalletKeys:
    """The wallet's keys of an instance; ``read`` opens a secret, ``write`` keeps a new one."""

    keys: KeyFolder
    store: StatementStore
    read: Callable[[Path], SecretKey]
    write: Callable[[Path, WalletSigner], None]
    randbytes: Callable[[int], bytes]

    def signer(self) -> WalletSigner:
        """Read the secret that signs now.

        NotFoundError ``wallet_off`` where no statement names one; UnavailableError
        ``wallet_key_missing`` where the secret of the one that it names is not here.
        """
        named = self.keys.keys().wallet
        if not named:
            raise NotFoundError("wallet_off", "nothing is issued to wallets here")
        for path in self.paths():
            found = self.read(path)
            if isinstance(found, WalletSigner) and found.verifier == named[-1]:
                return found
        raise UnavailableError(
            "wallet_key_missing",
            f"{self._path(WALLET_KEY)} is not the key that the log's statement names: put it back"
            " from the backup of keys/, or make a new one: fapiao keys rotate-wallet",
        )

    def paths(self) -> list[Path]:
        """The files with secret keys that are there."""
        return wallet_paths(self.keys.folder)

    def rotate(self) -> KeyStatement:
        """Have a new key sign from now on; the ones before stay good for what they signed."""
        with self.keys.changing():
            said = self.keys.newest()
            new = self._next(said.keys)
            wallet = (*said.keys.wallet, new.verifier)
            return self._state(said, replace(said.keys, wallet=wallet))

    def revoke(self, key_id: str) -> KeyStatement:
        """Have the key with this id (8 hex digits) count for nothing; a new one if it signed.

        NotFoundError ``no_wallet_key``. One that is revoked already stays so.
        """
        with self.keys.changing():
            said = self.keys.newest()
            keys = said.keys
            if any(key.key_id.hex() == key_id for key in keys.wallet_revoked):
                return said
            stolen = next((key for key in keys.wallet if key.key_id.hex() == key_id), None)
            if stolen is None:
                raise NotFoundError("no_wallet_key", f"there is no wallet's key {key_id}")
            rest = tuple(key for key in keys.wallet if key != stolen)
            if stolen == keys.wallet[-1]:
                rest = (*rest, self._next(keys).verifier)
            revoked = (*keys.wallet_revoked, stolen)
            return self._state(said, replace(keys, wallet=rest, wallet_revoked=revoked))

    def _next(self, keys: LogKeys) -> WalletSigner:
        """The key that an interrupted call has left, or a new one."""
        path = self._path(NEXT_WALLET_KEY)
        if path.exists():
            found = self.read(path)
            known = {*keys.wallet, *keys.wallet_revoked}
            if isinstance(found, WalletSigner) and found.verifier not in known:
                return found
        # A crash after this leaves a key that nobody has heard of: it is used by the next call.
        signer = WalletSigner.generate(keys.origin + WALLET, self.randbytes)
        self.write(path, signer)
        return signer

    def _state(self, said: KeyStatement, keys: LogKeys) -> KeyStatement:
        """Add the statement after ``said``, signed by every key of the log that signs now."""
        signers = self.keys.signers()
        if len(signers) < len(keys.signing):
            raise UnavailableError(
                "log_key_missing", "a secret key of the log that signs now is not here"
            )
        new = KeyStatement(said.number + 1, keys)
        # A crash before this leaves the statement before; after it, ``signer`` finds the secret
        # in either file, and whoever opens the instance next remembers the statement.
        self.keys.add(new.sign(*signers))
        self.store.bind_statement(new.number, self.keys.digest(new.number))
        if (path := self._path(NEXT_WALLET_KEY)).exists():
            path.rename(self._path(WALLET_KEY))
            fsync_dir(self.keys.folder)
        return new

    def _path(self, name: str) -> Path:
        return self.keys.folder / name
