"""The issuing transaction: every rule that decides whether a number is given out."""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import msgspec
import structlog

from chain.commitment import check_code, parse_password_area, password_area
from chain.errors import NotFoundError, Problem, RefusedError, UnavailableError
from chain.hashing import to_digest
from invoice_service.domain.clock import Known
from invoice_service.domain.invoice import Frozen, Issued, Prepared, finish
from invoice_service.domain.merchant import refuse_unless_active
from invoice_service.domain.numbering import Allotment, Scheme, next_number, number_beside
from invoice_service.domain.orders import KEY_TAKEN, NOWHERE, Reached, Sold, decide, named
from invoice_service.domain.verdict import Verdict
from invoice_service.storage.sqlite import prepaid
from invoice_service.storage.sqlite.buyers import KEEP, check_not_erased
from invoice_service.storage.sqlite.clock import Times
from invoice_service.storage.sqlite.connection import Connections
from invoice_service.storage.sqlite.forms import Forms, FormsWithin
from invoice_service.storage.sqlite.groups import OF_ONE_RECORD, Draft, Row, serve_together
from invoice_service.storage.sqlite.money import Money, book_money, open_money
from invoice_service.storage.sqlite.orders import (
    check_not_undone,
    place_of,
    remembered,
    sold_at,
    sold_of_order,
)
from invoice_service.storage.sqlite.returns import same_return, within_left

_INSERT = (
    "INSERT INTO invoices (seq, merchant_id, key_id, type, code, number, hash, issued_at,"
    " order_id, attempt, request_digest, industry, district, amount, tax, total, rates,"
    " face, buyer, lines, salts, reverses, till, business_day, part, keyed, form)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_REMEMBER = "INSERT INTO idempotency (merchant_id, key, request_digest, seq) VALUES (?, ?, ?, ?)"
_ISSUED = (
    "SELECT salts, hash, code, number, type, issued_at, order_id, amount, tax, total,"
    " till, business_day, face FROM invoices WHERE seq = ?"
)

_Execute: TypeAlias = Callable[..., sqlite3.Cursor]
"""A connection's ``execute``."""

_to_json = msgspec.json.Encoder().encode
_log = structlog.get_logger()


def nothing_taken() -> int:
    """No log is there that could have taken an invoice."""
    return 0


class Queue:
    """What waits for the published log, seen from inside an issuing transaction.

    Remembers how far the log had come: while the next one from there on is young, so are all, and
    the log need not be asked. Threads need no lock: a number that is behind is only asked again.
    """

    def __init__(self, taken: Callable[[], int]) -> None:
        self._taken = taken
        self._cursor = 0

    def oldest(self, execute: _Execute, now: int, patience: int) -> int:
        """Seconds for which the oldest has waited; exact when it is more than ``patience``."""
        waited = self._waited(execute, now)
        if waited > patience:
            self._cursor = max(self._cursor, self._taken())
            waited = self._waited(execute, now)
        return waited

    def has(self, seq: int) -> bool:
        """Whether the invoice at ``seq`` still waits."""
        if seq > self._cursor:
            self._cursor = max(self._cursor, self._taken())
        return seq > self._cursor

    def _waited(self, execute: _Execute, now: int) -> int:
        query = "SELECT issued_at FROM invoices WHERE seq = ?"
        row = execute(query, (self._cursor + 1,)).fetchone()
        return now - int(row[0]) if row else 0


class Issuing:
    """The part of the store that issues."""

    connections: Connections
    _scheme: Scheme
    _queue: "Queue"
    _times: Times
    _forms: Forms

    def issue(self, batch: Sequence[Prepared], clock: Callable[[], int]) -> list[Issued | Problem]:
        """Issue what may be issued, in one transaction, on disk when this returns.

        A record that is refused stops no other. ``clock`` gives unix seconds; it is read once
        the lock is held, so that waiting for the lock never looks like a clock set back.
        Raises UnavailableError (``database_busy``, ``disk_full``, …) when nothing was stored.
        """
        if not batch:
            return []
        with self.connections.writing() as connection:
            forms = self._forms.within(connection.execute)
            counter = _Counter(connection, self._scheme, clock(), self._queue, self._times, forms)
            answers = serve_together(connection, counter, batch)
            counter.close()
        self._forms.keep(forms)
        return answers


@dataclass(slots=True)
class _Allowance:
    """What a merchant may still issue within this transaction."""

    status: str
    quota: int | None
    used: int
    money: Money | None
    added: int = 0

    def take(self, invoices: int, amount: int) -> None:
        """So many blue invoices more over ``amount`` fen without tax; fewer, where below 0."""
        self.added += invoices
        if self.money is not None:
            self.money.added += amount


class _Counter:
    """The counter at which one transaction's records are served, in their order."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        scheme: Scheme,
        now: int,
        queue: Queue,
        times: Times,
        forms: FormsWithin,
    ) -> None:
        self._execute = connection.execute
        self._executemany = connection.executemany
        self._queue = queue
        self._forms = forms
        self._forms_before = 0
        self._waited: int | None = None
        self._checked: Allotment | None = None
        self._scheme = scheme
        self._now = now
        self._reached = Reached(now)
        self._allowances: dict[int, _Allowance] = {}
        self._good_keys: set[tuple[int, int]] = set()
        row = self._execute(
            "SELECT code, number, issued_at, seq FROM invoices ORDER BY seq DESC LIMIT 1"
        ).fetchone()
        self._last = Allotment(*row[:3]) if row else None
        sealed = times.sealed()  # after the clock: a seal that came in between counts
        self._known = self._usual(sealed) or times.known(connection)
        self._seq: int = row[3] if row else 0

    def serve(self, prepared: Prepared) -> Issued | Problem:
        """Answer one record; when it fails, in whatever way, nothing of it is stored.

        Raises sqlite3.Error when the transaction as a whole cannot go on.
        """
        last, seq, forms = self._last, self._seq, len(self._forms.new)
        self._execute("SAVEPOINT record")
        try:
            answer: Issued | Problem = self._serve(prepared)
        except sqlite3.Error as error:
            if not isinstance(error, OF_ONE_RECORD):
                raise  # the disk, the file or the lock: the next record would fare no better
            answer = UnavailableError("database_refused", f"the database refused it: {error}")
        except Problem as problem:
            answer = problem
        except Exception as error:  # noqa: BLE001 # others wait in this transaction, without fault
            _log.exception("issuing.record_failed")
            answer = UnavailableError("internal_error", f"a record could not be stored: {error!r}")
        if isinstance(answer, Problem):
            self._execute("ROLLBACK TO record")
            self._last, self._seq = last, seq
            self._forms.forget(forms)
        self._execute("RELEASE record")
        return answer

    def draft(self, prepared: Prepared) -> Draft:
        """Number a blue invoice for an order of which nothing is known; nothing is stored yet.

        Raises what ``serve`` would answer.
        """
        self._check_key(prepared)
        self._reached.check(prepared.place)
        allowance = self._room(prepared)
        after = self._last
        row, issued = self._number(prepared, 1, None)
        allowance.take(1, issued.amount)
        return Draft(prepared, row, issued, after)

    def store(self, drafts: Sequence[Draft]) -> None:
        """Store what was drafted, in its order."""
        self._forms_before = len(self._forms.new)
        self._executemany(_INSERT, [self._with_form(one.prepared, one.row) for one in drafts])
        people = [one for one in drafts if one.prepared.buyer_key]
        self._executemany(KEEP, [(one.issued.seq, one.prepared.buyer_key) for one in people])
        keyed = [(one.prepared, one.issued.seq) for one in drafts if one.prepared.idempotency_key]
        remembered = [_remembered(one, seq, one.kept_digest) for one, seq in keyed]
        self._executemany(_REMEMBER, remembered)

    def forget(self, drafts: Sequence[Draft]) -> None:
        """Take back what was drafted last, as if it had never been."""
        self._forms.forget(self._forms_before)
        for draft in reversed(drafts):
            self._allowances[draft.prepared.merchant_id].take(-1, -draft.issued.amount)
            self._last, self._seq = draft.after, draft.issued.seq - 1

    def _serve(self, prepared: Prepared) -> Issued:
        self._check_key(prepared)
        # A repeat is answered even when the quota is used up or the merchant suspended.
        repeated = self._by_idempotency_key(prepared)
        if repeated is not None:
            return repeated
        if prepared.kind == "red":
            return self._serve_red(prepared)
        return self._serve_blue(prepared)

    def _usual(self, sealed: int) -> Known | None:
        """What is known, while the last invoice and seal alone show that the clock is believed.

        A minute on from the last invoice, the rest is asked, too.
        """
        last, few = self._last, self._scheme.max_backwards
        if last is None or not last.issued_at <= self._now + few or not sealed <= self._now + few:
            return None
        if self._now > last.issued_at + min(few, self._scheme.max_forwards):
            return None
        return Known(issued=last.issued_at, sealed=sealed)

    def close(self) -> None:
        """Book what this transaction used of the quotas."""
        for merchant_id, allowance in self._allowances.items():
            if allowance.added:
                self._execute(
                    "UPDATE merchants SET used = used + ? WHERE id = ?",
                    (allowance.added, merchant_id),
                )
            book_money(self._execute, merchant_id, allowance.money)

    def _check_key(self, prepared: Prepared) -> None:
        """The key may have ended since the caller signed in; key 0 is the console."""
        known = (prepared.key_id, prepared.merchant_id)
        if not prepared.key_id or known in self._good_keys:
            return
        row = self._execute(
            "SELECT revoked_at, expires_at FROM api_keys WHERE id = ? AND merchant_id = ?", known
        ).fetchone()
        if row is None:
            raise RefusedError("key_unknown", "this key is not the merchant's")
        if row[0] is not None:
            raise RefusedError("key_revoked", "this key has been revoked")
        if row[1] is not None and row[1] <= self._now:
            raise RefusedError("key_expired", "this key was good until a moment ago")
        self._good_keys.add(known)

    def _by_idempotency_key(self, prepared: Prepared) -> Issued | None:
        if not prepared.idempotency_key:
            return None
        found = remembered(self._execute, prepared)
        if found is None:
            return None
        if not found.same:
            first = sold_at(self._execute, found.seq)
            raise named("idempotency_key_conflict", first, self._judge, KEY_TAKEN)
        return self._repeat(prepared, found.seq)

    def _serve_blue(self, prepared: Prepared) -> Issued:
        """Issue a blue invoice, or answer with the one that this repeats (ADR 0027)."""
        place = prepared.place or NOWHERE
        sold = sold_of_order(self._execute, prepared)
        attempt: Sold | int = 1
        if sold or not place.is_plain:
            attempt = decide(prepared.asked(), sold, self._now, self._judge)
        if isinstance(attempt, Sold):
            self._remember(prepared, attempt.seq, attempt.digest)
            return self._repeat(prepared, attempt.seq)
        self._reached.check(place)
        if place.part and attempt == 1:
            check_not_undone(self._execute, prepared, place)
        allowance = self._room(prepared)
        issued = self._store(prepared, attempt, None)
        if prepared.prepaid:
            self._release(prepared, issued)
        allowance.take(1, issued.amount)
        return issued

    def _release(self, prepared: Prepared, issued: Issued) -> None:
        """Pay it from a prepaid account; what the account refuses is not issued."""
        digest = parse_password_area(issued.hash)
        account, merchant = prepared.prepaid, prepared.merchant_id
        prepaid.release(self._execute, account, merchant, digest, issued.total, issued.issued_at)

    def _judge(self, sold: Sold) -> Verdict:
        """How an invoice stands, as a check would say."""
        if sold.returned:
            return Verdict.PARTLY_REVERSED if sold.stands else Verdict.REVERSED
        return Verdict.PENDING if self._queue.has(sold.seq) else Verdict.AUTHENTIC

    def _serve_red(self, prepared: Prepared) -> Issued:
        """Issue a red invoice over what is left of a blue one of the same merchant."""
        row = self._execute(
            "SELECT seq, type, attempt, issued_at FROM invoices WHERE hash = ? AND merchant_id = ?",
            (prepared.reverses, prepared.merchant_id),
        ).fetchone()
        if row is None:
            raise NotFoundError("invoice_unknown", "there is no such invoice of this merchant")
        seq, kind, attempt, blue_issued_at = row
        if kind != "blue":
            raise RefusedError("not_reversible", "a red invoice cannot be reversed")
        again = same_return(self._execute, seq, prepared)
        if again is not None:
            return self._repeat(prepared, again)
        if prepared.buyer_key:
            check_not_erased(self._execute, seq)
        prepared = within_left(self._execute, seq, prepared)
        money = self._allowance(prepared.merchant_id).money
        issued = self._store(prepared, attempt, seq)
        red, back = parse_password_area(issued.hash), -issued.total
        prepaid.give_back(self._execute, prepared.reverses or b"", red, back, issued.issued_at)
        if money is not None:
            money.give_back(issued.amount, blue_issued_at)
        return issued

    def _room(self, prepared: Prepared) -> _Allowance:
        """What its merchant may do, this blue invoice included; raises when it may not."""
        allowance = self._allowance(prepared.merchant_id)
        if allowance.quota is not None and allowance.used + allowance.added >= allowance.quota:
            raise RefusedError(
                "quota_exhausted", "the merchant's quota is used up", quota=allowance.quota
            )
        if allowance.money is not None:
            allowance.money.check(prepared.amount)
        return allowance

    def _allowance(self, merchant_id: int) -> _Allowance:
        """What this merchant may do; raises when it may do nothing."""
        allowance = self._allowances.get(merchant_id)
        if allowance is None:
            allowance = self._allowances[merchant_id] = self._opened(merchant_id)
        refuse_unless_active(allowance.status)
        return allowance

    def _opened(self, merchant_id: int) -> _Allowance:
        row = self._execute(
            "SELECT status, quota, used, month_quota, invoice_limit FROM merchants WHERE id = ?",
            (merchant_id,),
        ).fetchone()
        if row is None:
            raise NotFoundError("merchant_unknown", "there is no such merchant")
        # All of this transaction is issued at one time, as ``next_number`` has it.
        last = self._last.issued_at if self._last else 0
        moment = max(self._now, last, self._known.sealed)
        status, quota, used, month, limit = row
        money = open_money(self._execute, merchant_id, month, limit, moment)
        return _Allowance(status, quota, used, money)

    def _store(self, prepared: Prepared, attempt: int, reverses: int | None) -> Issued:
        """Allot the next number and insert the row; the number counts only once it is in."""
        row, issued = self._number(prepared, attempt, reverses)
        self._execute(_INSERT, self._with_form(prepared, row))
        if prepared.buyer_key:
            self._execute(KEEP, (issued.seq, prepared.buyer_key))
        self._remember(prepared, issued.seq, prepared.kept_digest)
        return issued

    def _number(self, prepared: Prepared, attempt: int, reverses: int | None) -> tuple[Row, Issued]:
        """Allot the next number: the row to insert, and the answer once it is in."""
        self._check_queue(prepared.max_wait)
        allotment = self._next_number()
        frozen = finish(prepared, allotment)
        seq = self._seq + 1
        row = _row(seq, prepared, frozen, attempt, reverses)
        issued = Issued(
            seq=seq,
            merchant_id=prepared.merchant_id,
            hash=frozen.hash,
            code=frozen.code,
            number=frozen.number,
            check_code=frozen.check_code,
            type=prepared.kind,
            issued_at=frozen.issued_at,
            order_id=prepared.order_id,
            amount=prepared.amount,
            tax=prepared.tax,
            total=prepared.total,
            place=prepared.place,
        )
        self._seq, self._last = seq, allotment
        return row, issued

    def _next_number(self) -> Allotment:
        """The number after the last; what this transaction has checked once holds until its end."""
        last = self._last
        beside = None
        if last is not None and last is self._checked:
            beside = number_beside(last, self._scheme)
        self._checked = beside or next_number(last, self._now, self._scheme, self._known)
        return self._checked

    def _check_queue(self, max_wait: int) -> None:
        """Refuse what could be in the log in time only by luck; asked once a transaction."""
        if not max_wait:
            return
        if self._waited is None:
            self._waited = self._queue.oldest(self._execute, self._now, max_wait)
        if self._waited > max_wait:
            raise UnavailableError(
                "log_behind",
                f"an invoice has waited {self._waited} seconds for the published log; no promise"
                " can be made",
                seconds=self._waited,
            )

    def _with_form(self, prepared: Prepared, row: Row) -> Row:
        """The whole row: a shared form stands in a row of its own, stored with the first."""
        return (*row, self._forms.id(prepared.form) if prepared.shared else None)

    def _remember(self, prepared: Prepared, seq: int, digest: bytes) -> None:
        if prepared.idempotency_key:
            self._execute(_REMEMBER, _remembered(prepared, seq, digest))

    def _repeat(self, prepared: Prepared, seq: int) -> Issued:
        """The invoice at ``seq`` as the answer to a request that has come before.

        The same 48 random salts mean that the very same call came twice, because its first
        answer was lost on the way: for whoever asked it is no repetition.
        """
        row = self._execute(_ISSUED, (seq,)).fetchone()
        digest = to_digest(row[1])
        return Issued(
            seq=seq,
            merchant_id=prepared.merchant_id,
            hash=password_area(digest),
            code=row[2],
            number=row[3],
            check_code=check_code(digest),
            type=row[4],
            issued_at=row[5],
            order_id=row[6],
            amount=row[7],
            tax=row[8],
            total=row[9],
            place=place_of(*row[10:]),
            replayed=row[0] != prepared.salts,
        )


def _remembered(prepared: Prepared, seq: int, digest: bytes) -> tuple[object, ...]:
    """``digest`` is as it stands in the row of the invoice."""
    return prepared.merchant_id, prepared.idempotency_key, digest, seq


def _row(seq: int, prepared: Prepared, frozen: Frozen, attempt: int, reverses: int | None) -> Row:
    """The row as far as it is known before it is stored."""
    place = prepared.place or NOWHERE
    return (
        seq,
        prepared.merchant_id,
        prepared.key_id,
        prepared.kind,
        frozen.code,
        frozen.number,
        frozen.digest,
        frozen.issued_at,
        prepared.order_id,
        attempt,
        prepared.kept_digest,
        prepared.industry,
        prepared.district,
        prepared.amount,
        prepared.tax,
        prepared.total,
        _to_json(prepared.rates).decode(),
        b"" if prepared.shared else frozen.face,
        prepared.buyer,
        prepared.lines,
        prepared.salts,
        reverses,
        place.till,
        place.business_day,
        place.part,
        1 if prepared.idempotency_key else 0,
    )
