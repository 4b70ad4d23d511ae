"""The command line as such: names, help, errors, exit statuses."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from invoice_service.cli import COMMANDS, run
from invoice_service.config import load
from invoice_service.inventory import shut_folders
from tests.cli.town import Town

DESIGN = [
    "init",
    "serve",
    "demo",
    "merchants",
    "keys",
    "issue",
    "anchor",
    "verify",
    "proof",
    "report",
    "audit",
    "export",
    "replay",
]


def test_every_command_of_the_design_is_there_with_help(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert set(DESIGN) <= set(COMMANDS)
    assert run(["--help"]) == 0
    listed = capsys.readouterr().out
    for name in DESIGN:
        assert f"\n  {name} " in listed
        assert run([name, "--help"]) == 0
    assert "issuer" not in listed  # only the process tree calls it


def test_every_command_is_in_the_operators_manual() -> None:
    manual = Path("docs/operations.md").read_text(encoding="utf-8")
    for name in DESIGN:
        assert f"`fapiao {name}" in manual, name


def test_the_offline_verifier_needs_no_web_framework_and_no_celery() -> None:
    code = (
        "import sys; from invoice_service.cli import run; run(['verify', '--help']);"
        "print(*sorted({'flask', 'celery', 'openpyxl', 'httptools'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == ""


def test_wrong_usage_is_2_with_a_hint(empty: Town) -> None:
    assert "No such option" in empty.refusal("report", "--form", status=2)
    assert "No such command" in empty.refusal("repord", status=2)


def test_what_is_not_there_yet_is_3(empty: Town) -> None:
    for command in (["anchor"], ["serve"], ["report"], ["audit"], ["keys", "log"]):
        assert empty.refusal(*command, status=3).startswith("error: not_initialised: ")


def test_an_error_is_one_line_or_one_json_object(empty: Town) -> None:
    line = empty.refusal("verify", "nothing.png", status=2)
    assert line == "error: file_missing: there is no file nothing.png\n"
    assert empty.refusal("verify", "nothing.png", "--json", status=2) == (
        '{"code":"file_missing","detail":"there is no file nothing.png","pointer":""}\n'
    )


def test_wrong_settings_are_named(empty: Town) -> None:
    (empty.folder / "config.toml").write_text("[web]\nprot = 80\n")
    assert "prot" in empty.refusal("init", status=2)
    assert not (empty.folder / "var").exists()


def test_settings_elsewhere_count_from_their_own_folder(empty: Town) -> None:
    place = empty.folder / "elsewhere"
    place.mkdir()
    (place / "mine.toml").write_text('[service]\ndata_dir = "data"\n')
    empty.run("--config", str(place / "mine.toml"), "init")
    assert (place / "data" / "log.db").exists()


def test_init_warns_about_the_keys_and_never_makes_an_instance_twice(empty: Town) -> None:
    said = empty.run("init")
    assert "Back up" in said
    assert (empty.folder / "var/main/keys/log.key").stat().st_mode & 0o777 == 0o600
    key = (empty.folder / "var/main/keys/log.key").read_bytes()
    assert empty.refusal("init").startswith("error: already_initialised")
    assert empty.run("init", "--if-missing") == ""
    assert (empty.folder / "var/main/keys/log.key").read_bytes() == key


def test_nothing_but_what_is_published_is_anybodys_to_read(town: Town) -> None:
    """Files of an older release too, once the instance is made whole or served again."""
    town.sell(1)
    town.run("anchor")
    place = town.folder / "var/main"
    for path in place.rglob("*"):
        shown = path.is_dir() or path.suffix in {".vkey", ".note"} or place / "log" in path.parents
        assert shown or path.stat().st_mode & 0o077 == 0, path
    (place / "log.db").chmod(0o644)
    shut_folders(load(town.folder / "config.toml", {}))
    assert (place / "log.db").stat().st_mode & 0o777 == 0o600


def test_the_version_is_the_projects() -> None:
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    done = subprocess.run(
        [sys.executable, "-m", "invoice_service.cli", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"fapiao {project['version']}\n"


def test_a_reader_that_goes_away_is_no_error(town: Town) -> None:
    town.sell(200)
    export = "from invoice_service.cli import main; import sys; sys.argv[1:]=['export']; main()"
    command = f'{sys.executable} -c "{export}" | head -c 10'
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=True, cwd=town.folder
    )
    assert done.stdout == '{"seq":1,"'
    assert done.stderr == ""
