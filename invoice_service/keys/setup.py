"""The code by which somebody at the machine sets an instance up in a browser.

Of the code, and of the session that it is used up for, a file in ``run/`` has the digests and the
ends; a start of the service makes another code. All processes see the same file.
"""

import os
from base64 import b32encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import compare_digest
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from chain.durable import make_folder, write_file
from chain.errors import RefusedError
from chain.log.turns import take
from invoice_service.config import Config
from invoice_service.services.people.sessions import new_token, token_digest
from invoice_service.services.people.setup import Setup, SetupStore

if TYPE_CHECKING:  # passkeys bring libraries that take a third of a second to load
    from invoice_service.services.people.desk import PeopleDesk

CODE_SECONDS: Final = 3600
SESSION_SECONDS: Final = 4 * 3600
CODE_BYTES: Final = 10
GROUP: Final = 4  # letters between two hyphens
SECRET: Final = 0o600

_FILE: Final = "setup.json"
_ADDRESS: Final = "address.json"
_LOCK: Final = "setup.lock"
_READ_AS: Final = str.maketrans("018", "OIB", "- \t")


class Opened(Protocol):
    """An open instance."""

    @property
    def config(self) -> Config: ...

    @property
    def store(self) -> SetupStore: ...

    @property
    def people(self) -> "PeopleDesk": ...

    @property
    def randbytes(self) -> Callable[[int], bytes]: ...


def open_setup(instance: Opened) -> Setup:
    """Setting this instance up, once."""
    desk, randbytes = instance.people, instance.randbytes
    door = SetupFile(instance.config.run_dir, desk.clock, randbytes)
    return Setup(instance.store, desk.staff, door, randbytes)


class Kept(msgspec.Struct, frozen=True):
    """Digests in hex ("": none), and the unix seconds at which they end."""

    code: str = ""
    code_ends: int = 0
    session: str = ""
    session_ends: int = 0


class AddressWish(msgspec.Struct, frozen=True):
    """Another public address that was asked for ("": none was), and what lets in there."""

    url: str = ""
    kept: Kept = Kept()


class SetupFile:
    """The file; ``randbytes`` must be fit for secrets, ``clock`` gives unix seconds."""

    def __init__(
        self, folder: Path, clock: Callable[[], int], randbytes: Callable[[int], bytes]
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._randbytes = randbytes

    def offer(self) -> str:
        """A new code; whatever let in before does no more."""
        code, kept = self._new_code()
        self.take_up(kept)
        return code

    def is_open(self) -> bool:
        """Whether a code waits, or somebody is in."""
        kept, now = self._kept(), self._clock()
        return now < kept.code_ends or now < kept.session_ends

    def enter(self, code: str) -> str:
        """Use the code up for a session's text; RefusedError ``setup_code_refused``."""
        kept, now = self._kept(), self._clock()
        if not (_same(kept.code, plain_code(code)) and now < kept.code_ends):
            raise RefusedError("setup_code_refused", "the code is wrong, used, or too old")
        token = new_token(self._randbytes)
        # A crash here: the code is good, and nobody has the session. After: the code is used up.
        digest = token_digest(token).hex()
        self.take_up(Kept(session=digest, session_ends=now + SESSION_SECONDS))
        return token

    def holds(self, token: str) -> bool:
        """Whether this is the session's text."""
        kept = self._kept()
        return _same(kept.session, token) and self._clock() < kept.session_ends

    def close(self) -> None:
        """Let nobody in any more."""
        (self._folder / _FILE).unlink(missing_ok=True)

    def listen(self, *, hears: bool) -> None:
        """Whoever serves says whether it would put the instance under another address."""
        if hears:
            self._write(_ADDRESS, AddressWish())
        else:
            (self._folder / _ADDRESS).unlink(missing_ok=True)

    def is_heard(self) -> bool:
        """Whether somebody acts on a wish for another address."""
        return (self._folder / _ADDRESS).exists()

    def wish_address(self, url: str) -> str:
        """Ask for another address; the code that lets in there, for as long as any."""
        code, kept = self._new_code()
        # A crash here: nothing is changed. After: whoever serves makes the instance anew.
        self._write(_ADDRESS, AddressWish(url, kept))
        return code

    def wished(self) -> AddressWish | None:
        """What was asked for."""
        try:
            data = (self._folder / _ADDRESS).read_bytes()
            found = msgspec.json.decode(data, type=AddressWish)
        except (OSError, msgspec.MsgspecError):
            return None
        return found if found.url else None

    def take_up(self, kept: Kept) -> None:
        """Let in by this, and by nothing else."""
        self._write(_FILE, kept)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold up every other step, of any process; not to be nested."""
        make_folder(self._folder)
        lock = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, SECRET)
        try:
            take(lock, self._folder, code="database_busy")
            yield
        finally:
            os.close(lock)

    def _kept(self) -> Kept:
        """What the file says; nothing where there is none, or where it cannot be read."""
        try:
            return msgspec.json.decode((self._folder / _FILE).read_bytes(), type=Kept)
        except (OSError, msgspec.MsgspecError):
            return Kept()

    def _new_code(self) -> tuple[str, Kept]:
        letters = b32encode(self._randbytes(CODE_BYTES)).decode()
        digest = token_digest(letters).hex()
        code = "-".join(letters[at : at + GROUP] for at in range(0, len(letters), GROUP))
        return code, Kept(code=digest, code_ends=self._clock() + CODE_SECONDS)

    def _write(self, name: str, said: msgspec.Struct) -> None:
        make_folder(self._folder)
        write_file(self._folder / name, msgspec.json.encode(said), mode=SECRET)


def plain_code(text: str) -> str:
    """A code as it is kept, from how a person types it: no hyphens, nothing that looks alike."""
    return text.upper().translate(_READ_AS)


def _same(kept: str, text: str) -> bool:
    """Compared in a time that tells nothing; an empty one is nobody's."""
    return compare_digest(kept, token_digest(text).hex()) and bool(kept)
