"""Verdicts: which one wins when several are true, and whose name is shown."""

from itertools import product

import pytest

from invoice_service.domain.verdict import Verdict, judge, shown_buyer_name


def test_the_names_are_those_of_the_api() -> None:
    assert [verdict.value for verdict in Verdict] == [
        *("authentic", "pending", "reversed", "partly_reversed", "mismatch", "unknown")
    ]


@pytest.mark.parametrize(
    ("reversal", "anchored", "expected"),
    [
        (None, True, Verdict.AUTHENTIC),
        (None, False, Verdict.PENDING),
        ("full", True, Verdict.REVERSED),
        ("full", False, Verdict.REVERSED),
        ("part", True, Verdict.PARTLY_REVERSED),
        ("part", False, Verdict.PARTLY_REVERSED),
    ],
)
def test_the_verdict_on_an_honest_slip(
    reversal: str | None, anchored: bool, expected: Verdict
) -> None:
    assert judge(known=True, slip_agrees=True, reversal=reversal, anchored=anchored) is expected


@pytest.mark.parametrize(
    ("reversal", "anchored"), [*product([None, "part", "full"], [True, False])]
)
def test_a_forged_slip_is_that_whatever_became_of_the_invoice(
    reversal: str | None, anchored: bool
) -> None:
    verdict = judge(known=True, slip_agrees=False, reversal=reversal, anchored=anchored)
    assert verdict is Verdict.MISMATCH


@pytest.mark.parametrize("agrees", [True, False])
def test_what_was_never_issued_is_unknown(agrees: bool) -> None:
    verdict = judge(known=False, slip_agrees=agrees, reversal=None, anchored=False)
    assert verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("kind", "name", "shown"),
    [
        ("company", "腾讯科技（深圳）有限公司", "腾讯科技（深圳）有限公司"),
        ("organisation", "深圳市教育局", "深圳市教育局"),
        ("individual", "张三", "张**"),
        ("individual", "欧阳修文", "欧**"),
        ("individual", "李", "李**"),
        ("individual", "", ""),
    ],
)
def test_an_individuals_name_is_masked(kind: str, name: str, shown: str) -> None:
    assert shown_buyer_name({"kind": kind, "name": name}) == shown
