"""Menu, tables and tills, for owners; the menu as a file, and from one."""

from tempfile import NamedTemporaryFile
from typing import Final

import msgspec
from flask import Blueprint, Response, request

from chain.errors import MalformedError, Problem
from invoice_service.documents.menu_table import dishes_in, menu_csv
from invoice_service.openapi.operation import CSV, XLSX
from invoice_service.services.till.shapes import MenuRequest, TablesRequest, TillRequest
from invoice_service.web.till.session import TillGate, answer, asked

_menu: Final = msgspec.json.Decoder(MenuRequest)
_tables: Final = msgspec.json.Decoder(TablesRequest)
_till: Final = msgspec.json.Decoder(TillRequest)


class ListCalls:
    """What a merchant keeps for its tills."""

    def __init__(self, session: TillGate) -> None:
        self._session = session
        self._lists = session.desk.lists

    def add_to(self, routes: Blueprint) -> None:
        """The routes."""
        routes.put("/menu")(self.put_menu)
        routes.get("/menu.csv")(self.menu_file)
        routes.post("/menu/file")(self.read_menu)
        routes.put("/tables")(self.put_tables)
        routes.post("/tills")(self.add_till)
        routes.delete("/tills/<till>")(self.remove_till)

    def put_menu(self) -> Response:
        """Another menu."""
        asked()
        hand = self._session.hand_of_owner()
        return answer({"version": self._lists.put_menu(hand, self._session.read(_menu))})

    def menu_file(self) -> Response:
        """The menu as a table."""
        asked()
        data = menu_csv(self._lists.menu(self._session.owner()))
        return Response(
            data,
            headers={
                "Content-Type": f"{CSV}; charset=utf-8",
                "Cache-Control": "no-store",
                "Content-Disposition": "attachment; filename=menu.csv",
            },
        )

    def read_menu(self) -> Response:
        """What a table has of dishes; nothing is kept."""
        asked()
        self._session.hand_of_owner()
        if request.mimetype not in (CSV, XLSX):
            raise MalformedError("unsupported_media_type", f"send {CSV} or {XLSX}")
        data = request.get_data(cache=False)
        if not data:
            raise MalformedError("empty_body", "the body is empty")
        with NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            found = dishes_in(file.name, self._lists.check_dish)
        title = self._session.gate.door.title
        refused = [{**one, "title": title(Problem(str(one["code"]), ""))} for one in found.refused]
        return answer({"items": found.dishes, "refused": refused})

    def put_tables(self) -> Response:
        """Other tables."""
        asked()
        hand = self._session.hand_of_owner()
        return answer({"version": self._lists.put_tables(hand, self._session.read(_tables))})

    def add_till(self) -> Response:
        """A till by name."""
        asked()
        hand = self._session.hand_of_owner()
        wanted = self._session.read(_till)
        version = self._lists.add_till(hand, wanted.name)
        return answer({"id": wanted.name, "name": wanted.name, "version": version}, 201)

    def remove_till(self, till: str) -> Response:
        """No such till any more."""
        asked()
        return answer({"version": self._lists.remove_till(self._session.hand_of_owner(), till)})
