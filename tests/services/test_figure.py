"""A figure made again from documents: it holds, or the first thing that does not fit is named."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chain.audit.finding import AuditError
from chain.errors import ConflictError, MalformedError, NotFoundError, RefusedError
from chain.signing.note import SignerKey
from invoice_service.services.figure import FigureCheck, check_figure
from invoice_service.services.reporting.given import question_of
from invoice_service.services.reporting.mix import mixed_report, report_parts
from invoice_service.services.reporting.question import ask
from tests.services.tampering import INVOICES, fill, flip, forge, tamper
from tests.services.town import Town

MIX = {"by": "day,merchant,rate"}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an instance that is in order."""
    folder = tmp_path_factory.mktemp("template")
    fill(folder)
    return folder


@pytest.fixture
def town(template: Path, tmp_path: Path) -> Iterator[Town]:
    """A copy of it, to be tampered with."""
    folder = tmp_path / "town"
    shutil.copytree(template, folder)
    town = Town(folder)
    town.now = town.log.block(4).sealed_at
    yield town
    town.close()


def _report(town: Town, **words: str) -> bytes:
    asked = ask({"at_block": "4", **(words or MIX)})
    return b"".join(report_parts(mixed_report(town.store.totals, town.log, asked)))


def _check(town: Town, report: bytes, **options: Any) -> FigureCheck:  # noqa: ANN401 # passed on
    keys = town.signer.verifier
    question = question_of(report)
    parts = town.store, town.store.totals, town.log, keys
    return check_figure(*parts, question, report, **options)


def _wrong(town: Town, report: bytes) -> tuple[str, str]:
    with pytest.raises(AuditError) as caught:
        _check(town, report)
    extra = caught.value.extra
    assert extra["expected"] != extra["found"]
    return str(extra["kind"]), str(extra["place"])


@pytest.mark.parametrize(
    "words",
    [
        MIX,
        {"by": "month", "compare": "before,year_before"},
        {"by": "merchant", "top": "1", "measure": "total"},
        {"by": "state,type"},
        {"by": "till", "rate": "0.06", "industry": "H"},
        {"by": "day", "measure": "net", "from": "2018-08-11", "to": "2018-08-11"},
    ],
)
def test_what_holds_is_proved_step_by_step(town: Town, words: dict[str, str]) -> None:
    report = _report(town, **words)
    told: list[int] = []
    found = _check(town, report, tell=told.append)
    numbers = dict(found.steps)
    one_day = "from" in words
    assert numbers["document"] == numbers["entry"] == (3 if one_day else INVOICES)
    assert numbers["root"] >= numbers["entry"] + (1 if one_day else 4)
    assert numbers["closing"] == (1 if one_day else 2)
    assert numbers["report"] == len(msgspec.json.decode(report)["rows"])
    assert found.unclosed == (0 if one_day else 1)
    assert found.report == report
    assert found.root == town.log.latest_checkpoint()[0].root.hex()
    assert told[-1] == numbers["document"]


def test_a_report_at_an_earlier_block_is_proved_under_the_newest_root(town: Town) -> None:
    report = _report(town, by="day,state", at_block="2")
    found = _check(town, report)
    assert dict(found.steps)["document"] == 8
    assert found.size == town.log.head().size


def test_the_empty_report_holds(tmp_path: Path) -> None:
    town = Town(tmp_path)
    town.settle_in()
    assert _check(town, _report(town, by="month", at_block="0")).steps[0].number == 0
    town.close()


LETTER = "replace({0}, '餐费', '餐贵')"


@pytest.mark.parametrize("group", ["face", "buyer", "lines"])
def test_a_document_of_which_one_letter_was_changed(town: Town, group: str) -> None:
    report = _report(town)
    invoice = town.store.invoice_at(3)
    assert invoice is not None
    changed = flip(getattr(invoice, group))
    tamper(town, f"UPDATE invoices SET {group} = ?, form = NULL WHERE seq = 3", values=[changed])
    if group == "buyer":  # in a column as it was sealed: then it cannot be read at all
        assert _wrong(town, report)[0] == "document"
    else:
        assert _wrong(town, report) == ("document", "3")


@pytest.mark.parametrize("column", ["amount", "tax", "total"])
def test_a_column_of_which_one_fen_was_changed(town: Town, column: str) -> None:
    report = _report(town)
    tamper(town, f"UPDATE invoices SET {column} = {column} + 1 WHERE seq = 5")
    assert _wrong(town, report) == ("document", "5")


def test_a_document_that_was_made_up_whole_is_not_the_entrys(town: Town) -> None:
    """Its digest, columns and sums fit each other: the log has another."""
    report = _report(town)

    def one_fen_more(face: dict[str, Any]) -> None:
        face["remark"] = "made up"

    forge(town, 3, one_fen_more)
    kind, place = _wrong(town, report)
    block = town.log.block(1)
    assert (kind, place) == ("entry", str(block.first + 2))


def test_an_invoice_that_has_gone(town: Town) -> None:
    report = _report(town)
    tamper(town, "PRAGMA foreign_keys = OFF", "DELETE FROM invoices WHERE seq = 12", changes=False)
    assert _wrong(town, report) == ("document", "12")


def test_an_entry_of_which_one_letter_was_changed(town: Town) -> None:
    report = _report(town)
    block = town.log.block(3)
    index = block.seal_index - 1
    tamper(town, f"UPDATE entries SET entry = flip(entry) WHERE idx = {index}", db="log")
    assert _wrong(town, report)[0] in {"entry", "root"}


def test_a_root_that_nobody_signed(town: Town) -> None:
    report = _report(town)
    town.signer = SignerKey.generate(town.signer.verifier.name, lambda size: bytes(range(size)))
    assert _wrong(town, report) == ("root", str(town.log.head().size))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE closings SET document = replace(document, '\"count\":1', '\"count\":2')",
        "UPDATE closings SET document = flip(document) WHERE day = '2018-08-10'",
        "UPDATE closings SET salt = flip(salt) WHERE day = '2018-08-10'",
        "DELETE FROM closings WHERE day = '2018-08-10'",
    ],
)
def test_a_closing_of_which_one_letter_was_changed(town: Town, statement: str) -> None:
    report = _report(town)
    tamper(
        town,
        statement.replace("replace(document", "CAST(replace(CAST(document AS TEXT)")
        .replace("'\"count\":2')", "'\"count\":2') AS BLOB)")
        .replace("TEXT),", "TEXT),")
        if "replace" in statement
        else statement,
    )
    assert _wrong(town, report) == ("closing", "2018-08-10")


SUMS = ("blue_count", "blue_amount", "blue_tax", "red_count", "red_amount", "red_tax")


@pytest.mark.parametrize("column", SUMS)
def test_a_totals_cell_of_which_one_fen_was_changed(town: Town, column: str) -> None:
    """The report that is made of it is not the one that its documents make."""
    keys = "SELECT id FROM span_keys WHERE cube = 1 AND industry = '6210'"
    day = "SELECT id FROM spans WHERE kind = 'day' AND name = '2018-08-10'"
    where = f"span = ({day}) AND cell = ({keys})"
    tamper(town, f"UPDATE span_cells SET {column} = {column} + 1 WHERE {where}")
    report = _report(town, by="class", from_="2018-08-10", to="2018-08-10")
    kind, place = _wrong(town, report)
    assert kind == "report"
    assert place.startswith("row class 6210, ")


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        (b'"count":3', b'"count":2', "row day 2018-08-1"),
        (b"2018-08-11", b"2018-08-12", "row day 2018-08-1"),
        (b'"currency":"CNY"', b'"currency":"CNX"', "whole, currency"),
        (b'"height":4', b'"height":3', ""),
    ],
)
def test_a_report_of_which_one_letter_was_changed(
    town: Town, old: bytes, new: bytes, place: str
) -> None:
    report = _report(town, by="day", measure="net")
    assert old in report
    kind, found = _wrong(town, report.replace(old, new, 1))
    assert kind == "report"
    assert found.startswith(place)


def test_a_row_that_was_left_out_and_one_that_was_put_in(town: Town) -> None:
    report = msgspec.json.decode(_report(town, by="day", measure="net"))
    first = report["rows"].pop(0)
    less = msgspec.json.encode(report, order="deterministic")
    assert _wrong(town, less) == ("report", "row day 2018-08-10")
    report["rows"] = [first, *report["rows"], {**first, "keys": {"day": "2018-08-19"}}]
    more = msgspec.json.encode(report, order="deterministic")
    assert _wrong(town, more) == ("report", "row day 2018-08-19")


def test_a_block_that_is_said_to_be_of_another_day(town: Town) -> None:
    report = _report(town)
    tamper(town, "UPDATE blocks_totalled SET day = '2018-08-11' WHERE height = 2")
    kind, place = _wrong(town, report)
    assert (kind, place) == ("entry", "block 1")


def test_too_many_are_refused(town: Town) -> None:
    with pytest.raises(RefusedError, match="check_too_large"):
        _check(town, _report(town), most=INVOICES - 1)
    _check(town, _report(town), most=INVOICES)


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b'{"version":2}', b"null"])
def test_what_is_no_report(text: bytes) -> None:
    with pytest.raises(MalformedError, match="report_malformed"):
        question_of(text)


def test_a_block_that_is_not_there_or_not_published(town: Town) -> None:
    report = _report(town)
    with pytest.raises(NotFoundError, match="block_unknown"):
        _check(town, report.replace(b'"height":4', b'"height":9'))
    head = town.log.head()
    town.log.sequence(head, [_entry()], sealed_at=town.now, cursor=head.cursor)
    tamper(town, "INSERT INTO blocks_totalled VALUES (5, '2018-08-12')")
    with pytest.raises(ConflictError, match="not_published"):
        _check(town, report.replace(b'"height":4', b'"height":5'))


def _entry() -> bytes:
    return b'{"anchor":"%s","kind":"invoice"}' % (b"ab" * 32)
