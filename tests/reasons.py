"""What no reason may be, with what it is refused as; and one that may, and must never run."""

from typing import Final

NO_REASONS: Final = (
    ("长" * 6_000, "text_too_long"),
    ("x" * 10_000, "text_too_long"),
    ("y" * 501, "text_too_long"),
    ("甲\x07乙", "control_character"),
    ("甲\u0085乙", "control_character"),
    ("甲\u2028乙", "control_character"),
    ("甲\u202e乙\u202c", "control_character"),
    ("甲\u2066乙\u2069", "control_character"),
    ("甲\ufdd0乙", "control_character"),
    ("甲\ufffd乙", "text_damaged"),
)
LINES: Final = ("a\r\nX: y", "control_character")

HOSTILE: Final = (
    "=1+1\"'><img id=evil onerror=x()></script></title>{{7*7}}${x}%0d%0aX:y&lt; \u200fא"
)
SHOWN: Final = "{{7*7}}"
"""A piece of it that is spelled alike wherever it is a text."""
