"""What people show beside a password: one-time codes, recovery codes, passkeys."""

import sqlite3
from typing import Any, Final

import msgspec

from chain.hashing import Digest
from invoice_service.domain.acts import By
from invoice_service.services.people.person import NewPasskey, Passkey, Person
from invoice_service.storage.sqlite.connection import Connections
from invoice_service.storage.sqlite.people import act_of_credential, hold

_KEPT_SECONDS: Final = 3600
"""How long an answered challenge is remembered: longer than any is good."""

_COLUMNS: Final = Passkey.__struct_fields__
_SELECT: Final = f"SELECT {', '.join(_COLUMNS)} FROM passkeys WHERE "  # noqa: S608 # our own columns


class FactorRows:
    """The part of the store that keeps second factors."""

    connections: Connections

    def set_totp(
        self, person: Person, sealed: bytes | None, step: int, codes: list[Digest], by: By
    ) -> None:
        """Another secret of one-time codes, with recovery codes; None for neither."""
        with self.connections.writing() as connection:
            person_id = hold(connection, person).id
            connection.execute(
                "UPDATE people SET totp = ?, totp_step = ? WHERE id = ?", (sealed, step, person_id)
            )
            act_of_credential(connection, person_id, "totp", by, gone=sealed is None)
            _set_codes(connection, person_id, codes, by)

    def use_step(self, person_id: int, step: int) -> bool:
        """Use up a step of time and those before it; False when it was already."""
        with self.connections.writing() as connection:
            done = connection.execute(
                "UPDATE people SET totp_step = ? WHERE id = ? AND totp_step < ?",
                (step, person_id, step),
            )
            return done.rowcount == 1

    def sealed_totps(self) -> list[tuple[int, bytes]]:
        """All sealed secrets, with whose they are."""
        with self.connections.reading() as connection:
            rows = connection.execute("SELECT id, totp FROM people WHERE totp IS NOT NULL")
            return [(int(row[0]), bytes(row[1])) for row in rows]

    def seal_again(self, sealed: list[tuple[int, bytes, bytes]]) -> None:
        """Replace sealed secrets (whose, the old one, the new one) that are still the old."""
        with self.connections.writing() as connection:
            connection.executemany(
                "UPDATE people SET totp = ? WHERE id = ? AND totp = ?",
                [(new, person_id, old) for person_id, old, new in sealed],
            )

    def set_recovery(self, person: Person, codes: list[Digest], by: By) -> None:
        """Other recovery codes."""
        with self.connections.writing() as connection:
            _set_codes(connection, hold(connection, person).id, codes, by)

    def use_recovery(self, person_id: int, code: Digest, by: By) -> bool:
        """Use up a recovery code; False when there is none like it."""
        with self.connections.writing() as connection:
            done = connection.execute(
                "DELETE FROM recovery_codes WHERE digest = ? AND person_id = ?", (code, person_id)
            )
            if done.rowcount != 1:
                return False
            act_of_credential(connection, person_id, "recovery", by, gone=True)
            return True

    def recovery_left(self, person_id: int) -> int:
        """How many recovery codes are left."""
        with self.connections.reading() as connection:
            query = "SELECT count(*) FROM recovery_codes WHERE person_id = ?"
            return int(connection.execute(query, (person_id,)).fetchone()[0])

    def add_passkey(self, person: Person, key: NewPasskey, by: By) -> Passkey | None:
        """Keep a passkey; None where its credential is known already."""
        row = msgspec.structs.asdict(key) | {"person_id": person.id, "created_at": by.at}
        with self.connections.writing() as connection:
            hold(connection, person)
            table = self.connections.database.table("passkeys")
            if table.count_where("credential = ?", [key.credential]):
                return None
            kept = msgspec.convert(row | {"id": table.insert(row).last_pk}, Passkey)
            act_of_credential(connection, person.id, "passkey", by)
            return kept

    def passkeys(self, person_id: int) -> list[Passkey]:
        """All of a person's."""
        with self.connections.reading() as connection:
            rows = connection.execute(f"{_SELECT} person_id = ? ORDER BY id", (person_id,))
            return [_passkey(row) for row in rows]

    def passkey(self, credential: bytes) -> Passkey | None:
        """The one with this credential."""
        with self.connections.reading() as connection:
            row = connection.execute(f"{_SELECT} credential = ?", (credential,)).fetchone()
        return None if row is None else _passkey(row)

    def use_passkey(self, passkey_id: int, count: int, challenge: Digest, at: int) -> bool:
        """Note a use; False when the challenge was answered before, or the count went back."""
        with self.connections.writing() as connection:
            connection.execute("DELETE FROM challenges WHERE at < ?", (at - _KEPT_SECONDS,))
            first = connection.execute(
                "INSERT OR IGNORE INTO challenges VALUES (?, ?)", (challenge, at)
            )
            done = connection.execute(
                "UPDATE passkeys SET count = ?, used_at = ? WHERE id = ?"
                " AND (count < ? OR (count = 0 AND ? = 0))",
                (count, at, passkey_id, count, count),
            )
            return first.rowcount == 1 and done.rowcount == 1

    def remove_passkey(self, person_id: int, passkey_id: int, by: By) -> bool:
        """Forget one of a person's; False when there is no such."""
        with self.connections.writing() as connection:
            done = connection.execute(
                "DELETE FROM passkeys WHERE id = ? AND person_id = ?", (passkey_id, person_id)
            )
            if done.rowcount != 1:
                return False
            act_of_credential(connection, person_id, "passkey", by, gone=True)
            return True


def _set_codes(connection: sqlite3.Connection, person_id: int, codes: list[Digest], by: By) -> None:
    connection.execute("DELETE FROM recovery_codes WHERE person_id = ?", (person_id,))
    connection.executemany(
        "INSERT INTO recovery_codes VALUES (?, ?)", [(code, person_id) for code in codes]
    )
    act_of_credential(connection, person_id, "recovery", by, gone=not codes)


def _passkey(row: tuple[Any, ...]) -> Passkey:
    return msgspec.convert(dict(zip(_COLUMNS, row, strict=True)), Passkey)
