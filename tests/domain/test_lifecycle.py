"""A blue invoice can be reversed; a red one never."""

import pytest

from chain.errors import RefusedError
from invoice_service.domain.lifecycle import REASON_ZH, Reason, check_reversible


def test_only_a_blue_invoice_can_be_reversed() -> None:
    check_reversible("blue")
    with pytest.raises(RefusedError) as caught:
        check_reversible("red")
    assert caught.value.code == "not_reversible"


def test_every_reason_has_its_chinese_name() -> None:
    assert set(REASON_ZH) == set(Reason)
