"""Erasing and letting go in one instance: the store, and all that lies beside it."""

from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

from chain.durable import write_file
from chain.errors import UnavailableError
from chain.hashing import Digest
from invoice_service.config import Config
from invoice_service.domain.acts import SERVICE, By
from invoice_service.domain.clock import Known, check_ahead
from invoice_service.domain.invoice import StoredInvoice
from invoice_service.files.kept import Shelf
from invoice_service.retention.erased import NAME, PRIVATE, ErasedList, agree, reach_all
from invoice_service.retention.ports import ErasedRows, KeptRows
from invoice_service.retention.rules import DAY, Rule, of_backups, rules, step
from invoice_service.services.people import erase
from invoice_service.services.people.erase import BuyerStore, Erased

LOCK: Final = "erased.lock"
AGREED: Final = "erased.mark"
"""In the folder of reports: the mark of the list with which they agree. No backup has it."""


class KeptStore(BuyerStore, ErasedRows, KeptRows, Protocol):
    """The store, as far as things go from it."""

    def known_times(self) -> Known:
        """What is known of the time."""
        ...


class Keeping:
    """What one instance keeps, and lets go."""

    def __init__(
        self,
        config: Config,
        store: KeptStore,
        clock: Callable[[], datetime],
        reports: Callable[[Collection[bytes]], object],
    ) -> None:
        """``reports`` erases those reports of slips that are named."""
        self._config, self._store, self._clock = config, store, clock
        self._reports = reports
        places = [config.data_dir / NAME]
        if config.retention.backups:
            places.append(Path(config.retention.backups) / NAME)
        self._erased = ErasedList(places, config.run_dir / LOCK)

    def erase_buyer(self, digest: Digest, merchant_id: int | None, by: By) -> Erased:
        """Erase a person for ever, as ``people.erase``; then beside the store, too.

        What cannot be reached there now, the worker reaches within a minute.
        """
        done = erase.erase_buyer(self._store, digest, merchant_id, by)
        self._reach_all()
        return done

    def hold(self) -> int:
        """Finish what was being erased, and erase whom the list names; how many had come back.

        For whoever opens the instance: a copy of before is put right before anybody is answered.
        """
        if self._store.erased_mark() != self._erased.mark():
            by = By(SERVICE, self.now())
            self._store.withdraw_named(self._erased.groups(), by)  # their pages go with the tidying
        back = agree(self._store, self._erased, self._erase_again)
        with suppress(UnavailableError):  # the worker, or the next start, goes on
            self._reach_all()
        with suppress(UnavailableError):  # nobody who issues or checks waits for reports
            self._hold_reports()
        return back

    def list_mark(self, mark: bytes) -> None:
        """Name a report or an application that is being erased: no older copy brings it back.

        UnavailableError ``erased_list_unusable``, ``disk_full``.
        """
        agreed = self._store.erased_mark() == self._erased.mark()
        now = self._erased.add({mark})
        if agreed:  # as for people: else the next start looks at all of it
            self._store.note_erased_mark(now)

    def _hold_reports(self) -> None:
        """The same for reports: which lists they agree with stands beside them."""
        folder = self._config.help_dir
        if not folder.is_dir():
            return
        mark, place = self._erased.mark(), folder / AGREED
        if not (place.is_file() and place.read_bytes() == mark):
            self._reports(self._erased.groups())
            write_file(place, mark, mode=PRIVATE)

    def rules(self) -> list[Rule]:
        """What goes by time."""
        return rules(self._config, self._store, self._erase_again)

    def prune(self, folder: Path) -> int:
        """Delete backups there that are older than the settings say; how many."""
        rule = of_backups(str(folder), self._config.retention.backup_days * DAY)
        return rule.drop(self._believed() - rule.seconds) if rule.seconds else 0

    def list_erased_in(self, folder: Path) -> None:
        """Have the list of the erased stand in a folder, too."""
        places = [self._config.data_dir / NAME, folder / NAME]
        ErasedList(places, self._config.run_dir / LOCK).add(self._store.erased_groups())

    def now(self) -> int:
        """Unix seconds."""
        return int(self._clock().timestamp())

    def step(self, all_rules: list[Rule]) -> dict[str, int]:
        """Some of all that is due; how many of each kind went.

        Nothing goes by a clock that has leapt ahead: UnavailableError ``clock_ahead``.
        """
        self.hold()
        return step(all_rules, self._believed())

    def _believed(self) -> int:
        now = self.now()
        check_ahead(now, self._store.known_times(), self._config.clock.max_forwards)
        return now

    def _erase_again(self, digest: Digest) -> Erased:
        return self.erase_buyer(digest, None, By(SERVICE, self.now()))

    def _reach_all(self) -> None:
        reach_all(self._store, self._erased, self._forget)

    def _forget(self, blue: StoredInvoice) -> bool:
        shelf = Shelf(self._config.files_dir, blue.merchant_id)
        return shelf.forget_buyer(blue.hash, blue.order_id)
