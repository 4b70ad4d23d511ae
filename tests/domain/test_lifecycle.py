"""A blue invoice is reversed once; a red one never."""

import pytest

from chain.errors import ConflictError, RefusedError
from invoice_service.domain.lifecycle import REASON_ZH, Reason, check_reversible


def test_only_a_blue_invoice_and_only_once() -> None:
    check_reversible("blue", None)
    with pytest.raises(RefusedError) as red:
        check_reversible("red", None)
    assert red.value.code == "not_reversible"
    with pytest.raises(ConflictError) as again:
        check_reversible("blue", "01ab")
    assert (again.value.code, again.value.extra) == ("already_reversed", {"reversed_by": "01ab"})


def test_every_reason_has_its_chinese_name() -> None:
    assert set(REASON_ZH) == set(Reason)
