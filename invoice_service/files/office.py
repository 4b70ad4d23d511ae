"""Files of orders that people send: read, shown as what they would come to, issued, told of.

Reading and issuing are work of minutes: a thread of the process does it in steps, and what it has
come to stands in the folder, so that any process can say it, and any go on where one has ended.
A merchant's files are worked on one at a time.
"""

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO, Final, Literal, Protocol

import msgspec

from chain.errors import ConflictError, MalformedError, NotFoundError, Problem, UnavailableError
from invoice_service.domain.acts import Act, By, Said, act_by
from invoice_service.files.desk import LocalSubmitter
from invoice_service.files.kept import (
    CAN_ISSUE,
    MOVING,
    PRIVATE,
    Kept,
    Shelf,
    Stage,
    State,
    line_of,
)
from invoice_service.files.orders import header_of, is_table, open_orders
from invoice_service.files.preview import Counting, Foreseer, examine
from invoice_service.files.record import Record
from invoice_service.files.results import Result, ResultFile, read_results
from invoice_service.files.submit import BATCH_RECORDS, steps
from invoice_service.files.told import Tongue, table
from invoice_service.files.turns import Job, Turns
from invoice_service.services.issuing.issue import IssuingDesk
from invoice_service.services.issuing.standing import Standings

How = Literal["begun", "done", "cancelled"]

MOST_ORDERS: Final = 50_000
"""Of one file."""


class Acts(Protocol):
    """Where acts are written."""

    def record(self, act: Act) -> int:
        """Append one."""
        ...


@dataclass(frozen=True)
class Tools:
    """What the office works with.

    ``may`` says whether a person (by id) may still issue for a merchant; ``public`` makes of any
    failure what may be told of it; ``clock`` gives unix seconds.
    """

    folder: Path
    desk: IssuingDesk
    foreseer: Foreseer
    standings: Standings
    acts: Acts
    may: Callable[[int, int], bool]
    public: Callable[[Exception], Problem]
    clock: Callable[[], int]


class Office:
    """The files of all merchants, as one process sees them."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._downloads = threading.Semaphore()
        self.turns = Turns()

    def receive(self, merchant_id: int, name: str, stream: IO[bytes], by: By, person: int) -> str:
        """Keep a file, and begin to read it; returns what it is found by.

        Raises MalformedError ``file_name_invalid``.
        """
        shelf = self._shelf(merchant_id)
        shelf.forget(by.at)
        kept = shelf.receive(name, stream, person, by.at)
        self.attend(merchant_id, kept)
        return kept.id

    def find(self, merchant_id: int, id_: str) -> Kept:
        """A merchant's own; NotFoundError ``file_unknown``. What has been left goes on."""
        kept = self._shelf(merchant_id).find(id_)
        self.attend(merchant_id, kept)
        return kept

    def all(self, merchant_id: int) -> list[Kept]:
        """A merchant's, the newest first."""
        found = self._shelf(merchant_id).all()
        for kept in found:
            self.attend(merchant_id, kept)
        return found

    def issue(self, merchant_id: int, id_: str, by: By, person: int) -> None:
        """Begin to issue what was read; nothing where that was begun, or is done.

        ConflictError ``file_not_ready``, ``file_busy``, ``file_results_full``, ``files_full``.
        """
        shelf = self._shelf(merchant_id)
        kept = shelf.find(id_)
        if kept.state().stage == "reading":
            raise ConflictError("file_not_ready", "its preview is not there yet")
        kept.results()
        kept.check_room()
        if kept.state().stage not in CAN_ISSUE:
            return
        handle = shelf.lock()
        if handle is None:
            if kept.state().stage in CAN_ISSUE:
                raise ConflictError("file_busy", "another file of this merchant is worked on")
            return
        try:
            self._begin(merchant_id, kept, by, person)
        finally:
            os.close(handle)
        self.attend(merchant_id, kept)

    def cancel(self, merchant_id: int, id_: str) -> None:
        """Stop; what has been issued stands."""
        shelf = self._shelf(merchant_id)
        kept = shelf.find(id_)
        if kept.state().stage not in (*MOVING, "ready", "stopped"):
            return
        kept.cancel()
        handle = shelf.lock()
        if handle is not None:  # nobody works on it who could hear of it
            _cancelled(kept, self._tools.clock())
            os.close(handle)

    @contextmanager
    def table(
        self, merchant_id: int, id_: str, tongue: Tongue, title: Callable[[str], str]
    ) -> Iterator[list[list[str]]]:
        """The result file of that name as a table, each invoice as it stands now.

        UnavailableError ``too_busy`` while this process is within another such block: what is made
        of a table takes seconds.
        """
        path = self._shelf(merchant_id).find(id_).results()
        if not self._downloads.acquire(blocking=False):
            raise UnavailableError("too_busy", "another table is being made")
        try:
            results = read_results(path) if path.is_file() else ()
            stand = partial(self._tools.standings.of, merchant_id)
            yield list(table(results, stand, tongue, title))
        finally:
            self._downloads.release()

    def refusals(self, merchant_id: int, id_: str, most: int) -> list[Result]:
        """The first orders of the result file of that name that have no invoice."""
        path = self._shelf(merchant_id).find(id_).results()
        found = read_results(path) if path.is_file() else iter(())
        return list(islice((one for one in found if one.status == "refused"), most))

    def attend(self, merchant_id: int, kept: Kept) -> None:
        """Have a file worked on that nobody works on, if it needs that."""
        if kept.state().stage not in MOVING:
            return
        handle = self._shelf(merchant_id).lock()
        if handle is not None:
            self.turns.add(self._whole(merchant_id, kept, handle))

    def _shelf(self, merchant_id: int) -> Shelf:
        return Shelf(self._tools.folder, merchant_id)

    def _begin(self, merchant_id: int, kept: Kept, by: By, person: int) -> None:
        """The shelf is ours: it is issued from now on, and the trail says by whom."""
        state = kept.state()
        if state.stage not in CAN_ISSUE or not kept.orders.is_file():
            return
        kept.drop_cancelled()
        self._tools.acts.record(_act(merchant_id, kept, by, "begun", {"orders": state.orders}))
        # A crash before the next line leaves an act that was begun, and a file to begin with.
        kept.move(
            State(
                stage="issuing",
                at=by.at,
                orders=state.orders,
                person=person,
                origin=by.origin,
            )
        )

    def _whole(self, merchant_id: int, kept: Kept, handle: int) -> Job:
        """All that a file needs now; the shelf's lock is held until its end."""
        try:
            stage = kept.state().stage
            if stage == "reading":
                yield from self._reading(merchant_id, kept)
            elif stage == "issuing":
                yield from self._issuing(merchant_id, kept)
        except Exception as error:  # noqa: BLE001 # the thread goes on with others
            problem = self._tools.public(error)
            state, now = kept.state(), self._tools.clock()
            after: Stage = "refused" if state.stage == "reading" else "stopped"
            kept.move(
                msgspec.structs.replace(
                    state,
                    stage=after,
                    at=now,
                    code=problem.code,
                    detail=problem.detail,
                    detail_zh=str(problem.extra.get("detail_zh", "")),
                )
            )
            kept.sent.unlink(missing_ok=True)
        finally:
            os.close(handle)

    def _reading(self, merchant_id: int, kept: Kept) -> Iterator[None]:
        """Look at each order, and keep what it asks for."""
        tools, name = self._tools, kept.about().name
        account = tools.desk.merchants.account(merchant_id)
        if account is None:
            raise NotFoundError("merchant_unknown", "there is no such merchant")
        columns = header_of(kept.sent) if is_table(kept.sent, name) else None
        counting = Counting(columns.called if columns else {}, [*columns.others] if columns else ())
        source = open_orders(kept.sent, name)()
        aside = kept.orders.with_suffix(".part")
        with aside.open("wb") as file:
            for batch in _batches(source):
                file.writelines(map(line_of, batch))
                found = examine(tools.desk, tools.foreseer, account.merchant, batch, tools.clock())
                for one in found:
                    counting.add(one)
                if counting.preview.orders > MOST_ORDERS:
                    raise MalformedError("file_too_many_orders", f"at most {MOST_ORDERS} orders")
                if kept.is_cancelled():
                    break
                self._told_of(kept, done=counting.preview.orders)
                yield
        if kept.is_cancelled():
            aside.unlink()
            _cancelled(kept, tools.clock())
            return
        aside.rename(kept.orders)
        kept.keep_preview(counting.preview)
        kept.move(State(stage="ready", at=tools.clock(), orders=counting.preview.orders))
        # A crash before the next line leaves what was sent for as long as its orders.
        kept.sent.unlink(missing_ok=True)

    def _issuing(self, merchant_id: int, kept: Kept) -> Iterator[None]:
        tools, counts = self._tools, Counter[str]()
        submitter = LocalSubmitter(tools.desk, tools.standings, merchant_id)
        results = ResultFile(kept.results(), mode=PRIVATE)
        done = 0
        for step in steps(kept.records, submitter, results, counts):
            done += step
            self._count(kept, done, counts)
            if kept.is_cancelled() or not tools.may(kept.state().person, merchant_id):
                _cancelled(kept, tools.clock())
                self._end(merchant_id, kept, "cancelled")
                return
            yield
        self._count(kept, done, counts)
        self._end(merchant_id, kept, "done")
        kept.move(msgspec.structs.replace(kept.state(), stage="done", at=tools.clock()))
        kept.orders.unlink(missing_ok=True)

    def _end(self, merchant_id: int, kept: Kept, how: How) -> None:
        """The trail says what it came to."""
        state = kept.state()
        by = By(f"person:{state.person}", self._tools.clock(), state.origin)
        after: Said = {
            "orders": state.orders,
            "issued": state.issued,
            "replayed": state.replayed,
            "refused": state.refused,
        }
        self._tools.acts.record(_act(merchant_id, kept, by, how, after))

    def _told_of(self, kept: Kept, *, done: int) -> None:
        kept.move(msgspec.structs.replace(kept.state(), done=done))

    def _count(self, kept: Kept, done: int, counts: Counter[str]) -> None:
        kept.move(
            msgspec.structs.replace(
                kept.state(),
                done=done,
                issued=counts["issued"],
                replayed=counts["replayed"],
                refused=counts["refused"],
                before=counts["done before"],
            )
        )


def _cancelled(kept: Kept, now: int) -> None:
    state = kept.state()
    if state.stage == "reading" or not kept.orders.is_file():
        kept.drop()
        return
    kept.drop_cancelled()
    kept.move(msgspec.structs.replace(state, stage="cancelled", at=now))


def _act(merchant_id: int, kept: Kept, by: By, how: How, after: Said) -> Act:
    return act_by(
        by,
        "orders_file",
        f"merchant:{merchant_id}",
        after={"file": kept.about().digest, **after},
        outcome="begun" if how == "begun" else "done",
        reason="cancelled" if how == "cancelled" else "",
    )


def _batches(records: Iterable[Record]) -> Iterator[list[Record]]:
    left = iter(records)
    while batch := list(islice(left, BATCH_RECORDS)):
        yield batch
