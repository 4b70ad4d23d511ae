"""A blue invoice is reversed once; a red one never."""

import pytest

from chain.errors import ConflictError, RefusedError
from invoice_service.domain.lifecycle import (
    REASON_ZH,
    Reason,
    Reversal,
    Type,
    check_reversible,
    invalid_mark,
    void_flag,
)


def test_only_a_blue_invoice_and_only_once() -> None:
    check_reversible("blue", None)
    with pytest.raises(RefusedError) as red:
        check_reversible("red", None)
    assert red.value.code == "not_reversible"
    with pytest.raises(ConflictError) as again:
        check_reversible("blue", "01ab")
    assert (again.value.code, again.value.extra) == ("already_reversed", {"reversed_by": "01ab"})


@pytest.mark.parametrize(
    ("type_", "reversal", "flag", "mark"),
    [
        ("blue", None, "N", 0),
        ("blue", "part", "HP", 0),
        ("blue", "full", "HF", 1),
        ("red", None, "H", 0),
    ],
)
def test_the_flags_of_the_pilot(
    type_: Type, reversal: Reversal | None, flag: str, mark: int
) -> None:
    assert (void_flag(type_, reversal), invalid_mark(reversal)) == (flag, mark)


def test_every_reason_has_its_chinese_name() -> None:
    assert set(REASON_ZH) == set(Reason)
