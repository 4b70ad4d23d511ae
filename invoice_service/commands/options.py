"""What commands share of their lines: numbers with bounds, files, and what is judged."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Final

import click

from chain.errors import MalformedError, VerificationError
from invoice_service.domain.bounds import HIGHEST_BLOCK, LARGEST

NUMBER: Final = click.IntRange(1, LARGEST)
"""A merchant's, a key's."""

AFTER: Final = click.IntRange(0, LARGEST)
"""From where on to list."""


BLOCK: Final = click.IntRange(0, HIGHEST_BLOCK)
"""A block's height."""


def key_id(text: str) -> str:
    """The id of a key in small letters; BadParameter for anything else."""
    if not re.fullmatch(r"[0-9A-Fa-f]{8}", text):
        raise click.BadParameter(f"{text!r} is not 8 hexadecimal digits")
    return text.lower()


@contextmanager
def judged() -> Iterator[None]:
    """What is malformed within is what was to be judged: the answer is no, not "wrong usage"."""
    try:
        yield
    except MalformedError as problem:
        raise VerificationError(
            problem.code, problem.detail, pointer=problem.pointer, **problem.extra
        ) from problem


def named_file(text: str) -> Path | None:
    """The file of that name; None where nothing has the name.

    Raises MalformedError ``file_unreadable`` for a folder, a device, or what may not be read.
    """
    if not text:
        return None
    path = Path(text)
    try:
        mode = path.stat().st_mode
    except PermissionError:
        raise _unreadable(path, "it stands in a folder that you may not enter") from None
    except (OSError, ValueError):  # nothing is there, or nothing could have this name
        return None
    if S_ISDIR(mode):
        raise _unreadable(path, "it is a folder: name a file in it")
    if not S_ISREG(mode):
        raise _unreadable(path, "it is a device or a pipe: save what it holds, and name that file")
    if not os.access(path, os.R_OK):
        raise _unreadable(path, "you may not read it")
    return path


def _unreadable(path: Path, why: str) -> MalformedError:
    return MalformedError("file_unreadable", f"{path} cannot be read: {why}")
