"""Each kind of thing that goes in the end: after how long, what of it is due, how it goes."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from chain.errors import RefusedError
from chain.hashing import Digest, to_digest
from invoice_service.config import Config
from invoice_service.files.kept import KEPT_SECONDS, Shelf
from invoice_service.retention.folder import backups_in, drop_backup
from invoice_service.retention.ports import Due, KeptRows

DAY: Final = 86_400
AT_ONCE: Final = 200
"""Rows that go in one step: nobody who writes waits long for it."""
PEOPLE_AT_ONCE: Final = 20
"""Each is erased by itself, and emptying the write-ahead log holds writers up."""

Erase = Callable[[Digest], object]


class Rule(NamedTuple):
    """One kind, by the setting's name; 0 ``seconds``: for ever.

    ``due`` says what of it is from before a time, ``drop`` lets some of that go.
    """

    name: str
    seconds: int
    due: Callable[[int], Due]
    drop: Callable[[int], int]


class Standing(NamedTuple):
    """A rule as it stands: how many go with the next steps, and when the next one is due."""

    name: str
    days: int
    due: int
    next: int | None


def rules(config: Config, rows: KeptRows, erase: Erase) -> list[Rule]:
    """All that go by time; what the law has us keep is not among them, unless the settings say."""
    kept, people = config.retention, People(rows, erase)
    logs = config.data_dir / "output"
    return [
        _of_rows("claim_days", kept.claim_days, rows.claimers_due, rows.forget_claimers),
        _of_rows("order_days", kept.order_days, rows.orders_due, rows.drop_orders),
        _of_rows("mail_days", kept.mail_days, rows.old_letters, rows.drop_letters),
        Rule("person_days", kept.person_days * DAY, rows.people_due, people.erase),
        _of_files("result_days", kept.result_days * DAY, config.files_dir, "*/*.results.ndjson*"),
        _of_shelves(config.files_dir),
        _of_files("log_days", kept.log_days * DAY, logs, "*.log.*"),
        of_backups(kept.backups, kept.backup_days * DAY),
    ]


def standing(all_rules: Iterable[Rule], now: int) -> Iterator[Standing]:
    """What would go now, and when."""
    for rule in all_rules:
        if not rule.seconds:
            yield Standing(rule.name, 0, 0, None)
            continue
        found = rule.due(now - rule.seconds)
        following = None if found.oldest is None else found.oldest + rule.seconds
        yield Standing(rule.name, rule.seconds // DAY, found.many, following)


def step(all_rules: Iterable[Rule], now: int) -> dict[str, int]:
    """Let some of everything go that is due; how many of each kind went.

    A crash anywhere leaves the rest for the next step.
    """
    gone = {rule.name: rule.drop(now - rule.seconds) for rule in all_rules if rule.seconds}
    return {name: count for name, count in gone.items() if count}


class People:
    """Erases, sale by sale, of whom nothing has to be kept any more."""

    def __init__(self, rows: KeptRows, erase: Erase) -> None:
        self._rows, self._erase, self._done = rows, erase, 0

    def erase(self, before: int) -> int:
        """The next few."""
        found = self._rows.people_before(before, self._done, PEOPLE_AT_ONCE)
        count = 0
        for seq, digest in found:
            with suppress(RefusedError):  # erased beside us
                self._erase(to_digest(digest))
                count += 1
            self._done = seq
        return count


def _of_rows(
    name: str, days: int, due: Callable[[int], Due], drop: Callable[[int, int], int]
) -> Rule:
    return Rule(name, days * DAY, due, lambda before: drop(before, AT_ONCE))


def _of_files(name: str, seconds: int, folder: Path, pattern: str) -> Rule:
    def old(before: int) -> list[Path]:
        return [path for path, at in _times(folder.glob(pattern)) if at < before]

    def due(before: int) -> Due:
        return _due([at for _, at in _times(folder.glob(pattern))], before)

    def drop(before: int) -> int:
        found = old(before)
        for path in found:
            path.unlink(missing_ok=True)
        return len(found)

    return Rule(name, seconds, due, drop)


def _of_shelves(folder: Path) -> Rule:
    """Files of orders that were sent: how long, is fixed."""

    def shelves() -> list[Shelf]:
        return [Shelf(folder, int(path.name)) for path in folder.glob("*") if path.name.isdigit()]

    def times() -> list[int]:
        return [one.state().at for shelf in shelves() for one in shelf.all()]

    def drop(before: int) -> int:
        count = len([at for at in times() if at < before])
        for shelf in shelves():
            shelf.drop_old(before)
        return count

    return Rule("files", KEPT_SECONDS, lambda before: _due(times(), before), drop)


def of_backups(folder: str, seconds: int) -> Rule:
    """The newest one stays, however old it is."""

    def due(before: int) -> Due:
        found = backups_in(Path(folder))[:-1] if folder else []
        return _due([backup.at for backup in found], before)

    def drop(before: int) -> int:
        found = backups_in(Path(folder))[:-1] if folder else []
        old = [backup for backup in found if backup.at < before]
        for backup in old:
            drop_backup(backup)
        return len(old)

    return Rule("backup_days", seconds, due, drop)


def _due(times: Sequence[int], before: int) -> Due:
    return Due(sum(1 for at in times if at < before), min(times, default=None))


def _times(paths: Iterable[Path]) -> Iterator[tuple[Path, int]]:
    for path in paths:
        with suppress(FileNotFoundError):
            yield path, int(path.stat().st_mtime)
