"""The audit of spans: some may be missing, and one fen of any is named."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from invoice_service.services.anchoring.spans import CUBES, Cells, keep_spans
from invoice_service.storage.packs import checks
from tests.services.tampering import first_wrong, tamper
from tests.services.town import Town


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Days over a month's and a year's end, a long day in parts, a return of an earlier day."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("invoice_service.services.anchoring.spans.PART_INVOICES", 3)
        town = Town(tmp_path_factory.mktemp("template"))
        town.settle_in()
        town.tills = ["", "1"]
        town.pass_days(140)
        kept = town.issue(4)
        town.anchor()
        for _ in range(3):
            town.pass_days(1)
            kept += town.issue(2)
            town.reverse(kept.pop(0))
            town.anchor()
            town.issue(3)
            town.anchor()
        town.pass_days(1)
        town.anchor()
        town.close()
    return town.folder


@pytest.fixture
def town(template: Path, tmp_path: Path) -> Iterator[Town]:
    """A copy of it, to be tampered with."""
    folder = tmp_path / "town"
    shutil.copytree(template, folder)
    town = Town(folder)
    yield town
    town.close()


def test_spans_that_hold(town: Town) -> None:
    kinds = {head.kind for head in town.store.totals.spans(10**6)}
    assert kinds == {"day", "month", "year", "so_far"}
    assert town.store.totals.parts()
    town.audit()


@pytest.mark.parametrize("kind", ["day", "part", "month", "year", "so_far"])
def test_spans_that_are_missing_are_late_and_not_wrong(town: Town, kind: str) -> None:
    tamper(town, f"DELETE FROM spans WHERE kind = '{kind}'")
    town.audit()
    keep_spans(town.store.totals, town.log)
    town.audit()


def test_a_span_that_is_made_again_has_another_number_than_what_is_left_of_it(town: Town) -> None:
    spans = town.store.totals
    before = {head[1:]: head.id for head in spans.spans(10**6)}
    day = max(id_ for (kind, *_), id_ in before.items() if kind == "day")
    cells = [spans.cells_of([id_], CUBES) for id_ in before.values()]
    tamper(town, f"DELETE FROM spans WHERE id >= {day}")
    keep_spans(spans, town.log)
    after = {head[1:]: head.id for head in spans.spans(10**6)}
    assert after.keys() == before.keys()
    assert min(id_ for id_ in after.values() if id_ >= day) > max(before.values())
    assert [spans.cells_of([after[head]], CUBES) for head in before] == cells
    town.audit()


def test_what_months_had_come_to_is_made_again_where_it_is_missing(town: Town) -> None:
    """An instance of before there was such a thing has none."""
    spans = town.store.totals

    def so_far() -> dict[str, Cells]:
        heads = [head for head in spans.spans(10**6) if head.kind == "so_far"]
        return {head.name: spans.cells_of([head.id], CUBES) for head in heads}

    before = so_far()
    assert before
    tamper(
        town,
        "DELETE FROM span_cells WHERE span IN (SELECT id FROM spans WHERE kind = 'so_far')",
        "DELETE FROM spans WHERE kind = 'so_far'",
        "DELETE FROM span_packs WHERE span NOT IN (SELECT id FROM spans)",
    )
    assert not so_far()
    keep_spans(spans, town.log)
    assert so_far() == before
    town.audit()


KINDS = ("day", "part", "month", "year", "so_far")
COLUMNS = ("blue_count", "blue_amount", "blue_tax", "red_count", "red_amount", "red_tax")
HIGH = ("blue_amount_high", "red_tax_high")


@pytest.mark.parametrize("kind", ["day", "part", "month", "year", "so_far"])
@pytest.mark.parametrize("column", [*COLUMNS, *HIGH])
def test_one_fen_of_a_cell(town: Town, kind: str, column: str) -> None:
    span = f"(SELECT max(id) FROM spans WHERE kind = '{kind}')"
    cell = f"(SELECT max(cell) FROM span_cells WHERE span = {span} AND cube = 3)"
    tamper(
        town,
        f"UPDATE span_cells SET {column} = {column} + 1 WHERE span = {span} AND cell = {cell}",
    )
    what, place = first_wrong(town)
    assert what == "span"
    assert str(place).startswith(f"{kind} 201")
    assert "mix 3" in str(place)


@pytest.mark.parametrize(("at", "kind"), list(enumerate(KINDS)))
def test_one_fen_of_a_column(town: Town, at: int, kind: str) -> None:
    """Of each of the ten mixes, in a span of one kind or another."""
    for cube in sorted(CUBES[at::5], key=str, reverse=True):  # the last first
        column = COLUMNS[at % 3]
        tamper(
            town,
            f"UPDATE span_packs SET {column} = flip({column}) WHERE cube = {cube}"
            f" AND span = (SELECT max(id) FROM spans WHERE kind = '{kind}')",
        )
        what, place = first_wrong(town)
        assert what == "span"
        assert str(place).startswith(f"{kind} 201")
        assert f", in columns, mix {cube}" in str(place)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE span_packs SET red_tax = x'01' WHERE cube = 0 AND red_tax = x''",
        "UPDATE span_packs SET cells = CAST(cells || cells AS BLOB), blue_amount = x'',"
        " blue_count = CAST(blue_count || blue_count AS BLOB), blue_tax = x'', red_count = x'',"
        " red_amount = x'', red_tax = x'' WHERE cube = 8",
        "UPDATE span_packs SET cells = CAST(cells || x'00' AS BLOB) WHERE cube = 8",
        "UPDATE span_packs SET cells = x'ffffff7f' WHERE cube = 0",
        "UPDATE span_packs SET cube = 100 + cube WHERE cube IN (0, 1)",
        "UPDATE span_packs SET checks = NULL WHERE cube = 8",
        "UPDATE span_packs SET checks = flip(checks) WHERE cube = 8",
        "UPDATE span_packs SET checks = CAST(substr(checks, 1, 27) AS BLOB) WHERE cube = 8",
    ],
)
def test_columns_that_are_none_of_the_cells(town: Town, statement: str) -> None:
    tamper(town, statement)
    assert first_wrong(town)[0] == "span"


_LAST = "(SELECT max(id) FROM spans)"
_NO_SPAN = "INSERT INTO span_packs SELECT 9999, cube, checks, {} FROM span_packs WHERE span = {}"
_WHOLE = "cells, blue_count, blue_amount, blue_tax, red_count, red_amount, red_tax"
_EMPTY = ", ".join(["x''"] * 7)
_SUMS = f"x'{checks(9999, 0, *[b''] * 7).hex()}'"


@pytest.mark.parametrize(
    ("statements", "place"),
    [
        ((_NO_SPAN.format(_WHOLE, _LAST),), "columns of span 9999, mix 0"),
        ((_NO_SPAN.format(_EMPTY, _LAST) + " AND cube = 12",), "columns of span 9999, mix 12"),
        ((_NO_SPAN.format(_EMPTY, _LAST).replace("9999", "0"),), "columns of span 0, mix 0"),
        (
            (f"INSERT INTO span_packs VALUES (9999, 0, {_SUMS}, {_EMPTY})",),
            "columns of span 9999, mix 0",
        ),
        (
            ("INSERT INTO span_packs (span, cube) VALUES (1, 100)",),
            "columns of span 1, mix 100",
        ),
        (
            (
                "DELETE FROM span_cells WHERE span = 3 AND cube = 5",
                "DELETE FROM span_packs WHERE span = 3 AND cube <> 5",
                "DELETE FROM spans WHERE id = 3",
            ),
            "columns of span 3, mix 5",
        ),
        (
            ("DELETE FROM span_cells WHERE span = 3", "DELETE FROM spans WHERE id = 3"),
            "columns of span 3, mix 0",
        ),
    ],
)
def test_columns_of_nothing_that_is_there(
    town: Town, statements: tuple[str, ...], place: str
) -> None:
    tamper(town, *statements)
    assert first_wrong(town) == ("span", place)


def test_columns_that_are_missing_are_late_and_not_wrong(town: Town) -> None:
    tamper(town, "DELETE FROM span_packs WHERE cube = 8 OR span % 3 = 1")
    town.audit()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM span_cells WHERE cell = (SELECT max(cell) FROM span_cells)",
        "UPDATE span_cells SET cube = 2 WHERE cube = 5",
        "UPDATE span_keys SET district = '440309' WHERE cube = 2 AND district = '440304'",
        "UPDATE span_keys SET till = '2' WHERE till = '1'",
        "INSERT INTO span_cells SELECT span, cube, 1 + (SELECT min(cell) FROM span_cells WHERE"
        " cube = 8 AND span = c.span), 1, 1, 1, 0, 0, 0, 0, 0, 0, 0 FROM span_cells c"
        " WHERE cube = 0 AND span = 1",
        "DELETE FROM span_moves",
        "UPDATE span_moves SET count = count + 1",
        "UPDATE span_moves SET amount = amount + 1",
        "UPDATE span_moves SET state = 'part'",
        "UPDATE span_moves SET day = '2018-12-25'",
        "UPDATE spans SET cursor = cursor + 1 WHERE id = 1",
        "UPDATE spans SET height = height - 1 WHERE kind = 'month'",
        "UPDATE spans SET name = '2018-11' WHERE kind = 'month'",
        "INSERT INTO spans VALUES (99, 'day', '2019-01-09', 3, 4)",
        "INSERT INTO spans VALUES (99, 'month', '2019-01', 8, 20)",
        "INSERT INTO spans SELECT 99, 'day', name, height - 1, cursor FROM spans WHERE id ="
        " (SELECT max(id) FROM spans WHERE kind = 'day')",
    ],
)
def test_spans_that_no_block_has_made(town: Town, statement: str) -> None:
    tamper(town, statement)
    assert first_wrong(town)[0] == "span"
