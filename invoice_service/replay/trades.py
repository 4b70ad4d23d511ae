"""What the simulated city sells, when in the day, and at which prices. Invented figures.

Prices are fen with tax, for a shop of average dearness; hours are weights of the 24 hours.
"""

from typing import Final, NamedTuple

PRICE_LEVEL: Final = 1.19
"""By which all are multiplied: an invoice of the pilot's first year came to 660 yuan."""

MEALS: Final = (
    2,
    1,
    1,
    0,
    0,
    1,
    6,
    14,
    12,
    8,
    14,
    62,
    90,
    46,
    14,
    10,
    20,
    58,
    84,
    70,
    38,
    20,
    9,
    4,
)
COFFEE: Final = (
    1,
    0,
    0,
    0,
    0,
    1,
    8,
    40,
    60,
    46,
    34,
    30,
    42,
    50,
    54,
    48,
    36,
    24,
    18,
    16,
    12,
    7,
    4,
    2,
)
EVENING: Final = (30, 22, 14, 5, 1, 0, 0, 0, 0, 1, 1, 2, 3, 3, 3, 4, 6, 12, 24, 46, 64, 70, 60, 44)
SHOPS: Final = (
    2,
    1,
    1,
    1,
    1,
    2,
    8,
    18,
    24,
    30,
    36,
    38,
    40,
    38,
    38,
    40,
    44,
    52,
    60,
    62,
    54,
    36,
    16,
    6,
)
OFFICE: Final = (0, 0, 0, 0, 0, 0, 0, 2, 14, 48, 60, 50, 20, 26, 56, 60, 52, 36, 14, 5, 3, 2, 1, 0)
ROADS: Final = (
    6,
    4,
    3,
    3,
    4,
    9,
    22,
    48,
    52,
    36,
    30,
    30,
    32,
    30,
    30,
    34,
    42,
    56,
    54,
    40,
    30,
    22,
    16,
    10,
)
HOTELS: Final = (1, 0, 0, 0, 1, 4, 14, 40, 62, 60, 50, 46, 40, 18, 10, 8, 7, 7, 7, 6, 5, 5, 4, 2)


class Item(NamedTuple):
    """Something sold: ``*category*name`` as it stands on an invoice."""

    name: str
    price: int
    unit: str = ""


class Trade(NamedTuple):
    """A kind of merchant; ``share`` is its weight among the city's merchants."""

    industry: str
    sign: str
    share: int
    rate: str
    hours: tuple[int, ...]
    items: tuple[Item, ...]
    weekend: float = 1.0


def _dishes(*dishes: tuple[str, int]) -> tuple[Item, ...]:
    return tuple(Item(f"*餐饮服务*{name}", price) for name, price in dishes)


TRADES: Final = (
    Trade(
        "6210",
        "酒楼",
        26,
        "0.06",
        MEALS,
        _dishes(("餐费", 26800), ("包间餐费", 68000), ("早茶", 12600), ("酒水", 9800)),
        weekend=1.35,
    ),
    Trade(
        "6220",
        "快餐店",
        20,
        "0.06",
        MEALS,
        _dishes(("套餐", 3200), ("牛肉面", 2600), ("煲仔饭", 2900), ("饮料", 600)),
    ),
    Trade(
        "6232",
        "咖啡馆",
        9,
        "0.06",
        COFFEE,
        _dishes(("拿铁", 2900), ("美式咖啡", 2200), ("蛋糕", 3600)),
    ),
    Trade("6231", "茶馆", 3, "0.06", COFFEE, _dishes(("茶位", 4800), ("茶点", 3200)), weekend=1.5),
    Trade("6233", "酒吧", 3, "0.06", EVENING, _dishes(("酒水", 8800), ("小食", 4200)), weekend=1.8),
    Trade(
        "6291", "小吃店", 6, "0.06", MEALS, _dishes(("肠粉", 1400), ("云吞", 1800), ("糖水", 1200))
    ),
    Trade(
        "5213",
        "便利店",
        8,
        "0.13",
        SHOPS,
        (Item("*日用杂品*日用品", 2400, "件"), Item("*饮料*矿泉水", 300, "瓶")),
    ),
    Trade(
        "5212",
        "超市",
        6,
        "0.13",
        SHOPS,
        (
            Item("*食品*休闲食品", 4600, "袋"),
            Item("*日用杂品*纸巾", 2990, "提"),
            Item("*酒*啤酒", 5400, "箱"),
        ),
        weekend=1.6,
    ),
    Trade(
        "5223",
        "水果店",
        3,
        "0.09",
        SHOPS,
        (Item("*水果*荔枝", 2580, "千克"), Item("*水果*龙眼", 1980, "千克")),
    ),
    Trade("5265", "加油站", 6, "0.13", ROADS, (Item("*汽油*95号车用汽油", 30000),)),
    Trade(
        "6121", "连锁酒店", 4, "0.06", HOTELS, (Item("*住宿服务*住宿费", 32900, "间"),), weekend=1.2
    ),
    Trade("611", "酒店", 2, "0.06", HOTELS, (Item("*住宿服务*住宿费", 78000, "间"),)),
    Trade(
        "811",
        "汽修厂",
        2,
        "0.13",
        OFFICE,
        (Item("*劳务*维修费", 86000), Item("*汽车零配件*机油", 28800)),
    ),
    Trade(
        "702",
        "物业",
        3,
        "0.06",
        OFFICE,
        (Item("*物业管理服务*物业费", 56000), Item("*停车服务*停车费", 1500)),
        weekend=0.5,
    ),
    Trade(
        "804",
        "美发店",
        2,
        "0.06",
        SHOPS,
        (Item("*生活服务*理发", 8800), Item("*生活服务*染发", 38000)),
        weekend=1.5,
    ),
    Trade("876", "影城", 2, "0.06", EVENING, (Item("*文化服务*电影票", 4990, "张"),), weekend=1.9),
    Trade(
        "651", "软件", 1, "0.06", OFFICE, (Item("*信息技术服务*软件服务费", 480000),), weekend=0.1
    ),
)
"""The trades with a shape of their own; the rest of the industries share one, ``OTHER``."""

OTHER: Final = Trade("", "商行", 4, "0.06", OFFICE, (Item("*现代服务*服务费", 42000),), weekend=0.4)

DISTRICT_WEIGHTS: Final = {
    "440303": 13,
    "440304": 22,
    "440305": 22,
    "440306": 16,
    "440307": 12,
    "440308": 2,
    "440309": 8,
    "440310": 2,
    "440311": 3,
}
