"""Issuing: from a request's bytes to an invoice on disk, one or many."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Protocol, TypeAlias

from chain.errors import NotFoundError, Problem
from invoice_service.domain.invoice import (
    SALTS_SIZE,
    InvoiceRequest,
    Issued,
    Prepared,
    parse_record,
    parse_request,
    prepare,
)
from invoice_service.domain.merchant import Merchant
from invoice_service.domain.request import MAX_BYTES, MAX_LINES
from invoice_service.domain.tax import TaxRates
from invoice_service.services.ports import Account

AT_ONCE = 200
"""Records of a batch that are handed over together."""


_Part: TypeAlias = Sequence[Prepared | Problem]
"""Records of a batch that are handed over together, and why the others cannot be."""

Done = Callable[[Issued | Problem | None], object]
"""Told what became of a record; None when nobody knows: the same record may be sent again."""


class Issuer(Protocol):
    """Whoever stores prepared invoices: the database itself, or the process in front of it."""

    def issue(self, batch: Sequence[Prepared]) -> list[Issued | Problem]:
        """Answer each record in order; every invoice in the answer is on disk.

        Safe to repeat: the same ``Prepared`` again is answered with the invoice it became.
        """
        ...


class Merchants(Protocol):
    """Who may issue."""

    def account(self, merchant_id: int) -> Account | None:
        """One merchant."""
        ...


@dataclass(frozen=True, slots=True)
class IssuingDesk:
    """What issuing works with; ``randbytes`` must be fit for secrets."""

    merchants: Merchants
    issuer: Issuer
    rates: TaxRates
    randbytes: Callable[[int], bytes]
    max_bytes: int = MAX_BYTES
    max_lines: int = MAX_LINES


def issue_one(
    desk: IssuingDesk, merchant_id: int, body: bytes, *, key_id: int = 0, idempotency_key: str = ""
) -> Issued:
    """Issue what ``body`` asks for; it is on disk when this returns.

    Raises MalformedError for the request, RefusedError (``merchant_suspended``,
    ``quota_exhausted``, ``key_revoked``, …), ConflictError (``order_id_conflict`` and others of
    ``domain.orders``, ``idempotency_key_conflict``), UnavailableError.
    """
    merchant = _merchant(desk, merchant_id)
    prepared = prepare_one(desk, merchant, body, key_id=key_id, idempotency_key=idempotency_key)
    return single(desk.issuer, prepared)


def issue_many(
    desk: IssuingDesk,
    merchant_id: int,
    bodies: Iterable[bytes],
    *,
    key_id: int = 0,
    ahead: bool = False,
) -> Iterator[Issued | Problem]:
    """Answer each of ``bodies`` in order, as ``issue_one`` would; none stops another.

    Each may carry the ``idempotency_key`` of its call. Bodies are read and answered ``AT_ONCE`` at
    a time; with ``ahead``, the next part is read while one is issued, which is worth it where
    another process issues. Raises NotFoundError ``merchant_unknown`` before the first.
    """
    merchant = _merchant(desk, merchant_id)
    parts = (
        [try_prepare(desk, merchant, body, key_id) for body in part]
        for part in _parts(iter(bodies))
    )
    return _issue_ahead(desk.issuer, parts) if ahead else _issue_parts(desk.issuer, parts)


def single(issuer: Issuer, prepared: Prepared) -> Issued:
    """Issue one prepared invoice; raises what the issuer answers when it refuses."""
    answer = issuer.issue([prepared])[0]
    if isinstance(answer, Problem):
        raise answer
    return answer


def _parts(bodies: Iterator[bytes]) -> Iterator[Sequence[bytes]]:
    while part := list(islice(bodies, AT_ONCE)):
        yield part


def _issue_parts(issuer: Issuer, parts: Iterable[_Part]) -> Iterator[Issued | Problem]:
    for part in parts:
        yield from _answers(part, issuer.issue(_ready(part)))


def _issue_ahead(issuer: Issuer, parts: Iterator[_Part]) -> Iterator[Issued | Problem]:
    """The same, one part after the other, with the next one in hand while one is issued."""
    under_way: tuple[_Part, Future[list[Issued | Problem]]] | None = None
    with ThreadPoolExecutor(1) as line:  # left only when what is under way has been issued
        for part in parts:
            asked = line.submit(issuer.issue, _ready(part))
            if under_way is not None:
                yield from _answers(under_way[0], under_way[1].result())
            under_way = part, asked
        if under_way is not None:
            yield from _answers(under_way[0], under_way[1].result())


def _ready(part: _Part) -> list[Prepared]:
    return [record for record in part if isinstance(record, Prepared)]


def _answers(part: _Part, issued: Iterable[Issued | Problem]) -> Iterator[Issued | Problem]:
    answers = iter(issued)
    for record in part:
        yield record if isinstance(record, Problem) else next(answers)


def try_prepare(
    desk: IssuingDesk, merchant: Merchant, body: bytes, key_id: int = 0
) -> Prepared | Problem:
    """One record of many, computed but for its number; or why there is no invoice in it."""
    try:
        request, key = parse_record(body, max_bytes=desk.max_bytes, max_lines=desk.max_lines)
        return _prepare(desk, merchant, request, key_id, key)
    except Problem as problem:
        return problem


def prepare_one(
    desk: IssuingDesk,
    merchant: Merchant,
    body: bytes,
    *,
    key_id: int = 0,
    idempotency_key: str = "",
) -> Prepared:
    """Read ``body`` and compute the invoice but its number; MalformedError for the request."""
    request = parse_request(body, max_bytes=desk.max_bytes, max_lines=desk.max_lines)
    return _prepare(desk, merchant, request, key_id, idempotency_key)


def _prepare(
    desk: IssuingDesk, merchant: Merchant, request: InvoiceRequest, key_id: int, key: str
) -> Prepared:
    return prepare(
        request,
        merchant,
        salts=desk.randbytes(SALTS_SIZE),
        rates=desk.rates,
        key_id=key_id,
        idempotency_key=key,
        new_key=desk.randbytes,
    )


def _merchant(desk: IssuingDesk, merchant_id: int) -> Merchant:
    account = desk.merchants.account(merchant_id)
    if account is None:
        raise NotFoundError("merchant_unknown", "there is no such merchant")
    return account.merchant
