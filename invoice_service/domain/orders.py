"""Which order a sale is of, and what may follow under the same number (ADR 0027).

An order is its merchant's, its till's and its business day's, as far as they are told. In doubt a
sale is refused and the first invoice named: neither are two sales one invoice, nor is one sale two.
"""

import re
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import UNSET

from chain.errors import ConflictError, MalformedError

from .money import Fen
from .numbering import format_issued_at, shanghai_time
from .persons import is_same
from .qrtext import read_hash
from .text import check_till_name
from .verdict import NAMES_ZH, Verdict

REPEAT_SECONDS: Final = 600
"""For how long the same content without a day and without a key can only be a repeat."""

BILL_SECONDS: Final = 86_400
"""For how long guests may share a bill that has no day: tills begin anew each morning."""

FIELDS: Final = ("till", "business_day", "part", "parts", "order_total", "replaces")
"""What tells an order apart besides its number, as requests and faces have it."""

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_SHARED: Final = ("part", "parts", "order_total")


class Place(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """Where an order stands besides its number; "" and 0 for what was not told.

    ``replaces`` is the password area of the first invoice, ``order_total`` that of all parts.
    """

    till: str = ""
    business_day: str = ""
    part: int = 0
    parts: int = 0
    order_total: Fen = 0
    replaces: str = ""

    @property
    def is_plain(self) -> bool:
        """Neither a part of a bill, nor in the place of another invoice."""
        return not self.part and not self.replaces


NOWHERE: Final = Place()
"""Of an order that has only its number."""


class Asked(NamedTuple):
    """A sale that wants an invoice; ``digest`` is that of its content.

    ``rest`` is that of all but the person, where its buyer is one.
    """

    place: Place
    total: Fen
    digest: bytes
    salts: bytes
    keyed: bool
    rest: bytes = b""

    def is_like(self, sold: "Sold") -> bool:
        """Whether its content is the same, as far as that can still be told."""
        return is_same(sold.digest, sold.key, self.rest, self.digest)


class Sold(NamedTuple):
    """An invoice of an order, and how much of it has been taken back since (fen, positive).

    ``key`` is that of its buyer, where that is a person.
    """

    seq: int
    hash: str
    number: str
    issued_at: int
    total: Fen
    returned: Fen
    digest: bytes = b""
    salts: bytes = b""
    keyed: bool = False
    attempt: int = 1
    part: int = 0
    parts: int = 0
    order_total: Fen = 0
    key: bytes | None = None

    @property
    def stands(self) -> Fen:
        """What is left of it."""
        return self.total - self.returned


Judge = Callable[[Sold], Verdict]
"""Says how an invoice stands now."""


def given(request: Any) -> dict[str, Any]:  # noqa: ANN401 # a request with these fields
    """Those of ``FIELDS`` that a request has."""
    if (
        request.till is UNSET
        and request.business_day is UNSET
        and request.part is UNSET
        and request.parts is UNSET
        and request.order_total is UNSET
        and request.replaces is UNSET
    ):
        return {}  # as most do
    found = {name: getattr(request, name) for name in FIELDS}
    return {name: value for name, value in found.items() if value is not UNSET}


def check_place(request: Any) -> dict[str, Any]:  # noqa: ANN401 # a request with these fields
    """``given``, each in its one spelling.

    Raises MalformedError: business_day_invalid, parts_invalid, password_area, and as
    ``check_till_name`` does.
    """
    found = given(request)
    if not found:
        return found
    if "till" in found:
        check_till_name(found["till"], "/till")
    if "business_day" in found:
        check_day(found["business_day"], "/business_day")
    if "replaces" in found:
        found["replaces"] = _hash(found["replaces"])
    _check_shared(found)
    return found


def check_day(text: str, pointer: str) -> None:
    """A date, ISO 8601, from the year 2000 on; MalformedError ``business_day_invalid``."""
    try:
        good = _DAY.fullmatch(text) is not None and date.fromisoformat(text).year >= 2000
    except ValueError:
        good = False
    if not good:
        raise MalformedError(
            "business_day_invalid", "a business day is a date like 2018-08-10", pointer=pointer
        )


class Reached:
    """Which business days there may be at ``now`` (unix seconds): none after Shenzhen's tomorrow.

    Who counts days otherwise than we do, or whose clock is ahead, is a day ahead at most. A sale of
    a later one would stand in another year's figures, and its number be taken when that day comes.
    """

    def __init__(self, now: int) -> None:
        self._now, self._latest = now, ""

    def check(self, place: Place | None) -> None:
        """MalformedError ``business_day_ahead``; a repeat is not asked about."""
        if place is None or not place.business_day:
            return
        latest = self._latest or (shanghai_time(self._now) + timedelta(days=1)).date().isoformat()
        self._latest = latest
        if place.business_day > latest:
            raise MalformedError(
                "business_day_ahead",
                f"business_day {place.business_day} has not come: the last one possible is"
                f" {latest}",
                pointer="/business_day",
                detail_zh=f"营业日 {place.business_day} 尚未到来，最晚可填 {latest}",
            )


def place_in(face: bytes) -> Place:
    """What a face says of its order's place."""
    return _read_face(face).place


class _Face(msgspec.Struct):
    till: str = ""
    business_day: str = ""
    part: int = 0
    parts: int = 0
    order_total: Fen = 0
    replaces: str = ""

    @property
    def place(self) -> Place:
        found = {name: getattr(self, name) for name in FIELDS}
        return Place(**found) if any(found.values()) else NOWHERE


_read_face: Final = msgspec.json.Decoder(_Face).decode


def _hash(text: str) -> str:
    try:
        return read_hash(text)
    except MalformedError as error:
        raise MalformedError(error.code, error.detail, pointer="/replaces") from None


def _check_shared(found: dict[str, Any]) -> None:
    """A part of a bill says which, of how many, and what all of them come to."""
    told = [name for name in _SHARED if name in found]
    missing = [name for name in _SHARED if name not in found]
    if told and missing:
        raise MalformedError(
            "parts_invalid", "part, parts and order_total stand together", pointer=f"/{missing[0]}"
        )
    if told and found["part"] > found["parts"]:
        raise MalformedError(
            "parts_invalid",
            f"there is no part {found['part']} of {found['parts']}",
            pointer="/part",
        )


def decide(asked: Asked, sold: Sequence[Sold], now: int, judge: Judge) -> Sold | int:
    """The invoice that ``asked`` repeats, or which attempt at its order (or part) it is.

    ``sold`` are all blue invoices of the order in the order of issue; ``now`` is the clock's.

    1. the very same call, known by its salts, is answered with what it became;
    2. the same content is a repeat: for ever on a business day; without one, when neither call
       has a key, for ten minutes;
    3. parts agree with the first one in their number and sum;
    4. a number that is taken is free again only for who names its first invoice (``replaces``);
    5. what stands never exceeds what was first sold, nor parts their sum.

    Raises ConflictError: order_parts_conflict (3), order_id_conflict, order_id_reused,
    replaces_not_first (4), order_total_exceeded (5); each names the first invoice.
    """
    own = [one for one in sold if one.part == asked.place.part]
    for one in sold:
        if one.salts == asked.salts or _repeats(asked, one, now):
            return one
    if sold:
        _check_parts(asked, sold[0], own, now, judge)
    _check_number(asked, own, now, judge)
    _check_room(asked, sold, own, judge)
    return own[-1].attempt + 1 if own else 1


def named(code: str, first: Sold, judge: Judge, how: "How", **extra: int | str) -> ConflictError:
    """The conflict with an invoice, which it names, and how to go on."""
    state = judge(first)
    when = format_issued_at(first.issued_at)
    return ConflictError(
        code,
        f"{how.what}: invoice {first.number} of {when} ({state}); {how.next}",
        detail_zh=f"{how.what_zh}：发票 {first.number}，{when}（{NAMES_ZH[state]}）；{how.next_zh}",
        first_hash=first.hash,
        first_number=first.number,
        first_issued_at=when,
        first_state=str(state),
        pointer="",
        **extra,
    )


class How(NamedTuple):
    """What is in the way, and what to do about it."""

    what: str
    next: str
    what_zh: str
    next_zh: str


KEY_TAKEN: Final = How(
    "this Idempotency-Key stands for another request",
    "make a new key for each sale, and keep it for the repeats of that sale only",
    "该幂等键已用于另一请求",
    "每笔交易使用新的幂等键，仅在重发同一请求时沿用",
)
_TAKEN: Final = How(
    "this number has an invoice with other content",
    "send what was sent first to get that invoice, take it back before you issue another, or give"
    " another sale a number of its own",
    "该订单号已开具内容不同的发票",
    "如为同一笔交易，请原样重发；如需更改，请先红冲；如为另一笔交易，请使用新的订单号",
)
_REUSED: Final = How(
    "this number was used before",
    "give another sale a number of its own, or send its business_day (and till); for the same sale,"
    " that invoice is there: send repeats with the first Idempotency-Key, or with a business_day",
    "该订单号已使用过",
    "如为另一笔交易，请使用新的订单号，或填写营业日 business_day（及收银台 till）；"
    "如为同一笔交易，发票已开具，重发时请沿用原幂等键或填写营业日",
)
_RETURNED: Final = How(
    "this number's invoice was taken back",
    "to issue the order anew, send first_hash as replaces; give another sale a number of its own",
    "该订单的发票已红冲",
    "如需重新开具，请将 first_hash 填入 replaces；如为另一笔交易，请使用新的订单号",
)
_PARTS: Final = How(
    "part, parts or order_total are not those of the bill's first invoice",
    "send parts and order_total as the first one did; give another sale a number of its own",
    "part、parts 或 order_total 与该账单首张发票不符",
    "请与首张发票保持一致；如为另一笔交易，请使用新的订单号",
)
_NOT_FIRST: Final = How(
    "replaces is not the first invoice of this order and part",
    "send first_hash as replaces",
    "replaces 不是该订单的首张发票",
    "请将 first_hash 填入 replaces",
)
_TOO_MUCH: Final = How(
    "more would stand under this order than was first sold",
    "sell no more than left (fen), or take back first what stands there",
    "该订单开票金额将超过首次销售金额",
    "请勿超过 left（分），或先红冲已开具的发票",
)


def _repeats(asked: Asked, one: Sold, now: int) -> bool:
    if not asked.is_like(one):
        return False
    if asked.place.business_day:
        return True
    return not asked.keyed and not one.keyed and _is_near(one, now, REPEAT_SECONDS)


def _is_near(one: Sold, now: int, seconds: int) -> bool:
    """Either way: a clock that was set back tells nothing about how long ago that was."""
    return abs(now - one.issued_at) <= seconds


def _check_parts(asked: Asked, first: Sold, own: Sequence[Sold], now: int, judge: Judge) -> None:
    place = asked.place
    near = bool(place.business_day) or _is_near(first, now, BILL_SECONDS)
    agree = (first.parts, first.order_total) == (place.parts, place.order_total)
    if not near and not (own and agree):
        raise named("order_id_reused", first, judge, _REUSED)
    if not agree:
        raise named("order_parts_conflict", first, judge, _PARTS)


def _check_number(asked: Asked, own: Sequence[Sold], now: int, judge: Judge) -> None:
    place = asked.place
    if not own and place.replaces:
        raise ConflictError(
            "replaces_not_first",
            "replaces names an invoice of this order, and it has none: leave it out, or look at"
            " order_id, till, business_day and part",
            pointer="/replaces",
            detail_zh="该订单尚无发票，无需 replaces；请核对订单号、收银台、营业日及分单号",
        )
    if not own:
        return
    first, same = own[0], any(asked.is_like(one) for one in own)
    if same:
        raise named("order_id_reused", first, judge, _how(first, _REUSED))
    if place.replaces == first.hash:
        return
    if place.replaces:
        raise named("replaces_not_first", first, judge, _NOT_FIRST)
    if place.business_day or _is_near(own[-1], now, REPEAT_SECONDS):
        raise named("order_id_conflict", first, judge, _how(first, _TAKEN))
    raise named("order_id_reused", first, judge, _how(first, _REUSED))


def _how(first: Sold, else_: How) -> How:
    return _RETURNED if first.returned else else_


def _check_room(asked: Asked, sold: Sequence[Sold], own: Sequence[Sold], judge: Judge) -> None:
    """An order's first invoice, or its first part, says how much may stand at most."""
    most = asked.place.order_total or (own[0].total if own else None)
    if most is None:
        return
    left = most - sum(one.stands for one in sold)
    if asked.total <= left:
        return
    first = own[0] if own else sold[0] if sold else None
    if first is not None:
        raise named("order_total_exceeded", first, judge, _TOO_MUCH, order_total=most, left=left)
    raise ConflictError(
        "order_total_exceeded",
        f"this part alone comes to {asked.total} fen, the whole order to {most}",
        pointer="/order_total",
        detail_zh="此分单金额已超过 order_total",
        order_total=most,
        left=left,
    )
