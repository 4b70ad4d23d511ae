"""How long somebody is to wait, in words."""

import pytest

from invoice_service.domain.waiting import again_in


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (1, ("try again in 1 second", "请于 1 秒后重试")),
        (119, ("try again in 119 seconds", "请于 119 秒后重试")),
        (120, ("try again in 2 minutes", "请于 2 分钟后重试")),
        (121, ("try again in 3 minutes", "请于 3 分钟后重试")),
        (7_199, ("try again in 120 minutes", "请于 120 分钟后重试")),
        (7_200, ("try again in 2 hours", "请于 2 小时后重试")),
        (86_399, ("try again in 24 hours", "请于 24 小时后重试")),
    ],
)
def test_nobody_is_told_to_come_too_early(seconds: int, said: tuple[str, str]) -> None:
    assert again_in(seconds) == said
