"""The two ways to hand a batch of orders over: to the service behind HTTP, or to this machine's."""

from collections.abc import Sequence
from typing import Final

import msgspec

from chain.errors import Problem, UnavailableError
from invoice_service.commands.order_files import Record
from invoice_service.commands.remote import Remote
from invoice_service.commands.results import Result
from invoice_service.commands.submit import digest, refused
from invoice_service.domain.invoice import Issued
from invoice_service.services.issuing.issue import IssuingDesk, issue_many

NDJSON: Final = "application/x-ndjson"
REPLAYED: Final = 200  # a new invoice is 201


class LocalSubmitter:
    """Issues as one merchant on the instance of this machine."""

    def __init__(self, desk: IssuingDesk, merchant_id: int) -> None:
        self._desk = desk
        self._merchant_id = merchant_id

    def submit(self, batch: Sequence[Record]) -> list[Result]:
        """A result per record, in order; UnavailableError when one could not be stored now."""
        bodies = (record.sent() for record in batch)
        answers = issue_many(self._desk, self._merchant_id, bodies)
        return [_result(record, answer) for record, answer in zip(batch, answers, strict=True)]


def _result(record: Record, answer: Issued | Problem) -> Result:
    if isinstance(answer, UnavailableError):
        raise answer  # nothing is wrong with the record: the whole run stops, and goes on later
    if isinstance(answer, Problem):
        return refused(record, answer)
    return Result(
        record=record.number,
        order_id=answer.order_id,
        status="replayed" if answer.replayed else "issued",
        request=digest(record),
        hash=answer.hash,
        invoice_code=answer.code,
        number=answer.number,
        total=answer.total,
        columns=record.more,
        key=record.key,
    )


class RemoteSubmitter:
    """Posts batches to ``/v1/invoices/batch`` with a merchant's key."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def submit(self, batch: Sequence[Record]) -> list[Result]:
        """A result per record, in order; raises the Problem that the whole batch has met."""
        body = b"\n".join(record.sent() for record in batch) + b"\n"
        answers = _decoder.decode_lines(self._remote.post("/v1/invoices/batch", body, NDJSON))
        if len(answers) != len(batch):
            raise UnavailableError(
                "answer_cut", f"{len(answers)} answers to {len(batch)} records; run it again"
            )
        return [_result_of(record, answer) for record, answer in zip(batch, answers, strict=True)]


class _Invoice(msgspec.Struct):
    hash: str
    code: str
    number: str
    order_id: str
    total: int


class _Problem(msgspec.Struct):
    code: str
    detail: str = ""
    pointer: str = ""


class _Answer(msgspec.Struct):
    status: int
    invoice: _Invoice | None = None
    problem: _Problem | None = None


_decoder = msgspec.json.Decoder(_Answer)


def _result_of(record: Record, answer: _Answer) -> Result:
    invoice = answer.invoice
    if invoice is None:
        found = answer.problem or _Problem("answer_unreadable")
        if answer.status >= 500:
            raise UnavailableError(found.code, found.detail)
        return refused(record, Problem(found.code, found.detail, pointer=found.pointer))
    return Result(
        record=record.number,
        order_id=invoice.order_id,
        status="replayed" if answer.status == REPLAYED else "issued",
        request=digest(record),
        hash=invoice.hash,
        invoice_code=invoice.code,
        number=invoice.number,
        total=invoice.total,
        columns=record.more,
        key=record.key,
    )
