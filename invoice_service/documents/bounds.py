"""The bounds of a process that works on what anybody may have made."""

import resource
import struct
from typing import Final

DAMAGED: Final = (
    *(OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError, ArithmeticError),
    *(RuntimeError, struct.error),
)
"""What Pillow's readers raise for a file that is not what it says."""


def bound_this_process(memory: int, seconds: int) -> None:
    """Let it take so many bytes of address space and seconds of processor time, and write no file.

    It dies, or is refused, where it takes more; it leaves no core.
    """
    for kind, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))
