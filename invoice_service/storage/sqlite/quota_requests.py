"""What merchants ask for: more quota, or to leave. An answer changes the register with it."""

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from chain.errors import ConflictError, NotFoundError, RefusedError
from invoice_service.domain.acts import By, Said
from invoice_service.domain.quota import QUOTAS, Quotas
from invoice_service.domain.waiting import again_in
from invoice_service.services.admission.ports import QuotaRequest, RequestKind, RequestState
from invoice_service.storage.sqlite.connection import Connections
from invoice_service.storage.sqlite.register import change_quotas, change_status, end_request

_SELECT: Final = (
    "SELECT r.id, r.version, r.merchant_id, m.name, r.kind, r.at, r.state, r.quota, r.month_quota,"
    " r.invoice_limit, r.reason, r.answer, r.answered_at, m.status"
    " FROM quota_requests r JOIN merchants m ON m.id = r.merchant_id WHERE "
)
MOST_WITHDRAWN: Final = 10
"""Requests that a merchant may take back in a day before it waits with asking."""
_DAY: Final = 86_400
_STATES_ZH: Final[dict[RequestState, str]] = {
    "open": "待答复",
    "granted": "已同意",
    "refused": "未同意",
    "withdrawn": "商户已撤回",
}


class QuotaRequestRows:
    """The part of the store that keeps requests."""

    connections: Connections

    def add_quota_request(
        self, merchant_id: int, kind: RequestKind, quotas: Quotas, reason: str, by: By
    ) -> QuotaRequest:
        """As the port says."""
        with self.connections.writing() as connection:
            left = connection.execute(
                "SELECT 1 FROM merchants WHERE id = ? AND status = 'left'", (merchant_id,)
            ).fetchone()
            if left is not None and kind == "leave":
                raise RefusedError("merchant_left", "it has left already")
            waits = connection.execute(
                "SELECT 1 FROM quota_requests WHERE merchant_id = ? AND kind = ?"
                " AND state = 'open'",
                (merchant_id, kind),
            ).fetchone()
            if waits is not None:
                raise ConflictError("request_pending", "the last one is not answered yet")
            _bound(connection, merchant_id, by.at)
            cursor = connection.execute(
                "INSERT INTO quota_requests (version, merchant_id, kind, at, state, quota,"
                " month_quota, invoice_limit, reason) VALUES (1, ?, ?, ?, 'open', ?, ?, ?, ?)",
                (merchant_id, kind, by.at, *msgspec.structs.astuple(quotas), reason),
            )
            row = connection.execute(f"{_SELECT}r.id = ?", (cursor.lastrowid,)).fetchone()
            return _request(row)

    def quota_requests(
        self, merchant_id: int | None, state: RequestState | None, after: int, limit: int
    ) -> list[QuotaRequest]:
        """As the port says."""
        where, values = ["r.id > ?"], [after]
        more: list[Any] = []
        if merchant_id is not None:
            where.append("r.merchant_id = ?")
            more.append(merchant_id)
        if state is not None:
            where.append("r.state = ?")
            more.append(state)
        with self.connections.reading() as connection:
            rows = connection.execute(
                f"{_SELECT}{' AND '.join(where)} ORDER BY r.id LIMIT ?", [*values, *more, limit]
            ).fetchall()
        return [_request(row) for row in rows]

    def quota_request(self, id_: int) -> QuotaRequest | None:
        """As the port says."""
        with self.connections.reading() as connection:
            row = connection.execute(f"{_SELECT}r.id = ?", (id_,)).fetchone()
        return None if row is None else _request(row)

    def answer_quota_request(
        self, id_: int, version: int, granted: Quotas | None, answer: str, by: By
    ) -> None:
        """As the port says."""
        with self.connections.writing() as connection:
            row = connection.execute(f"{_SELECT}r.id = ?", (id_,)).fetchone()
            if row is None:
                raise NotFoundError("request_unknown", "there is no such request")
            found = _request(row)
            if found.version != version or found.state != "open":
                raise _changed(found)
            state: RequestState = "refused" if granted is None else "granted"
            if granted is not None:
                _grant(connection, found, row[-1], granted, answer, by)
            _end(connection, found, state, by, answer)

    def withdraw_quota_request(self, id_: int, merchant_id: int, by: By) -> QuotaRequest:
        """As the port says. Whoever is first, merchant or official, has its way; the other reads
        how it stands.
        """
        with self.connections.writing() as connection:
            where = f"{_SELECT}r.id = ? AND r.merchant_id = ?"
            row = connection.execute(where, (id_, merchant_id)).fetchone()
            if row is None:
                raise NotFoundError("request_unknown", "there is no such request")
            found = _request(row)
            if found.state == "withdrawn":
                return found
            if found.state != "open":
                raise _changed(found)
            _end(connection, found, "withdrawn", by)
            return _request(connection.execute(f"{_SELECT}r.id = ?", (id_,)).fetchone())


def _bound(connection: sqlite3.Connection, merchant_id: int, now: int) -> None:
    """Asking and taking back in turns would make as many acts as somebody likes, for ever."""
    (many, first) = connection.execute(
        "SELECT count(*), min(answered_at) FROM quota_requests WHERE merchant_id = ?"
        " AND state = 'withdrawn' AND answered_at > ?",
        (merchant_id, now - _DAY),
    ).fetchone()
    if many >= MOST_WITHDRAWN:
        wait = first + _DAY - now
        then, then_zh = again_in(wait)
        raise RefusedError(
            "rate_limited",
            f"{many} were taken back within a day: {then}",
            retry_after=wait,
            detail_zh=f"一天内已撤回 {many} 项，{then_zh}",
        )


def _end(
    connection: sqlite3.Connection,
    found: QuotaRequest,
    state: RequestState,
    by: By,
    answer: str = "",
) -> None:
    asked: Said = {"kind": found.kind, **found.quotas.said()}
    end_request(connection, found.id, found.merchant_id, asked, state, by, answer)


def _changed(found: QuotaRequest) -> ConflictError:
    """Somebody was before; how it stands now."""
    detail = f"it is {found.state}, at version {found.version}, by now"
    zh = f"现状：{_STATES_ZH[found.state]}"
    return ConflictError(
        "request_changed", detail, version=found.version, state=found.state, detail_zh=zh
    )


def _grant(
    connection: sqlite3.Connection,
    found: QuotaRequest,
    status: str,
    granted: Quotas,
    answer: str,
    by: By,
) -> None:
    """What the register says from now on, with its own act, in the same transaction."""
    if found.kind == "leave":
        change_status(connection, found.merchant_id, status, "left", by, answer)
        return
    wanted = {name: getattr(granted, name) for name in QUOTAS}
    wanted = {name: value for name, value in wanted.items() if value is not None}
    change_quotas(connection, found.merchant_id, wanted, by, answer)


def _request(row: Sequence[Any]) -> QuotaRequest:
    id_, version, merchant_id, name, kind, at, state, *quotas, reason, answer, answered_at, _ = row
    return QuotaRequest(
        id=id_,
        version=version,
        merchant_id=merchant_id,
        merchant=name,
        kind=kind,
        at=at,
        state=state,
        quotas=Quotas(**dict(zip(QUOTAS, quotas, strict=True))),
        reason=reason,
        answer=answer,
        answered_at=answered_at,
    )
