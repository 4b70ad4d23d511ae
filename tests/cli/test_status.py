"""Only the answer decides an exit status: not the terminal, not the disk, not how it was asked."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from invoice_service.cli import INTERRUPTED, OUR_FAULT, READER_GONE, UNAVAILABLE, WRONG_USAGE, run
from invoice_service.commands import report as report_command
from tests.cli.town import TAX_ID, Town

HUGE = "99999999999999999999"
LAUNCH = "from invoice_service.cli import main; main()"


def launched(
    town: Town, arguments: Sequence[str], **environ: str
) -> "subprocess.CompletedProcess[bytes]":
    """The command in a process of its own, its output caught as bytes."""
    return subprocess.run(
        [sys.executable, "-c", LAUNCH, *arguments],
        cwd=town.folder,
        env=os.environ | environ,
        capture_output=True,
        check=False,
    )


@pytest.fixture
def proof(town: Town) -> tuple[str, ...]:
    """The command line that verifies a good proof, offline."""
    (issued,) = town.sell(1)
    town.run("anchor")
    town.run("proof", issued["hash"], "--output", "one.json")
    key = town.run("keys", "log").splitlines()[0]
    return ("verify", "one.json", "--offline", "--key", key)


@pytest.mark.parametrize("encoding", ["gbk", "ascii", "latin-1", "utf-8"])
def test_a_terminal_without_the_letters_changes_no_verdict(
    town: Town, proof: tuple[str, ...], encoding: str
) -> None:
    done = launched(town, proof, PYTHONIOENCODING=encoding, PYTHONUTF8="0")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"authentic: ")
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("encoding", ["gbk", "ascii"])
def test_a_table_is_printed_in_any_encoding(town: Town, encoding: str) -> None:
    town.sell(1)
    town.run("anchor")
    done = launched(town, ["report"], PYTHONIOENCODING=encoding, PYTHONUTF8="0")
    assert (done.returncode, done.stderr) == (0, b"")
    done = launched(town, ["merchants", "list"], PYTHONIOENCODING=encoding, PYTHONUTF8="0")
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_full_disk_is_not_the_answer_no(town: Town, proof: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", LAUNCH, *proof],
            cwd=town.folder,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == UNAVAILABLE
    assert b"No space left" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_reader_that_has_gone_is_not_the_answer_no(town: Town, proof: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", LAUNCH, *proof],
        cwd=town.folder,
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (READER_GONE, b"")


def test_without_any_output_the_answer_stands(town: Town, proof: tuple[str, ...]) -> None:
    command = [sys.executable, "-c", LAUNCH, *proof]
    done = subprocess.run(
        ["bash", "-c", 'exec "$@" >&- 2>&-', "-", *command], cwd=town.folder, check=False
    )
    assert done.returncode == 0


@pytest.mark.parametrize("option", ["--key", "--policy"])
def test_what_is_malformed_on_the_command_line_is_no_forgery(
    town: Town, proof: tuple[str, ...], option: str
) -> None:
    (town.folder / "odd").write_text("witness of nothing\n")
    line = ["verify", "one.json", "--offline", *proof[3:], option, "odd"]
    assert run(line) == WRONG_USAGE
    for command in (
        ["verify", "one.json", "--key", "nonsense"],
        ["mirror", "http://127.0.0.1:9", "copy", "--key", "nonsense"],
    ):
        assert run(command) == WRONG_USAGE, command


@pytest.mark.parametrize(
    "line",
    [
        ("report", "--from", "2026-13-01"),
        ("report", "--from", "2026-12-02", "--to", "2026-12-01"),
        ("trail", "--from", "2026-13-01"),
        ("verify", "missing.pdf"),
        ("verify", "."),
        ("verify", "/dev/null"),
        ("verify", "torn.png"),
        ("verify", "torn.pdf"),
        ("verify", "torn.json"),
        ("verify", "torn.json", "--url", "no address"),
        ("verify", "nonsense"),
        ("proof", "nonsense"),
        ("proof", "--from", "torn.json"),
        ("issue", "torn.csv", "--merchant", "1"),
        ("issue", "orders.csv", "--url", "no address", "--key", "x"),
        ("merchants", "add", "--tax-id", "1", "--name", "x", "--industry", "1", "--district", "1"),
        ("merchants", "quota", "1", "many"),
        ("keys", "create", "--official", "--label", "\x01"),
        ("keys", "list-log", "--requests", "0", "--contact", "x"),
        ("keys", "rotate-log", "--stolen", "nonsense"),
        ("audit", "--mirror", "missing"),
        ("audit", "--mirror", ".", "--key", "nonsense"),
        ("audit", "--promise", "torn.json", "--mirror", "."),
        ("mirror", "no address", "copy", "--key", "nonsense"),
        ("clock", "confirm", "yesterday"),
        ("replay", "--invoices", "many"),
        ("export", "--format", "docx"),
        ("witness", "init"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_read_was_not_judged(town: Town, line: tuple[str, ...]) -> None:
    """Neither a yes nor a no: 2, for every command."""
    town.sell(1)
    for ending in ("png", "pdf", "json", "csv"):
        (town.folder / f"torn.{ending}").write_bytes(b"%PDF-1.7" if ending == "pdf" else b"\x89P")
    assert "Traceback" not in town.refusal(*line, status=WRONG_USAGE)


def test_a_witness_has_its_own_status_and_help(town: Town) -> None:
    """Its commands are another program's: what they say of themselves is kept."""
    status, said, _ = town.tried("witness", "--help")
    assert status == 0
    assert said.startswith("usage: fapiao witness ")
    town.run("witness", "init", "--name", "w.example", "w")
    assert "witness_exists" in town.refusal("witness", "init", "--name", "w", "w", status=2)


def test_wrong_settings_are_not_the_answer_no(town: Town, proof: tuple[str, ...]) -> None:
    (town.folder / "config.toml").write_text("[web]\nprot = 80\n")
    assert run(["verify", "one.json"]) == WRONG_USAGE


@pytest.mark.parametrize(
    "line",
    [
        ("report", "--at-block", HUGE),
        ("export", "--after", HUGE),
        ("export", "--merchant", HUGE),
        ("keys", "revoke", HUGE),
        ("keys", "revoke", "-1"),
        ("merchants", "quota", "1", HUGE),
        ("merchants", "add", "--quota", HUGE),
        ("people", "remove", HUGE),
        ("keys", "rotate", HUGE, "--merchant", "1"),
    ],
    ids=" ".join,
)
def test_numbers_have_the_bounds_of_the_other_doors(town: Town, line: tuple[str, ...]) -> None:
    assert "Traceback" not in town.refusal(*line, status=WRONG_USAGE)


def test_the_last_day_of_all_ends_too(town: Town) -> None:
    town.run("trail", "--from", "0001-01-01", "--to", "9999-12-31")


NO_TEXT = "\udcff"
"""A byte that is no character, as Python has it of a command line."""


@pytest.mark.parametrize(
    "line",
    [
        ("merchants", "suspend", NO_TEXT),
        ("people", "list", "--merchant", NO_TEXT),
        ("trail", "--subject", NO_TEXT),
        ("trail", "--actor", NO_TEXT, "--json"),
        ("keys", "list", "--merchant", NO_TEXT),
        ("verify", NO_TEXT, "--json"),
        ("verify", f"{NO_TEXT}.json", "--json"),
    ],
    ids=str,
)
def test_bytes_that_are_no_text_are_wrong_usage(town: Town, line: tuple[str, ...]) -> None:
    assert "Traceback" not in town.refusal(*line, status=WRONG_USAGE)


@pytest.mark.parametrize("as_json", [False, True])
def test_a_file_may_have_a_name_that_is_no_text(town: Town, as_json: bool) -> None:
    town.sell(1)
    (town.folder / "orders.csv").rename(town.folder / f"{NO_TEXT}.csv")
    line = ("issue", f"{NO_TEXT}.csv", "--merchant", TAX_ID)
    said = town.asked(*line) if as_json else town.run(*line)
    assert "?.csv" in str(said)


def test_a_fault_of_ours_is_told_from_a_no(
    town: Town, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    town.sell(1)
    town.run("anchor")
    monkeypatch.setattr(report_command, "print_report", lambda _totals: 1 // 0)
    assert run(["report"]) == OUR_FAULT
    assert "ZeroDivisionError" in capsys.readouterr().err
    monkeypatch.setattr(report_command, "print_report", _interrupt)
    assert run(["report"]) == INTERRUPTED


def _interrupt(_totals: object) -> None:
    raise KeyboardInterrupt
