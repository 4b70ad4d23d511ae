"""``python -m tests.fuzz.huge``: every parser on inputs that are far too long, in little memory.

Prints each parser's codes as JSON. The caller limits processor time and memory; inputs on which
a parser's work grows faster than their length use up the one, copies of copies the other.
"""

import json
import resource
import sys
from collections.abc import Iterator

from chain.errors import Problem
from tests.fuzz.parser import Parser
from tests.fuzz.parsers import PARSERS
from tests.scale import every

LONG = 4_500_000
"""In bytes: more than any of the formats allows."""

MEMORY = 1 << 30
"""In bytes: for this program with all that it has imported."""

PROCESSOR_SECONDS = 120

PIECES = (
    *(
        b"\n",
        b"A",
        b"9",
        b"0",
        b" ",
        b'"',
        b"\\",
        b"[",
        b"{",
        b'{"a":',
        b"[],",
        b'"a",',
        b"\\u0041",
    ),
    *(b"\x00", b"\xff", b"\xe2\x80\x94 ", b"+", b",", b"=", b".a", b"x000/", b"\n\n", b"1,"),
    *("\u2014 a AAAAAAAAAAAA\n".encode(), b"# a\n", b"group a 1 b\n", b"e\xcc\x81"),
)


def inputs(parser: Parser) -> Iterator[bytes]:
    """A piece, and each seed's beginning, middle or end, again and again."""
    for piece in PIECES:
        yield piece * (LONG // len(piece))
    seed = parser.seeds[0]
    for piece in (seed, seed[: len(seed) // 2], *seed.split(b"\n")[:3], *seed.split(b"\n")[-3:]):
        yield piece * (LONG // max(1, len(piece)))
        for length in (100_000, 900_000, LONG):  # below the limits of some formats, above others'
            yield seed + piece * (length // max(1, len(piece)))
            yield seed[:-1] + b" " * length + seed[-1:]


def main() -> int:
    """Read them all; whatever is no Problem ends this program."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_SECONDS, PROCESSOR_SECONDS))
    found: dict[str, list[str]] = {}
    for parser in PARSERS:
        codes = set()
        for data in every(2, inputs(parser)):
            try:
                parser.read(data)
                codes.add("ok")
            except Problem as problem:
                codes.add(problem.code)
        found[parser.name] = sorted(codes)
    sys.stdout.write(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
