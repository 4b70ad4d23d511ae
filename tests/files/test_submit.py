"""Submitting a file: interrupted anywhere, repeated, changed, or sent to another instance."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from chain.errors import MalformedError, UnavailableError
from chain.hashing import sha256
from invoice_service.domain.verdict import Verdict
from invoice_service.files.record import Record
from invoice_service.files.results import Result, ResultFile
from invoice_service.files.submit import BATCH_RECORDS, issued, refused, submit_all
from invoice_service.services.issuing.standing import Standing


class Register:
    """An issuing service in memory: a repeated order gets its first invoice, others conflict."""

    def __init__(self, name: str = "main") -> None:
        self.name = name
        self.invoices: dict[str, tuple[bytes, str]] = {}
        self.calls: list[list[int]] = []
        self.told: dict[str, Standing] = {}
        self.power = 10**9  # calls until it fails

    def submit(self, batch: Sequence[Record]) -> list[Result]:
        self.calls.append([record.number for record in batch])
        if len(self.calls) > self.power:
            raise UnavailableError("database_busy", "not now")
        return [self._one(record) for record in batch]

    def standings(self, hashes: Sequence[str]) -> dict[str, Standing]:
        mine = {hash_ for _, hash_ in self.invoices.values()} & set(hashes)
        return {
            hash_: self.told.get(hash_, Standing(hash=hash_, state=Verdict.PENDING))
            for hash_ in mine
        }

    def _one(self, record: Record) -> Result:
        known = self.invoices.get(record.order_id)
        if b"bad" in record.body:
            return refused(record, MalformedError("not_json", "no"))
        if known is not None and known[0] != record.body:
            return refused(record, MalformedError("order_id_conflict", "no"))
        hash_ = "01" + sha256(self.name.encode() + record.body).hex()
        self.invoices[record.order_id] = record.body, hash_
        return issued(record, hash_=hash_, code="", number="", total=1, replayed=known is not None)


def _orders(count: int, change: dict[int, bytes] | None = None) -> Callable[[], Iterator[Record]]:
    def read() -> Iterator[Record]:
        for n in range(1, count + 1):
            yield Record(n, f"o{n}", (change or {}).get(n, b"order %d" % n))

    return read


def _run(
    service: Register, path: Path, orders: Callable[[], Iterator[Record]] | None = None
) -> Counter[str]:
    return submit_all(orders or _orders(250), service, ResultFile(path), lambda _: None)


def test_every_record_gets_a_line_in_order(tmp_path: Path) -> None:
    path, service = tmp_path / "results", Register()
    counts = _run(service, path, _orders(250, {7: b"bad"}))
    assert counts == {"issued": 249, "refused": 1, "done before": 0}
    assert [len(call) for call in service.calls] == [100, 100, 50]
    lines = path.read_bytes().splitlines()
    assert len(lines) == 250
    assert b'"code":"not_json"' in lines[6]


def test_a_second_run_issues_nothing_and_asks_for_the_newest_only(tmp_path: Path) -> None:
    path, service = tmp_path / "results", Register()
    _run(service, path)
    before, asked = path.read_bytes(), len(service.calls)
    assert _run(service, path) == {"done before": 250}
    assert path.read_bytes() == before
    assert service.calls[asked:] == [list(range(151, 251))]


@pytest.mark.parametrize("power", [0, 1, 2])
def test_it_goes_on_where_it_was_interrupted(tmp_path: Path, power: int) -> None:
    path, service = tmp_path / "results", Register()
    service.power = power
    with pytest.raises(UnavailableError):
        _run(service, path)
    service.power = 10**9
    counts = _run(service, path)
    assert counts["done before"] == power * BATCH_RECORDS
    assert counts["issued"] == 250 - power * BATCH_RECORDS
    assert counts["replayed"] == 0


def test_an_answer_lost_by_a_kill_is_asked_again_and_not_issued_twice(tmp_path: Path) -> None:
    path, service = tmp_path / "results", Register()
    _run(service, path)
    before = dict(service.invoices)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:100]) + lines[100][:20])  # killed while it wrote the batch
    assert _run(service, path) == {"done before": 100, "replayed": 150}
    assert service.invoices == before
    assert len(path.read_bytes().splitlines()) == 250


def test_a_line_torn_in_the_middle_of_the_file_is_asked_again(tmp_path: Path) -> None:
    path, service = tmp_path / "results", Register()
    _run(service, path)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[4] = b"\0" * 30 + b"\n"
    path.write_bytes(b"".join(lines))
    assert _run(service, path) == {"done before": 249, "replayed": 1}


def test_a_record_that_was_refused_or_changed_is_asked_again(tmp_path: Path) -> None:
    path, service = tmp_path / "results", Register()
    _run(service, path, _orders(250, {7: b"bad"}))
    assert _run(service, path) == {"done before": 249, "issued": 1}
    changed = _orders(250, {9: b"another order"})
    assert _run(service, path, changed) == {"done before": 249, "refused": 1}
    [refusal] = [line for line in path.read_bytes().splitlines() if b"refused" in line]
    assert b'"record":9' in refusal
    assert b"order_id_conflict" in refusal


def test_results_of_another_instance_are_not_believed(tmp_path: Path) -> None:
    path, first, second = tmp_path / "results", Register("first"), Register("second")
    _run(first, path)
    assert _run(second, path) == {"issued": 250, "done before": 0}
    assert len(second.invoices) == 250
    hashes = {result.hash for result in ResultFile(path).newest(250)}
    assert hashes == {hash_ for _, hash_ in second.invoices.values()}
    aside = ResultFile(path.with_name("results.1")).newest(1000)
    assert {result.hash for result in aside} == {hash_ for _, hash_ in first.invoices.values()}
    _run(first, path)
    assert path.with_name("results.2").exists()


def test_an_unreadable_record_never_reaches_the_service(tmp_path: Path) -> None:
    path, service = tmp_path / "results", Register()
    problem = MalformedError("csv_row_malformed", "line 2 has 5 fields, not 6")

    def orders() -> Iterator[Record]:
        yield Record(1, "o1", b"", problem)

    assert _run(service, path, orders) == {"refused": 1, "done before": 0}
    assert service.calls == []
    assert b'"code":"csv_row_malformed"' in path.read_bytes()


def test_a_shop_keeps_every_hash_whatever_the_file_of_that_name_holds_next(tmp_path: Path) -> None:
    """Monday's day.csv and Tuesday's: the records have the same places, and are others."""
    path, service = tmp_path / "results", Register()
    _run(service, path)
    tuesday = [Record(n, f"t{n}", b"tuesday %d" % n) for n in range(1, 4)]
    assert _run(service, path, lambda: iter(tuesday)) == {"issued": 3, "done before": 0}
    kept = [result.hash for result in ResultFile(path).newest(1000)]
    assert len(kept) == len(set(kept)) == 253
    assert set(kept) == {hash_ for _, hash_ in service.invoices.values()}
    assert _run(service, path, lambda: iter(tuesday)) == {"done before": 3}
    assert _run(service, path) == {"done before": 250}
    assert len(path.read_bytes().splitlines()) == 253


def test_an_invoice_stands_in_the_list_once_though_its_record_moved(tmp_path: Path) -> None:
    path, service = tmp_path / "results", Register()
    _run(service, path, _orders(3))
    moved = [Record(n + 1, f"o{n}", b"order %d" % n) for n in range(1, 4)]
    grown = [Record(1, "o0", b"order 0"), *moved]
    assert _run(service, path, lambda: iter(grown)) == {
        "issued": 1,
        "replayed": 3,
        "done before": 0,
    }
    assert len(path.read_bytes().splitlines()) == 4


def test_the_file_says_how_each_invoice_stands_now(tmp_path: Path) -> None:
    """Those of earlier runs, too; what the service does not know stays as it was."""
    path, service = tmp_path / "results", Register()
    _run(service, path, _orders(2))
    assert {result.state for result in ResultFile(path).all()} == {"pending"}
    hashes = [result.hash for result in ResultFile(path).all()]
    service.told = {
        hashes[0]: Standing(hash=hashes[0], state=Verdict.AUTHENTIC),
        hashes[1]: Standing(
            hash=hashes[1],
            state=Verdict.PARTLY_REVERSED,
            left=50,
            reversed_by=("00000003", "00000004"),
            replaced_by=("00000005",),
        ),
    }
    tuesday = [Record(1, "t1", b"tuesday")]
    _run(service, path, lambda: iter(tuesday))
    first, second, third = ResultFile(path).all()
    assert [first.state, second.state, third.state] == ["authentic", "partly_reversed", "pending"]
    assert (second.left, second.reversed_by) == (50, ("00000003", "00000004"))
    assert second.replaced_by == ("00000005",)
    assert (first.left, first.reversed_by) == (None, ())
    service.invoices.clear()  # another's, whom it tells nothing
    _run(service, path, lambda: iter(tuesday))
    assert [one.state for one in ResultFile(path).all()][:2] == ["authentic", "partly_reversed"]


def test_a_refused_order_of_an_earlier_file_stays_until_it_is_issued(tmp_path: Path) -> None:
    path, service = tmp_path / "results", Register()
    monday = [Record(1, "m1", b"bad", day="2026-11-28"), Record(2, "m2", b"fine")]
    tuesday = [Record(1, "m1", b"of tuesday", day="2026-11-29")]
    mended = [Record(1, "m1", b"mended", day="2026-11-28"), Record(2, "m2", b"fine")]
    _run(service, path, lambda: iter(monday))
    _run(service, path, lambda: iter(tuesday))
    assert [(one.order_id, one.status) for one in ResultFile(path).all()] == [
        ("m1", "refused"),
        ("m2", "issued"),
        ("m1", "issued"),
    ]
    service.invoices.clear()
    _run(service, path, lambda: iter(mended))
    assert [one.status for one in ResultFile(path).all()].count("refused") == 0


def test_five_days_under_one_name_keep_all(tmp_path: Path) -> None:
    path, service = tmp_path / "results", Register()
    for day in range(5):
        file = [Record(n, f"{n}", b"%d of day %d" % (n, day), day=f"d{day}") for n in (1, 2, 3)]
        service.invoices = {f"{day}/{name}": one for name, one in service.invoices.items()}
        _run(service, path, lambda file=file: iter(file))  # type: ignore[misc]
    kept = ResultFile(path).all()
    assert len({one.hash for one in kept}) == len(kept) == 15
    assert {one.business_day for one in kept} == {f"d{day}" for day in range(5)}
