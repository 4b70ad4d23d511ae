"""``fapiao print``: one or two to a sheet, each with its proof inside."""

from pathlib import Path

from chain.proof.file import hidden_in, parse_proof
from tests.cli.town import Town
from tests.documents.paper.printing import read


def test_invoices_stand_on_paper_one_or_two_to_a_sheet(town: Town) -> None:
    hashes = [one["hash"] for one in town.sell(3)]
    town.run("anchor")
    assert town.run("print", *hashes, hashes[0], "-o", "one.pdf") == "one.pdf\n"
    assert town.run("print", *hashes, "--two-up", "-o", "two.pdf") == "two.pdf\n"
    for name, sheets in (("one.pdf", 3), ("two.pdf", 2)):
        texts, files = read(Path(name).read_bytes())
        assert len(texts) == sheets
        assert list(files) == [f"0000000{n}.fapiao.json" for n in (1, 2, 3)]
        assert {hidden_in(parse_proof(data)) for data in files.values()} == {()}


def test_what_cannot_be_printed_is_said_and_nothing_is_written(town: Town) -> None:
    assert "invoice_unknown" in town.refusal("print", "01" + "0" * 64, "-o", "x.pdf")
    town.refusal("print", "xyz", "-o", "x.pdf", status=2)
    assert not Path("x.pdf").exists()


def test_what_is_hidden_is_neither_on_the_paper_nor_in_its_proof(town: Town) -> None:
    [one] = town.sell(1)
    town.run("anchor")
    town.run("print", one["hash"], "--hide", "lines", "--hide", "buyer", "-o", "less.pdf")
    texts, files = read(Path("less.pdf").read_bytes())
    assert "（未显示）" in texts[0]
    assert [hidden_in(parse_proof(data)) for data in files.values()] == [("buyer", "lines")]
    assert town.asked("verify", "less.pdf")["verdict"] == "authentic"
