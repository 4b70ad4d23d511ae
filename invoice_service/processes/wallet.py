"""Signing for wallets, beside the issuing process: web processes ask, and never see the key.

Who asks names an invoice by its digest, the groups that its holder may see, and the holder's key;
what the credential says is read here, from the store and the log. So whoever has taken over a web
process has credentials of invoices that there are, and none that says anything else.

One message of a local SOCK_SEQPACKET socket asks, one answers, and the connection ends.
"""

import contextlib
import socket
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

import msgspec
import structlog

from chain.errors import Problem, UnavailableError
from chain.hashing import Digest, to_digest
from chain.signing.es256 import WalletKey
from invoice_service.processes.issuer import faults, short_name
from invoice_service.services.claims.offers import Offers, OfferStore
from invoice_service.services.links import Sealer

SOCKET: Final = "wallet.sock"
"""Its name in the folder of what runs."""

PATIENCE: Final = 5.0
_MAX: Final = 96 * 1024
_BACKLOG: Final = 16

_log = structlog.get_logger()


class Issuing(Protocol):
    """What makes a credential."""

    def credential(self, digest: Digest, shown: frozenset[str], holder: WalletKey) -> str:
        """The credential of an invoice for the holder of that key."""
        ...


class _Asked(msgspec.Struct, frozen=True, array_like=True):
    digest: bytes
    shown: list[str]
    x: bytes
    y: bytes


class _Answer(msgspec.Struct, frozen=True, array_like=True):
    text: str
    fault: str = ""
    code: str = ""
    detail: str = ""


class WalletLine:
    """Asks the process at ``path``."""

    def __init__(self, path: Path, offers: Offers, patience: float = PATIENCE) -> None:
        self._path, self._patience = path, patience
        self.offers: Final = offers

    def credential(self, digest: Digest, shown: frozenset[str], holder: WalletKey) -> str:
        """As ``Wallets.credential``; UnavailableError ``wallet_unavailable`` without an answer."""
        asked = msgspec.msgpack.encode(_Asked(digest, sorted(shown), holder.x, holder.y))
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as line:
                line.settimeout(self._patience)
                with short_name(self._path) as address:
                    line.connect(address)
                line.send(asked)
                answer = msgspec.msgpack.decode(line.recv(_MAX), type=_Answer)
        except (OSError, msgspec.MsgspecError) as error:
            raise UnavailableError(
                "wallet_unavailable", f"nobody signs for wallets just now: {error}"
            ) from error
        if answer.fault:
            raise faults(answer.fault)(answer.code, answer.detail)
        return answer.text


def wallet_line(
    run_dir: Path,
    store: OfferStore,
    sealer: Sealer,
    clock: Callable[[], datetime],
    randbytes: Callable[[int], bytes],
) -> WalletLine:
    """The line to who signs, and the offers by which wallets are let in."""
    return WalletLine(run_dir / SOCKET, Offers(store, sealer, clock, randbytes))


class WalletProcess:
    """The other end, in a thread of the issuing process; ``make`` opens what issues, each time."""

    def __init__(self, path: Path, make: Callable[[], Issuing]) -> None:
        self._path, self._make = path, make
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with short_name(path) as address:
            self._listener.bind(address)
        path.chmod(0o600)
        self._listener.listen(_BACKLOG)
        self._thread = threading.Thread(target=self._run, name="wallet", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Hear nobody any more."""
        self._path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(PATIENCE)

    def _run(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            with line:
                line.settimeout(PATIENCE)
                try:
                    line.send(msgspec.msgpack.encode(self._answer(line.recv(_MAX))))
                except OSError:
                    continue  # who asked has gone

    def _answer(self, message: bytes) -> _Answer:
        try:
            asked = msgspec.msgpack.decode(message, type=_Asked)
            holder = WalletKey("holder", asked.x, asked.y)
            shown = frozenset(asked.shown)
            return _Answer(self._make().credential(to_digest(asked.digest), shown, holder))
        except Problem as problem:
            return _Answer("", type(problem).__name__, problem.code, problem.detail)
        except Exception as error:  # noqa: BLE001 # whoever serves many must not end for one
            _log.exception("wallet.failed")
            return _Answer("", "UnavailableError", "internal_error", f"nothing signed: {error!r}")
