"""The largest numbers that are asked for from outside, the same at every door."""

from typing import Annotated, Final, TypeAlias

import msgspec

LARGEST: Final = 2**53 - 1
"""Of merchants, keys and invoices in order: what every JSON reader keeps exactly (RFC 8259 6)."""

Number: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=LARGEST)]
"""Of a person or a merchant, in what is sent."""

HIGHEST_BLOCK: Final = 10**15
"""Of blocks and entries: more than any log reaches."""
