"""What a parser is to the fuzzing: good inputs, how each is read, the codes of its refusals."""

from collections.abc import Callable
from dataclasses import dataclass

from chain.errors import Problem


@dataclass(frozen=True)
class Parser:
    """One parser; ``codes`` are all those by which it refuses anything whatever."""

    name: str
    read: Callable[[bytes], None]
    seeds: tuple[bytes, ...]
    codes: frozenset[str]


class OtherSpellingError(Exception):
    """A parser took an input for a value that it would write in another way."""


def same(write: Callable[[], bytes | str], data: bytes | str) -> None:
    """Refuse a value whose canonical bytes are not those that were read, or that has none."""
    try:
        again = write()
    except Problem as problem:
        raise OtherSpellingError(f"{data!r} was read, and cannot be written") from problem
    if again != data:
        raise OtherSpellingError(f"{data!r} was read as {again!r}")


def text_of(data: bytes) -> str:
    """The text that a command line or an environment makes of bytes: half characters and all."""
    return data.decode("utf-8", "surrogateescape")


def void(_value: object) -> None:
    """What was read is not looked at: its format has no canonical spelling."""
