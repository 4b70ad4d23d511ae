"""Words of strangers on a terminal: a name is no markup, and moves no cursor; nor in a log."""

import io
import json
import logging
import re
import sqlite3
import sys
from contextlib import closing
from typing import Final

import pytest
import structlog

from chain.errors import Problem
from invoice_service.api.incidents import LOG_FORM
from invoice_service.cli import report_problem, run
from invoice_service.commands.output import Guarded
from invoice_service.processes.log_lines import OneEvent
from invoice_service.processes.logs import plain_logs
from tests.cli.test_remote import answering, problem_of
from tests.cli.town import Town

MARKUP: Final = "甲[/]乙[red]红[/red][link=https://evil.example]x[/link]:smile:"
MOVES: Final = "店\x1b[8m\x1b]0;bad\x07\x1b]52;c;eA==\x07\x9b2J\r\x08\u202e倒\u2066\u2028行\x7f"
CONTROLS: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
COMMANDS: Final = (
    ("merchants", "list"),
    ("merchants", "list", "--json"),
    ("merchants", "show", "1"),
    ("trail",),
    ("trail", "--json"),
    ("keys", "list", "--merchant", "1"),
    ("report", "--by", "merchant"),
)


def test_a_name_in_brackets_is_a_name(town: Town) -> None:
    tax_id = "914403001922038216"
    town.run(
        *("merchants", "add", "--tax-id", tax_id, "--name", MARKUP),
        *("--industry", "6210", "--district", "440303"),
    )
    town.run("keys", "create", "--merchant", tax_id, "--label", MARKUP)
    assert MARKUP in town.run("merchants", "list")
    assert MARKUP in town.run("keys", "list", "--merchant", tax_id)
    town.run("trail")


def test_whatever_stands_in_the_file_moves_no_cursor(town: Town) -> None:
    """No control gets in by our doors; who can write the file could still speak to a terminal."""
    town.run("keys", "create", "--merchant", "1", "--label", "a")
    with closing(sqlite3.connect(town.folder / "var/main/invoices.db")) as database, database:
        database.execute("UPDATE merchants SET name = ?", (MOVES,))
        database.execute("UPDATE api_keys SET label = ?", (MOVES,))
    for command in COMMANDS:
        _, out, err = town.tried(*command)
        assert CONTROLS.findall(out + err) == [], command
    (found,) = json.loads(town.run("merchants", "list", "--json"))
    assert found["merchant"]["name"] == MOVES, found


@pytest.mark.parametrize("as_json", [False, True])
def test_nor_does_what_another_service_answers(town: Town, *, as_json: bool) -> None:
    with answering(problem_of(422, f"qr_{MOVES}", MOVES)) as (url, _):
        options = ("--json",) if as_json else ()
        status, out, err = town.tried("verify", "01" + "0" * 64, "--url", url, *options)
    assert status != 0
    assert CONTROLS.findall(out + err) == []
    assert "\\u001b" in out + err


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        """Yes."""
        return True


def test_nor_does_a_file_of_another_service_that_is_shown(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    line = ("report", "--key", "fk_x", "--format", "csv")
    with answering((200, MOVES.encode() + b"\xff\n")) as (url, _):
        assert run([*line, "--url", url]) == 0
    assert CONTROLS.findall(terminal.getvalue()) == []
    assert terminal.getvalue().startswith("店\\u001b[8m")


def test_of_styles_our_own_are_passed_on(capsys: pytest.CaptureFixture[str]) -> None:
    guarded = Guarded(sys.stdout)
    guarded.write("\x1b[31m\x1b[1mred\x1b[0m \x1b[8mhidden\x1b[2J\n")
    guarded.writelines(["a\tb\n", "c\x00"])
    assert capsys.readouterr().out == (
        "\x1b[31m\x1b[1mred\x1b[0m \\u001b[8mhidden\\u001b[2J\na\tb\nc\\u0000"
    )
    with pytest.raises(TypeError):
        guarded.write(b"x")  # type: ignore[arg-type] # as click finds out what it has


def test_an_event_is_a_line_in_every_log(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever an error quotes: lines after the first are set in, controls written out."""
    forged = f"x\n2026-11-21 INFO anchored 7 invoices {MOVES}\udcff"
    before = structlog.get_config()
    try:
        plain_logs()
        structlog.get_logger().warning("issuer.request_unreadable", error=forged)
        try:
            raise ValueError(forged)
        except ValueError:
            structlog.get_logger().exception("issuing.batch_failed")
    finally:
        structlog.configure(**before)
    record = logging.LogRecord("x", logging.ERROR, "", 0, "stopped: %s", (forged,), None)
    wrapped = logging.Formatter("%(levelname)s %(message)s")
    said = [capsys.readouterr().out, OneEvent(wrapped).format(record)]
    web = structlog.wrap_logger(structlog.ReturnLogger(), processors=LOG_FORM)
    said.append(web.error("not answered", detail=forged))
    assert json.loads(said[-1])["detail"] == forged
    for text in said:
        assert CONTROLS.findall(text) == []
        assert not re.search(r"^2026-11-21 INFO", text, re.MULTILINE)
        assert "anchored 7 invoices" in text


def test_a_problem_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    guarded = Problem("x", MOVES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", Guarded(sys.stderr))
        report_problem(guarded, as_json=True)
    assert json.loads(capsys.readouterr().err)["detail"] == MOVES
