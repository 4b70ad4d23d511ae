"""How long somebody is to wait, as people say it."""

from typing import Final

_UNITS: Final = ((3600, "hours", "小时"), (60, "minutes", "分钟"))


def again_in(seconds: int) -> tuple[str, str]:
    """What to do, in English and Chinese: to try again, no sooner than in ``seconds``."""
    for size, unit, unit_zh in _UNITS:
        if seconds >= 2 * size:
            number = -(-seconds // size)
            return f"try again in {number} {unit}", f"请于 {number} {unit_zh}后重试"
    unit = "second" if seconds == 1 else "seconds"
    return f"try again in {seconds} {unit}", f"请于 {seconds} 秒后重试"
