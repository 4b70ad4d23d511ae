"""Submitting a file of orders: in batches, remembering what is done, safe to kill and to repeat."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, Protocol

import msgspec

from chain.errors import Problem
from chain.hashing import sha256
from invoice_service.files.record import Record, Source
from invoice_service.files.results import Result, ResultFile
from invoice_service.services.issuing.standing import Standing

BATCH_RECORDS: Final = 100
BATCH_BYTES: Final = 4 << 20


class Submitter(Protocol):
    """Whoever issues: the service behind HTTP, or the instance on this machine."""

    def submit(self, batch: Sequence[Record]) -> list[Result]:
        """A result per record, in order; raises UnavailableError or RefusedError for all."""
        ...

    def standings(self, hashes: Sequence[str]) -> Mapping[str, Standing]:
        """How those of these invoices that are the merchant's stand now."""
        ...


def submit_all(
    source: Source, submitter: Submitter, results: ResultFile, advance: Callable[[int], None]
) -> Counter[str]:
    """Submit what is not done yet; counts "issued", "replayed", "refused" and "done before".

    Killed at any point, it goes on where the file of results ends; what was issued and is not in
    that file is asked again, and answered with the first invoice.
    """
    counts: Counter[str] = Counter()
    for step in steps(source, submitter, results, counts):
        advance(step)
    return counts


def steps(
    source: Source, submitter: Submitter, results: ResultFile, counts: Counter[str]
) -> Iterator[int]:
    """``submit_all`` a batch at a time: how many records each had; ``counts`` is kept up to date.

    Left before its end, nothing is lost, and the same again goes on.
    """
    counts.update(result.status for result in _check_memory(source, submitter, results))
    counts["done before"] = -counts.total()  # those are met again below
    requests: list[str] = []
    for batch in _batches(source()):
        requests += map(digest, batch)
        todo = [record for record in batch if not results.done(record.number, digest(record))]
        if todo:
            new = _answer(todo, submitter, results)
            results.add(new)
            counts.update(result.status for result in new)
        counts["done before"] += len(batch) - len(todo)
        yield len(batch)
    results.finish(requests, submitter.standings)


def digest(record: Record) -> str:
    """The digest of a request as it stands in the file, in hex."""
    return sha256(record.body).hex()


def refused(record: Record, problem: Problem) -> Result:
    """The result of a record that got no invoice."""
    return Result(
        record=record.number,
        order_id=record.order_id,
        status="refused",
        request=digest(record),
        till=record.till,
        business_day=record.day,
        part=record.part,
        lines=record.lines,
        code=problem.code,
        detail=problem.detail,
        detail_zh=str(problem.extra.get("detail_zh", "")),
        pointer=problem.pointer,
        columns=record.more,
        key=record.key,
        first=str(problem.extra.get("first_hash", "")),
    )


def issued(
    record: Record, *, hash_: str, code: str, number: str, total: int, replayed: bool
) -> Result:
    """The result of a record that has an invoice."""
    return Result(
        record=record.number,
        order_id=record.order_id,
        status="replayed" if replayed else "issued",
        request=digest(record),
        till=record.till,
        business_day=record.day,
        part=record.part,
        hash=hash_,
        invoice_code=code,
        number=number,
        total=total,
        columns=record.more,
        key=record.key,
    )


def _check_memory(source: Source, submitter: Submitter, results: ResultFile) -> list[Result]:
    """Ask for the newest invoices of the result file again, and set it aside if they are others.

    It is then another instance's, or this one's from before a restore; believing it would leave
    orders without an invoice. Returns what it got from the service instead.
    """
    remembered = {
        (result.record, result.request): result for result in results.newest(BATCH_RECORDS)
    }
    asked = [
        record
        for record in (source() if remembered else ())
        if (record.number, digest(record)) in remembered
    ]
    answers = _answer(asked, submitter, results)
    if all(answer.hash == remembered[answer.record, answer.request].hash for answer in answers):
        return []
    results.set_aside()
    results.add(answers)
    return answers


def _answer(records: Sequence[Record], submitter: Submitter, results: ResultFile) -> list[Result]:
    """Results of ``records``, in order; what is no request is refused here.

    A record that was asked before is asked with the same key, also when others in its file have
    been mended since.
    """
    sound = [_as_before(record, results) for record in records if not record.problem]
    answers = iter(submitter.submit(sound) if sound else [])
    found = [
        refused(record, record.problem) if record.problem else next(answers) for record in records
    ]
    return _without_erased(found, submitter)


def _without_erased(results: list[Result], submitter: Submitter) -> list[Result]:
    """A file that is sent again brings nobody back who was erased since."""
    met = {one.hash or one.first for one in results if one.columns and one.status != "issued"}
    stand = submitter.standings(sorted(met - {""})) if met - {""} else {}
    gone = {hash_ for hash_, standing in stand.items() if standing.buyer_erased}
    return [
        msgspec.structs.replace(one, columns={}) if (one.hash or one.first) in gone else one
        for one in results
    ]


def _as_before(record: Record, results: ResultFile) -> Record:
    key = record.key and results.key(record.number, digest(record))
    return record._replace(key=key) if key else record


def _batches(records: Iterator[Record]) -> Iterator[list[Record]]:
    """Groups of bounded number and size."""
    batch: list[Record] = []
    size = 0
    for record in records:
        if batch and (len(batch) == BATCH_RECORDS or size + len(record.body) > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += len(record.body)
    if batch:
        yield batch
