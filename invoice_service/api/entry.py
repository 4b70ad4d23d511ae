"""What is said of an error code."""

from typing import Literal, NamedTuple

Whom = Literal["customer", "merchant", "program", "official", "operator"]


class Entry(NamedTuple):
    """One error code: HTTP status, and a sentence in each language."""

    status: int
    title: str
    title_zh: str


class Remedy(NamedTuple):
    """``whom`` it concerns, and what they do."""

    whom: Whom
    text: str
    text_zh: str
