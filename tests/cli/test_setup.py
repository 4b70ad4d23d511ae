"""``fapiao setup`` without a terminal and on one; the address while it can be changed."""

import os
import pty
import select
import signal
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest

from invoice_service.cli import main
from tests.cli.town import TAX_ID, Town
from tests.documents.printer import Printer
from tests.patience import PATIENCE
from tests.web.people.visitors import OTHER_PASSWORD, PASSWORD

ALL = (
    *("--admin-name", "陈", "--merchant-name", "深圳旋转餐厅", "--tax-id", TAX_ID),
    *("--owner-name", "张三", "--item", "*餐饮服务*拿铁", "--price", "28.5"),
)


@pytest.fixture
def passwords(empty: Town) -> tuple[str, str]:
    """The option that names a file of both."""
    (empty.folder / "passwords").write_text(f"{PASSWORD}\n{OTHER_PASSWORD}\n")
    return ("--passwords", str(empty.folder / "passwords"))


def test_all_of_it_by_options(empty: Town, passwords: tuple[str, str]) -> None:
    slip = empty.folder / "slip.bin"
    found = empty.asked("setup", *ALL, *passwords, "--slip", str(slip))
    assert found["total"] == 2850
    assert found["link"].startswith("https://fapiao.test/verify/scan?hash=")
    assert any("拿铁" in line.text for line in Printer(384).take(slip.read_bytes()).lines)
    assert [one["login"] for one in empty.asked("people", "list")] == ["admin@bureau"]
    assert empty.asked("people", "list", "--merchant", "1")[0]["login"] == "owner@1"
    acts = empty.run("trail", "--type", "setup")
    assert "finished" in acts
    assert "setup_over" in empty.refusal("setup", *ALL, *passwords)
    assert "setup_over" in empty.refusal("setup", "--link")


def test_the_slip_is_shown(empty: Town, passwords: tuple[str, str]) -> None:
    said = empty.run("setup", *ALL, *passwords)
    for words in ("28.50", "深圳旋转餐厅", "Back up", "/sign-in", "serve"):
        assert words in said


def test_what_is_missing_is_named_at_once_and_nothing_is_made(empty: Town) -> None:
    said = empty.refusal("setup", "--admin-name", "陈", status=2)
    assert said.startswith("error: setup_incomplete")
    for option in ("--passwords", "--merchant-name", "--tax-id", "--owner-name", "--price"):
        assert option in said
    assert "--admin-name" not in said
    assert "--rate" not in said
    assert empty.asked("people", "list") == []


def test_it_goes_on_where_it_was_left(empty: Town, passwords: tuple[str, str]) -> None:
    bad = empty.refusal("setup", *ALL, *passwords, "--price", "1.234", status=2)
    assert "price_invalid" in bad
    assert empty.asked("setup", *ALL[-4:], *passwords, "--owner-name", "x")["total"] == 2850


def test_a_doubtful_tax_id_has_to_be_compared(empty: Town, passwords: tuple[str, str]) -> None:
    odd = ("--tax-id", "914403006188102112")
    assert "tax_id_doubtful" in empty.refusal("setup", *ALL, *passwords, *odd, status=2)
    assert empty.asked("setup", *ALL, *passwords, *odd, "--compared")["number"]


def test_a_link_for_the_browser(empty: Town) -> None:
    empty.run("init")
    first, second = (empty.run("setup", "--link") for _ in range(2))
    assert "https://fapiao.test/setup?code=" in first
    assert first != second


def public_url(town: Town) -> str:
    found: str = tomllib.loads((town.folder / "config.toml").read_text())["service"]["public_url"]
    return found


def test_the_address_is_changed_while_nothing_hangs_on_it(empty: Town) -> None:
    (empty.folder / "config.toml").write_text(
        '# ours\n[service]\npublic_url = "https://fapiao.test" # for now\n[web]\nport = 8001\n'
    )
    empty.run("init")
    old = (empty.folder / "var/main/keys/log.key").read_bytes()
    empty.run("setup", "--address", "https://other.test")
    assert public_url(empty) == "https://other.test"
    kept = (empty.folder / "config.toml").read_text()
    assert kept.startswith("# ours\n")
    assert kept.endswith("[web]\nport = 8001\n")
    assert "other.test/log" in empty.run("keys", "log")
    aside = empty.folder / "var/main.unused-1/keys/log.key"
    assert aside.read_bytes() == old
    empty.admit()
    said = empty.refusal("setup", "--address", "https://third.test")
    assert said.startswith("error: address_fixed")
    assert public_url(empty) == "https://other.test"


def test_the_address_before_there_is_anything(empty: Town) -> None:
    (empty.folder / "config.toml").unlink()
    empty.run("setup", "--address", "https://other.test")
    assert public_url(empty) == "https://other.test"
    assert not (empty.folder / "var").exists()


@pytest.mark.parametrize("url", ["other.test", "ftp://other.test", "https://other.test/v1", ""])
def test_an_address_that_is_none(empty: Town, url: str) -> None:
    assert "config_invalid" in empty.refusal("setup", "--address", url, status=2)
    assert public_url(empty) == "https://fapiao.test"


def test_an_address_that_the_environment_says(empty: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAPIAO_SERVICE_PUBLIC_URL", "https://env.test")
    said = empty.refusal("setup", "--address", "https://other.test", status=2)
    assert "FAPIAO_SERVICE_PUBLIC_URL" in said


def test_a_named_log_goes_under_another_address(empty: Town) -> None:
    (empty.folder / "config.toml").write_text(
        '[service]\npublic_url = "https://fapiao.test"\n[log]\norigin = "ours/log"\n'
    )
    empty.run("init")
    empty.admit()
    empty.run("setup", "--address", "https://other.test")
    assert public_url(empty) == "https://other.test"
    assert "ours/log" in empty.run("keys", "log")


def test_on_a_terminal_it_asks(empty: Town) -> None:
    """What is wrong is asked again; passwords twice."""
    answers = [
        *("fapiao", "https://Other.test", "https://other.test/"),
        *("陈", "", "short", "short", "陈", "", PASSWORD, PASSWORD),
        *("深圳旋转餐厅", TAX_ID, "", "440303"),
        *("张三", "", OTHER_PASSWORD, OTHER_PASSWORD, "", "", "28.50", "6%"),
    ]
    status, said = talked(empty.folder, answers)
    assert status == 0, said
    assert said.count("like https://fapiao.example.cn") == 4  # the remedy and the detail of each
    assert "regex" not in said
    assert "28.50" in said
    assert public_url(empty) == "https://other.test"
    assert "请换一个密码" in said
    assert PASSWORD not in said


ANSWERS = (
    *("https://other.test", "陈", "", PASSWORD, PASSWORD),
    *("深圳旋转餐厅", TAX_ID, "", "440303"),
    *("张三", "", OTHER_PASSWORD, OTHER_PASSWORD, "", "", "28.50", ""),
)
ENDS = (0, 1, 5, 9, 14)
"""Where steps end among the answers: what is told of one before a kill is asked again."""


def test_killed_at_each_question_and_begun_again(empty: Town) -> None:
    """What is done is never asked again, what is half told always is; in the end one of each."""
    for at in range(len(ANSWERS)):
        done = max((end for end in ENDS if end < at), default=0)
        killed(empty.folder, ANSWERS[done:at])
    status, said = talked(empty.folder, [*ANSWERS[ENDS[-1] :]])
    assert status == 0, said
    assert "28.50" in said
    assert [one["login"] for one in empty.asked("people", "list")] == ["admin@bureau"]
    (owner,) = empty.asked("people", "list", "--merchant", "1")
    assert (owner["login"], owner["state"]) == ("owner@1", "active")
    assert len(empty.asked("merchants", "list")) == 1
    assert len(empty.asked("keys", "list", "--merchant", "1")) == 1
    assert public_url(empty) == "https://other.test"


def killed(folder: Path, answers: Sequence[str]) -> None:
    """Answer so much on a terminal, and kill it at the question after."""
    pid, terminal = pty.fork()
    if pid == 0:  # another process, whose terminal this is
        try:
            os.chdir(folder)
            sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115 # for its life
            sys.argv = ["fapiao", "setup"]
            main()
        finally:
            os._exit(1)
    try:
        for answer in answers:
            until_asked(terminal)
            os.write(terminal, answer.encode() + b"\n")
        until_asked(terminal)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)


def until_asked(terminal: int) -> bytes:
    """What is said up to the next question, or to the end."""
    said = b""
    while not said.rstrip().endswith(b":"):
        if not (some := heard(terminal)):
            break
        said += some
    return said


def heard(terminal: int) -> bytes:
    """What comes next; nothing at the end."""
    ready, _, _ = select.select([terminal], [], [], PATIENCE)
    assert ready, "nothing is said any more"
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""


def talked(folder: Path, answers: list[str]) -> tuple[int, str]:
    """Exit status and all that ``fapiao setup`` says on a terminal that answers so."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "invoice_service.cli", "setup"]
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, start_new_session=True
    )
    os.close(theirs)
    said = b""
    for answer in answers:
        said += until_asked(ours)
        os.write(ours, answer.encode() + b"\n")
    while some := heard(ours):
        said += some
    os.close(ours)
    return process.wait(timeout=PATIENCE), said.decode(errors="replace")
