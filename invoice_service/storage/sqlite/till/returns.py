"""Returns at a till: noted before the red invoice is issued, finished with how it was paid back."""

from typing import Any, Final

import msgspec

from invoice_service.domain.acts import By, Said, act_by
from invoice_service.services.till.ports import Hand, Returning, Sale
from invoice_service.storage.sqlite.connection import Connections
from invoice_service.storage.sqlite.till.events import note
from invoice_service.storage.sqlite.till.sales import keep_sale
from invoice_service.storage.sqlite.till.shifts import current, opened
from invoice_service.storage.sqlite.trail import append

_COLUMNS: Final = Returning.__struct_fields__
_NAMES: Final = ", ".join(_COLUMNS)
_SELECT: Final = f"SELECT {_NAMES} FROM till_returns"  # noqa: S608 # our own columns


class ReturnRows:
    """The part of the store that keeps returns."""

    connections: Connections

    def begin_return(self, hand: Hand, wanted: Returning) -> Returning:
        """Note a return before it is issued; the one there is, if it was begun before.

        ``wanted.shift`` is the id of a shift that begins, where none is open.
        """
        with self.connections.writing() as connection:
            row = connection.execute(
                f"{_SELECT} WHERE merchant_id = ? AND id = ?", (hand.merchant_id, wanted.id)
            ).fetchone()
            if row is not None:
                return _read(row)
            place = hand.place
            shift = current(connection, place.merchant_id, place.till) or opened(
                connection, hand, wanted.shift, 0
            )
            begun = msgspec.structs.replace(wanted, shift=shift.id)
            marks = ", ".join(f":{name}" for name in _COLUMNS)
            connection.execute(
                f"INSERT INTO till_returns (merchant_id, {_NAMES})"  # noqa: S608 # our own columns
                f" VALUES (:merchant_id, {marks})",
                msgspec.structs.asdict(begun) | {"merchant_id": hand.merchant_id},
            )
            return begun

    def was_begun(self, merchant_id: int, return_id: str) -> bool:
        """Whether a return with this id was noted."""
        with self.connections.reading() as connection:
            row = connection.execute(
                "SELECT 1 FROM till_returns WHERE merchant_id = ? AND id = ?",
                (merchant_id, return_id),
            ).fetchone()
        return row is not None

    def finish_return(self, wanted: Returning, sale: Sale, by: By) -> None:
        """Keep how it was paid back, once for all, with its act."""
        with self.connections.writing() as connection:
            done = connection.execute(
                "UPDATE till_returns SET red = ? WHERE merchant_id = ? AND id = ? AND red = 0",
                (sale.invoice, sale.place.merchant_id, wanted.id),
            )
            if not done.rowcount:
                return
            keep_sale(connection, sale)
            place = sale.place
            after: Said = {"invoice": wanted.invoice, "red": sale.invoice, "till": place.till}
            after |= {f"paid_{kind}": amount for kind, amount in sale.paid.items()}
            act = act_by(by, "return", f"merchant:{place.merchant_id}", after=after)
            append(connection, act)
            note(connection, place.merchant_id, "shift", sale.shift)

    def drop_return(self, merchant_id: int, return_id: str) -> None:
        """Nothing came of it."""
        with self.connections.writing() as connection:
            connection.execute(
                "DELETE FROM till_returns WHERE merchant_id = ? AND id = ? AND red = 0",
                (merchant_id, return_id),
            )

    def begun_returns(self, merchant_id: int, shift: str) -> list[Returning]:
        """Those of which nobody knows what came."""
        with self.connections.reading() as connection:
            rows = connection.execute(
                f"{_SELECT} WHERE merchant_id = ? AND shift = ? AND red = 0",
                (merchant_id, shift),
            ).fetchall()
        return [_read(row) for row in rows]


def _read(row: tuple[Any, ...]) -> Returning:
    return Returning(**dict(zip(_COLUMNS, row, strict=True)))
