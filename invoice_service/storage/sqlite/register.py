"""The register: merchants with their quotas, and API keys. Each change writes its act beside it."""

import sqlite3
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from chain.errors import ConflictError
from chain.hashing import Digest
from invoice_service.domain.acts import By, Said, act_by
from invoice_service.domain.merchant import MerchantRequest, Status, particulars
from invoice_service.domain.quota import Quotas
from invoice_service.services.checking.audit_invoices import Spent
from invoice_service.services.people.ports import NO_TERMS, ApiKey, KeyTerms, Role
from invoice_service.services.ports import Account
from invoice_service.storage.sqlite.connection import Connections
from invoice_service.storage.sqlite.money import begin_money, last_spent, recounted
from invoice_service.storage.sqlite.trail import append

_TERMS: Final = ("scopes", "expires_at", "till", "office", "person_id")
_HOLDER: Final = (
    "CASE WHEN p.id IS NULL THEN NULL WHEN p.removed_at IS NULL AND p.suspended_at IS NULL"
    " THEN p.role ELSE '' END"
)
"""The role of whoever holds a key; "" once they may not sign in."""


class Register:
    """The part of the store that keeps merchants and keys."""

    connections: Connections

    def add_merchant(self, request: MerchantRequest, by: By) -> Account:
        """Admit one; ConflictError ``tax_id_taken``."""
        with self.connections.writing() as connection:
            return self.add_merchant_within(connection, request, by)

    def add_merchant_within(
        self, connection: sqlite3.Connection, request: MerchantRequest, by: By, reason: str = ""
    ) -> Account:
        """As ``add_merchant``, in a transaction that has begun."""
        table = self.connections.database.table("merchants")
        if table.count_where("tax_id = ?", [request.tax_id]):
            raise ConflictError("tax_id_taken", "a merchant with this tax id is admitted")
        row = msgspec.structs.asdict(request)
        row |= {"used": 0, "status": "active", "created_at": by.at}
        account = _account(row | {"id": table.insert(row).last_pk})
        after: Said = {
            "tax_id": request.tax_id,
            "particulars": particulars(request),
            "status": "active",
            **account.merchant.quotas().said(),
            **({"batch": request.batch} if request.batch else {}),
        }
        subject = f"merchant:{account.merchant.id}"
        append(connection, act_by(by, "admission", subject, after=after, reason=reason))
        return account

    def account(self, merchant_id: int) -> Account | None:
        """One merchant."""
        found = self._accounts("id = ?", [merchant_id], limit=1)
        return found[0] if found else None

    def spent(self) -> list[Spent]:
        """The running sums of quotas as money, counted anew at one moment."""
        with self.connections.reading() as connection:
            connection.execute("BEGIN")  # one state of the database for all that is counted
            try:
                return [Spent(*row) for row in recounted(connection.execute)]
            finally:
                connection.rollback()

    def account_by_tax_id(self, tax_id: str) -> Account | None:
        """The merchant with this tax id."""
        found = self._accounts("tax_id = ?", [tax_id], limit=1)
        return found[0] if found else None

    def accounts(self, after: int, limit: int) -> list[Account]:
        """Merchants with an id above ``after``, in order, ``limit`` at most."""
        return self._accounts("id > ?", [after], limit=limit)

    def set_status(
        self,
        merchant_id: int,
        status: Status,
        by: By,
        reason: str = "",
        seen: Status | None = None,
        *,
        stays_left: bool = False,
    ) -> bool:
        """As the port says."""
        with self.connections.writing() as connection:
            before = _one(connection, "status", merchant_id)
            if before is None:
                return False
            if stays_left and before[0] == "left":
                raise ConflictError("readmission_needed", "it has left: readmit it first")
            if seen is not None and seen != before[0]:
                raise ConflictError("merchant_changed", f"this merchant is {before[0]} by now")
            change_status(connection, merchant_id, before[0], status, by, reason)
            if status == "left":
                _grant_leaving(connection, merchant_id, by, reason)
            return True

    def set_quota(
        self,
        merchant_id: int,
        quota: int | UnsetType | None,
        by: By,
        *,
        month_quota: int | UnsetType | None = UNSET,
        invoice_limit: int | UnsetType | None = UNSET,
        reason: str = "",
        seen: Quotas | None = None,
    ) -> bool:
        """Allow so many blue invoices in all, and so much money (None: no limit).

        What is UNSET stays as it is. False when there is no such merchant.
        """
        given = {"quota": quota, "month_quota": month_quota, "invoice_limit": invoice_limit}
        wanted = {name: value for name, value in given.items() if value is not UNSET}
        with self.connections.writing() as connection:
            return change_quotas(connection, merchant_id, wanted, by, reason, seen)

    def add_key(
        self,
        digest: Digest,
        role: Role,
        merchant_id: int | None,
        label: str,
        by: By,
        terms: KeyTerms = NO_TERMS,
    ) -> ApiKey:
        """Keep a new key."""
        with self.connections.writing() as connection:
            return self._add_key(connection, digest, role, merchant_id, label, by, terms)

    def replace_key(
        self, key_id: int, digest: Digest, until: int, by: By
    ) -> tuple[ApiKey, ApiKey] | None:
        """A new key with the terms of a good one, which ends at ``until``: (that one, the new).

        None where there is no good one.
        """
        with self.connections.writing() as connection:
            found = [key for key in self._keys("id = ?", key_id) if _is_good(key, by.at)]
            if not found:
                return None
            old = found[0]
            new = self._add_key(
                connection, digest, old.role, old.merchant_id, old.label, by, old.terms
            )
            ends = until if old.terms.expires_at is None else min(until, old.terms.expires_at)
            connection.execute("UPDATE api_keys SET expires_at = ? WHERE id = ?", (ends, key_id))
            after: Said = {"expires_at": ends, "replaced_by": new.id}
            append(connection, act_by(by, "key_replacement", f"key:{key_id}", after=after))
            terms = msgspec.structs.replace(old.terms, expires_at=ends)
            return msgspec.structs.replace(old, terms=terms), new

    def note_uses(self, uses: Mapping[int, int]) -> None:
        """Keep when keys were used last: unix seconds by the keys' ids."""
        with self.connections.writing() as connection:
            connection.executemany(
                "UPDATE api_keys SET used_at = ?1 WHERE id = ?2 AND coalesce(used_at, 0) < ?1",
                [(at, key_id) for key_id, at in uses.items()],
            )

    def _add_key(
        self,
        connection: sqlite3.Connection,
        digest: Digest,
        role: Role,
        merchant_id: int | None,
        label: str,
        by: By,
        terms: KeyTerms,
    ) -> ApiKey:
        row = {
            "digest": digest,
            "role": role,
            "merchant_id": merchant_id,
            "label": label,
            "created_at": by.at,
            "revoked_at": None,
            "scopes": None if terms.scopes is None else " ".join(terms.scopes),
            "expires_at": terms.expires_at,
            "till": terms.till,
            "used_at": None,
            "office": terms.office,
            "person_id": terms.person,
        }
        table = self.connections.database.table("api_keys")
        key = read_key(row | {"id": table.insert(row).last_pk})
        append(connection, act_by(by, "key", f"key:{key.id}", after=_key_said(key)))
        return key

    def key(self, digest: Digest) -> ApiKey | None:
        """The key with this digest, revoked or not."""
        with self.connections.reading() as connection:
            row = connection.execute(
                "SELECT k.id, k.role, k.merchant_id, label, k.created_at, revoked_at, used_at,"  # noqa: S608 # constant
                f" scopes, expires_at, till, office, person_id, {_HOLDER}"
                " FROM api_keys AS k LEFT JOIN people AS p ON p.id = person_id WHERE digest = ?",
                (digest,),
            ).fetchone()
        if row is None:
            return None
        key_id, role, merchant_id, label, created_at, revoked_at, used_at, *terms, holder = row
        return ApiKey(
            id=key_id,
            digest=digest,
            role=role,
            merchant_id=merchant_id,
            label=label,
            created_at=created_at,
            revoked_at=revoked_at,
            terms=_terms(*terms),
            used_at=used_at,
            holder=holder,
        )

    def keys(self, merchant_id: int | None) -> list[ApiKey]:
        """All keys of a merchant, or of the officials (None)."""
        with self.connections.reading():
            return self._keys("merchant_id IS ?", merchant_id)

    def revoke_key(self, key_id: int, by: By, reason: str = "") -> ApiKey | None:
        """Revoke a key, for ever; None when there is none. The first revocation's time stays."""
        with self.connections.writing() as connection:
            found = self._keys("id = ?", key_id)
            if not found:
                return None
            key = found[0]
            before: Said = {} if key.revoked_at is None else {"revoked_at": key.revoked_at}
            if key.revoked_at is None:
                connection.execute(
                    "UPDATE api_keys SET revoked_at = ? WHERE id = ?", (by.at, key_id)
                )
                key = msgspec.structs.replace(key, revoked_at=by.at)
            after: Said = {"revoked_at": key.revoked_at or by.at}
            subject = f"key:{key_id}"
            act = act_by(by, "key_revocation", subject, before=before, after=after, reason=reason)
            append(connection, act)
            return key

    def _keys(self, where: str, value: object) -> list[ApiKey]:
        table = self.connections.database.table("api_keys")
        return [read_key(row) for row in table.rows_where(where, [value], order_by="id")]

    def _accounts(self, where: str, values: list[object], *, limit: int) -> list[Account]:
        # In plain SQL, since every issue asks for its merchant: 10 µs, not 60.
        query = f"SELECT * FROM merchants WHERE {where} ORDER BY id LIMIT ?"  # noqa: S608 # our own conditions
        with self.connections.reading() as connection:
            found = connection.execute(query, (*values, limit))
            names = [column[0] for column in found.description]
            rows = [dict(zip(names, row, strict=True)) for row in found]
            for row in rows:
                if row["month_quota"] is not None:
                    row["month"], row["month_used"] = last_spent(connection.execute, row["id"])
            return [_account(row) for row in rows]


def revoke_merchant(connection: sqlite3.Connection, merchant_id: int, by: By, reason: str) -> None:
    """Stop one from issuing for good, within a transaction that has begun.

    ConflictError ``merchant_revoked`` for one that was.
    """
    before = _one(connection, "status", merchant_id)
    if before is not None and before[0] == "revoked":
        raise ConflictError("merchant_revoked", "this merchant was revoked for good")
    if before is not None:
        change_status(connection, merchant_id, before[0], "revoked", by, reason)


def read_key(row: Mapping[str, Any]) -> ApiKey:
    """A row of keys."""
    terms = _terms(*(row[name] for name in _TERMS))
    return msgspec.convert({**row, "terms": terms}, ApiKey)


def _terms(
    scopes: str | None, expires_at: int | None, till: str, office: str | None, person: int | None
) -> KeyTerms:
    if (scopes, expires_at, till, office, person) == (None, None, "", None, None):
        return NO_TERMS
    said: dict[str, object] = {"scopes": None if scopes is None else scopes.split()}
    said |= {"expires_at": expires_at, "till": till, "office": office, "person": person}
    return msgspec.convert(said, KeyTerms)


def _is_good(key: ApiKey, now: int) -> bool:
    ends = key.terms.expires_at
    return key.revoked_at is None and (ends is None or now < ends)


def _key_said(key: ApiKey) -> Said:
    """What the act says that makes a key."""
    said: Said = {"role": key.role}
    if key.merchant_id is not None:
        said["merchant"] = key.merchant_id
    if key.terms.scopes is not None:
        said["scopes"] = " ".join(key.terms.scopes)
    if key.terms.expires_at is not None:
        said["expires_at"] = key.terms.expires_at
    if key.terms.till:
        said["till"] = key.terms.till
    if key.terms.office is not None:
        said["office"] = key.terms.office
    if key.terms.person is not None:
        said["person"] = key.terms.person
    return said


def _one(connection: sqlite3.Connection, column: str, merchant_id: int) -> tuple[Any] | None:
    """One column of a merchant; None when there is no such merchant."""
    query = f"SELECT {column} FROM merchants WHERE id = ?"  # noqa: S608 # our own column names
    row: tuple[Any] | None = connection.execute(query, (merchant_id,)).fetchone()
    return row


def change_status(
    connection: sqlite3.Connection, merchant_id: int, was: str, status: Status, by: By, reason: str
) -> None:
    """Within a transaction that has begun; ConflictError ``merchant_revoked`` for one that was."""
    if was == "revoked" != status:
        raise ConflictError("merchant_revoked", "this merchant was revoked for good")
    connection.execute("UPDATE merchants SET status = ? WHERE id = ?", (status, merchant_id))
    before: Said = {"status": was}
    after: Said = {"status": status}
    subject = f"merchant:{merchant_id}"
    act = act_by(by, "suspension", subject, before=before, after=after, reason=reason)
    append(connection, act)


def _grant_leaving(connection: sqlite3.Connection, merchant_id: int, by: By, reason: str) -> None:
    """What it asked for has come about: nobody is to answer it any more."""
    waiting = connection.execute(
        "SELECT id FROM quota_requests WHERE merchant_id = ? AND kind = 'leave' AND state = 'open'",
        (merchant_id,),
    ).fetchall()
    for (id_,) in waiting:
        end_request(connection, id_, merchant_id, {"kind": "leave"}, "granted", by, reason)


def end_request(
    connection: sqlite3.Connection,
    id_: int,
    merchant_id: int,
    asked: Said,
    state: str,
    by: By,
    answer: str = "",
) -> None:
    """End what a merchant asked for, with its act; within a transaction that has begun."""
    connection.execute(
        "UPDATE quota_requests SET state = ?, version = version + 1, answer = ?, answered_at = ?"
        " WHERE id = ?",
        (state, answer, by.at, id_),
    )
    before: Said = {"state": "open", **asked}
    after: Said = {"state": state, "merchant": merchant_id}
    subject = f"quota_request:{id_}"
    append(connection, act_by(by, "quota", subject, before=before, after=after, reason=answer))


def change_quotas(
    connection: sqlite3.Connection,
    merchant_id: int,
    wanted: Mapping[str, object],
    by: By,
    reason: str = "",
    seen: Quotas | None = None,
) -> bool:
    """Within a transaction that has begun; False when there is no such merchant.

    ConflictError ``merchant_changed`` where they are not as they were ``seen``.
    """
    row = connection.execute(
        "SELECT quota, month_quota, invoice_limit FROM merchants WHERE id = ?", (merchant_id,)
    ).fetchone()
    if row is None:
        return False
    was = Quotas(quota=row[0], month_quota=row[1], invoice_limit=row[2])
    if seen is not None and seen != was:
        raise ConflictError("merchant_changed", "the limits of this merchant are others by now")
    now = msgspec.structs.replace(was, **wanted)
    connection.execute(
        "UPDATE merchants SET quota = ?, month_quota = ?, invoice_limit = ? WHERE id = ?",
        (now.quota, now.month_quota, now.invoice_limit, merchant_id),
    )
    if now.month_quota is not None and was.month_quota is None:
        begin_money(connection.execute, merchant_id, by.at)
    subject = f"merchant:{merchant_id}"
    act = act_by(by, "quota", subject, before=was.said(), after=now.said(), reason=reason)
    append(connection, act)
    return True


def _account(row: dict[str, Any]) -> Account:
    return msgspec.convert(row | {"merchant": row}, Account)
