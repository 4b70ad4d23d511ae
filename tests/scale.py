"""How much of a large show one run of the tests does: a share of it, or with `make whole` all."""

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final, TypeVar

WHOLE: Final = os.environ.get("FAPIAO_TESTS") == "whole"
"""Whether this run is to show the large counts that docs and promises name."""

Much = TypeVar("Much")


def share(whole: Much, part: Much) -> Much:
    """Return how much: the ``whole``, or in a usual run the ``part`` that stands for it."""
    return whole if WHOLE else part


def every(nth: int, of: Iterable[Much]) -> Iterator[Much]:
    """Yield the first, and each so manieth after it; with ``make whole`` every one."""
    return islice(of, 0, None, share(1, nth))
