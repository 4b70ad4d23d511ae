"""What ``fapiao verify`` says of an act's proof file."""

from typing import Any, Final

import click
import msgspec

from chain.entry import format_time
from chain.proof.act import ActProof, is_act_proof, parse_act_proof, verify_act_proof
from chain.proof.file import MAX_PROOF_BYTES
from chain.signing.keys import TrustedKeys
from chain.signing.policy import Policy
from invoice_service.commands.memory import Remembering, seen_wire, tell_seen
from invoice_service.commands.options import named_file
from invoice_service.commands.output import print_json

_NAMES: Final = ("type", "at", "by", "subject", "before", "after", "reason", "previous")


def read_act(what: str) -> ActProof | None:
    """The act's proof in the file of that name; None if it is something else.

    Raises MalformedError as ``parse_act_proof``.
    """
    path = named_file(what)
    if path is None:
        return None
    with path.open("rb") as file:
        data = file.read(MAX_PROOF_BYTES + 1)
    return parse_act_proof(data) if is_act_proof(data) else None


def tell_act(
    proof: ActProof, keys: TrustedKeys, policy: Policy, seen: Remembering, *, as_json: bool
) -> None:
    """Check it and say what was decided; errors as ``verify_act_proof``."""
    found = verify_act_proof(proof, keys, policy)
    continued = seen.hold(proof.checkpoint, keys)
    document: dict[str, Any] = msgspec.json.decode(proof.document)
    if as_json:
        print_json(
            {
                "proved": "act",
                "act": found.commitment.hex(),
                "document": document,
                "origin": found.origin,
                "index": found.index,
                "block": found.height,
                "sealed_at": format_time(found.sealed_at),
                "log_size": found.size,
                "witnesses": found.witnesses,
            }
            | seen_wire(continued)
        )
        return
    click.secho("in the log", fg="green", bold=True, nl=False)
    click.echo(f": entry {found.index} of {found.size} in {found.origin}")
    for name in _NAMES:
        if name in document:
            click.echo(f"  {name:<9} {_words(document[name])}")
    for step in found.steps:
        click.echo(f"  {click.style('✓', fg='green')} {step.number} {step.name}: {step.text}")
    click.echo(f"true as of block {found.height}, sealed {format_time(found.sealed_at)}")
    if found.witnesses:
        click.echo(f"cosigned by {', '.join(found.witnesses)}")
    tell_seen(continued, found.size)
    click.echo("whether another act has changed it since, a list of newer ones says")


def _words(said: object) -> str:
    if isinstance(said, dict):
        return _shown(", ".join(f"{name} {value}" for name, value in said.items()))
    return _shown(str(said))


def _shown(text: str) -> str:
    """What a stranger wrote moves no cursor."""
    return "".join(char if char.isprintable() else "?" for char in text)
