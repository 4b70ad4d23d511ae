"""Rankings over columns: the same as all rows put in order, of cells and sums made by chance."""

import random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby, product
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest

from invoice_service.services.anchoring.spans import (
    CUBES,
    FINEST,
    Asked,
    Cell,
    Cells,
    Ranked,
    Ranking,
    Span,
    all_cubes,
    keep_spans,
    sums_of,
)
from invoice_service.services.anchoring.totals import Sums
from invoice_service.services.reporting.collect import MEASURED
from invoice_service.services.reporting.dimensions import PARTS
from invoice_service.services.reporting.question import MEASURES
from invoice_service.storage.packs import BITS, COLUMNS, checks
from invoice_service.storage.sqlite import update_store
from tests.services.tampering import tamper, tamper_file
from tests.services.town import Town

SPANS = 12
_MERCHANTS = tuple(f"9144030{number:011}" for number in range(7))
_INDUSTRIES = ("6210", "6232", "544", "5211")
_RATES = ("0", "0 free", "0.03", "0.06", "0.13")

Row = tuple[tuple[str, ...], dict[int, Sums]]


def _sums(chance: random.Random) -> Sums:
    """Few different figures, so that many are equal; some nets are below zero."""
    blue = chance.choice([(0, 0), (1, 100), (1, 127), (2, 128), (200, 40_000), (3, 2**33)])
    red = chance.choice([(0, 0), (0, 0), (1, 100), (1, 128), (130, 2**15), (1, 2**31)])
    (count, amount), (reds, back) = blue, red if any(red) or any(blue) else (1, 7)
    return [count, amount, count * 3, amount + count * 3, reds, -back, -reds, -back - reds]


def _cells(chance: random.Random) -> Cells:
    cells: Cells = {}
    plain, rated = FINEST
    for number in chance.sample(range(len(_MERCHANTS)), chance.randrange(len(_MERCHANTS))):
        place = _MERCHANTS[number], _INDUSTRIES[number % 4], f"44030{number % 3 + 3}"
        for till in chance.sample(["", "1", "2"], chance.randrange(1, 3)):
            cells[plain, Cell(place[0], till, *place[1:])] = _sums(chance)
            for rate in chance.sample(_RATES, chance.randrange(1, 4)):
                cells[rated, Cell(place[0], till, *place[1:], rate)] = _sums(chance)
    return all_cubes(cells)


def _keep(town: Town, chance: random.Random) -> None:
    """Spans without invoices, as a store keeps them; every fourth has no cell."""
    town.store.totals.keep(
        [
            Span("day", f"2018-09-{1 + at:02}", at + 1, 0, _cells(chance) if at % 4 else {})
            for at in range(SPANS)
        ]
    )


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """All but the last four of its spans are in columns."""
    town = Town(tmp_path_factory.mktemp("town"))
    town.settle_in()
    chance = random.Random(7)
    _keep(town, chance)
    town.store.totals.pack(10**6)
    more = [Span("day", f"2018-10-{1 + at:02}", 50 + at, 0, _cells(chance)) for at in range(4)]
    town.store.totals.keep(more)
    yield town
    town.close()


def _all(town: Town, asked: Asked, ranking: Ranking) -> list[Row]:
    """The oracle: every row of the mix, put in order."""
    width = len(asked.keys)
    rows = []
    for keys, same in groupby(town.store.totals.mixed(asked), key=lambda row: row[:width]):
        sides = {row[width]: sums_of(row[width + 1 :]) for row in same}
        if ranking.kind:
            at = slice(4, 8) if ranking.kind == "blue" else slice(0, 4)
            for sums in sides.values():
                sums[at] = [0] * 4
            sides = {side: sums for side, sums in sides.items() if any(sums)}
        if sides:
            rows.append((keys, sides))
    sign = -1 if ranking.largest else 1
    measure = MEASURED[ranking.measure]
    return sorted(rows, key=lambda row: (sign * measure(row[1].get(0, [0] * 8)), row[0]))


def _rows(found: Sequence[tuple[Any, ...]], width: int) -> dict[tuple[str, ...], dict[int, Sums]]:
    assert [row[: width + 1] for row in found] == sorted(row[: width + 1] for row in found)
    return {
        keys: {row[width]: sums_of(row[width + 1 :]) for row in same}
        for keys, same in groupby(found, key=lambda row: row[:width])
    }


def _first(rows: list[Row], ranking: Ranking, beside: dict[tuple[str, ...], int]) -> list[Any]:
    """The keys of the first of them, with what stands beside."""
    measures = dict(beside)
    for keys, sides in rows:
        measure = MEASURED[ranking.measure](sides.get(0, [0] * 8))
        measures[keys] = measures.get(keys, 0) + measure
    sign = -1 if ranking.largest else 1
    return sorted(measures, key=lambda keys: (sign * measures[keys], keys))[: ranking.number]


def _somewhere(chance: random.Random, rows: list[Row]) -> tuple[str, ...]:
    """Keys that are those of rows, one by one, and of no row maybe."""
    if not rows:
        return ()
    return tuple(chance.choice(one) for one in zip(*(keys for keys, _ in rows), strict=True))


def _asked(town: Town, chance: random.Random) -> Asked:
    """By up to three things of cells and two periods, in any order, at times with a filter."""
    cube = chance.choice(CUBES)
    of_cells = [n for n, part in PARTS.items() if part.needs in (0, cube & part.needs)]
    names = chance.sample(of_cells, min(len(of_cells), chance.randrange(4)))
    times = chance.randrange(0 if names else 1, 3)
    keys = [*(PARTS[name].sql() for name in names), *(f"t{at}" for at in range(times))]
    chance.shuffle(keys)
    t_order = iter(range(times))
    keys = [f"t{next(t_order)}" if key in {"t0", "t1"} else key for key in keys]
    ids = [head.id for head in town.store.totals.spans(10**6)]
    spans = [
        (id_, chance.choice([0, 0, 0, 1, 2]), *(chance.choice("xyz") for _ in range(times)))
        for id_ in chance.sample(ids, chance.randrange(1, len(ids)))
    ]
    where = []
    if cube & 2 and chance.random() < 0.3:
        where.append(("k.district = ?", chance.choice(["440303", "440305", "440399"])))
    return Asked(cube, spans, keys, where)


def test_rankings_by_chance_are_all_rows_in_order(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(3)
    cut = 0
    for measure, largest, kind in product(MEASURES, (True, False), ("", "blue", "red")):
        for at, kept in enumerate((0, 10, 1 << 20)):
            asked = _asked(town, chance)
            monkeypatch.setattr(
                "invoice_service.storage.ranking._DENSE", chance.choice([1, 40, 1 << 20])
            )
            monkeypatch.setattr("invoice_service.storage.ranking._KEPT", kept)
            ranking = Ranking(measure, chance.choice([1, 2, 5, 40]), largest, kind)  # type: ignore[arg-type]
            rows = _all(town, asked, ranking)
            nowhere = ("nowhere",) * len(asked.keys)
            also = {keys for keys, _ in chance.sample(rows, min(len(rows), 2))} | {nowhere}
            beside = {keys: chance.randrange(-200, 50_000) for keys, _ in rows if at % 2}
            beside |= {nowhere: 5, _somewhere(chance, rows) or nowhere: 300}
            answer = town.store.totals.ranked_in_columns(asked, ranking, also, beside)
            assert answer is not None
            first = _first(rows, ranking, beside)
            assert answer.number == len({keys for keys, _ in rows} | set(beside)), asked
            assert set(first) <= answer.keys, (asked, ranking)
            assert len(answer.keys) <= len(first) + len(also) + 1
            expected = {keys: sides for keys, sides in rows if keys in answer.keys}
            assert _rows(answer.rows, len(asked.keys)) == expected, (asked, ranking)
            cut += len(expected) < len(rows)
    assert cut > 40


def test_sums_that_columns_have_no_room_for_are_ranked_by_their_rows(tmp_path: Path) -> None:
    """The largest sum that fits, and one more."""
    town = Town(tmp_path)
    town.settle_in()
    store = town.store.totals
    for at, amount in enumerate([2**BITS - 1, 2**BITS]):
        sums = [1, amount, 0, amount, 0, 0, 0, 0]
        cells = all_cubes({(FINEST[0], Cell(_MERCHANTS[0], "", "6210", "440303")): sums})
        store.keep([Span("day", f"2018-09-0{1 + at}", at + 1, 0, cells)])
    few, many = (head.id for head in store.spans(10))
    asked = Asked(FINEST[0], [(few, 0)], ["k.merchant"], [])
    ranking = Ranking("amount", 3, largest=True)
    for _ in range(2):  # before they are packed, and after
        found = store.ranked_in_columns(asked, ranking, set(), {})
        assert found is not None
        assert found.rows[0][2:4] == (1, 2**BITS - 1)
        assert (
            store.ranked_in_columns(asked._replace(spans=[(many, 0)]), ranking, set(), {}) is None
        )
        both = asked._replace(spans=[(few, 0), (many, 0)])
        assert store.ranked_in_columns(both, ranking, set(), {}) is None
        assert store.ranked(both, ranking) == (1, [(_MERCHANTS[0],)])
        for by in (2**61, -(2**70)):
            assert store.ranked_in_columns(asked, ranking, set(), {(_MERCHANTS[1],): by}) is None
        store.pack(10**6)
    town.close()


def _packs(town: Town) -> list[tuple[Any, ...]]:
    with town.store.connections.reading() as connection:
        query = "SELECT * FROM span_packs ORDER BY span, cube"
        return list(map(tuple, connection.execute(query).fetchall()))


def test_an_instance_of_before_is_packed_some_in_each_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = Town(tmp_path)
    town.settle_in()
    _keep(town, random.Random(1))
    town.store.totals.pack(10**6)
    before = _packs(town)
    assert {row[0] for row in before} == set(range(1, SPANS + 1))
    tamper(town, "DELETE FROM span_packs")
    monkeypatch.setattr("invoice_service.services.anchoring.spans._PACKED_A_RUN", 1)
    runs = 0
    while _packs(town) != before:
        keep_spans(town.store.totals, town.log)
        assert _packs(town) == before[: len(_packs(town))]
        runs += 1
        assert runs <= SPANS
    assert runs > SPANS // 2
    keep_spans(town.store.totals, town.log)
    assert _packs(town) == before
    town.close()


def test_what_is_missing_in_the_middle_is_packed_by_and_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run looks at some spans, the next at others, round and round."""
    monkeypatch.setattr("invoice_service.storage.packs._LOOKED_AT", 5)
    town = Town(tmp_path)
    town.settle_in()
    _keep(town, random.Random(1))
    store = town.store.totals
    store.pack(10**6)
    before = _packs(town)
    for gap in (
        "span = 1",
        "span = 5 AND cube = 3",
        f"span IN (6, 7, {SPANS - 1}) OR span = {SPANS} AND cube = 12",
    ):
        tamper(town, f"DELETE FROM span_packs WHERE {gap}")
        for _ in range(SPANS // 5 + 1):
            store.pack(10**6)
        assert _packs(town) == before
    tamper(town, "DELETE FROM span_packs WHERE span IN (6, 7, 8)")
    runs = 0
    while _packs(town) != before:
        store.pack(1)
        runs += 1
        assert runs < 20
    assert runs > 2
    town.close()


def test_columns_of_before_there_were_sums_are_packed_anew(tmp_path: Path) -> None:
    """No sum is made of what stands there, which may have changed."""
    town = Town(tmp_path)
    town.settle_in()
    _keep(town, random.Random(1))
    town.store.totals.pack(10**6)
    before = _packs(town)
    town.close()
    columns = "span, cube, cells, blue_count, blue_amount, blue_tax, red_count, red_amount, red_tax"
    tamper_file(
        tmp_path / "invoices.db",
        f"CREATE TABLE older AS SELECT {columns} FROM span_packs",
        "DROP TABLE span_packs",
        "ALTER TABLE older RENAME TO span_packs",
        "DELETE FROM _sqlite_migrations WHERE name = 'columns_checked'",
        changes=False,
    )
    update_store(tmp_path / "invoices.db")
    town = Town(tmp_path)
    assert _packs(town) == []
    town.store.totals.pack(10**6)
    assert _packs(town) == before
    town.close()


def _ranked(town: Town, measure: str = "total") -> Ranked | None:
    ids = [head.id for head in town.store.totals.spans(10**6)]
    asked = Asked(8, [(id_, 0) for id_ in ids], ["k.merchant"], [])
    ranking = Ranking(measure, 3, largest=True)
    found = town.store.totals.ranked_in_columns(asked, ranking, set(), {})
    first = _all(town, asked, ranking)[:3]
    assert town.store.totals.ranked(asked, ranking)[1] == list(map(itemgetter(0), first))
    return found


def _sum_anew(town: Town) -> None:
    """As whoever changes columns could, so that these are looked at themselves."""
    for span, cube, _, *columns in _packs(town):
        values = [checks(span, cube, *columns), span, cube]
        tamper(town, "UPDATE span_packs SET checks = ? WHERE span = ? AND cube = ?", values=values)


@pytest.fixture(scope="module")
def packed_town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All of its spans are in columns."""
    town = Town(tmp_path_factory.mktemp("packed"))
    town.settle_in()
    _keep(town, random.Random(5))
    town.store.totals.pack(10**6)
    assert _ranked(town) is not None
    town.close()
    return town.folder


@pytest.fixture
def copy(packed_town: Path, tmp_path: Path) -> Iterator[Town]:
    """One to be tampered with."""
    shutil.copytree(packed_town, tmp_path / "town")
    town = Town(tmp_path / "town")
    yield town
    town.close()


_BIGGEST = "cube = 8 AND span = (SELECT span FROM span_packs WHERE cube = 8 ORDER BY length(cells)"


@pytest.mark.parametrize(
    "change",
    [
        *(f"{column} = flip({column})" for column in ("cells", *COLUMNS, "checks")),
        "blue_amount = blue_tax, blue_tax = blue_amount",
        "checks = NULL",
        "checks = x''",
        "blue_amount = x''",
    ],
)
def test_a_column_that_still_reads_but_is_another_is_left_for_the_rows(
    copy: Town, change: str
) -> None:
    """In one span of one mix."""
    tamper(copy, f"UPDATE span_packs SET {change} WHERE {_BIGGEST} DESC LIMIT 1)")
    assert _ranked(copy) is None


@pytest.mark.parametrize(
    "statements",
    [
        ("UPDATE span_packs SET span = 100 + span", "UPDATE span_packs SET span = 113 - span"),
        (
            "DELETE FROM span_packs WHERE cube = 8",
            "UPDATE span_packs SET cube = 8 WHERE cube = 3",
        ),
    ],
)
def test_whole_columns_of_another_place_are_left_for_the_rows(
    copy: Town, statements: tuple[str, ...]
) -> None:
    tamper(copy, *statements)
    assert _ranked(copy) is None


@pytest.mark.parametrize(
    "change",
    [
        "cells = CAST(cells || x'00' AS BLOB)",
        "cells = x''",
        "cells = CAST(x'ffffffff' || substr(cells, 5) AS BLOB)",
        "cells = CAST(x'ffffff7f' || substr(cells, 5) AS BLOB)",
        "blue_amount = CAST(blue_amount || x'00' AS BLOB)",
        "blue_count = NULL, blue_amount = NULL, cells = NULL",
    ],
)
def test_a_damaged_column_is_left_for_the_rows(copy: Town, change: str) -> None:
    """Be its sum as it may."""
    tamper(copy, f"UPDATE span_packs SET {change} WHERE cube = 8 AND cells <> x''")
    _sum_anew(copy)
    assert _ranked(copy) is None


def test_keys_that_came_since_are_read(tmp_path: Path) -> None:
    """A process remembers keys of cells; those of another's spans are there at once."""
    town = Town(tmp_path)
    town.settle_in()
    ranking = Ranking("total", 9, largest=True)
    for at, tax_id in enumerate(reversed(_MERCHANTS)):
        sums = [1, at + 1, 0, at + 1, 0, 0, 0, 0]
        cells = all_cubes({(FINEST[0], Cell(tax_id, "", "6210", "440303")): sums})
        town.store.totals.keep([Span("day", f"2018-09-0{1 + at}", at + 1, 0, cells)])
        asked = Asked(
            8, [(head.id, 0) for head in town.store.totals.spans(10**6)], ["k.merchant"], []
        )
        found = town.store.totals.ranked_in_columns(asked, ranking, set(), {})
        assert found is not None
        assert [row[0] for row in found.rows] == sorted(_MERCHANTS[-1 - at :])
    town.close()


def test_numpy_is_loaded_by_rankings_alone() -> None:
    """The library that would load it where it is installed does not: web, worker, every command."""
    program = "import sys, invoice_service.app, workers.tasks; print('numpy' in sys.modules);"
    program += " import invoice_service.storage.ranking; print('numpy' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "True"]
