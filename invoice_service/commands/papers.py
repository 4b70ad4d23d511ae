"""What ``fapiao verify`` says of a PDF that does not agree with the proof inside."""

import click
import msgspec

from chain.proof.verify import Evidence
from invoice_service.commands.output import print_json
from invoice_service.documents.paper.agreement import Difference, differences
from invoice_service.documents.paper.judging import CHANGED
from invoice_service.documents.paper.opened import Opened
from invoice_service.domain.verdict import Verdict

_PARTS = {
    "text": "the page's text",
    "code": "the code on the page",
    "proof": "the proof",
    "signature": "the signature",
}


def refuted(paper: Opened, evidence: Evidence, *, as_json: bool) -> bool:
    """Whether page or code say something else than the proof; if so, that is said."""
    found = differences(paper, evidence.hash, evidence.shown)
    if paper.changed:
        found.append(CHANGED)
    if found:
        _tell(evidence.hash, found, as_json=as_json)
    return bool(found)


def _tell(hash_: str, found: list[Difference], *, as_json: bool) -> None:
    if as_json:
        said = {"verdict": Verdict.MISMATCH.value, "hash": hash_, "agrees": False}
        print_json(said | {"differences": msgspec.to_builtins(found)})
        return
    click.secho(
        "mismatch: 不符 · the PDF says something else than the proof inside", fg="red", bold=True
    )
    for one in found:
        click.echo(f"  {_PARTS[one.part]}: {one.field} is {one.found or '?'}, proved {one.proved}")
