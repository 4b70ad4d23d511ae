"""What an instance consists of: whether all of it is here, and belongs together.

An instance is its databases, its keys and its published log. While one of them is here, the
others are missing, not new: what exists is never signed, numbered or stated anew because
something else was lost. The databases carry the mark of the keys' first statement
(``KeyFolder.mark``), so that parts of two instances are told apart as well.
"""

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from stat import S_IMODE
from typing import Final, Protocol

from chain.commitment import anchor
from chain.durable import fsync_dir, make_folder, write_file
from chain.errors import ConflictError, MalformedError, UnavailableError, VerificationError
from chain.log.log import Log
from chain.log.turns import take
from chain.signing.note import MAX_SIGNATURES, open_note
from chain.signing.policy import NO_WITNESSES, Policy
from chain.signing.trusted import read_policy
from chain.tree import merkle
from chain.tree.tiles import TILE_WIDTH, TileFolder
from invoice_service.config import Config
from invoice_service.keys.folder import STATEMENTS, KeyFolder
from invoice_service.services.ports import PendingInvoice

_log = logging.getLogger(__name__)

MOST_WITNESSES: Final = MAX_SIGNATURES // 2
"""The rest of a note's lines is for the log's own keys, past and to come."""

UNFINISHED: Final = "init.unfinished"
"""Stands in the data folder from the first write of ``fapiao init`` to its last."""


class Marked(Protocol):
    """A database that knows whose it is."""

    def instance(self) -> str | None:
        """The mark of its instance; None in one that has none yet."""
        ...

    def bind_instance(self, mark: str) -> None:
        """Set the mark, durably; ConflictError ``instance_differs`` where there is another."""
        ...


class MarkedLog(Marked, Protocol):
    """The log's database, which also remembers what was stated of its keys."""

    def origin(self) -> str | None:
        """The log's name; None while it has none."""
        ...

    def statements(self) -> Mapping[int, str]:
        """The digests of the remembered statements, by their numbers."""
        ...

    def bind_statement(self, number: int, digest: str) -> None:
        """Remember a statement, durably; ConflictError ``statement_differs``."""
        ...


class MarkedInvoices(Marked, Protocol):
    """The invoices, as far as it takes to see whose they are."""

    def last_seq(self) -> int:
        """``seq`` of the newest invoice; 0 when there is none."""
        ...

    def invoices_after(self, seq: int, limit: int) -> Sequence[PendingInvoice]:
        """Up to ``limit`` invoices above ``seq``, lowest first."""
        ...


def is_untouched(config: Config) -> bool:
    """Whether nothing of an instance is here; errors as ``require_whole``."""
    with _looking(config):
        return not _present(config)


def is_unfinished(config: Config) -> bool:
    """Whether ``fapiao init`` was interrupted here; errors as ``require_whole``."""
    with _looking(config):
        return (config.data_dir / UNFINISHED).exists()


def require_whole(config: Config, keys: KeyFolder) -> None:
    """Check that every part is here.

    Raises UnavailableError: ``not_initialised`` where there is nothing at all, ``init_unfinished``,
    ``instance_incomplete`` with the names of what is missing, ``data_unreadable``.
    """
    if is_unfinished(config):
        raise UnavailableError(
            "init_unfinished", f"making {config.data_dir} was interrupted: run `fapiao init` again"
        )
    if is_untouched(config):
        raise UnavailableError(
            "not_initialised", f"{config.data_dir} holds no instance: run `fapiao init` first"
        )
    with _looking(config):
        missing = list(_missing(config, keys))
    if missing:
        raise _incomplete(config, missing)


@contextmanager
def beginning(config: Config) -> Iterator[bool]:
    """Make an instance in this block, alone; False where one is, or a part of one.

    Interrupted anywhere in the block, the same call goes on: until it has been left nobody uses
    what is there, so nothing was signed for others yet.
    """
    make_folder(config.run_dir)
    shut_folders(config)
    handle = os.open(config.run_dir / "init.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        take(handle, config.run_dir)
        mark = config.data_dir / UNFINISHED
        if not is_unfinished(config) and not is_untouched(config):
            yield False
            return
        # A crash before this returns leaves an empty folder; after it, an unfinished instance.
        write_file(mark, b"`fapiao init` has not finished: run it again\n", mode=0o600)
        yield True
        # A crash before the folder is synced brings the mark back: all is then done once more.
        mark.unlink()
        fsync_dir(config.data_dir)
    finally:
        os.close(handle)


def shut_folders(config: Config) -> None:
    """Take from strangers what they could do here: in folders, and with databases of old.

    UnavailableError ``data_unreadable`` where they are somebody else's.
    """
    shut = [(config.data_dir, 0o750), (config.keys_dir, 0o700), (config.run_dir, 0o700)]
    for database in (config.log_db, config.invoices_db):
        shut += [(path, 0o600) for path in database.parent.glob(f"{database.name}*")]
    with _looking(config):
        for path, most in shut:
            if path.exists() and (mode := S_IMODE(path.stat().st_mode)) & ~most:
                path.chmod(mode & most)


def require_name(config: Config, store: MarkedLog) -> None:
    """Check that the settings name the log as it is named; ConflictError ``origin_differs``."""
    origin = store.origin()
    if origin is None:
        raise UnavailableError(
            "instance_mixed", f"{config.log_db} holds no log: put the log.db of this instance back"
        )
    if origin != config.log_origin:
        raise ConflictError(
            "origin_differs",
            f"the log of this instance is named {origin} for ever, but the settings name it"
            f' {config.log_origin}: set log.origin = "{origin}" in config.toml (FAPIAO_LOG_ORIGIN'
            " in the environment), and service.public_url may be another",
        )


def require_one(
    config: Config, keys: KeyFolder, log: Log, log_store: MarkedLog, invoices: MarkedInvoices
) -> None:
    """Check that keys, log and invoices are parts of one instance; mark what is unmarked.

    Only databases from before there were marks have none: they are believed when the log's
    newest checkpoint is signed by the keys, and the log has taken these very invoices. Raises
    UnavailableError ``instance_mixed``, ``keys_behind``, and ``instance_incomplete`` for a
    statement that was made and is gone.
    """
    mark = keys.mark()
    for name, database in (("log.db", log_store), ("invoices.db", invoices)):
        if database.instance() not in (None, mark):
            raise _mixed(f"{name} and keys/ are")
    _require_statements(config, keys, log_store)
    _check_signed(keys, log, log_store)
    if log_store.instance() is None:
        log_store.bind_instance(mark)
    if invoices.instance() is None and _has_taken(log, invoices):
        invoices.bind_instance(mark)
    for number in set(keys.numbers()) - set(log_store.statements()):
        log_store.bind_statement(number, keys.digest(number))


def require_current(
    config: Config, log: Log, invoices: MarkedInvoices, totalled: Callable[[], int]
) -> None:
    """Check that nothing is older than what builds on it; ``totalled`` is the last block added up.

    Numbers would be given out again, or a second history signed. Raises UnavailableError
    ``invoices_missing``, ``log_rolled_back``; a tile that is missing at the log's end, on which
    everybody builds, is rebuilt as by ``require_tiles``, with its errors.
    """
    height = totalled()  # before the log's head: both only grow, and totals follow
    head = log.head()  # and that before the invoices, which it follows
    if height > head.height:
        raise UnavailableError(
            "log_rolled_back",
            f"invoices.db has the totals of block {height}, but log.db ends at {head.height}: put"
            " the newer log.db back (docs/operations.md, Restore); nothing was changed",
        )
    last = invoices.last_seq()
    if head.cursor > last:
        raise UnavailableError(
            "invoices_missing",
            f"the log has taken invoice {head.cursor}, but invoices.db ends at {last}: put the"
            " newer invoices.db back (docs/operations.md, Restore); nothing was changed",
        )
    try:
        log.publisher.refuse_rollback(head)
        _read_end(TileFolder(config.log_dir), log.latest_checkpoint()[0].size)
    except VerificationError as error:
        if error.code != "tile_missing":
            raise UnavailableError(error.code, error.detail) from error
        require_tiles(config, log)


def require_tiles(config: Config, log: Log) -> None:
    """Have every tile, for whoever publishes: one that is lost is rebuilt from log.db.

    Raises UnavailableError ``instance_incomplete`` where log.db does not lead to it.
    """
    try:
        rebuilt = log.publisher.mend()
    except VerificationError as error:
        if error.code == "tile_missing":
            raise _incomplete(config, [f"log/{error.extra['path']}"]) from error
        raise
    if rebuilt:
        count, first = len(rebuilt), rebuilt[0].path()
        _log.warning("%d files of log/ were lost, log/%s first: rebuilt from log.db", count, first)


def _read_end(tiles: TileFolder, size: int) -> None:
    """Read the partial tiles, on which the next entries build; VerificationError."""
    if size:
        merkle.root(tiles.reader(size), size)
        n, width = divmod(size - 1, TILE_WIDTH)
        if width + 1 < TILE_WIDTH:
            tiles.read_bundle(n, width + 1)


def _incomplete(config: Config, missing: Sequence[str]) -> UnavailableError:
    names = ", ".join(missing)
    if names == "keys/":
        what = "the keys of this instance are missing: put keys/ back"
    else:
        what = f"of this instance {names} cannot be found: put {names} back"
    return UnavailableError(
        "instance_incomplete",
        f"{what} into {config.data_dir} from its backup (docs/operations.md, Restore);"
        " nothing was changed",
        missing=names,
    )


@contextmanager
def _looking(config: Config) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UnavailableError(
            "data_unreadable", f"cannot look into {config.data_dir}: {error.strerror}"
        ) from error


def _present(config: Config) -> bool:
    """Whether anything is here that only an instance has; not what every run makes anew."""
    files = (config.invoices_db, config.log_db, config.data_dir / UNFINISHED)
    beside = (path.with_name(f"{path.name}-wal") for path in (config.invoices_db, config.log_db))
    return (
        any(path.exists() for path in (*files, *beside))
        or _holds_files(config.keys_dir)
        or _holds_files(config.log_dir)
    )


def _missing(config: Config, keys: KeyFolder) -> Iterator[str]:
    """The parts that are not here, by their names below the data folder."""
    for path in (config.invoices_db, config.log_db):
        if not path.is_file() or not path.stat().st_size:
            yield path.name
    if _holds_files(config.keys_dir):
        numbers = keys.numbers()
        wanted = range(1, max(numbers, default=1) + 1)
        yield from (f"keys/{STATEMENTS}/{n}.note" for n in wanted if n not in numbers)
    else:
        yield "keys/"
    if not _holds_files(config.log_dir):
        yield "log/"
    elif not (config.log_dir / "checkpoint").is_file():
        yield "log/checkpoint"


def _holds_files(folder: Path) -> bool:
    """Whether any file is below; OSError for a folder that may not be read."""
    try:
        found = list(folder.iterdir())
    except FileNotFoundError:
        return False
    return any(not path.is_dir() or _holds_files(path) for path in found)


def _require_statements(config: Config, keys: KeyFolder, log_store: MarkedLog) -> None:
    """Every statement that was made is here, as it was made."""
    made, here = log_store.statements(), keys.numbers()
    if gone := sorted(set(made) - set(here)):
        raise _incomplete(config, [f"keys/{STATEMENTS}/{number}.note" for number in gone])
    if any(keys.digest(number) != digest for number, digest in made.items()):
        raise _mixed("log.db and the statements in keys/ are")


def _check_signed(keys: KeyFolder, log: Log, log_store: Marked) -> None:
    """The newest checkpoint is signed by a key that the statements here name."""
    signed = log.publisher.signed()
    if signed is None:
        raise _mixed("log.db, which has signed nothing, and keys/ are")
    try:
        open_note(signed.note, keys.keys().verifiers)
    except VerificationError as error:
        if log_store.instance() is None:
            raise _mixed("log.db and keys/ are") from error
        raise UnavailableError(
            "keys_behind",
            "keys/ is older than the log: no statement here names a key that signed its newest"
            " checkpoint; put the newest keys/ back (docs/operations.md, Backup)",
        ) from error


def _has_taken(log: Log, invoices: MarkedInvoices) -> bool:
    """Whether the last invoice that the log has taken is stored; another one in its place is not.

    Raises UnavailableError ``instance_mixed`` for that.
    """
    cursor = log.head().cursor
    rows = invoices.invoices_after(cursor - 1, 1) if cursor else []
    if rows and log.find(anchor(rows[0].digest)) is None:
        raise _mixed("invoices.db and log.db are")
    return bool(rows) or not cursor


def _mixed(which: str) -> UnavailableError:
    return UnavailableError(
        "instance_mixed",
        f"{which} not of one instance: put together what belongs together, from one backup;"
        " nothing was changed",
    )


def policy_of(config: Config) -> Policy:
    """Read whose cosignatures the log needs; without a policy, nobody's.

    Raises UnavailableError ``policy_unreadable``; MalformedError ``policy``, and
    ``policy_of_another_log`` for one that names logs, but not ours.
    """
    if not config.witness.policy:
        return NO_WITNESSES
    policy = read_policy(Path(config.witness.policy))
    if len(policy.witnesses) > MOST_WITNESSES:
        raise MalformedError("policy", f"a checkpoint has room for {MOST_WITNESSES} witnesses")
    if policy.logs and config.log_origin not in {key.name for key in policy.logs}:
        raise MalformedError(
            "policy_of_another_log", f"{config.witness.policy} is not for {config.log_origin}"
        )
    return policy
