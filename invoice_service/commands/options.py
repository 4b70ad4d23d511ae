"""What the options of commands share: numbers with bounds, and whose fault a bad text is."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import click

from chain.errors import MalformedError, Problem
from invoice_service.domain.bounds import HIGHEST_BLOCK, LARGEST

NUMBER: Final = click.IntRange(1, LARGEST)
"""A merchant's, a key's."""

AFTER: Final = click.IntRange(0, LARGEST)
"""From where on to list."""

BLOCK: Final = click.IntRange(0, HIGHEST_BLOCK)
"""A block's height."""


class WrongUsage(Exception):  # noqa: N818 # it is about what was typed, like click's UsageError
    """What was typed cannot be read: exit status 2, never the 1 that says no."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


@contextmanager
def as_typed() -> Iterator[None]:
    """What is malformed within stands on the command line, not in what is being judged."""
    try:
        yield
    except MalformedError as problem:
        raise WrongUsage(problem) from problem
