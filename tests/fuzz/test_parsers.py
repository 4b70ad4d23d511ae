"""Whatever comes in: a value in its one spelling, or a Problem with a code that is known."""

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chain.errors import Problem
from tests.fuzz import EXAMPLES
from tests.fuzz.bending import bent
from tests.fuzz.parser import Parser
from tests.fuzz.parsers import PARSERS

every_parser = pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.name)
looking = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def outcome(parser: Parser, data: bytes) -> str:
    """The code of the refusal, "ok" for what was accepted; anything else fails the test."""
    try:
        parser.read(data)
    except Problem as problem:
        code = problem.code
    else:
        code = "ok"
    assert code in {*parser.codes, "ok"}, parser.name
    return code


@every_parser
def test_what_the_bends_start_from(parser: Parser) -> None:
    assert {outcome(parser, seed) for seed in parser.seeds} <= {"ok", "mirror_missing"}


@every_parser
@looking
@given(chance=st.randoms(use_true_random=True), start=st.integers(0, 7))
def test_a_bent_input_is_read_in_one_spelling_or_refused(
    parser: Parser, chance: Random, start: int
) -> None:
    outcome(parser, bent(parser.seeds[start % len(parser.seeds)], parser.seeds, chance))


@every_parser
@looking
@given(data=st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode()))
def test_any_input_is_read_in_one_spelling_or_refused(parser: Parser, data: bytes) -> None:
    outcome(parser, data)


def test_the_bends_reach_every_code() -> None:
    """Or nearly all inputs would be refused at the door, and the rest of a parser never be met."""
    reached: set[str] = set()
    for parser in reversed(PARSERS):  # those that sign what they read come to the most codes
        wanted = {"ok", *parser.codes} - ELSEWHERE - reached
        found: set[str] = set()
        for n in range(100 if "key file" in parser.name else 1000):
            seed = parser.seeds[n % len(parser.seeds)]
            found.add(outcome(parser, bent(seed, parser.seeds, Random(n))))
            if wanted <= found:
                break
        assert "ok" in found, f"no bent {parser.name} is accepted"
        reached |= found - {"ok"}
    everything = {code for parser in PARSERS for code in parser.codes}
    assert everything - reached <= ELSEWHERE


ELSEWHERE = {
    *("proof_too_long", "tlog_proof_too_long", "body_too_large"),  # test_huge
    *("entry_kind", "reversal_mismatch", "seal_kind", "seal_place", "seal_not_newest"),
    *("state_depth", "state_elsewhere", "state_shape"),  # in logs that lie: test_differential
    *("lone_surrogate", "too_many_lines", "consistency_sizes", "no_fork", "key_file_cost"),
    *("identifier_ambiguous", "query_malformed", "price_twice"),
    *("qr_ordinary_vat", "key_unreadable", "key_ambiguous"),
    "receipt_size",  # test_receipt
    "tree_size",  # of a promise: its count is signed
    *("statement_order", "statement_contradicts", "statement_unsigned", "statement_untrusted"),
}
"""Codes that chance seldom meets."""
