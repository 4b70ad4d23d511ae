"""Menu, tables and tills of a merchant: lists that are replaced whole, by compare-and-swap."""

from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from chain.errors import ConflictError, MalformedError, NotFoundError
from invoice_service.domain.tax import NO_TAX, TaxRates
from invoice_service.domain.text import check_identifier, check_name, check_till_name, plain_form
from invoice_service.services.people.ports import ApiKey
from invoice_service.services.till.ports import Hand, Kept, ListKind, ListStore
from invoice_service.services.till.shapes import Dish, MenuRequest, TablesRequest

MOST_TILLS: Final = 100
FIRST: Final = "1"
"""The till of a merchant that has named none."""

KINDS: Final[tuple[ListKind, ...]] = ("menu", "tables", "tills")
_encode: Final = msgspec.json.Encoder().encode
_read_dishes: Final = msgspec.json.Decoder(list[Dish]).decode
_read_names: Final = msgspec.json.Decoder(list[str]).decode


class Store(ListStore, Protocol):
    """What lists need of a store."""

    def keys(self, merchant_id: int | None) -> list[ApiKey]:
        """All keys of a merchant."""
        ...


class Lists:
    """The lists of merchants."""

    def __init__(self, store: Store, rates: TaxRates) -> None:
        self._store = store
        self._rates = rates

    def menu(self, merchant_id: int) -> list[Dish]:
        """The dishes, as they are shown."""
        return _read_dishes(self._store.till_list(merchant_id, "menu").items)

    def tables(self, merchant_id: int) -> list[str]:
        """The tables."""
        return _read_names(self._store.till_list(merchant_id, "tables").items)

    def versions(self, merchant_id: int) -> dict[str, int]:
        """How often each list was changed."""
        return {kind: self._store.till_list(merchant_id, kind).version for kind in KINDS}

    def tills(self, merchant_id: int) -> list[str]:
        """Those that were named, and those of the devices whose keys are good; one at least."""
        named = _read_names(self._store.till_list(merchant_id, "tills").items)
        devices = [
            key.terms.till
            for key in self._store.keys(merchant_id)
            if key.terms.till and key.revoked_at is None
        ]
        return list(dict.fromkeys([*named, *devices])) or [FIRST]

    def put_menu(self, hand: Hand, asked: MenuRequest) -> int:
        """Another menu; the new version.

        MalformedError: menu_twice, tax_rate_unknown, tax_kind_with_rate, and as ``check_name``;
        ConflictError ``list_changed``.
        """
        for index, dish in enumerate(asked.items):
            self.check_dish(dish, f"/items/{index}")
        _refuse_twice([dish.id for dish in asked.items], "/items")
        _refuse_twice([dish.code for dish in asked.items if dish.code], "/items")
        return self._store.put_till_list(hand, "menu", Kept(asked.version, _encode(asked.items)))

    def put_tables(self, hand: Hand, asked: TablesRequest) -> int:
        """Other tables; the new version."""
        for index, table in enumerate(asked.tables):
            check_identifier(table, f"/tables/{index}")
        _refuse_twice(asked.tables, "/tables")
        return self._store.put_till_list(hand, "tables", Kept(asked.version, _encode(asked.tables)))

    def add_till(self, hand: Hand, name: str) -> int:
        """A till by name; ConflictError ``till_taken``, ``too_many_tills``."""
        check_till_name(name, "/name")
        kept = self._store.till_list(hand.merchant_id, "tills")
        names = _read_names(kept.items)
        there = self.tills(hand.merchant_id)
        if there == [FIRST]:
            names = there  # the first one stays when a second one is named
        alike = next((one for one in there if plain_form(one) == name), None)
        if alike is not None:
            raise ConflictError("till_taken", f"there is a till {alike}")
        if len(names) >= MOST_TILLS:
            raise ConflictError("too_many_tills", f"a merchant has {MOST_TILLS} tills at most")
        return self._store.put_till_list(hand, "tills", Kept(kept.version, _encode([*names, name])))

    def remove_till(self, hand: Hand, name: str) -> int:
        """No such till any more; its invoices keep its name. NotFoundError ``till_unknown``."""
        kept = self._store.till_list(hand.merchant_id, "tills")
        names = _read_names(kept.items)
        if name not in names:
            raise NotFoundError("till_unknown", "there is no such till")
        left = [one for one in names if one != name]
        return self._store.put_till_list(hand, "tills", Kept(kept.version, _encode(left)))

    def choose_till(self, merchant_id: int, session_id: int, name: str) -> None:
        """This browser is that till; NotFoundError ``till_unknown``."""
        if name not in self.tills(merchant_id):
            raise NotFoundError("till_unknown", "there is no such till")
        self._store.set_session_till(session_id, name)

    def check_dish(self, dish: Dish, where: str) -> None:
        """Refuse what could not be sold."""
        check_name(dish.name, f"{where}/name")
        if dish.tax_rate not in self._rates:
            raise MalformedError(
                "tax_rate_unknown",
                f"the rates in force are {', '.join(self._rates.texts)}",
                pointer=f"{where}/tax_rate",
            )
        if dish.tax_kind is not msgspec.UNSET and dish.tax_rate != NO_TAX:
            raise MalformedError(
                "tax_kind_with_rate",
                "the kind says what rate 0 means",
                pointer=f"{where}/tax_kind",
            )
        for name in ("category", "code"):
            if text := getattr(dish, name):
                check_name(text, f"{where}/{name}")


def _refuse_twice(names: Sequence[str], pointer: str) -> None:
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise MalformedError("list_twice", f"{twice} stands twice", pointer=pointer)
