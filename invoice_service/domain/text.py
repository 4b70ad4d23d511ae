"""What a text on an invoice may hold: it is printed, hashed and searched as it was given.

One notion of "blank" and of "looks the same", by Unicode's properties. A text is blank when
nothing of it is sure to be seen: separators, controls, marks without a letter to stand on, what the
standard lets a reader ignore, and what it gives no look to. A blank text is as good as none: left
out where it may be, refused where it must be there. An identifier has one spelling: whatever looks
the same is the same.
"""

import re
import unicodedata
from collections.abc import Iterable
from itertools import groupby
from typing import Final, TypeVar

import msgspec

from chain.errors import MalformedError

_Texts = TypeVar("_Texts", bound=msgspec.Struct)

LONGEST_TILL: Final = 32  # characters

DEFAULT_IGNORABLE: Final = (
    "\u00ad\u034f\u061c\u115f-\u1160\u17b4-\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Default_Ignorable_Code_Point of Unicode 17 (DerivedCoreProperties.txt) as ranges of a character
class; Python's unicodedata does not have it. A test compares it with another program's."""

# Symbols and letters by their category, and empty: Braille without a dot, a null notehead, a full
# and a half blank of hieroglyphs.
_EMPTY = "\u2800\U0001d159\U00013441\U00013442"
_OBJECT = "\ufffc"  # stands for a picture that was left behind
_UNSEEN = re.compile(f"[{DEFAULT_IGNORABLE}{_EMPTY}{_OBJECT}]")

# Line ends and other controls would forge lines of a printed slip, of CSV or of a header; the
# bidirectional ones make a line read otherwise than it is stored; the rest is not text at all.
_NOT_CHARACTERS = "".join(
    f"{chr(plane | 0xFFFE)}{chr(plane | 0xFFFF)}" for plane in range(0, 0x110000, 0x10000)
)
_REFUSED = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef"
    f"{_NOT_CHARACTERS}]"
)
_LOST = "\ufffd"
_MOVES: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


# Private and unassigned characters are rare surnames and newer scripts: beside others they may
# stand. Alone they show nothing, or a box, to whoever lacks the font.
_WITHOUT_INK: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Mc", "Me", "Mn", "Zl", "Zp", "Zs"})


def is_blank(text: str) -> bool:
    """Whether nothing of ``text`` is sure to be seen; so of "" and of U+E000 alone."""
    return all(
        unicodedata.category(sign) in _WITHOUT_INK or _UNSEEN.match(sign) is not None
        for sign in text
    )


def drop_unseen(text: str) -> str:
    """``text`` without the characters that show nothing, such as a byte order mark; blanks stay."""
    return text if text.isascii() else _UNSEEN.sub("", text)


def given_text(text: str, pointer: str) -> str:
    """A text that may be left out, "" for a blank one; any character that people write may stand.

    Raises MalformedError: "control_character"; "text_damaged" where a character was lost before
    it came here.
    """
    if not text:
        return text
    _refuse_controls(text, pointer)
    return "" if is_blank(text) else text


def given_texts(struct: _Texts, names: Iterable[str], pointer: str) -> _Texts:
    """``struct`` with its fields of these ``names`` as ``given_text`` has them."""
    for name in names:
        text: str = getattr(struct, name)
        if text and not given_text(text, f"{pointer}/{name}"):
            struct = msgspec.structs.replace(struct, **{name: ""})
    return struct


def check_name(text: str, pointer: str) -> None:
    """Check a text that must be there.

    Raises MalformedError as ``given_text``, and "text_empty" for a blank one.
    """
    if is_blank(text):
        raise _empty(pointer)
    _refuse_controls(text, pointer)


def check_identifier(text: str, pointer: str) -> None:
    """As ``check_name``, and refuse all that cannot be told apart by looking at it.

    Raises MalformedError: "control_character" for what cannot be seen (U+200B, U+3000, U+2800),
    "identifier_ambiguous" for another spelling of the same: not composed (NFC), or with spaces
    at an end or beside each other.
    """
    check_name(text, pointer)
    for sign in () if text.isprintable() and not _UNSEEN.search(text) else text:
        if not sign.isprintable() or _UNSEEN.match(sign):
            raise MalformedError(
                "control_character",
                f"U+{ord(sign):04X} cannot be seen: an identifier shows all of itself",
                pointer=pointer,
            )
    if "  " in text or text != text.strip(" ") or not unicodedata.is_normalized("NFC", text):
        raise MalformedError("identifier_ambiguous", _ONE_SPELLING, pointer=pointer)


def plain_form(text: str) -> str:
    """What all share whose letters and digits are only drawn otherwise (NFKC): of ２, 2.

    Signs stay as they are: whoever writes Chinese writes （ and not (.
    """
    if text.isascii():
        return text
    runs = groupby(text, str.isalnum)
    parts = ((is_word, "".join(run)) for is_word, run in runs)
    return "".join(unicodedata.normalize("NFKC", run) if is_word else run for is_word, run in parts)


def check_till_name(text: str, pointer: str) -> None:
    """The one rule for what a till may be called, by whichever way it is named.

    As ``check_identifier``, "text_too_long", and "identifier_ambiguous" also for what is drawn
    otherwise than in its plain form, and for what cannot be a part of an address.

    Tills are typed by people, with keyboards that write ２ for 2, and what two of them are called
    keeps their orders apart: with two spellings, one till would be two.
    """
    check_identifier(text, pointer)
    if len(text) > LONGEST_TILL:
        raise MalformedError(
            "text_too_long", f"a till has at most {LONGEST_TILL} characters", pointer=pointer
        )
    if "/" in text or not text.strip("."):
        raise MalformedError(
            "identifier_ambiguous",
            "a till's name is a part of addresses: no /, and not of dots alone",
            pointer=pointer,
            detail_zh="收银台名称会出现在网址中：不能含有 /，也不能只有句点",
        )
    plain = plain_form(text)
    if text != plain:
        raise MalformedError(
            "identifier_ambiguous",
            f"a till's name has plain letters and digits (NFKC): write {plain}",
            pointer=pointer,
            detail_zh=f"收银台名称请使用半角等标准写法：{plain}",
        )


_BELOW: Final = re.compile(r"-[0-9]+(\.[0-9]+)?", re.ASCII)
_FORMULA: Final = re.compile(r"[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")


def harmless_cell(text: str) -> str:
    """A cell that a spreadsheet would run gets a leading apostrophe; numbers below 0 stay."""
    return f"'{text}" if _FORMULA.match(text) and not _BELOW.fullmatch(text) else text


def visible(text: str) -> str:
    """A text for terminals and logs: what would move a cursor or turn a line round is written out.

    As JSON writes it (``\\u001b``), so that JSON keeps its meaning. Line ends and tabs stay.
    """
    return text if text.isprintable() else _MOVES.sub(lambda at: f"\\u{ord(at[0]):04x}", text)


_ONE_SPELLING: Final = "an identifier is in composed form (NFC), its spaces single and inside"


def _refuse_controls(text: str, pointer: str) -> None:
    if _LOST in text:
        raise MalformedError(
            "text_damaged",
            f"U+FFFD stands where a character was lost (position {text.index(_LOST)}):"
            " whoever wrote this did not read it in its own encoding",
            pointer=pointer,
        )
    if text.isprintable():
        return
    found = _REFUSED.search(text)
    if found:
        raise MalformedError(
            "control_character",
            f"U+{ord(found[0]):04X} may not stand in a text (position {found.start()})",
            pointer=pointer,
        )


def _empty(pointer: str) -> MalformedError:
    return MalformedError(
        "text_empty", "it must be there, and nothing of it can be seen", pointer=pointer
    )
