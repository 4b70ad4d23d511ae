"""The register: merchants with their quotas, and API keys. Each change writes its act beside it."""

import sqlite3
from typing import Any, Literal

import msgspec

from chain.errors import ConflictError
from chain.hashing import Digest
from invoice_service.domain.acts import By, Said, act_by
from invoice_service.domain.merchant import MerchantRequest, particulars
from invoice_service.services.people.ports import ApiKey, Role
from invoice_service.services.ports import Account
from invoice_service.storage.sqlite.connection import Connections
from invoice_service.storage.sqlite.trail import append


class Register:
    """The part of the store that keeps merchants and keys."""

    connections: Connections

    def add_merchant(self, request: MerchantRequest, by: By) -> Account:
        """Admit one; ConflictError ``tax_id_taken``."""
        with self.connections.writing() as connection:
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
                **_allowed(request.quota),
            }
            subject = f"merchant:{account.merchant.id}"
            append(connection, act_by(by, "admission", subject, after=after))
            return account

    def account(self, merchant_id: int) -> Account | None:
        """One merchant."""
        found = self._accounts("id = ?", [merchant_id], limit=1)
        return found[0] if found else None

    def account_by_tax_id(self, tax_id: str) -> Account | None:
        """The merchant with this tax id."""
        found = self._accounts("tax_id = ?", [tax_id], limit=1)
        return found[0] if found else None

    def accounts(self, after: int, limit: int) -> list[Account]:
        """Merchants with an id above ``after``, in order, ``limit`` at most."""
        return self._accounts("id > ?", [after], limit=limit)

    def set_status(self, merchant_id: int, status: Literal["active", "suspended"], by: By) -> bool:
        """Suspend or resume one; False when there is none."""
        with self.connections.writing() as connection:
            before = _one(connection, "status", merchant_id)
            if before is None:
                return False
            connection.execute(
                "UPDATE merchants SET status = ? WHERE id = ?", (status, merchant_id)
            )
            subject = f"merchant:{merchant_id}"
            was: Said = {"status": before[0]}
            append(
                connection,
                act_by(by, "suspension", subject, before=was, after={"status": status}),
            )
            return True

    def set_quota(self, merchant_id: int, quota: int | None, by: By) -> bool:
        """Allow so many blue invoices in all (None: no limit); False when there is none."""
        with self.connections.writing() as connection:
            before = _one(connection, "quota", merchant_id)
            if before is None:
                return False
            connection.execute("UPDATE merchants SET quota = ? WHERE id = ?", (quota, merchant_id))
            was, allowed = _allowed(before[0]), _allowed(quota)
            subject = f"merchant:{merchant_id}"
            append(connection, act_by(by, "quota", subject, before=was, after=allowed))
            return True

    def add_key(
        self, digest: Digest, role: Role, merchant_id: int | None, label: str, by: By
    ) -> ApiKey:
        """Keep a new key."""
        row = {
            "digest": digest,
            "role": role,
            "merchant_id": merchant_id,
            "label": label,
            "created_at": by.at,
            "revoked_at": None,
        }
        with self.connections.writing() as connection:
            table = self.connections.database.table("api_keys")
            key = msgspec.convert(row | {"id": table.insert(row).last_pk}, ApiKey)
            after: Said = {"role": role}
            if merchant_id is not None:
                after["merchant"] = merchant_id
            append(connection, act_by(by, "key", f"key:{key.id}", after=after))
            return key

    def key(self, digest: Digest) -> ApiKey | None:
        """The key with this digest, revoked or not."""
        with self.connections.reading() as connection:
            row = connection.execute(
                "SELECT id, role, merchant_id, label, created_at, revoked_at"
                " FROM api_keys WHERE digest = ?",
                (digest,),
            ).fetchone()
        if row is None:
            return None
        key_id, role, merchant_id, label, created_at, revoked_at = row
        return ApiKey(
            id=key_id,
            digest=digest,
            role=role,
            merchant_id=merchant_id,
            label=label,
            created_at=created_at,
            revoked_at=revoked_at,
        )

    def keys(self, merchant_id: int | None) -> list[ApiKey]:
        """All keys of a merchant, or of the officials (None)."""
        with self.connections.reading():
            table = self.connections.database.table("api_keys")
            rows = table.rows_where("merchant_id IS ?", [merchant_id], order_by="id")
            return [msgspec.convert(row, ApiKey) for row in rows]

    def revoke_key(self, key_id: int, by: By) -> ApiKey | None:
        """Revoke a key, for ever; None when there is none. The first revocation's time stays."""
        with self.connections.writing() as connection:
            table = self.connections.database.table("api_keys")
            found = list(table.rows_where("id = ?", [key_id]))
            if not found:
                return None
            key = msgspec.convert(found[0], ApiKey)
            before: Said = {} if key.revoked_at is None else {"revoked_at": key.revoked_at}
            if key.revoked_at is None:
                connection.execute(
                    "UPDATE api_keys SET revoked_at = ? WHERE id = ?", (by.at, key_id)
                )
                key = msgspec.structs.replace(key, revoked_at=by.at)
            after: Said = {"revoked_at": key.revoked_at or by.at}
            append(
                connection,
                act_by(by, "key_revocation", f"key:{key_id}", before=before, after=after),
            )
            return key

    def _accounts(self, where: str, values: list[object], *, limit: int) -> list[Account]:
        # In plain SQL, since every issue asks for its merchant: 10 µs, not 60.
        query = f"SELECT * FROM merchants WHERE {where} ORDER BY id LIMIT ?"  # noqa: S608 # our own conditions
        with self.connections.reading() as connection:
            found = connection.execute(query, (*values, limit))
            names = [column[0] for column in found.description]
            return [_account(dict(zip(names, row, strict=True))) for row in found]


def _one(connection: sqlite3.Connection, column: str, merchant_id: int) -> tuple[Any] | None:
    """One column of a merchant; None when there is no such merchant."""
    query = f"SELECT {column} FROM merchants WHERE id = ?"  # noqa: S608 # our own column names
    row: tuple[Any] | None = connection.execute(query, (merchant_id,)).fetchone()
    return row


def _allowed(quota: int | None) -> Said:
    """What an act says of a quota: nothing when there is no limit."""
    return {} if quota is None else {"quota": quota}


def _account(row: dict[str, Any]) -> Account:
    return msgspec.convert(row | {"merchant": row}, Account)
