"""What somebody hands on of an invoice that is theirs: a paper, a picture or a proof.

Groups that they hide are in none of its bytes: in the place of a text stands that it is not shown,
in the proof its digest, and names of files have the invoice's number alone.
"""

from typing import Final, Literal, NamedTuple, TypeAlias

from chain.commitment import parse_password_area
from chain.errors import MalformedError
from invoice_service.documents.paper.printing import Printing
from invoice_service.documents.slip import Asked, slip_of
from invoice_service.domain.invoice import StoredInvoice
from invoice_service.domain.qrtext import scan_url
from invoice_service.services.checking.prove import ALL_GROUPS, FACE_ONLY, build, build_tlog

Form: TypeAlias = Literal["pdf", "picture", "proof", "tlog"]

FORMS: Final[dict[str, Form]] = {
    "pdf": "pdf",
    "picture": "picture",
    "proof": "proof",
    "tlog": "tlog",
}
HIDEABLE: Final = ALL_GROUPS - FACE_ONLY
KINDS: Final[dict[Form, str]] = {
    "pdf": "application/pdf",
    "picture": "image/png",
    "proof": "application/json",
    "tlog": "text/plain; charset=utf-8",
}
_ENDINGS: Final[dict[Form, str]] = {
    "pdf": "pdf",
    "picture": "png",
    "proof": "fapiao.json",
    "tlog": "tlog-proof",
}
_WIDTH: Final = 80


class Shared(NamedTuple):
    """A file to hand on."""

    name: str
    kind: str
    data: bytes


class Wanted(NamedTuple):
    """In which form, and which groups are in none of it."""

    form: Form
    hidden: frozenset[str]


class Sharing:
    """Makes them, for the threads of one process."""

    def __init__(self, printing: Printing) -> None:
        self._printing, self._printers = printing, printing.printers

    def file(self, invoice: StoredInvoice, wanted: Wanted) -> Shared:
        """The file, of an invoice whose asker may see all of it.

        Raises ConflictError ``not_in_log``, ``not_published`` for a proof of one that waits;
        MalformedError ``slip_too_long``; UnavailableError as the press, and ``record_damaged``.
        """
        name = f"{invoice.number}.{_ENDINGS[wanted.form]}"
        return Shared(name, KINDS[wanted.form], self._data(invoice, wanted))

    def _data(self, invoice: StoredInvoice, wanted: Wanted) -> bytes:
        if wanted.form == "pdf":
            return self._printing.one(invoice, ALL_GROUPS, wanted.hidden)
        if wanted.form == "picture":
            return self._picture(invoice, wanted.hidden)
        digest, printers = parse_password_area(invoice.hash), self._printers
        if wanted.form == "tlog":
            return build_tlog(printers.invoices, printers.log, digest)
        return build(printers.invoices, printers.log, digest, ALL_GROUPS - wanted.hidden)

    def _picture(self, invoice: StoredInvoice, hidden: frozenset[str]) -> bytes:
        from invoice_service.documents.slip_picture import slip_png  # with its font, when needed

        link = scan_url(self._printers.public_url, invoice.hash, invoice.number, invoice.total)
        asked, sample = Asked(_WIDTH, "full", copy=False, hidden=hidden), not self._printers.bureau
        return slip_png(slip_of(invoice, asked, link, ALL_GROUPS, sample=sample))


def wanted_in(forms: list[str], hidden: list[str]) -> Wanted:
    """What a form on a page asks for; MalformedError ``parameter_malformed``.

    ``forms`` is every ``form`` that stands in the address: of two, none is picked.
    """
    if len(forms) > 1:
        raise MalformedError("parameter_malformed", "form stands twice", pointer="form")
    form = forms[0] if forms else "pdf"
    if form not in FORMS:
        raise MalformedError(
            "parameter_malformed", f"form is one of {', '.join(FORMS)}", pointer="form"
        )
    if not set(hidden) <= HIDEABLE:
        raise MalformedError(
            "parameter_malformed", f"hide is one of {', '.join(sorted(HIDEABLE))}", pointer="hide"
        )
    return Wanted(FORMS[form], frozenset(hidden))
