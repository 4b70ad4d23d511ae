"""What messages and rows look like, worked out before threads ask for it."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Final

import msgspec

_known: Final[set[type[msgspec.Struct]]] = set()


def prepare_shapes() -> None:
    """Have msgspec work out every shape that is loaded, before a process has threads.

    It does so when a shape is first asked for, and keeps what it has found half-way: a second
    thread that asks meanwhile takes that for the whole, and brings the process down (msgspec 0.22).
    """
    for shape in _below(msgspec.Struct):
        if shape not in _known:
            _known.add(shape)
            with suppress(TypeError):  # never read: it holds what no message could
                msgspec.json.Decoder(shape)


def _below(base: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    for shape in base.__subclasses__():
        yield shape
        yield from _below(shape)
