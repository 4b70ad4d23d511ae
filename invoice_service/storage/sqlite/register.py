"""The register: merchants with their quotas, and API keys."""

from typing import Any, Literal

import msgspec

from chain.errors import ConflictError
from chain.hashing import Digest
from invoice_service.domain.merchant import MerchantRequest
from invoice_service.services.people.ports import ApiKey, Role
from invoice_service.services.ports import Account
from invoice_service.storage.sqlite.connection import Connections


class Register:
    """The part of the store that keeps merchants and keys."""

    connections: Connections

    def add_merchant(self, request: MerchantRequest, now: int) -> Account:
        """Admit one; ConflictError ``tax_id_taken``."""
        with self.connections.writing():
            table = self.connections.database.table("merchants")
            if table.count_where("tax_id = ?", [request.tax_id]):
                raise ConflictError("tax_id_taken", "a merchant with this tax id is admitted")
            row = msgspec.structs.asdict(request)
            row |= {"used": 0, "status": "active", "created_at": now}
            return _account(row | {"id": table.insert(row).last_pk})

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

    def set_status(self, merchant_id: int, status: Literal["active", "suspended"]) -> bool:
        """Suspend or resume one; False when there is none."""
        return self._change(merchant_id, {"status": status})

    def set_quota(self, merchant_id: int, quota: int | None) -> bool:
        """Allow so many blue invoices in all (None: no limit); False when there is none."""
        return self._change(merchant_id, {"quota": quota})

    def add_key(
        self, digest: Digest, role: Role, merchant_id: int | None, label: str, now: int
    ) -> ApiKey:
        """Keep a new key."""
        row = {
            "digest": digest,
            "role": role,
            "merchant_id": merchant_id,
            "label": label,
            "created_at": now,
            "revoked_at": None,
        }
        with self.connections.writing():
            table = self.connections.database.table("api_keys")
            return msgspec.convert(row | {"id": table.insert(row).last_pk}, ApiKey)

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

    def revoke_key(self, key_id: int, now: int) -> ApiKey | None:
        """Revoke a key, for ever; None when there is none. The first revocation's time stays."""
        with self.connections.writing() as connection:
            connection.execute(
                "UPDATE api_keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL",
                (now, key_id),
            )
            table = self.connections.database.table("api_keys")
            rows = list(table.rows_where("id = ?", [key_id]))
            return msgspec.convert(rows[0], ApiKey) if rows else None

    def _accounts(self, where: str, values: list[object], *, limit: int) -> list[Account]:
        # In plain SQL, since every issue asks for its merchant: 10 µs, not 60.
        query = f"SELECT * FROM merchants WHERE {where} ORDER BY id LIMIT ?"  # noqa: S608 # our own conditions
        with self.connections.reading() as connection:
            found = connection.execute(query, (*values, limit))
            names = [column[0] for column in found.description]
            return [_account(dict(zip(names, row, strict=True))) for row in found]

    def _change(self, merchant_id: int, values: dict[str, Any]) -> bool:
        with self.connections.writing():
            table = self.connections.database.table("merchants")
            if not table.count_where("id = ?", [merchant_id]):
                return False
            table.update(merchant_id, values)
            return True


def _account(row: dict[str, Any]) -> Account:
    return msgspec.convert(row | {"merchant": row}, Account)
