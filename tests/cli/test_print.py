"""``fapiao print``: one or two to a sheet, each with its proof inside."""

from pathlib import Path

import pypdfium2

from chain.proof.file import hidden_in, parse_proof
from tests.cli.town import Town


def test_invoices_stand_on_paper_one_or_two_to_a_sheet(town: Town) -> None:
    hashes = [one["hash"] for one in town.sell(3)]
    town.run("anchor")
    assert town.run("print", *hashes, hashes[0], "-o", "one.pdf") == "one.pdf\n"
    assert town.run("print", *hashes, "--two-up", "-o", "two.pdf") == "two.pdf\n"
    one, two = pypdfium2.PdfDocument(Path("one.pdf")), pypdfium2.PdfDocument(Path("two.pdf"))
    assert (len(one), len(two)) == (3, 2)
    for document in (one, two):
        files = [document.get_attachment(n) for n in range(document.count_attachments())]
        assert [file.get_name() for file in files] == [f"0000000{n}.fapiao.json" for n in (1, 2, 3)]
        assert {hidden_in(parse_proof(bytes(file.get_data()))) for file in files} == {()}


def test_what_cannot_be_printed_is_said_and_nothing_is_written(town: Town) -> None:
    assert "invoice_unknown" in town.refusal("print", "01" + "0" * 64, "-o", "x.pdf")
    town.refusal("print", "xyz", "-o", "x.pdf", status=2)
    assert not Path("x.pdf").exists()
