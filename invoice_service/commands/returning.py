"""Taking an invoice back as its merchant: on this machine's instance, or through the service."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, Protocol

import msgspec

from chain.commitment import parse_password_area
from chain.errors import ConflictError, MalformedError, NotFoundError
from invoice_service.commands.claims import read_claim
from invoice_service.commands.remote import Remote
from invoice_service.domain.document import Line, read_lines
from invoice_service.domain.invoice import StoredInvoice
from invoice_service.domain.lifecycle import Type
from invoice_service.domain.numbering import format_issued_at
from invoice_service.domain.qrtext import QrText
from invoice_service.domain.request import ReversalRequest
from invoice_service.domain.returns import Standing, left_of
from invoice_service.services.checking.verify import slip_agrees
from invoice_service.services.issuing.reverse import ReversingDesk, reverse
from invoice_service.services.ports import InvoiceFilter
from invoice_service.services.records import own_invoice
from invoice_service.wiring import Instance

_NUMBER: Final = re.compile(r"[0-9]{8}", re.ASCII)
_REPLAYED: Final = 200  # a new red invoice is 201


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice as its merchant reads it; ``lines`` are None where its key may not read them.

    ``left`` is None while nothing of it was taken back.
    """

    hash: str
    code: str
    number: str
    type: Type
    issued_at: str
    amount: int
    tax: int
    total: int
    face: dict[str, Any]
    lines: list[Line] | None
    left: int | None = None
    reversed_by: list[str] = []

    @property
    def stands(self) -> int:
        """What is left of it, in fen."""
        return self.total if self.left is None else self.left


class Taken(NamedTuple):
    """The hash of the red invoice that took it back; ``replayed`` when that was done before."""

    hash: str
    replayed: bool


class Books(Protocol):
    """A merchant's invoices, wherever they are."""

    def read(self, hash_: str) -> Paper:
        """One invoice; NotFoundError ``invoice_unknown``."""
        ...

    def numbered(self, number: str) -> Sequence[str]:
        """The hashes of the merchant's invoices with this number: one in each batch of numbers."""
        ...

    def reverse(self, hash_: str, body: bytes, key: str) -> Taken:
        """Take back what ``body`` asks for; errors as ``services.issuing.reverse``."""
        ...


class LocalBooks:
    """One merchant's on the instance of this machine."""

    def __init__(self, instance: Instance, merchant_id: int) -> None:
        self._store = instance.store
        self._merchant_id = merchant_id
        self._desk = ReversingDesk(
            instance.store,
            instance.issuer,
            instance.randbytes,
            instance.config.limits.body_bytes,
        )

    def read(self, hash_: str) -> Paper:
        """As ``Books.read``."""
        return _paper(own_invoice(self._store, parse_password_area(hash_), self._merchant_id))

    def numbered(self, number: str) -> list[str]:
        """As ``Books.numbered``."""
        wanted = InvoiceFilter(merchant_id=self._merchant_id, number=number)
        return [invoice.hash for invoice in self._store.invoices(wanted, 0, _MANY)]

    def reverse(self, hash_: str, body: bytes, key: str) -> Taken:
        """As ``Books.reverse``."""
        digest = parse_password_area(hash_)
        issued = reverse(self._desk, self._merchant_id, digest, body, idempotency_key=key)
        return Taken(issued.hash, issued.replayed)


def _paper(invoice: StoredInvoice) -> Paper:
    return Paper(
        hash=invoice.hash,
        code=invoice.code,
        number=invoice.number,
        type=invoice.type,
        issued_at=format_issued_at(invoice.issued_at),
        amount=invoice.amount,
        tax=invoice.tax,
        total=invoice.total,
        face=msgspec.json.decode(invoice.face),
        lines=read_lines(invoice.lines),
        left=invoice.left if invoice.reversed_by else None,
        reversed_by=list(invoice.reversed_by),
    )


class RemoteBooks:
    """Those of the merchant whose key it is, through the service."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def read(self, hash_: str) -> Paper:
        """As ``Books.read``."""
        said = self._remote.get_json(f"/v1/invoices/{hash_}")
        if not isinstance(said["lines"], list):  # their digest, for whoever may not read them
            said["lines"] = None
        return msgspec.convert(said, Paper)

    def numbered(self, number: str) -> list[str]:
        """As ``Books.numbered``."""
        found = self._remote.get_json("/v1/invoices", {"number": number})
        return [invoice["hash"] for invoice in found["invoices"]]

    def reverse(self, hash_: str, body: bytes, key: str) -> Taken:
        """As ``Books.reverse``."""
        path = f"/v1/invoices/{hash_}/reversals"
        status, said = self._remote.post_named(path, body, key)
        return Taken(msgspec.json.decode(said)["hash"], status == _REPLAYED)


_MANY: Final = 100


def find(books: Books, text: str) -> Paper:
    """The invoice that ``text`` names: its number, hash, QR text, a picture or a file of it.

    Raises NotFoundError ``invoice_unknown``; MalformedError ``number_several``, ``claims_differ``
    where the code says another number or amount, and as ``read_claim`` does.
    """
    if _NUMBER.fullmatch(text):
        return books.read(_only(books.numbered(text), text))
    claim = read_claim(text)
    paper = books.read(claim.hash)
    if claim.slip is not None and not _agrees(claim.slip, paper):
        raise MalformedError(
            "claims_differ",
            f"invoice {paper.number} of {paper.total} fen has this hash, and its code here says"
            " otherwise",
        )
    return paper


def _only(hashes: Sequence[str], number: str) -> str:
    if not hashes:
        raise NotFoundError("invoice_unknown", f"the merchant has no invoice {number}")
    if len(hashes) > 1:
        raise MalformedError(
            "number_several",
            f"{len(hashes)} invoices have the number {number}, each under a code of its own: name"
            f" the hash, one of {', '.join(hashes)}",
        )
    return hashes[0]


def _agrees(slip: QrText, paper: Paper) -> bool:
    issued_at = int(datetime.fromisoformat(paper.issued_at).timestamp())
    return slip_agrees(slip, paper.face, issued_at)


def take_back(books: Books, blue: Paper, asked: ReversalRequest, key: str) -> Taken:
    """Take back what is ``asked``, once: asked again, it names the red invoice that did.

    Without a ``key`` the same part is taken once; all that is left, whoever took it last.
    """
    try:
        return books.reverse(blue.hash, msgspec.json.encode(asked), key)
    except ConflictError as problem:
        before = _before(problem, asked)
        if before is None:
            raise
        return Taken(before, replayed=True)


def _before(problem: ConflictError, asked: ReversalRequest) -> str | None:
    """The hash of the red invoice that did just this before, as the refusal names it."""
    if problem.code == "return_repeated":
        return str(problem.extra["first_hash"])
    if problem.code == "already_reversed" and asked.whole:
        return str(problem.extra["reversed_by"])
    return None


def standings(books: Books, blue: Paper) -> list[Standing]:
    """What is left of each line; none where the lines may not be read."""
    if blue.lines is None:
        return []
    reds = [books.read(hash_).lines or [] for hash_ in blue.reversed_by]
    return left_of(blue.lines, reds)
