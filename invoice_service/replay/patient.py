"""Waiting for the database for as long as it takes: nobody waits for a simulated city's answer."""

from collections.abc import Callable
from typing import TypeVar

from chain.errors import UnavailableError

Result = TypeVar("Result")


def patiently(action: Callable[[], Result]) -> Result:
    """Do it, again and again while the database is busy: on a machine with other work it may be.

    ``database_busy`` says that nothing was stored; whatever else is raised comes out.
    """
    while True:
        try:
            return action()
        except UnavailableError as error:
            if error.code != "database_busy":
                raise
