"""What a check of an invoice says."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec


class Verdict(StrEnum):
    """The values are part of the API."""

    AUTHENTIC = "authentic"
    PENDING = "pending"
    REVERSED = "reversed"
    PARTLY_REVERSED = "partly_reversed"
    MISMATCH = "mismatch"
    UNKNOWN = "unknown"


NAMES_ZH: Final = {
    Verdict.AUTHENTIC: "真票",
    Verdict.PENDING: "真票 · 待入账",
    Verdict.REVERSED: "已红冲 · 不再有效",
    Verdict.PARTLY_REVERSED: "部分红冲",
    Verdict.MISMATCH: "与开具内容不符",
    Verdict.UNKNOWN: "查无此票",
}
"""What each is called to people, on pages and in workbooks."""


class Step(msgspec.Struct, frozen=True):
    """One thing that was checked, numbered as in the verifier's docstring."""

    number: int
    name: str
    text: str


class Return(msgspec.Struct, frozen=True):
    """A red invoice over the one in question, and how many fen it took back, tax included."""

    hash: str
    number: str
    issued_at: str
    total: int


class SameOrder(msgspec.Struct, frozen=True):
    """Another invoice of the order of the one in question: what its code says, and its time."""

    hash: str
    number: str
    issued_at: str
    total: int


class Verification(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A verdict with its evidence; the block and its time are None while it is pending.

    ``buyer_erased`` is whether the buyer was a person of whom nothing is stored any more.
    ``hidden`` names the groups that the proof file in question did not show, ``witnesses`` who
    cosigned it under the policy that was asked for. ``left`` is what stands of an invoice that was
    taken back, ``returns`` are the red invoices ``reversed_by`` which it was, ``replaced_by`` those
    that stand in its place now; ``replaces`` is the order's first, in whose place this one stands.
    """

    verdict: Verdict
    hash: str
    block: int | None = None
    sealed_at: str | None = None
    index: int | None = None
    log_size: int | None = None
    steps: tuple[Step, ...] = ()
    face: dict[str, Any] | None = None
    buyer_name: str | None = None
    buyer_erased: bool = False
    reversed_by: tuple[str, ...] = ()
    left: int | None = None
    returns: tuple[Return, ...] = ()
    replaces: SameOrder | None = None
    replaced_by: tuple[SameOrder, ...] = ()
    hidden: tuple[str, ...] = ()
    witnesses: tuple[str, ...] = ()


def judge(*, known: bool, slip_agrees: bool, reversal: str | None, anchored: bool) -> Verdict:
    """The verdict on a slip; ``reversal`` is None, "part" or "full".

    A slip whose number or amount is not the invoice's is a forgery, whatever became of the
    invoice; a reversal counts from the moment the red invoice is issued.
    """
    if not known:
        return Verdict.UNKNOWN
    if not slip_agrees:
        return Verdict.MISMATCH
    if reversal is not None:
        return Verdict.REVERSED if reversal == "full" else Verdict.PARTLY_REVERSED
    return Verdict.AUTHENTIC if anchored else Verdict.PENDING


def shown_buyer_name(buyer: Mapping[str, str]) -> str:
    """What whoever holds the QR code may see: a company's name, an individual's first character.

    Of an individual who was erased, that.
    """
    name = buyer["name"]
    if buyer["kind"] != "individual" or not name:
        return name
    return f"{name[0]}**"  # always two: the length of a name tells much
