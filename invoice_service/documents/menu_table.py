"""A menu as a table: CSV for spreadsheets, and dishes out of what a shop has, CSV or a workbook."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from chain.errors import MalformedError
from chain.hashing import sha256
from invoice_service.documents.order_columns import check_whole, money, rate, rate_cell
from invoice_service.documents.tables import TableRow, as_formula_of_text, table_rows
from invoice_service.domain.money import format_yuan, parse_yuan
from invoice_service.domain.reading import read_json
from invoice_service.services.till.shapes import Dish

MOST: Final = 2_000
HEADER: Final = ("name", "category", "price", "rate", "code")
NAMES: Final = {
    "name": ("item", "dish", "菜名", "菜品", "菜品名称", "商品", "商品名称", "品名", "名称"),
    "category": ("分类", "类别", "菜品分类", "商品分类"),
    "price": ("unit_price", "价格", "单价", "售价"),
    "rate": ("tax_rate", "税率"),
    "code": ("barcode", "条码", "条形码", "编码", "编号", "代码", "简码", "短代码"),
}
"""What the columns are called, in any order and in either language."""

_KNOWN: Final = {other: name for name, others in NAMES.items() for other in (name, *others)}
_NEEDED: Final = ("name", "price")
_RATE: Final = "0.06"
"""Of catering, where the table has none."""

_FORMULA: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_dish_of: Final = msgspec.json.Decoder(Dish)
Check = Callable[[Dish, str], object]


class Menu(NamedTuple):
    """What a table has: dishes, and the rows that are none, with the reason."""

    dishes: list[Dish]
    refused: list[dict[str, Any]]


def menu_csv(dishes: Iterable[Dish]) -> bytes:
    """The menu, UTF-8 with the mark by which Excel knows it; prices in yuan."""
    text = io.StringIO("\ufeff", newline="")
    text.seek(0, io.SEEK_END)
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEADER)
    for dish in dishes:
        share = rate_cell(dish.tax_rate, dish.tax_kind or "")
        cells = (dish.name, dish.category, format_yuan(dish.price), share, dish.code)
        writer.writerow([as_formula_of_text(cell) if _counts(cell) else cell for cell in cells])
    return text.getvalue().encode()


def dishes_in(path: str, check: Check) -> Menu:
    """Read a table; a bad row stops no other. ``check`` refuses what could not be sold.

    MalformedError ``menu_header_unknown``, ``menu_too_long``, and as ``table_rows``.
    """
    rows = table_rows(Path(path))
    header = next(rows, None)
    places = _places([] if header is None else header.cells)
    found = Menu([], [])
    for row in rows:
        if len(found.dishes) >= MOST:
            raise MalformedError("menu_too_long", f"a menu has {MOST} dishes at most")
        try:
            dish = _dish(row, places, len(found.dishes))
            check(dish, "")
        except MalformedError as problem:
            found.refused.append({"line": row.line, "code": problem.code, "detail": problem.detail})
        else:
            found.dishes.append(dish)
    return found


def _counts(cell: str) -> bool:
    """Whether a spreadsheet would count with a text, and so change it."""
    return cell.startswith(_FORMULA) or (cell.isdigit() and (cell[0] == "0" or len(cell) > 11))


def _places(header: Sequence[str]) -> dict[str, int]:
    places: dict[str, int] = {}
    for place, text in enumerate(header):
        name = _KNOWN.get(text.casefold().strip())
        if name in places:
            raise MalformedError(
                "menu_header_unknown",
                f"two columns are the {name}: {header[places[name]]!r} and {text!r}; keep one",
            )
        if name is not None:
            places[name] = place
    missing = [name for name in _NEEDED if name not in places]
    if missing:
        known = "; ".join(f"{name}: {', '.join(others)}" for name, others in NAMES.items())
        raise MalformedError(
            "menu_header_unknown", f"no column is the {', the '.join(missing)} ({known})"
        )
    return places


def _dish(row: TableRow, places: dict[str, int], position: int) -> Dish:
    cells = {
        name: row.cells[place] if place < len(row.cells) else "" for name, place in places.items()
    }
    for name, text in cells.items():
        check_whole(name, text, row.line)
    share, kind = rate(cells.get("rate", "") or _RATE)
    fields: dict[str, Any] = {
        "id": _id(cells["name"], cells.get("code", "")),
        "name": cells["name"],
        "category": cells.get("category", ""),
        "price": parse_yuan(_two(money(cells["price"]))),
        "tax_rate": share,
        "code": cells.get("code", ""),
        "position": position,
    }
    if kind and kind != "zero":
        fields["tax_kind"] = kind
    body = msgspec.json.encode(fields)
    return read_json(body, _dish_of, max_bytes=len(body))


def _two(text: str) -> str:
    """At most two decimals, where the rest are zeros."""
    whole, dot, part = text.partition(".")
    return f"{whole}{dot}{part[:2]}" if dot and not part[2:].strip("0") else text


def _id(name: str, code: str) -> str:
    """The same dish of the same table keeps its id."""
    return sha256(f"fapiao/v1/dish\n{name}\n{code}".encode()).hex()[:16]
