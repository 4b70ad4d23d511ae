"""What the bureau's pages keep and look for: saved questions, merchants by name."""

from sqlite_utils import Database

from invoice_service.domain.likeness import folded, typed_tax_id
from invoice_service.services.ports import MerchantFilter
from invoice_service.storage.sqlite.connection import Connections


class BureauRows:
    """The part of the store that only the bureau uses."""

    connections: Connections

    def merchants_found(self, wanted: MerchantFilter, after: int, limit: int) -> list[int]:
        """The ids above ``after``, in order, ``limit`` at most; a tax id as people type it."""
        typed = {"text": folded(wanted.text), "tax_id": typed_tax_id(wanted.text)}
        values = {**wanted._asdict(), **typed, "after": after, "limit": limit}
        with self.connections.reading() as connection:
            rows = connection.execute(
                "SELECT id FROM merchants WHERE id > :after"
                " AND (:text = '' OR instr(folded(name), :text)"
                "   OR substr(tax_id, 1, length(:tax_id)) = :tax_id)"
                " AND (:status = '' OR status = :status)"
                " AND (:district = '' OR district = :district)"
                " AND substr(industry, 1, length(:industry)) = :industry"
                " ORDER BY id LIMIT :limit",
                values,
            ).fetchall()
        return [int(row[0]) for row in rows]

    def views(self, person_id: int) -> list[tuple[int, str, bytes]]:
        """A person's saved questions: (id, name, words as JSON), in order of names."""
        with self.connections.reading() as connection:
            return connection.execute(
                "SELECT id, name, words FROM bureau_views WHERE person_id = ? ORDER BY name",
                (person_id,),
            ).fetchall()

    def add_view(self, person_id: int, name: str, words: bytes, most: int) -> bool:
        """Keep one, in the place of one of that name; False when there are ``most`` already."""
        with self.connections.writing() as connection:
            (others,) = connection.execute(
                "SELECT count(*) FROM bureau_views WHERE person_id = ? AND name <> ?",
                (person_id, name),
            ).fetchone()
            if others >= most:
                return False
            connection.execute(
                "INSERT INTO bureau_views (person_id, name, words) VALUES (?, ?, ?)"
                " ON CONFLICT (person_id, name) DO UPDATE SET words = excluded.words",
                (person_id, name, words),
            )
        return True

    def drop_view(self, person_id: int, view_id: int) -> None:
        """Forget one of the person's."""
        with self.connections.writing() as connection:
            connection.execute(
                "DELETE FROM bureau_views WHERE person_id = ? AND id = ?", (person_id, view_id)
            )


def create_bureau(db: Database) -> None:
    """The table of saved questions."""
    db.table("bureau_views").create(
        {"id": int, "person_id": int, "name": str, "words": bytes},
        pk="id",
        not_null={"person_id", "name", "words"},
        foreign_keys=[("person_id", "people", "id")],
        strict=True,
    ).create_index(["person_id", "name"], unique=True)
