"""``fapiao verify`` of a PDF: with a server and without, whole and changed."""

import re
from pathlib import Path

import msgspec

from chain.commitment import parse_password_area
from invoice_service.config import load
from invoice_service.documents.paper.assemble import Printers
from invoice_service.documents.paper.job import Job
from invoice_service.documents.paper.typeset import typeset
from invoice_service.services.checking.prove import ALL_GROUPS
from invoice_service.services.records import own_invoice
from invoice_service.wiring import open_instance
from tests.cli.town import Town


def bent(town: Town, hash_: str) -> None:
    """Somebody's paper with more money on it."""
    instance = open_instance(load(town.folder / "config.toml", {}))
    printers = Printers(instance.store, instance.log, "https://fapiao.test", "")
    paper = printers.paper(
        own_invoice(instance.store, parse_password_area(hash_), None), ALL_GROUPS
    )
    instance.close()
    assert paper.proof is not None
    face = msgspec.structs.replace(paper.face, total="￥9,113.00")
    Path("bent.pdf").write_bytes(typeset(Job(faces=[face], attached=[paper.proof], made=0)))


def test_a_paper_is_checked_by_the_proof_inside_also_without_a_server(town: Town) -> None:
    one, two = town.sell(2)
    pending = town.run("print", one["hash"], "-o", "pending.pdf").strip()
    town.run("anchor")
    file = town.run("print", one["hash"], "-o", "one.pdf").strip()
    key = town.run("keys", "log").splitlines()[0]
    assert town.asked("verify", file)["verdict"] == "authentic"
    assert town.asked("verify", pending)["verdict"] == "authentic"  # by its code
    found = town.asked("verify", file, "--offline", "--key", key)
    assert (found["verdict"], found["hash"]) == ("authentic", one["hash"])
    bent(town, one["hash"])
    said = town.run("verify", "bent.pdf", "--offline", "--key", key, status=1)
    assert "the page's text: total is ￥9,113.00, proved ￥113.00" in said
    found = town.asked("verify", "bent.pdf", status=1)
    assert (found["verdict"], [one["field"] for one in found["differences"]]) == (
        "mismatch",
        ["total"],
    )
    # Whoever adds a script to it does not have it read by its code alone.
    data = Path("bent.pdf").read_bytes()
    scripted = re.sub(rb"/Type\s*/Catalog", b"/Type/Catalog/OpenAction<</S/JavaScript>>", data)
    assert scripted != data
    Path("bent.pdf").write_bytes(scripted)
    assert "pdf_active" in town.refusal("verify", "bent.pdf", status=2)
    both = town.run("print", one["hash"], two["hash"], "-o", "both.pdf").strip()
    assert "pdf_several" in town.refusal("verify", both, status=2)
