"""What a browser calls itself, as people call it: "Chrome · Android"."""

import re
from typing import Final

# The first that fits: many call themselves what others are, too.
_PROGRAMS: Final = (
    ("MicroMessenger", "WeChat"),
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS: Final = ("iPhone", "iPad", "Android", "Windows", "Mac OS", "Linux")
_LONGEST: Final = 60


def short_agent(text: str) -> str:
    """Program and system; the beginning of the text itself where neither is known."""
    program = next((name for sign, name in _PROGRAMS if re.search(rf"\b\w*{sign}\b", text)), "")
    system = next((name for name in _SYSTEMS if name in text), "")
    return " · ".join(filter(None, (program, system))) or text[:_LONGEST]
