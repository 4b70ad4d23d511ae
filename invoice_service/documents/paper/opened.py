"""What was read of a PDF, as it comes from the process that reads it."""

from typing import Final

import msgspec

ENDING: Final = ".fapiao.json"
"""How the name of a proof ends."""
MEMORY: Final = 200 << 20
"""Bytes of address space."""
SECONDS: Final = 2
"""Of processor time."""
MAX_BYTES: Final = 8 << 20
"""Two thousand long lines with their proof take a third."""
MAX_PAGES: Final = 130
"""What two thousand lines of the longest names come to."""


class Opened(msgspec.Struct, frozen=True, tag=True):
    """The text of each page, the codes on the first one, and the proof files inside.

    ``signed`` is whether somebody has signed it; ``changed``, that it is not as it was signed.
    """

    pages: list[str]
    codes: list[str]
    proofs: list[bytes]
    signed: bool = False
    changed: bool = False


class Refusal(msgspec.Struct, frozen=True, tag=True):
    """Why nothing was read."""

    code: str
    detail: str
