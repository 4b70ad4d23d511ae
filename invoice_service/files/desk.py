"""Handing a batch of orders over to the instance of this machine."""

from collections.abc import Mapping, Sequence

from chain.errors import Problem, UnavailableError
from invoice_service.domain.invoice import Issued
from invoice_service.files.record import Record
from invoice_service.files.results import Result
from invoice_service.files.submit import issued, refused
from invoice_service.services.issuing.issue import IssuingDesk, issue_many
from invoice_service.services.issuing.standing import Standing, Standings


class LocalSubmitter:
    """Issues as one merchant on the instance of this machine."""

    def __init__(self, desk: IssuingDesk, standings: Standings, merchant_id: int) -> None:
        self._desk = desk
        self._standings = standings
        self._merchant_id = merchant_id

    def submit(self, batch: Sequence[Record]) -> list[Result]:
        """A result per record, in order; UnavailableError when one could not be stored now."""
        bodies = (record.sent() for record in batch)
        answers = issue_many(self._desk, self._merchant_id, bodies)
        return [_result(record, answer) for record, answer in zip(batch, answers, strict=True)]

    def standings(self, hashes: Sequence[str]) -> Mapping[str, Standing]:
        """How those of these invoices that are the merchant's stand now."""
        return self._standings.of(self._merchant_id, hashes)


def _result(record: Record, answer: Issued | Problem) -> Result:
    if isinstance(answer, UnavailableError):
        raise answer  # nothing is wrong with the record: the whole run stops, and goes on later
    if isinstance(answer, Problem):
        return refused(record, answer)
    return issued(
        record._replace(order_id=answer.order_id),
        hash_=answer.hash,
        code=answer.code,
        number=answer.number,
        total=answer.total,
        replayed=answer.replayed,
    )
