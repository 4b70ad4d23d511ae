"""The part of CBOR (RFC 8949) that a COSE receipt needs, in its deterministic spelling only."""

from typing import Final, TypeAlias

from chain.errors import MalformedError

Value: TypeAlias = "int | bytes | str | list[Value] | dict[int, Value] | Tagged | None"


class Tagged(tuple[int, Value]):
    """A tag's number, and the value that it stands before."""

    __slots__ = ()


UINT, NINT, BYTES, TEXT, ARRAY, MAP, TAG, OTHER = range(8)
_NULL: Final = 22
_NULL_BYTE: Final = bytes([OTHER << 5 | _NULL])
_DIRECT: Final = 24  # numbers below this stand in the first byte
_LONGEST: Final = 8  # bytes of a number
_DEEPEST: Final = 8


def encode(value: Value) -> bytes:
    """Return the value's bytes; the keys of a map, integers, in the order of their own bytes.

    MalformedError ``cbor`` for an integer that takes more than eight bytes.
    """
    match value:
        case None:
            return _NULL_BYTE
        case int():
            return _head(UINT, value) if value >= 0 else _head(NINT, -1 - value)
        case bytes():
            return _head(BYTES, len(value)) + value
        case str():
            raw = value.encode()
            return _head(TEXT, len(raw)) + raw
        case Tagged():
            return _head(TAG, value[0]) + encode(value[1])
        case list():
            return _head(ARRAY, len(value)) + b"".join(map(encode, value))
    pairs = sorted((encode(key), encode(item)) for key, item in value.items())
    return _head(MAP, len(value)) + b"".join(key + item for key, item in pairs)


def decode(data: bytes) -> Value:
    """Read what ``encode`` writes; MalformedError ``cbor`` for any other spelling or kind."""
    reader = _Reader(data)
    try:
        value = reader.value(_DEEPEST)
    except (UnicodeDecodeError, IndexError):
        raise _malformed() from None
    if encode(value) != data:
        raise _malformed()
    return value


def _head(kind: int, number: int) -> bytes:
    if number < _DIRECT:
        return bytes([kind << 5 | number])
    power = next((power for power in range(4) if number < 1 << (8 << power)), None)
    if power is None:
        raise _malformed()
    return bytes([kind << 5 | _DIRECT + power]) + number.to_bytes(1 << power, "big")


class _Reader:
    """Reads leniently, and makes nothing larger than what is there: ``decode`` compares."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def value(self, depth: int) -> Value:
        kind, number = self._head()
        if depth == 0:
            raise _malformed()
        match kind:
            case 0:
                return number
            case 1:
                return -1 - number
            case 2:
                return self._take(number)
            case 3:
                return self._take(number).decode()
            case 4:
                return [self.value(depth - 1) for _ in range(self._bounded(number))]
            case 5:
                return self._map(number, depth - 1)
            case 6:
                return Tagged((number, self.value(depth - 1)))
        if number != _NULL:
            raise _malformed()
        return None

    def _map(self, number: int, depth: int) -> dict[int, Value]:
        found: dict[int, Value] = {}
        for _ in range(self._bounded(number)):
            key = self.value(depth)
            if not isinstance(key, int):
                raise _malformed()
            found[key] = self.value(depth)
        return found

    def _head(self) -> tuple[int, int]:
        first = self._data[self._at]
        self._at += 1
        kind, number = first >> 5, first & 31
        if number < _DIRECT:
            return kind, number
        size = 1 << (number - _DIRECT)
        if size > _LONGEST:
            raise _malformed()
        return kind, int.from_bytes(self._take(size), "big")

    def _take(self, size: int) -> bytes:
        taken = self._data[self._at : self._at + size]
        self._at += size
        if len(taken) != size:
            raise _malformed()
        return taken

    def _bounded(self, number: int) -> int:
        if number > len(self._data):
            raise _malformed()
        return number


def _malformed() -> MalformedError:
    return MalformedError("cbor", "this is not CBOR in its deterministic spelling")
