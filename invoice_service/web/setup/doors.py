"""``/demo``: the sample's doors, one for each who uses the service. Only in a demo instance.

A demo is a folder that ``fapiao demo`` has made and marked, and deletes at its next start, under
an address that nobody but this machine reaches. Anywhere else there are no such pages.
"""

from collections.abc import Sequence
from typing import Any, Final, Protocol

from flask import Blueprint, Response
from markupsafe import Markup
from werkzeug import Response as AnyResponse

from chain.errors import UnavailableError
from invoice_service.config import Config
from invoice_service.documents.qr import qr_svg
from invoice_service.domain.invoice import StoredInvoice
from invoice_service.domain.qrtext import scan_url
from invoice_service.services.people.entrance import SignedIn
from invoice_service.services.people.person import BUREAU, PeopleReader
from invoice_service.services.people.sessions import Level
from invoice_service.services.ports import InvoiceFilter, InvoiceReader
from invoice_service.web.people.gate import Gate
from invoice_service.web.setup.entry import home

MARK: Final = ".made-by-fapiao-demo"
"""A file in a folder that the demo has made, and may delete."""

LOGIN: Final = "sample"
"""The sample restaurant's owner, and the sample bureau's official, before the ``@``."""

_OWNER: Final = f"{LOGIN}@1"
_OFFICIAL: Final = f"{LOGIN}@{BUREAU}"
_SHOWN: Final = 8
_LISTED: Final = 12


class DoorsStore(InvoiceReader, PeopleReader, Protocol):
    """The store, as far as the doors read it."""

    def last_seq(self) -> int:
        """``seq`` of the newest invoice; 0 when there is none."""
        ...


class DoorsParts(Protocol):
    """An open instance."""

    @property
    def config(self) -> Config: ...

    @property
    def store(self) -> DoorsStore: ...


def is_demo(config: Config) -> bool:
    """Whether the instance is one that the demo has made for this machine."""
    return config.is_here_only and (config.data_dir / MARK).is_file()


def doors_blueprint(parts: DoorsParts, gate: Gate) -> Blueprint:
    """The doors; nothing at all unless the instance is a demo."""
    routes = Blueprint("doors", __name__, url_prefix="/demo")
    if is_demo(parts.config):
        doors = _Doors(parts, gate)
        routes.get("")(doors.show)
        routes.post("/till")(doors.to_the_till)
        routes.post("/bureau")(doors.to_the_bureau)
        for fault in Gate.FAULTS:
            routes.register_error_handler(fault, gate.problem)
    return routes


class _Doors:
    """The pages."""

    def __init__(self, parts: DoorsParts, gate: Gate) -> None:
        self._store = parts.store
        self._url = parts.config.service.public_url
        self._gate = gate

    def show(self) -> Response:
        """Who there is, what each may try, and what was sold just now."""
        newest = self._newest()
        values: dict[str, Any] = {"newest": newest[::-1], "issued": self._store.last_seq()}
        blue = [one for one in newest if one.type == "blue"]
        if blue:
            link = self._link(blue[0])
            values |= {
                "link": link,
                "forged": scan_url(self._url, blue[0].hash, blue[0].number, blue[0].total + 100),
                "hash": blue[0].hash,
                "picture": Markup(qr_svg(link).decode()),  # noqa: S704 # of our own making
                "pile": "\n".join(self._pile(blue)),
            }
        return self._gate.page("setup/doors.html", url=self._url, **values)

    def to_the_till(self) -> AnyResponse:
        """Sign in as the sample restaurant's owner, with nothing to type."""
        return self._sign_in(_OWNER, "full", home())

    def to_the_bureau(self) -> AnyResponse:
        """Sign in as the sample bureau's administrator, with nothing to type."""
        return self._sign_in(_OFFICIAL, "strong", "/bureau/")

    def _sign_in(self, login: str, level: Level, place: str) -> AnyResponse:
        self._gate.fields()
        person = self._store.person_by_login(login)
        if person is None or person.state != "active":
            raise UnavailableError("database_busy", "the sample is still being made")
        token = self._gate.door.desk.sessions.open(
            person, level, self._gate.visit(), "demo", self._gate.token()
        )
        return self._gate.enter(SignedIn(token, person, level), place)

    def _newest(self) -> Sequence[StoredInvoice]:
        after = max(0, self._store.last_seq() - _SHOWN)
        return self._store.invoices(InvoiceFilter(), after, _SHOWN)

    def _pile(self, blue: Sequence[StoredInvoice]) -> list[str]:
        """Codes as a clerk has them on the desk: one stands there twice, one was changed."""
        found = self._store.invoices(InvoiceFilter(), 0, _LISTED)
        links = [self._link(one) for one in found if one.type == "blue"]
        changed = scan_url(self._url, blue[0].hash, blue[0].number, blue[0].total * 10)
        return [*links, *links[:1], changed]

    def _link(self, invoice: StoredInvoice) -> str:
        return scan_url(self._url, invoice.hash, invoice.number, invoice.total)
