"""``/prepaid/{token}``: works without scripts; nothing here moves money, and the page says so."""

from collections.abc import Callable
from typing import Final, Protocol

from flask import Blueprint, Response, redirect, request
from markupsafe import Markup
from werkzeug import Response as AnyResponse

from chain.errors import MalformedError, NotFoundError, Problem
from invoice_service.documents.qr import qr_svg
from invoice_service.domain.numbering import format_issued_at, shanghai_time
from invoice_service.openapi.operation import FIELDS
from invoice_service.services.ports import Account
from invoice_service.services.prepaid.desk import PrepaidDesk
from invoice_service.services.prepaid.meals import meals_of
from invoice_service.services.prepaid.ports import Whole
from invoice_service.web.ground.page import page

_SEE_OTHER: Final = 303
_NOT_FOUND: Final = 404
_BACK: Final = "back"


class Merchants(Protocol):
    """Whose meals they are."""

    def account(self, merchant_id: int) -> Account | None:
        """One merchant."""
        ...


def blueprint(
    desk: PrepaidDesk, merchants: Merchants, public_url: str, title: Callable[[Problem], str]
) -> Blueprint:
    """The page, and its one button; ``title`` says a problem in the reader's language."""
    routes = Blueprint("prepaid_page", __name__, url_prefix="/prepaid")

    def nothing(problem: NotFoundError) -> Response:
        return page("prepaid/nothing.html", _NOT_FOUND, title=title(problem), code=problem.code)

    @routes.get("/<token>")
    def show(token: str) -> Response:
        try:
            whole = desk.linked(token)
        except NotFoundError as problem:
            return nothing(problem)
        return _page(whole, merchants, public_url, desk.now())

    @routes.post("/<token>")
    def ask(token: str) -> AnyResponse:
        _require_asked()
        try:
            desk.ask_back(token)
        except NotFoundError as problem:
            return nothing(problem)
        answer = redirect(f"{request.root_path}{request.path}", _SEE_OTHER)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    return routes


def _require_asked() -> None:
    if request.mimetype != FIELDS:
        raise MalformedError("unsupported_media_type", f"send {FIELDS}")
    if request.form.getlist("ask") != [_BACK]:
        raise MalformedError("value_unknown", f"ask is {_BACK}", pointer="ask")


def _page(whole: Whole, merchants: Merchants, public_url: str, now: int) -> Response:
    account = merchants.account(whole.account.merchant_id)
    return page(
        "prepaid/account.html",
        account=whole.account,
        seller="" if account is None else account.merchant.name,
        sums=whole.sums,
        state=whole.state(now),
        ending=whole.ending(now),
        meals=[
            (meal, meal.link(public_url), format_issued_at(meal.at)) for meal in meals_of(whole)
        ],
        refunds=[
            (event.amount, format_issued_at(event.at), event.reason)
            for event in whole.events
            if event.kind == "refund"
        ],
        picture=Markup(qr_svg(whole.account.id).decode()),  # noqa: S704 # a picture of our own making
        until=f"{shanghai_time(whole.account.expires_at):%Y-%m-%d %H:%M}",
    )
