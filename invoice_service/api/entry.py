"""What is said of an error code."""

from typing import NamedTuple


class Entry(NamedTuple):
    """One error code: HTTP status, and a sentence in each language."""

    status: int
    title: str
    title_zh: str
