"""``/claim/{token}``: works without scripts; whatever is pressed twice is one invoice.

The page makes a secret and sends it with the form, so that a second press is the same browser's;
a cookie for this address alone keeps it. Others who have the link see that it was claimed, no more.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple, Protocol

import msgspec
from flask import Blueprint, Response, redirect, request
from markupsafe import Markup
from werkzeug import Response as AnyResponse

from chain.commitment import parse_password_area
from chain.errors import (
    ConflictError,
    MalformedError,
    NotFoundError,
    Problem,
    RefusedError,
    UnavailableError,
)
from invoice_service.documents.paper.printing import Printing
from invoice_service.documents.qr import qr_svg
from invoice_service.domain.invoice import StoredInvoice
from invoice_service.domain.numbering import format_issued_at, shanghai_time
from invoice_service.domain.qrtext import scan_url
from invoice_service.domain.verdict import Verdict, judge
from invoice_service.openapi.operation import PDF
from invoice_service.services.checking.prove import ALL_GROUPS
from invoice_service.services.claims.desk import Claims, parts_of
from invoice_service.services.claims.ports import Claim, Whole
from invoice_service.services.mailing.desk import MailDesk
from invoice_service.services.ports import Account, InvoiceReader
from invoice_service.services.records import own_invoice
from invoice_service.web.claim.form import fields, filled
from invoice_service.web.claim.own import COOKIE, kind_of
from invoice_service.web.ground.catalogs import N_
from invoice_service.web.ground.language import detail_of, language
from invoice_service.web.ground.page import page

KEPT_SECONDS: Final = 400 * 86_400
"""As long as browsers keep a cookie at most."""

LOOK_AGAIN: Final = "5"
"""Seconds after which a page that waits for a payment loads itself again."""

_SEE_OTHER: Final = 303
_read: Final = msgspec.json.decode
_FAULTS: Final = (MalformedError, ConflictError, RefusedError, UnavailableError)


class Stands(NamedTuple):
    """How the invoice stands, to whoever claimed it: colour, picture, name, sentence."""

    style: str
    icon: str
    name: str
    text: str


_YOURS: Final = N_("It is yours")
_STANDS: Final = {
    Verdict.PENDING: Stands(
        "pending",
        "clock",
        _YOURS,
        N_(
            "The invoice is issued, and enters the public log within about a minute. This browser"
            " finds it here again."
        ),
    ),
    Verdict.AUTHENTIC: Stands(
        "authentic",
        "circle-check",
        _YOURS,
        N_("The invoice stands in the public log. This browser finds it here again."),
    ),
    Verdict.PARTLY_REVERSED: Stands(
        "partly_reversed",
        "undo-2",
        N_("Partly taken back"),
        N_("The restaurant has taken a part of it back by a red invoice; only the rest is valid."),
    ),
    Verdict.REVERSED: Stands(
        "reversed",
        "undo-2",
        N_("Taken back"),
        N_("The restaurant has taken it back by a red invoice. It cannot be reimbursed."),
    ),
}


class ClaimStore(InvoiceReader, Protocol):
    """The store, as far as the pages read it."""

    def account(self, merchant_id: int) -> Account | None:
        """One merchant."""
        ...


class Told(NamedTuple):
    """How the application speaks of a problem, and what of it may be shown."""

    status: Callable[[Problem], int]
    title: Callable[[Problem], str]
    public: Callable[[Problem], Problem]


class WalletDoor(NamedTuple):
    """How an invoice goes to a wallet: whether it can, and an offer's address by its hash."""

    on: Callable[[], bool]
    offer: Callable[[str], str]


class ClaimPages:
    """The page, and its form."""

    def __init__(
        self,
        claims: Claims,
        store: ClaimStore,
        printing: Printing,
        mail: MailDesk,
        public_url: str,
        taken: Callable[[], int],
        told: Told,
        wallet: WalletDoor,
    ) -> None:
        """``taken`` is the last invoice that is in the published log."""
        self._claims, self._store, self._taken, self._told = claims, store, taken, told
        self._printing, self._mail, self._wallet = printing, mail, wallet
        self._url, self._secure = public_url, public_url.startswith("https:")

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("claim", __name__, url_prefix="/claim")
        routes.get("/<token>")(self.show)
        routes.post("/<token>")(self.claim)
        routes.get("/<token>/pdf")(self.pdf)
        routes.post("/<token>/mail")(self.mail)
        routes.post("/<token>/wallet")(self.wallet)
        return routes

    def show(self, token: str) -> Response:
        """What is to be claimed, or what this browser has claimed."""
        try:
            whole = self._claims.linked(token)
        except NotFoundError as problem:
            return self._nothing(problem)
        own = self._claims.own(whole, self._secret())
        if own is not None and own.hash:
            return self._done(whole, own, token)
        return self._form(whole, token, {}, begun=own is not None)

    def claim(self, token: str) -> AnyResponse:
        """Claim it, and go to the page that shows it."""
        typed: dict[str, str] = {}
        secret = ""
        try:
            typed = fields()
            whole = self._claims.linked(token)
            form = filled(typed)
            if not form.sure:
                return self._form(whole, token, form.typed, unsure=True)
            secret = self._secret() or form.mine
            self._claims.claim(token, secret, form.buyer, form.part)
        except NotFoundError as problem:
            return self._nothing(problem)
        except _FAULTS as problem:
            return self._again(token, typed, self._told.public(problem), secret)
        return self._kept(redirect(f"{request.root_path}{request.path}", _SEE_OTHER), secret)

    def pdf(self, token: str) -> AnyResponse:
        """The invoice on A4, for the browser that has claimed it; others go to the page."""
        try:
            whole = self._claims.linked(token)
        except NotFoundError as problem:
            return self._nothing(problem)
        own = self._claims.own(whole, self._secret())
        if own is None or not own.hash:
            return redirect(request.root_path + request.path.removesuffix("/pdf"), _SEE_OTHER)
        invoice = self._invoice(whole, own)
        answer = Response(self._printing.one(invoice, ALL_GROUPS), content_type=PDF)
        answer.headers["Cache-Control"] = "no-store"
        answer.headers["Content-Disposition"] = f'inline; filename="{invoice.number}.pdf"'
        return answer

    def mail(self, token: str) -> AnyResponse:
        """Have the invoice sent, for the browser that has claimed it; others go to the page."""
        try:
            whole = self._claims.linked(token)
        except NotFoundError as problem:
            return self._nothing(problem)
        own = self._claims.own(whole, self._secret())
        if own is not None and own.hash:
            invoice = self._invoice(whole, own)
            try:
                self._mail.ask(invoice, fields().get("mail", ""), language().code)
            except _FAULTS as problem:
                return self._done(whole, own, token, self._told.public(problem))
        return redirect(request.root_path + request.path.removesuffix("/mail"), _SEE_OTHER)

    def wallet(self, token: str) -> AnyResponse:
        """An offer to a wallet, for the browser that has claimed it; else the page as it is."""
        try:
            whole = self._claims.linked(token)
            own = self._claims.own(whole, self._secret())
            if own is None or not own.hash or not self._wallet.on():
                return redirect(f"{request.root_path}/claim/{token}", _SEE_OTHER)
            return self._done(whole, own, token, offer=self._wallet.offer(own.hash))
        except NotFoundError as problem:
            return self._nothing(problem)

    def _secret(self) -> str:
        return request.cookies.get(COOKIE, "")

    def _kept(self, answer: AnyResponse, secret: str) -> AnyResponse:
        answer.headers["Cache-Control"] = "no-store"
        answer.set_cookie(
            COOKIE,
            secret,
            max_age=KEPT_SECONDS,
            path=f"{request.root_path}{request.path}",
            secure=self._secure,
            httponly=True,
            samesite="Lax",
        )
        return answer

    def _again(
        self, token: str, typed: dict[str, str], problem: Problem, secret: str
    ) -> AnyResponse:
        """What is wrong, above the form as it was filled in; whose claim was kept is told so."""
        try:
            whole = self._claims.linked(token)
        except NotFoundError as unknown:
            return self._nothing(unknown)
        own = self._claims.own(whole, secret)
        if own is None:
            return self._form(whole, token, typed, problem)
        if own.hash:  # it was issued meanwhile
            return self._kept(redirect(f"{request.root_path}{request.path}", _SEE_OTHER), secret)
        return self._kept(self._form(whole, token, typed, problem, begun=True), secret)

    def _nothing(self, problem: NotFoundError) -> Response:
        status = self._told.status(problem)
        return page("claim/nothing.html", status, problem=self._said(problem))

    def _said(self, problem: Problem) -> dict[str, Any]:
        return {
            "code": problem.code,
            "pointer": problem.pointer.rpartition("/")[2],
            "title": self._told.title(problem),
            "detail": detail_of(problem),
            "incident": problem.extra.get("incident"),
        }

    def _form(
        self,
        whole: Whole,
        token: str,
        typed: dict[str, str],
        problem: Problem | None = None,
        *,
        unsure: bool = False,
        begun: bool = False,
    ) -> Response:
        """The form, or why there is none; ``begun``: this browser's claim waits for its invoice."""
        state = whole.state(self._claims.now())
        waits = state == "open" and whole.order.after_payment
        taken = {claim.part for claim in whole.claims}
        free = [
            (part, amount) for part, amount in enumerate(whole.order.shares, 1) if part not in taken
        ]
        told = self._order(whole)
        if not free:  # what was bought is theirs who have claimed it
            state, told["lines"] = "claimed" if state in ("open", "paid") else state, []
        if begun:
            waits = True
        answer = page(
            "claim/form.html",
            200 if problem is None else self._told.status(problem),
            state=state,
            waits=waits,
            free=free,
            left=sum(amount for _, amount in free),
            dishes=_dishes(whole),
            typed=typed,
            unsure=unsure,
            begun=begun,
            problem=None if problem is None else self._said(problem),
            mine=self._secret() or typed.get("mine", "") or self._claims.links.new_secret(),
            picture=_picture(f"{self._url}/claim/{token}") if len(free) > 1 else "",
            **told,
        )
        if waits:
            answer.headers["Refresh"] = LOOK_AGAIN
        return answer

    def _done(
        self,
        whole: Whole,
        claim: Claim,
        token: str,
        problem: Problem | None = None,
        *,
        offer: str = "",
    ) -> Response:
        """The invoice, for the browser that has claimed it."""
        invoice = self._invoice(whole, claim)
        link = scan_url(self._url, invoice.hash, invoice.number, invoice.total)
        anchored = invoice.seq <= self._taken()
        verdict = judge(known=True, slip_agrees=True, reversal=invoice.reversal, anchored=anchored)
        return page(
            "claim/done.html",
            200 if problem is None else self._told.status(problem),
            token=token,
            problem=None if problem is None else self._said(problem),
            can_mail=self._mail.is_open,
            mails=self._mail.told(invoice),
            invoice=invoice,
            verdict=verdict,
            stands=_STANDS[verdict],
            anchored=anchored,
            returns=self._returns(invoice),
            face=_read(invoice.face),
            buyer=_read(invoice.buyer),
            kind=kind_of(invoice),
            link=link,
            picture=_picture(link),
            wallet=self._wallet.on(),
            offer=offer,
            offer_picture=_picture(offer) if offer else "",
            **self._order(whole),
        )

    def _invoice(self, whole: Whole, claim: Claim) -> StoredInvoice:
        return own_invoice(self._store, parse_password_area(claim.hash), whole.order.merchant_id)

    def _returns(self, invoice: StoredInvoice) -> list[dict[str, Any]]:
        """What it was taken back by, and where that is checked."""
        reds = self._store.returns_of(invoice.seq) if invoice.reversal is not None else []
        return [
            {
                "number": red.number,
                "issued_at": format_issued_at(red.issued_at),
                "total": red.total,
                "link": scan_url(self._url, red.hash, red.number, red.total),
            }
            for red in reds
        ]

    def _order(self, whole: Whole) -> dict[str, Any]:
        account = self._store.account(whole.order.merchant_id)
        lines = dict.fromkeys(line.name for part in parts_of(whole.order) for line in part.lines)
        return {
            "order": whole.order,
            "seller": "" if account is None else account.merchant.name,
            "lines": list(lines),
            "until": f"{shanghai_time(whole.order.expires_at):%Y-%m-%d %H:%M}",
        }


def _dishes(whole: Whole) -> dict[int, list[str]]:
    """What is on each share, by its number; nothing where all of them have the same on them."""
    names = [list(dict.fromkeys(line.name for line in one.lines)) for one in parts_of(whole.order)]
    if all(one == names[0] for one in names):
        names = [[] for _ in names]
    return dict(enumerate(names, 1))


def _picture(link: str) -> Markup:
    return Markup(qr_svg(link).decode())  # noqa: S704 # a picture of our own making
