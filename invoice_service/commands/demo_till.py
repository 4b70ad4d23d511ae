"""What the demo's till has to sell: a menu as a restaurant of the city might have, and tables."""

from itertools import count
from typing import Final

from invoice_service.domain.acts import By
from invoice_service.services.till.desk import TillDesk
from invoice_service.services.till.ports import Hand, Place
from invoice_service.services.till.shapes import Dish, MenuRequest, TablesRequest

RATE: Final = "0.06"
TABLES: Final = 12

# By category: a dish and its price in yuan.
MENU: Final = {
    "冷菜": {"白切鸡": 38, "凉拌黄瓜": 16, "卤水拼盘": 48},
    "热菜": {"宫保鸡丁": 42, "清蒸鲈鱼": 88, "叉烧": 56, "蒜蓉菜心": 28, "麻婆豆腐": 26},
    "主食": {"扬州炒饭": 32, "云吞面": 28, "虾饺": 36, "肠粉": 22},
    "饮料": {"菊花茶": 12, "柠檬茶": 16, "青岛啤酒": 15},
}


def set_the_tables(till: TillDesk, merchant_id: int, owner: int, by: By) -> None:
    """Give the restaurant its menu and its tables."""
    hand = Hand(Place(merchant_id, "1", till.days.of(by.at)), owner, by)
    numbers = count(1)
    dishes = [
        Dish(
            id=f"dish-{number}",
            name=name,
            price=yuan * 100,
            tax_rate=RATE,
            category=category,
            code=str(number),
            position=number,
        )
        for category, named in MENU.items()
        for (name, yuan), number in zip(named.items(), numbers, strict=False)
    ]
    till.lists.put_menu(hand, MenuRequest(version=0, items=dishes))
    tables = [str(number) for number in range(1, TABLES + 1)]
    till.lists.put_tables(hand, TablesRequest(version=0, tables=tables))
