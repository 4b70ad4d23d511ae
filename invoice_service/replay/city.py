"""The city: its merchants, their prices, and the buyers who want an invoice for their company."""

import random
from collections.abc import Iterator
from itertools import cycle
from typing import Final, NamedTuple

from stdnum.cn.uscc import calc_check_digit

from invoice_service.domain.invoice import Buyer, LineRequest
from invoice_service.domain.merchant import MerchantRequest, industries
from invoice_service.replay.trades import DISTRICT_WEIGHTS, OTHER, PRICE_LEVEL, TRADES, Trade

COMPANIES: Final = 400
INDUSTRIES: Final = 113  # as in the pilot's first year
SIGNS: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""Of a tax id: no letter that is taken for a digit."""
_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)
SURNAMES: Final = "陈李黄张林吴刘郑王杨罗何蔡叶曾"
WORDS: Final = (
    "鹏城",
    "南山",
    "海岸",
    "福满",
    "金湖",
    "旋转",
    "明华",
    "东门",
    "荔园",
    "深港",
    "宝源",
    "蛇口",
)


class Shop(NamedTuple):
    """A merchant with its trade, its share of the trade, and what it sells."""

    request: MerchantRequest
    trade: Trade
    weight: float
    menu: tuple[LineRequest, ...]


class City(NamedTuple):
    """Everything that stays the same for the whole time."""

    shops: list[Shop]
    companies: list[Buyer]


def build_city(seed: int, merchants: int) -> City:
    """Make the same city again for the same seed; at most 10 million merchants."""
    rng = random.Random(f"city/{seed}")  # noqa: S311 # a simulation that must repeat
    trades = rng.choices([*TRADES, OTHER], [t.share for t in [*TRADES, OTHER]], k=merchants)
    # The first few are one of each trade, so that small cities have restaurants too.
    trades[: len(TRADES)] = TRADES[:merchants]
    others = _other_industries()
    shops = [_shop(rng, number, trade, others) for number, trade in enumerate(trades)]
    return City(shops, [_company(rng, number) for number in range(COMPANIES)])


def tax_id(district: str, number: int) -> str:
    """A valid tax id of a company in ``district``; each number gives another.

    GB 32100-2015: its characters 9 to 17 are an organisation's code with a check digit of its own.
    """
    code = f"MA{_in_signs(number)}"
    body = f"91{district}{code}{organisation_check_digit(code)}"
    return body + str(calc_check_digit(body))


def _in_signs(number: int) -> str:
    """Six of the 31 signs of a tax id."""
    digits = ""
    for _ in range(6):
        number, digit = divmod(number, len(SIGNS))
        digits = SIGNS[digit] + digits
    return digits


def organisation_check_digit(code: str) -> str:
    """Of the first eight characters of an organisation's code, GB 11714-1997."""
    weighed = sum(weight * int(sign, 36) for weight, sign in zip(_WEIGHTS, code, strict=True))
    return "0123456789X"[-weighed % 11]


def _shop(rng: random.Random, number: int, trade: Trade, others: Iterator[str]) -> Shop:
    district = rng.choices(list(DISTRICT_WEIGHTS), list(DISTRICT_WEIGHTS.values()))[0]
    request = MerchantRequest(
        tax_id=tax_id(district, number),
        name=f"深圳市{rng.choice(WORDS)}{trade.sign}{number:05}有限公司",
        industry=trade.industry or next(others),
        district=district,
        address_phone=f"深圳市{rng.randrange(1, 999)}号 0755-{rng.randrange(20000000, 29999999)}",
        bank_account=f"中国银行深圳分行 {rng.randrange(10**18, 10**19)}",
        drawer=f"{rng.choice(SURNAMES)}开票",
        payee=f"{rng.choice(SURNAMES)}收银",
        reviewer=f"{rng.choice(SURNAMES)}复核",
    )
    # A few shops are very busy and many are not: Pareto, as city trade is.
    return Shop(request, trade, rng.paretovariate(1.6), _menu(rng, trade))


def _menu(rng: random.Random, trade: Trade) -> tuple[LineRequest, ...]:
    """The trade's items at this shop's prices, in a few sizes of order."""
    dear = PRICE_LEVEL * rng.lognormvariate(0.0, 0.35)
    return tuple(
        LineRequest(
            name=item.name,
            unit_price=max(100, round(item.price * dear * rng.lognormvariate(0.0, 0.25) / 10) * 10),
            tax_rate=trade.rate,
            quantity=quantity,
            unit=item.unit,
        )
        for item in trade.items
        for quantity in ("1", "1", "2")
    )


def _company(rng: random.Random, number: int) -> Buyer:
    district = rng.choice(list(DISTRICT_WEIGHTS))
    name = f"深圳市{rng.choice(WORDS)}{rng.choice(WORDS)}科技{number:03}有限公司"
    return Buyer(kind="company", name=name, tax_id=tax_id(district, 9_000_000 + number))


def _other_industries() -> Iterator[str]:
    """The industries without a trade of their own here, one after the other, again and again."""
    special = {trade.industry for trade in TRADES}
    codes = [code for code in industries() if code not in special and code[:1] in "5678"]
    return cycle(codes[:: len(codes) // (INDUSTRIES - len(special))][: INDUSTRIES - len(special)])
