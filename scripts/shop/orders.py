"""The shop's orders: the same for the same seed, each as ``POST /v1/invoices`` has it.

Discounts on lines and on bills, bills rounded down, free dishes, totals that no price gives, goods
by weight at prices finer than a fen, kinds of rate 0, all kinds of buyers; a few orders are long.
"""

import random
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

GOODS: Final = (
    ("*餐饮服务*套餐", "份", "0.06"),
    ("*餐饮服务*外卖", "份", "0.06"),
    ("*饮料*果汁", "瓶", "0.13"),
    ("*谷物*大米", "千克", "0.09"),
    ("*水果*苹果", "千克", "0.09"),
    ("*日用杂品*纸巾", "包", "0.13"),
    ("*酒*啤酒", "箱", "0.13"),
    ("*供电*电费", "千瓦时", "0.13"),
)
KINDS: Final = (
    {"name": "*蔬菜*青菜", "tax_rate": "0", "tax_kind": "exempt"},
    {"name": "*预付卡销售*充值", "tax_rate": "0", "tax_kind": "untaxed"},
    {"name": "*餐饮服务*出口", "tax_rate": "0"},
)
BUYERS: Final[tuple[dict[str, str], ...]] = (
    {},
    {"kind": "individual", "name": "张三"},
    {"kind": "company", "name": "深圳市采购有限公司", "tax_id": "91330100799655058B"},
    {"kind": "organisation", "name": "深圳市某某局"},
)
DAY: Final = "2026-11-28"
"""With a day, the same order again is a repeat whenever it comes."""

LONG: Final = 0.03
"""Of the orders; they have 100 to 500 lines, the others 1 to 12."""


def orders(seed: int, count: int) -> Iterator[dict[str, Any]]:
    """So many; every one comes to more than 0."""
    rng = random.Random(f"shop/{seed}")  # noqa: S311 # data that must repeat
    for number in range(1, count + 1):
        yield _order(rng, f"S{seed}-{number:06}")


def _order(rng: random.Random, order_id: str) -> dict[str, Any]:
    size = rng.randint(100, 500) if rng.random() < LONG else rng.randint(1, 12)
    lines = [_line(rng) for _ in range(size - 1)]
    # What surely costs something, and more than is taken off.
    price = rng.randint(2_000, 50_000)
    lines.insert(
        rng.randrange(size), {"name": GOODS[0][0], "unit_price": price, "tax_rate": "0.06"}
    )
    order: dict[str, Any] = {"order_id": order_id, "business_day": DAY, "lines": lines}
    if rng.random() < 0.2:
        order["discount"] = rng.choice((price % 100, price % 1_000, price // 2, price - 1))
    if buyer := rng.choice(BUYERS):
        order["buyer"] = buyer
    return order


def _line(rng: random.Random) -> dict[str, Any]:
    line: dict[str, Any]
    if rng.random() < 0.05:
        line = dict(rng.choice(KINDS))
    else:
        name, unit, rate = rng.choice(GOODS)
        line = {"name": name, "unit": unit, "tax_rate": rate}
    chosen = rng.random()
    if chosen < 0.05:
        return line | {"unit_price": 0}
    if chosen < 0.2:
        total = rng.randint(1, 30_000)
        line |= {"total": total, "quantity": str(rng.choice((3, 6, 7)))}
    elif chosen < 0.3:
        fine = Decimal(rng.randint(1, 10**6)).scaleb(-4)  # yuan
        line |= {"unit_price_yuan": str(fine), "quantity": str(rng.randint(10, 900))}
        total = int(fine * int(line["quantity"]) * 100)
    else:
        weighed = line.get("unit") == "千克"
        quantity = Decimal(rng.randint(100, 9_000)).scaleb(-3) if weighed else rng.randint(1, 5)
        line |= {"unit_price": rng.randint(1, 30_000), "quantity": str(quantity)}
        total = int(line["unit_price"] * Decimal(quantity))
    if rng.random() < 0.1:
        line["discount"] = rng.randint(0, total)
    return line
