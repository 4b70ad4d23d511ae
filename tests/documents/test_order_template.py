"""The template: every column that is known, texts alone, read again by what reads orders."""

import io
from pathlib import Path

import openpyxl
import pytest

from invoice_service.documents.order_columns import NAMES, NEEDED, columns_of
from invoice_service.documents.order_template import (
    COLUMNS,
    Tongue,
    header,
    template_csv,
    template_workbook,
)
from invoice_service.documents.tables import table_rows

TONGUES: tuple[Tongue, ...] = ("zh", "en")


@pytest.mark.parametrize("tongue", TONGUES)
def test_the_header_is_known_and_whole(tongue: Tongue) -> None:
    columns = columns_of(header(tongue))
    assert columns.others == {}
    assert {*NEEDED, "unit_price", "order_discount", "till", "business_day"} <= {*columns.ours}


@pytest.mark.parametrize("tongue", TONGUES)
def test_every_column_is_explained_by_a_name_that_is_taken(tongue: Tongue) -> None:
    assert {column.name for column in COLUMNS} == {*NAMES} - {"discount_unclear"}
    for column in COLUMNS:
        name = column.zh if tongue == "zh" else column.en
        needed = [one for one in (*NEEDED, "unit_price") if one != column.name]
        assert columns_of([name, *needed]).ours[column.name] == 0, name


@pytest.mark.parametrize("tongue", TONGUES)
def test_the_workbooks_cells_are_texts_also_those_to_be_filled_in(tongue: Tongue) -> None:
    book = openpyxl.load_workbook(io.BytesIO(template_workbook(tongue, NAMES)))
    orders, how = book.worksheets
    assert [cell.value for cell in orders[1]] == header(tongue)
    assert orders.max_row == 1  # no example that somebody could send
    for letter in ("A", "G", "P"):
        assert orders.column_dimensions[letter].number_format == "@"
    told = [row[0].value for row in how.iter_rows()]
    assert all((column.zh if tongue == "zh" else column.en) in told for column in COLUMNS)


@pytest.mark.parametrize("tongue", TONGUES)
def test_both_are_read_as_tables_without_orders(tmp_path: Path, tongue: Tongue) -> None:
    for name, data in (
        ("t.xlsx", template_workbook(tongue, NAMES)),
        ("t.csv", template_csv(tongue)),
    ):
        path = tmp_path / name
        path.write_bytes(data)
        assert [row.cells for row in table_rows(path)] == [header(tongue)]
