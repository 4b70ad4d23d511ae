"""``/bureau/merchants``: who is admitted, and the file of each; who looks says why."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from types import MappingProxyType
from typing import Final, Protocol

import msgspec
from flask import Blueprint, Response, request
from werkzeug import Response as AnyResponse

from chain.commitment import parse_password_area
from chain.errors import MalformedError, NotFoundError, Problem
from invoice_service.domain.acts import Recorded
from invoice_service.domain.invoice import StoredInvoice
from invoice_service.domain.merchant import (
    Merchant,
    districts,
    industries,
    masked_name,
    masked_tax_id,
)
from invoice_service.domain.numbering import shanghai_time
from invoice_service.services.help.ports import ScanStore
from invoice_service.services.people.lookups import UNSAID, Lookups, What
from invoice_service.services.people.sessions import Visitor
from invoice_service.services.people.trail import NEWEST, ActFilter, in_acts
from invoice_service.services.ports import Account, InvoiceFilter, MerchantFilter
from invoice_service.web.bureau.acting import MAY, Acting
from invoice_service.web.bureau.acting import Store as ActingStore
from invoice_service.web.bureau.figures import Figures
from invoice_service.web.bureau.merchant_files import (
    DECISIONS,
    FIRST_DAY,
    TABLES,
    all_merchants,
    merchant_file,
    merchant_invoices,
)
from invoice_service.web.bureau.merchant_files import Store as FileStore
from invoice_service.web.bureau.navigation import bureau_page
from invoice_service.web.bureau.taking import Taking, files, place_up_to
from invoice_service.web.ground.limits import typed_limits
from invoice_service.web.people.gate import Gate

PAGE: Final = 50
_ACTS: Final = 100
_SCANNED: Final = 20


class Store(FileStore, ActingStore, Protocol):
    """What files are read from."""

    def account_by_tax_id(self, tax_id: str) -> Account | None:
        """The merchant with this tax id."""
        ...

    def last_seq(self) -> int:
        """Of the newest invoice; 0 when there is none."""
        ...


class MerchantPages:
    """The list, a file, an invoice."""

    def __init__(
        self,
        gate: Gate,
        store: Store,
        figures: Figures,
        scans: ScanStore,
        lookups: Lookups,
        taking: Taking,
        clock: Callable[[], int],
    ) -> None:
        """``clock`` gives unix seconds."""
        self._gate, self._store, self._figures, self._taking = gate, store, figures, taking
        self._scans, self._lookups, self._clock = scans, lookups, clock
        self._acting = Acting(gate, store, self._account, self._file)

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("bureau_merchants", __name__, url_prefix="/bureau")
        routes.get("/merchants")(self.all)
        routes.get("/merchants/file/<kind>")(self.all_file)
        routes.get("/merchants/of/<tax_id>")(self.found)
        routes.get("/merchants/<merchant>")(self.one)
        routes.get("/merchants/<merchant>/file/<kind>")(self.one_file)
        routes.get("/merchants/<merchant>/invoices/file/<kind>")(self.invoices_file)
        routes.get("/invoices/<hash_>")(self.invoice)
        routes.post("/purpose")(self.say_why)
        self._acting.add_to(routes)
        return routes

    def all(self) -> Response:
        """The list, a page at a time; who may not look into files sees names masked."""
        visitor = self._gate.official("lists")
        wanted, asked = self._wanted(visitor)
        ids = self._store.merchants_found(asked, self._gate.after(), PAGE)
        accounts = [account for one in ids if (account := self._store.account(one))]
        return bureau_page(
            self._gate,
            "bureau/merchants.html",
            accounts=[self._seen(visitor, one) for one in accounts],
            masked=not visitor.has("look"),
            wanted=wanted._asdict(),
            files=files("bureau_merchants.all_file", asked._asdict()),
            next=ids[-1] if len(ids) == PAGE else None,
            districts=districts(),
            industries=industries(),
        )

    def all_file(self, kind: str) -> Response:
        """The whole list, as somebody sees it; a list of merchants is no look-up."""
        visitor = self._gate.official("lists")
        _, asked = self._wanted(visitor)
        taken = all_merchants(self._store, asked, partial(self._seen, visitor))
        return self._taking.answer(kind, visitor, taken, "merchants")

    def _wanted(self, visitor: Visitor) -> tuple[MerchantFilter, MerchantFilter]:
        """Whom the address asks for, and whom somebody may ask for: by name, who sees names."""
        wanted = MerchantFilter(
            *(self._gate.asked(name).strip() for name in MerchantFilter._fields)
        )
        return wanted, wanted if visitor.has("look") else wanted._replace(text="")

    def _seen(self, visitor: Visitor, account: Account) -> Account:
        return account if visitor.has("look") else _masked(account)

    def found(self, tax_id: str) -> AnyResponse:
        """The file of whoever has that tax id."""
        self._gate.official("look")
        account = self._store.account_by_tax_id(tax_id)
        if account is None:
            raise NotFoundError("merchant_unknown", "there is no such merchant")
        return self._gate.go(f"/bureau/merchants/{account.merchant.id}")

    def one(self, merchant: str) -> Response:
        """A file: volume by month, mix by rate, what was taken back, scans, decisions, invoices."""
        return self._file(self._gate.official("look"), merchant)

    def one_file(self, merchant: str, kind: str) -> Response:
        """A file taken along, its figures as of a block: a look-up like the page."""
        visitor = self._gate.official("look")
        account = self._account(merchant)
        id_, of = account.merchant.id, {"merchant": account.merchant.tax_id}
        if (asks := self._why(visitor, f"merchant:{id_}", "file")) is not None:
            return asks
        of["at_block"] = self._gate.asked("at_block") or str(self._figures.newest())
        months, rates = (
            self._figures.report({"by": by, **of}, looks=True) for by in ("month", "rate")
        )
        taken = merchant_file(self._store, self._scans, account, months, rates)
        height = months.head["block"]["height"]
        return self._taking.answer(kind, visitor, taken, f"merchant-{id_}-block-{height}")

    def invoices_file(self, merchant: str, kind: str) -> Response:
        """All its invoices up to one: a look-up like the page that lists them."""
        visitor = self._gate.official("look")
        account = self._account(merchant)
        id_ = account.merchant.id
        if (asks := self._why(visitor, f"merchant:{id_}", "file")) is not None:
            return asks
        last = place_up_to(self._gate.asked("up_to"), self._store.last_seq())
        taken = merchant_invoices(self._store, account.merchant, last)
        return self._taking.answer(kind, visitor, taken, f"merchant-{id_}-invoices-to-{last}")

    def _file(
        self,
        visitor: Visitor,
        merchant: str,
        problem: Problem | None = None,
        typed: Mapping[str, str] = MappingProxyType({}),
    ) -> Response:
        """``typed`` is what a refused form said, and ``at`` which of them that is.

        Whoever acts looks, too: without a purpose, the act's reason is one.
        """
        account = self._account(merchant)
        id_, acts_for = account.merchant.id, typed.get("reason", "").strip()
        if (asks := self._why(visitor, f"merchant:{id_}", "file", acts_for)) is not None:
            return asks
        height = self._figures.newest()
        of = {"merchant": account.merchant.tax_id}
        today = shanghai_time(self._clock()).date().isoformat()
        wanted = InvoiceFilter(merchant_id=account.merchant.id)
        invoices = self._store.invoices(wanted, self._gate.after(), PAGE)
        acts = self._acts(account.merchant)
        return bureau_page(
            self._gate,
            "bureau/merchant.html",
            problem,
            account=account,
            typed=typed,
            done=self._gate.asked("done"),
            waiting=self._acting.waiting(account),
            two=self._acting.two(),
            may=MAY,
            limits=typed_limits(account.merchant.quotas()),
            money=account.money_left(self._clock()),
            places=(districts(), industries()),
            months=self._figures.show({"by": "month", **of}, height),
            rates=self._figures.show({"by": "rate", **of}, height),
            scans=self._scans.scans(FIRST_DAY, today, _SCANNED, account.merchant.id),
            acts=acts,
            names=self._store.called(in_acts(acts)),
            invoices=invoices,
            files=files(
                "bureau_merchants.one_file",
                {"merchant": str(id_), "at_block": str(height)},
                TABLES,
            ),
            invoice_files=files(
                "bureau_merchants.invoices_file",
                {"merchant": str(id_), "up_to": str(self._store.last_seq())},
            ),
            next=invoices[-1].seq if len(invoices) == PAGE else None,
        )

    def invoice(self, hash_: str) -> Response:
        """One invoice, all of it, with what became of it."""
        visitor = self._gate.official("look")
        found = self._invoice(hash_)
        subject = f"invoice:{found.code}-{found.number}"
        if (asks := self._why(visitor, subject, "invoice")) is not None:
            return asks
        read = msgspec.json.decode
        return bureau_page(
            self._gate,
            "bureau/invoice.html",
            invoice=found,
            face=read(found.face),
            buyer=read(found.buyer) if found.buyer else {},
            lines=read(found.lines),
            returns=self._store.returns_of(found.seq),
            replaced=self._store.replacements_of(found.seq),
        )

    def say_why(self) -> AnyResponse:
        """Kept in the browser for some hours, and with every look.

        For this person alone: whoever signs in there next is asked anew.
        """
        visitor = self._gate.official("look")
        fields = self._gate.fields()
        said, to = fields.get("purpose", ""), fields.get("to", "")
        back = to if to.startswith("/bureau/") else "/bureau/merchants"
        try:
            purpose = self._lookups.purpose(said)
            if purpose == UNSAID:
                raise MalformedError("text_empty", "say why you look", pointer="purpose")
        except MalformedError as problem:
            values = {"to": back, "said": said, "here": back}
            return bureau_page(self._gate, "bureau/why.html", problem, **values)
        return self._gate.keep_purpose(self._gate.go(back), visitor, purpose)

    def _why(
        self, visitor: Visitor, subject: str, what: What, acts_for: str = ""
    ) -> Response | None:
        """Note that somebody looks; the page that asks why, where that was not said yet."""
        purpose = self._gate.purpose(visitor)
        if not purpose and acts_for:
            with suppress(MalformedError):
                purpose = self._lookups.purpose(acts_for)
        if not purpose:
            to = request.path
            if request.method == "POST":
                to = to.rpartition("/")[0]
            elif what == "file":  # what is taken along is taken from there
                to = f"/bureau/merchants/{subject.partition(':')[2]}"
            return bureau_page(self._gate, "bureau/why.html", to=to)
        self._lookups.note(self._gate.by(visitor), subject, what, purpose)
        return None

    def _account(self, merchant: str) -> Account:
        known = merchant.isascii() and merchant.isdecimal() and len(merchant) < 16
        account = self._store.account(int(merchant)) if known else None
        if account is None:
            raise NotFoundError("merchant_unknown", "there is no such merchant")
        return account

    def _invoice(self, hash_: str) -> StoredInvoice:
        try:
            found = self._store.invoice(parse_password_area(hash_))
        except MalformedError:
            found = None
        if found is None:
            raise NotFoundError("invoice_unknown", "there is no such invoice")
        return found

    def _acts(self, merchant: Merchant) -> list[Recorded]:
        """What was decided about one, the newest first."""
        subject = f"merchant:{merchant.id}"
        found = [
            act
            for type_ in DECISIONS
            for act in self._store.newest_acts(
                ActFilter(subject=subject, type=type_), NEWEST, _ACTS
            )
            if act.act.outcome == "done"
        ]
        return sorted(found, key=lambda one: -one.seq)


def _masked(account: Account) -> Account:
    hidden = msgspec.structs.replace(
        account.merchant,
        name=masked_name(account.merchant.name),
        tax_id=masked_tax_id(account.merchant.tax_id),
    )
    return msgspec.structs.replace(account, merchant=hidden)
