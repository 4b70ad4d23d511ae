"""What a text on an invoice may hold: it is printed, hashed and searched as it was given."""

import re

from chain.errors import MalformedError

# Line ends and other controls would forge lines of a printed slip, of CSV or of a header; the
# bidirectional ones make a line read otherwise than it is stored; the rest is not text at all.
_REFUSED = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def check_text(text: str, pointer: str) -> None:
    """Refuse controls with MalformedError "control_character"; every other character may stand."""
    if text.isprintable():
        return
    found = _REFUSED.search(text)
    if found:
        raise MalformedError(
            "control_character",
            f"U+{ord(found[0]):04X} may not stand in a text (position {found.start()})",
            pointer=pointer,
        )


def check_name(text: str, pointer: str) -> None:
    """Refuse a name of blanks only with MalformedError "text_empty", and controls."""
    if not text.strip():
        raise MalformedError("text_empty", "there is nothing but blanks", pointer=pointer)
    check_text(text, pointer)


def check_identifier(text: str, pointer: str) -> None:
    """Refuse all that cannot be seen (also U+200B, U+3000): two names never look the same."""
    if text.isprintable():
        return
    check_text(text, pointer)
    raise MalformedError(
        "control_character", "only printable characters may stand in an identifier", pointer=pointer
    )
