"""What ``fapiao verify`` remembers of the logs whose checkpoints it was shown."""

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from chain.audit.continuity import ask_log
from chain.audit.evidence import fork_evidence
from chain.proof.memory import (
    Ask,
    Continued,
    ForkedError,
    Memory,
    default_place,
    remember,
    told,
)
from chain.signing.keys import TrustedKeys


def memory_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--memory``, ``--no-memory`` and ``--log``, as ``python -m chain verify`` has them."""
    file = click.Path(path_type=Path, dir_okay=False)
    for option in (
        click.option("--log", help="Of a proof: ask the log, or a mirror, whether it continues."),
        click.option("--no-memory", is_flag=True, help="Of a proof: remember nothing."),
        click.option("--memory", type=file, help="Of a proof: the file with what was seen before."),
    ):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class Remembering:
    """Where checkpoints are remembered, if they are; and who is asked whether they continue."""

    memory: Memory | None
    log: str | None

    def hold(self, note: bytes, keys: TrustedKeys) -> Continued | None:
        """Hold a proof's checkpoint against those before; None where nothing is remembered.

        Says on the error output when it should be remembered and cannot be.
        Raises ForkedError; MalformedError ``memory_damaged``; UnavailableError.
        """
        if self.memory is None:
            return None
        continued = remember(self.memory, note, keys, self._ask(keys), _proving(keys))
        if continued.unkept:
            click.echo(f"nothing is remembered of this checkpoint: {continued.unkept}", err=True)
        return continued

    def _ask(self, keys: TrustedKeys) -> Ask | None:
        where = self.log
        return None if where is None else lambda seen: ask_log(where, keys, seen)


def remembering(memory: Path | None, log: str | None, *, nothing: bool) -> Remembering:
    """As the options say. Raises UsageError where they contradict each other."""
    if nothing and (memory is not None or log is not None):
        raise click.UsageError("--no-memory remembers nothing: not with --memory or --log")
    return Remembering(None if nothing else Memory(memory or default_place(os.environ)), log)


def refuse_memory(memory: Path | None, log: str | None) -> None:
    """Raise UsageError: what is asked about has no checkpoint that could be remembered."""
    if memory is not None or log is not None:
        raise click.UsageError("--memory and --log need a proof: only that has a checkpoint")


def tell_seen(continued: Continued | None, size: int) -> None:
    """What was seen before, below a verdict."""
    if continued is not None:
        for line in told(continued, size):
            click.echo(f"  seen: {line}")


def seen_wire(continued: Continued | None) -> dict[str, Any]:
    """The same for programs: ``memory``, if anything is remembered."""
    return {} if continued is None else {"memory": asdict(continued)}


def _proving(keys: TrustedKeys) -> Callable[[ForkedError], bytes]:
    return lambda forked: fork_evidence(*forked.notes, None, keys)
