"""Where in a text codes stand: people paste words with them, and programs wrap addresses.

A code begins where an address of a scan page or the comma form begins, and ends where the next
one begins, at the bracket that closes the one before it, or with the text. What else stands in the
text are words. Nothing is chosen here: all that begins like a code is given.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

SIGNS: Final = str.maketrans("？＆＝＃", "?&=#")
"""Signs of an address as Chinese keyboards write them."""

BEHIND: Final = " \t\r\n\u3000>)]}\"'”’》」』）】。，、；！？?*_~`|"
"""What stands behind a code and is no part of it; the last ones are Markdown's."""

LINE_ENDS: Final = re.compile(r"[\t\r\n]")
"""Browsers drop them inside an address, and mail programs put them there."""

_PAIRS: Final = dict(zip("<([{\"'“‘《「『（【", ">)]}\"'”’》」』）】", strict=True))
_ENCODED: Final = 2
"""How often an address within another one's parameter may have been percent-encoded."""

# Browsers take an address without its scheme; what another name or address ends in is none.
_START = re.compile(
    r"(?P<scheme>https?://)?(?(scheme)|(?<![\w.:/@%-]))"
    r"(?:[a-z0-9][a-z0-9.-]*|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?"
    r"(?:/[\w.~!$&'()*+,;=:@%-]+)*?/verify/scan/?\?"
    r"|(?P<commas>(?<![\w,])01,[0-9]{2},(?:[0-9]{10,12})?,)",
    re.ASCII | re.IGNORECASE,
)


_RUN_ON = re.compile(
    r"(?P<value>-?[0-9a-f]+)"
    r"(?:[*_~`|]+\s|\s*(?P<sign>[^\x00-\x7f])|[)\]}>\"'.,;:!?]*\s+(?:-{2,}\s*)?(?P<word>[a-z][a-z'-]+))",
    re.ASCII | re.IGNORECASE,
)
"""A value that runs on into words."""

_UNITS: Final = "元圆块角毛分"
_UNITS_ASCII: Final = re.compile(
    r"cents?|chf|cny|dollars?|euros?|fen|gbp|hkd|jiao|jpy|kuai|mao|mop|ntd|rmb|twd|usd|wan|yen|yuan",
    re.IGNORECASE,
)
"""Words that would make another number of the one before them, as any single letter would."""

_LINE_OF_WORDS = re.compile(
    r"(=(?:01[0-9a-f]{64}|-?[0-9]{1,20}))[\t\r\n]+(?=[a-z]|--\s|[0-9]+\s+[a-z])",
    re.ASCII | re.IGNORECASE,
)
"""Behind a value that is whole, a line end that no mail program has put into the address."""


def readings(text: str) -> Iterator[str]:
    """The text as it is, in one line, and as often as it may have been percent-encoded."""
    text = text.translate(SIGNS)
    yield text
    yield LINE_ENDS.sub("", text)
    for _ in range(_ENCODED):
        if (plain := unquote(text)) == text:
            return
        text = plain.translate(SIGNS)
        yield text


def spans(text: str) -> list[str]:
    """All parts of one of the ``readings`` that begin like a code, without what stands around."""
    found = [match for match in _START.finditer(text) if _begins(text, match)]
    ends = [*(match.start() for match in found[1:]), len(text)]
    return [
        _enclosed(text, match.start(), end).rstrip(BEHIND)
        for match, end in zip(found, ends, strict=False)
    ]


def in_one_line(address: str) -> str:
    """An address without its line ends; words on a line of their own stay apart from it."""
    return LINE_ENDS.sub("", _LINE_OF_WORDS.sub(r"\1 ", address))


def without_words(value: str) -> str:
    """A value up to the first character that it cannot hold, where words follow.

    What could belong to a number, as a unit, a sign or digits of another script, stays.
    """
    match = _RUN_ON.match(value)
    if match is None or (match["sign"] and not _are_words(value[match.start("sign") :])):
        return value
    if match["word"] and _UNITS_ASCII.fullmatch(match["word"]):
        return value
    return match["value"]


def _are_words(text: str) -> bool:
    kind = unicodedata.category(text[0])
    if kind.startswith("P"):
        return not text[1:2].isnumeric()
    is_ours = text[0].isnumeric() or unicodedata.normalize("NFKC", text[0]).isascii()
    return kind[0] in "LS" and kind not in ("Sm", "Sc") and not is_ours and text[0] not in _UNITS


def _begins(text: str, match: re.Match[str]) -> bool:
    """An address without its scheme begins no code within or behind another address."""
    whole = match["scheme"] is not None or match["commas"] is not None
    return whole or "://" not in text[: match.start()]


def _enclosed(text: str, start: int, end: int) -> str:
    """Up to the bracket or quotation mark that closes the one before it."""
    part = text[start:end]
    closing = _PAIRS.get(text[start - 1 : start], "")
    return part.partition(closing)[0] if closing else part
