"""Totals by any mix: equal to adding up documents one by one, and the same bytes for ever."""

import itertools
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import msgspec
import pytest

from chain import canonical
from invoice_service.domain.lifecycle import Reason
from invoice_service.domain.request import ReversalRequest
from invoice_service.services.anchoring.totals import figures, sealing_day, written
from invoice_service.services.reporting.mix import mixed_report, report_parts
from invoice_service.services.reporting.periods import UNITS
from invoice_service.services.reporting.question import DIMENSIONS, MEASURES, ask
from tests.services.town import Town

Sums = list[int]


def _report(town: Town, **words: str) -> dict[str, Any]:
    return msgspec.json.decode(_bytes(town, **words), type=dict[str, Any])


def _bytes(town: Town, **words: str) -> bytes:
    words = {name.rstrip("_"): word for name, word in words.items()}
    report = mixed_report(town.store.totals, town.log, ask(words))
    return b"".join(report_parts(report))


def _take_back_a_fen(town: Town, issued: Any) -> None:  # noqa: ANN401 # issued, or stored
    """Or some: a part of it, and of one rate of it."""
    stored = town.store.invoice_at(issued.seq)
    assert stored is not None
    rate, fen = stored.rates[0][0], 1 + len(stored.reversed_by)
    town.reverse(issued, ReversalRequest(reason=Reason.SALES_DISCOUNT, amount=fen, rate=rate))


def _history(town: Town, rounds: int = 11, pause: float = 9.45) -> None:
    """Issue, reverse in part and in full, and seal, over months; several blocks a day at times."""
    town.tills = ["", "1", "2"]
    kept = []
    for number in range(rounds):
        kept += town.issue(2 + number % 4)
        if number % 2 == 1:
            town.reverse(kept.pop(0))
            _take_back_a_fen(town, kept[1])
        town.anchor()
        if number % 3 == 0:
            town.issue(1)
            _take_back_a_fen(town, kept[0])
            town.anchor()
        town.pass_days(pause)
    town.pass_days(1)
    town.anchor()


class _Document:
    """One invoice from its document alone."""

    def __init__(self, town: Town, seq: int, day: str, after: int) -> None:
        invoice = town.store.invoice_at(seq)
        assert invoice is not None
        face: Any = canonical.decode_canonical(invoice.face)
        lines: Any = canonical.decode_canonical(invoice.lines)
        self.red = face["type"] == "red"
        self.day = day
        self.whole = (face["amount"], face["tax"])
        self.rates: dict[tuple[str, str], list[int]] = {}
        for line in lines:
            sums = self.rates.setdefault((line["tax_rate"], line.get("tax_kind", "")), [0, 0])
            sums[0] += line["amount"]
            sums[1] += line["tax"]
        back = sum(red.total for red in town.store.returns_of(seq) if red.seq <= after)
        industry = face["industry"]
        year, week, _ = date.fromisoformat(day).isocalendar()
        self.keys = {
            "day": day,
            "week": f"{year}-W{week:02}",
            "month": day[:7],
            "quarter": f"{day[:4]}-Q{(int(day[5:7]) - 1) // 3 + 1}",
            "year": day[:4],
            "section": {"62": "H", "54": "G"}[industry[:2]],
            "division": industry[:2],
            "group": industry[:3],
            "class": industry,
            "industry": industry,
            "district": face["district"],
            "merchant": face["seller"]["tax_id"],
            "till": face.get("till", ""),
            "type": face["type"],
            "state": "valid" if not back else "full" if -back == face["total"] else "part",
        }

    def counted(self, by: Sequence[str], rate: str) -> Iterator[tuple[tuple[str, ...], Sums]]:
        rated = bool(rate) or not {"rate", "tax_kind"}.isdisjoint(by)
        for (own, kind), fen in self.rates.items() if rated else [(("", ""), self.whole)]:
            if rate in ("", own):
                keys = {**self.keys, "rate": own, "tax_kind": kind}
                sums = [1, *fen, sum(fen)]
                yield (
                    tuple(keys[name] for name in by),
                    [0, 0, 0, 0, *sums] if self.red else [*sums, 0, 0, 0, 0],
                )


def _documents(town: Town, height: int) -> list[_Document]:
    last = town.log.block(height).cursor
    found, cursor = [], 0
    for block in town.log.blocks(0, height):
        day = sealing_day(block.sealed_at)
        found += [_Document(town, seq, day, last) for seq in range(cursor + 1, block.cursor + 1)]
        cursor = block.cursor
    return found


def _slow(
    documents: list[_Document], by: Sequence[str], first: str, last: str, **filters: str
) -> dict[tuple[str, ...], Sums]:
    """The rows, document by document."""
    rows: dict[tuple[str, ...], Sums] = {}
    rate = filters.pop("rate", "")
    for document in documents:
        if not first <= document.day <= last:
            continue
        industry = filters.get("industry", "")
        level = ("section", "division", "group", "class")[max(len(industry) - 1, 0)]
        wanted = {**filters, **({level: industry} if industry else {})}
        wanted.pop("industry", None)
        if any(document.keys[name] != value for name, value in wanted.items()):
            continue
        for keys, sums in document.counted(by, rate):
            old = rows.setdefault(keys, [0] * 8)
            rows[keys] = [a + b for a, b in zip(old, sums, strict=True)]
    return rows


def _rows(report: dict[str, Any]) -> dict[tuple[str, ...], dict[str, Any]]:
    by = report["by"]
    rows = [(tuple(row["keys"][name] for name in by), row) for row in report["rows"]]
    assert [keys for keys, _ in rows] == sorted(keys for keys, _ in rows)
    found = {keys: {side: row[side] for side in ("gross", "reversed", "net")} for keys, row in rows}
    assert len(found) == len(rows)
    return found


def _expected(rows: dict[tuple[str, ...], Sums]) -> dict[tuple[str, ...], dict[str, Any]]:
    return {keys: written(figures(sums)) for keys, sums in sorted(rows.items())}


MIXES = [
    *itertools.combinations(DIMENSIONS, 1),
    *itertools.permutations(DIMENSIONS, 2),
    *list(itertools.combinations(DIMENSIONS, 3))[::7],
]


@pytest.fixture(scope="module")
def old_town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town with a history over four months, of which nothing is changed."""
    town = Town(tmp_path_factory.mktemp("town"))
    town.settle_in()
    _history(town)
    yield town
    town.close()


def _by(mix: Sequence[str]) -> tuple[str, ...]:
    return ask({"by": ",".join(mix)}).by


def test_every_mix_equals_adding_up_the_documents(old_town: Town) -> None:
    head = old_town.log.head().height
    for height in (head, head - 5):
        documents = _documents(old_town, height)
        for mix in MIXES:
            by = _by(mix)
            report = _report(old_town, by=",".join(by), at_block=str(height))
            expected = _slow(documents, by, "", "9")
            assert _rows(report) == _expected(expected), mix
            whole = _slow(documents, (), "", "9")[()]
            assert {side: report[side] for side in figures(whole)} == written(figures(whole))


DAYS = ("2018-08-10", "2018-08-31", "2018-09-01", "2018-09-20", "2018-10-31", "2018-11-30")


@pytest.mark.parametrize("by", ["month", "day,rate", "merchant", "week,district", "state,month"])
def test_any_range_at_any_block(old_town: Town, by: str) -> None:
    for height in range(1, old_town.log.head().height + 1):
        documents = _documents(old_town, height)
        for first, last in itertools.combinations_with_replacement(DAYS, 2):
            report = _report(
                old_town, by=by, from_=first, to=last, at_block=str(height), measure="net"
            )
            expected = _expected(_slow(documents, by.split(","), first, last))
            assert _rows(report) == expected, (height, first, last)


@pytest.mark.parametrize(
    "filters",
    [
        {"merchant": "91440300708461136T"},
        {"industry": "H"},
        {"industry": "62"},
        {"industry": "621"},
        {"industry": "6210"},
        {"industry": "54"},
        {"industry": "A"},
        {"district": "440303"},
        {"rate": "0.06"},
        {"rate": "0"},
        {"industry": "H", "district": "440305", "rate": "0.13"},
        {"merchant": "914403001922038216", "rate": "0.03"},
    ],
)
def test_filters_take_what_they_name(old_town: Town, filters: dict[str, str]) -> None:
    documents = _documents(old_town, old_town.log.head().height)
    for by in ("month", "district", "merchant,till", "rate", "day,class", "state", "type,month"):
        report = _report(old_town, by=by, **filters)
        expected = _expected(_slow(documents, report["by"], "", "9", **filters))
        assert _rows(report) == expected, by
        whole = _slow(documents, (), "", "9", **filters).get((), [0] * 8)
        assert report["net"] == written(figures(whole))["net"]
        noted = [note["code"] for note in report["notes"]]
        assert ("filtered_by_rate" in noted) == ("rate" in filters)


def test_a_merchant_brings_its_name_and_an_industry_both(old_town: Town) -> None:
    row = _report(old_town, by="merchant,section,district")["rows"][0]
    assert row["keys"]["merchant"] == "914403001922038216"
    assert row["names"]["merchant"] == {"zh": "咖啡馆", "en": ""}
    assert row["names"]["section"]["zh"] == "住宿和餐饮业"
    assert row["names"]["district"] == {"zh": "南山区", "en": "Nanshan"}


def test_rows_by_rate_say_why_they_count_more(old_town: Town) -> None:
    report = _report(old_town, by="rate,month")
    counted = sum(row["gross"]["count"] + row["reversed"]["count"] for row in report["rows"])
    invoices = report["gross"]["count"] + report["reversed"]["count"]
    assert counted > invoices
    (note,) = report["notes"]
    assert (note["code"], note["counted"], note["invoices"]) == (
        "counted_by_rate",
        counted,
        invoices,
    )
    assert str(counted) in note["zh"]
    assert str(invoices) in note["en"]
    for measure in ("amount", "tax", "total"):
        added = sum(int(row["gross"][measure]) for row in report["rows"])
        assert added == int(report["gross"][measure])
    assert _report(old_town, by="month,merchant")["notes"] == []


def test_top_and_bottom_leave_a_rest(old_town: Town) -> None:
    rows = _report(old_town, by="day", measure="total")["rows"]
    ranked = sorted(rows, key=lambda row: (-int(row["gross"]["total"]), row["keys"]["day"]))
    top = _report(old_town, by="day", measure="total", top="3")
    assert top["rows"] == ranked[:3]
    assert top["rest"]["rows"] == len(rows) - 3
    rest = sum(int(row["gross"]["total"]) for row in ranked[3:])
    assert int(top["rest"]["gross"]["total"]) == rest
    bottom = _report(old_town, by="day", measure="total", bottom="2")
    assert [row["keys"] for row in bottom["rows"]] == [row["keys"] for row in ranked[:-3:-1]]
    shares = [row["share"] for row in rows]
    assert abs(sum(map(float, shares)) - 1) < 0.0001


def _ranked(whole: dict[str, Any], *, largest: bool) -> list[dict[str, Any]]:
    """The oracle: all rows, put in order."""
    measure = whole["measure"]

    def rank(row: dict[str, Any]) -> tuple[int, tuple[str, ...]]:
        where = {"net": ("net", "total"), "reversed": ("reversed", "total")}
        side, name = where.get(measure, ("gross", measure))
        found = int(row[side][name]) * (-1 if measure == "reversed" else 1)  # money out is below 0
        return -found if largest else found, tuple(row["keys"][name] for name in whole["by"])

    return sorted(whole["rows"], key=rank)


def test_the_first_of_every_mix_are_those_of_all_its_rows_in_order(town: Town) -> None:
    """Whole days and months, and at every second block invoices that no span has yet."""
    _history(town)
    for one in town.issue(9)[::2]:
        town.reverse(one)
    town.anchor()
    newest = town.log.head().height
    measures = itertools.cycle(MEASURES)
    blocks = itertools.cycle(at for old in range(1, newest // 2) for at in (newest, newest - old))
    mixes = [*((name,) for name in DIMENSIONS), *itertools.combinations(DIMENSIONS, 2)]
    cut = 0
    for at, mix in enumerate(mixes):
        measure, block = next(measures), str(next(blocks))
        words = {"by": ",".join(mix), "measure": measure, "at_block": block, "from": "2018-08-11"}
        if not set(mix) & set(UNITS):
            words["compare"] = "before"
        ranked = _ranked(_report(town, **words), largest=bool(at % 2))
        for number in (1, 4):
            some = _report(town, **words, **{"top" if at % 2 else "bottom": str(number)})
            assert some["rows"] == ranked[:number], words
            rest = ranked[number:]
            assert some["rest"]["rows"] == len(rest), words
            for side, name in itertools.product(("gross", "reversed", "net"), ("count", "total")):
                of_rest = sum(int(row[side][name]) for row in rest)
                assert int(some["rest"][side][name]) == of_rest, words
            cut += bool(rest)
    assert cut > len(mixes)


@pytest.mark.parametrize("by", ["state", "type", "type,state", "month,state", "day"])
def test_the_first_of_one_merchant_are_those_of_its_rows_in_order(old_town: Town, by: str) -> None:
    """Its few cells are ranked by their rows; by its state alone there is one of them."""
    words = {"by": by, "merchant": "91440300708461136T", "measure": "count"}
    for number, largest in itertools.product((1, 2), (True, False)):
        some = _report(old_town, **words, **{"top" if largest else "bottom": str(number)})
        assert some["rows"] == _ranked(_report(old_town, **words), largest=largest)[:number]


@pytest.mark.parametrize("unit", ["day", "week", "month", "quarter", "year"])
def test_periods_stand_beside_the_one_before_and_the_year_before(town: Town, unit: str) -> None:
    _history(town, rounds=16, pause=30.3)
    documents = _documents(town, town.log.head().height)
    report = _report(town, by=unit, compare="before,year_before")
    seen = 0
    for row in report["rows"]:
        for side in ("before", "year_before"):
            if side not in row:
                continue
            there = row[side]
            sums = _slow(documents, (), there["from"], there["to"]).get((), [0] * 8)
            assert {name: there[name] for name in figures(sums)} == written(figures(sums))
            seen += bool(any(sums))
            first = date.fromisoformat(there["from"])
            assert date.fromisoformat(there["to"]) >= first
    assert seen
    if unit == "month":
        months = {row["keys"]["month"]: row for row in report["rows"]}
        row = months["2019-03"]
        assert (row["before"]["from"], row["before"]["to"]) == ("2019-02-01", "2019-02-28")
        assert (row["year_before"]["from"], row["year_before"]["to"]) == (
            "2018-03-01",
            "2018-03-31",
        )


def test_a_range_stands_beside_as_many_days_before(old_town: Town) -> None:
    report = _report(old_town, by="merchant", from_="2018-09-05", to="2018-09-20", compare="before")
    assert (report["before"]["from"], report["before"]["to"]) == ("2018-08-20", "2018-09-04")
    documents = _documents(old_town, old_town.log.head().height)
    earlier = _slow(documents, ("merchant",), "2018-08-20", "2018-09-04")
    for row in report["rows"]:
        sums = earlier.get((row["keys"]["merchant"],), [0] * 8)
        assert row["before"]["net"] == written(figures(sums))["net"]
    whole = _report(old_town, by="district", from_="2018-09-01", to="2018-10-31", compare="before")
    assert (whole["before"]["from"], whole["before"]["to"]) == ("2018-07-01", "2018-08-31")


QUESTIONS = (
    {"by": "month,district", "compare": "before,year_before"},
    {"by": "merchant,rate", "top": "4"},
    {"by": "state,week"},
    {"by": "type,class,day"},
)


@pytest.mark.parametrize("words", QUESTIONS, ids=lambda words: words["by"])
def test_the_same_block_is_the_same_bytes_for_ever(town: Town, words: dict[str, str]) -> None:
    """Twice, after more invoices and returns, after what was a part has become a whole month."""
    _history(town, 5)
    town.issue(7)
    town.anchor()
    height = str(town.log.head().height)
    before = _bytes(town, at_block=height, **words)
    assert before == canonical.encode(canonical.decode(before))
    assert before == _bytes(town, **words)
    town.issue(3)
    for number in range(1, 8):
        town.reverse(_blue(town, number))
    town.anchor()
    assert _bytes(town, at_block=height, **words) == before
    assert _bytes(town, **words) != before
    town.pass_days(40)
    _history(town, 4)
    assert _bytes(town, at_block=height, **words) == before


def _blue(town: Town, number: int) -> Any:  # noqa: ANN401 # a stored invoice stands in for an issued one
    rows = (town.store.invoice_at(seq) for seq in itertools.count(1))
    blues = (row for row in rows if row and row.type == "blue" and not row.reversed_by)
    return next(itertools.islice(blues, number, None))


def test_parts_of_a_long_day_give_what_its_invoices_do(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("invoice_service.services.anchoring.spans.PART_INVOICES", 5)
    for _ in range(6):
        issued = town.issue(4)
        town.reverse(issued[0])
        _take_back_a_fen(town, issued[1])
        town.anchor()
        town.pass_days(0.01)
    assert len(town.store.totals.parts()) >= 3
    for height in range(1, town.log.head().height + 1):
        documents = _documents(town, height)
        for by in ("merchant", "state,rate", "district,type"):
            report = _report(town, by=by, at_block=str(height), measure="net")
            assert _rows(report) == _expected(_slow(documents, by.split(","), "", "9")), by


def test_spans_that_are_not_made_yet_cost_time_and_change_nothing(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("invoice_service.services.anchoring.anchor.keep_spans", lambda *_: 0)
        _history(town, 5)
    assert not town.store.totals.spans(10**6)
    before = [_bytes(town, **words) for words in QUESTIONS]
    height = str(town.log.head().height)
    town.anchor()
    assert town.store.totals.spans(10**6)
    assert [_bytes(town, at_block=height, **words) for words in QUESTIONS] == before


def test_an_empty_log_has_an_empty_report(town: Town) -> None:
    for mix in MIXES[:30]:
        report = _report(town, by=",".join(mix), measure="net")
        assert report["rows"] == []
        assert report["net"] == {"count": 0, "amount": "0", "tax": "0", "total": "0"}


def test_sums_beyond_64_bits(town: Town) -> None:
    """Spans hold what SQLite has no room for in one number."""
    from invoice_service.services.anchoring.spans import Cell, Span, all_cubes

    big = 2**70 + 12345
    cell = Cell("91440300708461136T", "", "6210", "440303")
    sums = [3, big, 7, big + 7, 1, -big + 1, -6, -big - 5]
    span = Span("day", "2018-08-10", 1, 0, all_cubes({(8, cell): sums}))
    town.issue(1)
    town.anchor()
    town.store.totals.keep([span])
    head = town.store.totals.spans(1)[0]
    assert town.store.totals.cells_of([head.id], [8]) == {(8, cell): sums}
    assert town.store.totals.cells_of([head.id, head.id], [0])[0, Cell()] == [2 * n for n in sums]
