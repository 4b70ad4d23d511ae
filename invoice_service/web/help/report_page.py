"""``/report``: anybody says that a slip is wrong, without an account and without scripts.

What the code said is filled in from the scan; what was issued is never shown here. The receipt is
shown once, and stands in no address: ``/report/status`` asks for it in a form.
"""

from collections.abc import Callable
from typing import Any, Final, Protocol

from flask import Blueprint, Response

from chain.errors import MalformedError, NotFoundError, Problem, RefusedError, UnavailableError
from invoice_service.documents.photo import clean_photo
from invoice_service.domain.qrtext import QrText, hashes_named, parse_qr_text
from invoice_service.domain.verdict import Verification
from invoice_service.services.help.desk import ReportDesk
from invoice_service.services.help.ports import Erased, Sent
from invoice_service.web.ground.language import detail_of
from invoice_service.web.ground.page import page
from invoice_service.web.help.form import (
    LONGEST_TEXTS,
    MOST_PICTURES,
    Filled,
    as_typed,
    fields_of,
    filled,
    scanned,
)

_FAULTS: Final = (MalformedError, RefusedError, NotFoundError, UnavailableError)
_ERASES: Final[dict[str, Erased | None]] = {"": None, "contact": "contact", "all": "all"}
_LONGEST_RECEIPT: Final = 100


class Told(Protocol):
    """How the application speaks of a problem, and what of it may be shown."""

    @property
    def status(self) -> Callable[[Problem], int]: ...
    @property
    def title(self) -> Callable[[Problem], str]: ...
    @property
    def public(self) -> Callable[[Problem], Problem]: ...


class ReportPages:
    """The form, and what became of it."""

    def __init__(
        self,
        desk: ReportDesk,
        look: Callable[[QrText], Verification],
        told: Told,
        site: Callable[[], str],
        public_url: str,
    ) -> None:
        """``look`` checks without counting, ``site`` names the network of the request."""
        self._desk, self._look, self._told = desk, look, told
        self._site, self._public_url = site, public_url

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("report_page", __name__, url_prefix="/report")
        routes.get("")(self.show)
        routes.post("")(self.take)
        routes.get("/status")(self.ask)
        routes.post("/status")(self.status)
        return routes

    def show(self) -> Response:
        """The form, with what was scanned."""
        return self._form({"said": scanned(self._public_url)})

    def take(self) -> Response:
        """Keep a report, and show its receipt."""
        try:
            form = filled()
            receipt = form.receipt
            if not self._desk.is_known(receipt):
                self._take(receipt, form)
        except _FAULTS as problem:
            return self._form(as_typed(), self._told.public(problem))
        return page("help/receipt.html", receipt=receipt)

    def ask(self) -> Response:
        """Where a receipt is typed."""
        return page("help/status.html", found=None, problem=None, receipt="")

    def status(self) -> Response:
        """What became of a report; its sender may have it erased here."""
        receipt = ""
        try:
            fields = fields_of()
            receipt = fields.get("receipt", "")[:_LONGEST_RECEIPT]
            what = self._erases(fields.get("erase", ""))
            found = self._desk.erase(receipt, what) if what else self._desk.look(receipt)
        except _FAULTS as problem:
            shown = self._told.public(problem)
            return page(
                "help/status.html",
                self._told.status(problem),
                found=None,
                problem=self._said(shown),
                receipt=receipt,
                asks={"receipt": receipt},
            )
        asks = {"receipt": receipt}
        return page("help/status.html", found=found, problem=None, receipt=receipt, asks=asks)

    def _take(self, receipt: str, form: Filled) -> None:
        self._desk.enter(self._site())
        pictures = [clean_photo(data) for data in form.pictures]
        self._desk.take(receipt, self._sent(form.texts), pictures)

    def _sent(self, texts: dict[str, str]) -> Sent:
        """With what the code comes to now, as far as it can be read."""
        hash_, verdict = "", ""
        try:
            slip = parse_qr_text(texts["said"])
            hash_, verdict = slip.hash, self._look(slip).verdict.value
        except Problem:
            named = hashes_named(texts["said"])
            hash_ = min(named) if len(named) == 1 else ""
        return Sent(**texts, hash=hash_, verdict=verdict)

    def _form(self, typed: dict[str, str], problem: Problem | None = None) -> Response:
        answer = page(
            "help/report.html",
            200 if problem is None else self._told.status(problem),
            typed=typed,
            nonce=self._desk.nonce(typed.get("nonce", "")),
            longest=LONGEST_TEXTS,
            most=MOST_PICTURES,
            problem=None if problem is None else self._said(problem),
        )
        if problem is not None and "retry_after" in problem.extra:
            answer.headers["Retry-After"] = str(problem.extra["retry_after"])
        return answer

    def _said(self, problem: Problem) -> dict[str, Any]:
        return {
            "code": problem.code,
            "pointer": problem.pointer.rpartition("/")[2],
            "title": self._told.title(problem),
            "detail": detail_of(problem),
            "incident": problem.extra.get("incident"),
        }

    @staticmethod
    def _erases(text: str) -> Erased | None:
        if text not in _ERASES:
            raise MalformedError("value_unknown", "contact, all, or nothing", pointer="erase")
        return _ERASES[text]
