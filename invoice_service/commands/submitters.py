"""Handing a batch of orders over to the service behind HTTP."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from chain.errors import NotFoundError, Problem, RefusedError, UnavailableError
from invoice_service.commands.remote import Remote
from invoice_service.files.record import Record
from invoice_service.files.results import Result
from invoice_service.files.submit import issued, refused
from invoice_service.services.issuing.standing import Standing

NDJSON: Final = "application/x-ndjson"
REPLAYED: Final = 200  # a new invoice is 201
AT_ONCE: Final = 1_000
"""Invoices that are asked for together."""


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

    def standings(self, hashes: Sequence[str]) -> Mapping[str, Standing]:
        """How those of these invoices that are the merchant's stand now.

        None, where the key is not for reading: then nothing is said of it.
        """
        found: dict[str, Standing] = {}
        try:
            for first in range(0, len(hashes), AT_ONCE):
                found |= self._stand(hashes[first : first + AT_ONCE])
        except (RefusedError, NotFoundError):
            return {}
        return found

    def _stand(self, hashes: Sequence[str]) -> dict[str, Standing]:
        body = b"".join(b'{"hash":"%s"}\n' % hash_.encode() for hash_ in hashes)
        answers = _states.decode_lines(self._remote.post("/v1/invoices/states", body, NDJSON))
        return {one.invoice.hash: one.invoice for one in answers if one.invoice is not None}


class _State(msgspec.Struct):
    invoice: Standing | None = None


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
    detail_zh: str = ""


class _Answer(msgspec.Struct):
    status: int
    invoice: _Invoice | None = None
    problem: _Problem | None = None


_decoder = msgspec.json.Decoder(_Answer)
_states = msgspec.json.Decoder(_State)


def _result_of(record: Record, answer: _Answer) -> Result:
    invoice = answer.invoice
    if invoice is None:
        found = answer.problem or _Problem("answer_unreadable")
        if answer.status >= 500:
            raise UnavailableError(found.code, found.detail)
        more = {"detail_zh": found.detail_zh} if found.detail_zh else {}
        problem = Problem(found.code, found.detail, pointer=found.pointer, **more)
        return refused(record, problem)
    return issued(
        record._replace(order_id=invoice.order_id),
        hash_=invoice.hash,
        code=invoice.code,
        number=invoice.number,
        total=invoice.total,
        replayed=answer.status == REPLAYED,
    )
