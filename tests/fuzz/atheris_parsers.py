"""``python -m tests.fuzz.atheris_parsers``: the same parsers, led by the coverage of the code.

`--seconds` says for how long; what is found stays in `--corpus` for the next run. An input that
gets anything but a Problem out of a parser ends the run, with an exit status that is not 0, and
stands in a file `crash-...` beside the corpus. Its first byte is the parser's place in the table,
the rest belongs into test_found.py.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import Random

import atheris

with atheris.instrument_imports(include=["chain", "invoice_service"]):
    from chain.errors import Problem
    from tests.fuzz.bending import bent
    from tests.fuzz.parser import Parser
    from tests.fuzz.parsers import PARSERS

LONGEST = 20_000
"""In bytes; what is longer is for tests.fuzz.huge."""

FAST = tuple(parser for parser in PARSERS if "key file" not in parser.name)
"""Those without scrypt: it would take nearly all the time."""


class UnknownCodeError(Exception):
    """A parser refused its input by a code that nobody knows."""


def one_input(data: bytes) -> None:
    """What libFuzzer calls: the parser's place in the table, then its input."""
    if not data:
        return
    parser = _parser(data)
    try:
        parser.read(data[1:])
    except Problem as problem:
        if problem.code not in parser.codes:
            raise UnknownCodeError(f"{parser.name}: {problem}") from problem


def bent_input(data: bytes, longest: int, seed: int) -> bytes:
    """Another input for the same parser: bent by us, or by libFuzzer."""
    chance = Random(seed)
    if not data or chance.random() < 0.5:
        changed: bytes = atheris.Mutate(data, longest)
        return changed
    return (data[:1] + bent(data[1:], _parser(data).seeds, chance))[:longest]


def write_seeds(corpus: Path) -> None:
    """The good inputs, each behind its parser's place."""
    corpus.mkdir(parents=True, exist_ok=True)
    for place, parser in enumerate(FAST):
        for number, seed in enumerate(parser.seeds):
            (corpus / f"seed-{place}-{number}").write_bytes(bytes([place]) + seed[:LONGEST])


def fuzz(corpus: Path, seconds: int) -> None:
    """Look for ``seconds``; this ends the program."""
    write_seeds(corpus)
    options = [
        *(f"-max_total_time={seconds}", f"-max_len={LONGEST}", "-timeout=20", "-rss_limit_mb=1024"),
        *("-close_fd_mask=0", "-print_final_stats=1", f"-artifact_prefix={corpus.parent}/"),
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus)], one_input, custom_mutator=bent_input)
    atheris.Fuzz()


def _parser(data: bytes) -> Parser:
    return FAST[data[0] % len(FAST)]


def main(arguments: Sequence[str]) -> None:
    """Read the command line, and go."""
    command = argparse.ArgumentParser(description="fuzz every parser, led by coverage")
    command.add_argument("--seconds", type=int, default=60)
    command.add_argument("--corpus", type=Path, default=None, help="default: a new folder")
    said = command.parse_args(arguments)
    corpus = said.corpus or Path(tempfile.mkdtemp(prefix="fuzz-")) / "corpus"
    fuzz(corpus.resolve(), said.seconds)


if __name__ == "__main__":
    main(sys.argv[1:])
