"""Who is at the till: the session behind a call, what it may do, and reading what it sends.

A change carries the token of the page's forms in ``X-Form``, which only a page of ours can know; a
browser that says where a call comes from must say that it is one.
"""

from collections.abc import Mapping
from secrets import compare_digest
from typing import Any, Final, NoReturn, TypeVar

import msgspec
from flask import Response, request

from chain.errors import ConflictError, MalformedError, Problem, RefusedError
from invoice_service.domain.reading import read_json
from invoice_service.services.people.person import Person
from invoice_service.services.people.sessions import Visitor, form_token
from invoice_service.services.till.desk import TillDesk
from invoice_service.services.till.ports import Bill, Hand, Place
from invoice_service.services.till.problems import with_members
from invoice_service.services.till.rows import settled_row
from invoice_service.web.people.gate import Gate

JSON: Final = "application/json"
_Asked = TypeVar("_Asked")
_encode: Final = msgspec.json.Encoder().encode


class TillGate:
    """What every call at the till begins with."""

    def __init__(self, gate: Gate, desk: TillDesk, largest: int) -> None:
        self.desk = desk
        self.gate = gate
        self._largest = largest

    def enter(self) -> None:
        """First of all: somebody who may be here, and a change that comes from a page of ours.

        RefusedError ``sign_in_needed``, ``role_required``, ``form_stale``.
        """
        self.visitor()
        if request.method not in ("GET", "HEAD"):
            self._check_form()

    def visitor(self) -> Visitor:
        """Somebody signed in who works for a merchant."""
        return self.gate.person("owner", "cashier")

    def merchant_id(self) -> int:
        """Whose till it is."""
        return _merchant_of(self.visitor().person)

    def working(self) -> Person:
        """Who works here now."""
        return self.visitor().working

    def owner(self) -> int:
        """An owner's merchant; RefusedError ``role_required``, also while a cashier works here."""
        self.gate.person("owner")
        return self.merchant_id()

    def till(self) -> str:
        """Which till this browser is: the one that was chosen, or the only one; "" for none."""
        tills = self.desk.lists.tills(self.merchant_id())
        chosen = self.visitor().session.till
        if chosen in tills:
            return chosen
        return tills[0] if len(tills) == 1 else ""

    def hand(self, *, till: str | None = None) -> Hand:
        """Who makes a change, where; ConflictError ``till_needed`` where no till was chosen."""
        name = self.till() if till is None else till
        if not name:
            raise ConflictError("till_needed", "choose which till this is")
        return self._hand(name)

    def hand_of_owner(self) -> Hand:
        """An owner who makes a change, at whichever till."""
        self.owner()
        return self._hand(self.till())

    def _hand(self, till: str) -> Hand:
        now = self.gate.door.desk.clock()
        person = self.working()
        place = Place(self.merchant_id(), till, self.desk.days.of(now))
        return Hand(place, person.id, self.gate.visit().by(person.id, now))

    def read(self, decoder: msgspec.json.Decoder[_Asked]) -> _Asked:
        """The body; MalformedError as ``read_json``, ``unsupported_media_type``, ``empty_body``."""
        if request.mimetype != JSON:
            raise MalformedError("unsupported_media_type", f"send {JSON}")
        data = request.get_data(cache=False)
        if not data:
            raise MalformedError("empty_body", "the body is empty")
        return read_json(data, decoder, max_bytes=self._largest)

    def refuse(self, problem: Problem) -> NoReturn:
        """Raise it; the bill that it brings, or who settled it, is written as everywhere."""
        found: Any = problem.extra.get("bill")
        if problem.code == "bill_settled":
            names = self.desk.books.names(self.merchant_id())
            told = settled_row(problem.extra, names)
            problem.extra.pop("at", None)
            with_members(problem, **told)
        if isinstance(found, Bill):
            names = self.desk.books.names(found.merchant_id)
            with_members(problem, bill=self.desk.bills.row(found, names))
        raise problem

    def _check_form(self) -> None:
        site = request.headers.get("Sec-Fetch-Site", "same-origin")
        sent = request.headers.get("X-Form", "").encode("utf-8", "replace")
        ours = form_token(self.gate.token()).encode()
        if site != "same-origin" or not compare_digest(ours, sent):
            raise RefusedError("form_stale", "load the page again")


def asked(*allowed: str) -> dict[str, str]:
    """The query's parameters, each known and at most once."""
    found = request.args.to_dict()
    for name in request.args:
        if name not in allowed:
            known = ", ".join(allowed) or "none"
            raise MalformedError("unknown_parameter", f"parameters known here: {known}")
    if any(len(request.args.getlist(name)) > 1 for name in found):
        raise MalformedError("duplicate_parameter", "a parameter stands twice in the query")
    return found


def answer(value: object, status: int = 200) -> Response:
    """``value`` as JSON that nobody keeps."""
    headers = {"Content-Type": JSON, "Cache-Control": "no-store"}
    return Response(_encode(value), status, headers)


def nothing() -> Response:
    """Done, and there is nothing to say."""
    return Response(status=204, headers={"Cache-Control": "no-store"})


def raw(data: bytes, kind: str) -> Response:
    """Bytes that nobody keeps."""
    return Response(data, headers={"Content-Type": kind, "Cache-Control": "no-store"})


def word_of(words: Mapping[str, Any], name: str, said: Mapping[str, str]) -> Any:  # noqa: ANN401 # each has its own type
    """What a parameter's word stands for; the first without it. MalformedError."""
    word = said.get(name, next(iter(words)))
    if word not in words:
        raise MalformedError(
            "parameter_malformed", f"{name} is one of {', '.join(words)}", pointer=name
        )
    return words[word]


def _merchant_of(person: Person) -> int:
    if person.merchant_id is None:
        raise RefusedError("role_required", "this is for people of a merchant")
    return person.merchant_id
