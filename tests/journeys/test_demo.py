"""``fapiao demo``, as a newcomer runs it."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import urllib3

from invoice_service.config import load
from invoice_service.wiring import open_instance
from tests.journeys.service import FAPIAO, kill_all, processes
from tests.patience import NEVER, PATIENCE, wait_until


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A folder to run demos in; what they start ends with the test."""
    yield tmp_path
    kill_all(tmp_path / "var/demo/config.toml")


def _environ() -> dict[str, str]:
    return {name: text for name, text in os.environ.items() if not name.startswith("FAPIAO_")}


def _demo(place: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*FAPIAO, "demo", *arguments],
        cwd=place,
        env=_environ() | {"FAPIAO_SERVICE_PUBLIC_URL": "http://not.this:1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=NEVER,
    )


@pytest.mark.slow
def test_once_it_exits_with_0_else_its_pages_stay_up_and_no_process_is_left(place: Path) -> None:
    done = _demo(place, "--once")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "115 of 115 hold" in done.stdout
    assert "¥4422.45 = ¥4422.45" in done.stdout
    assert done.stdout.count("✓") == 7
    assert len(list((place / "var/demo/proofs").iterdir())) == 115
    assert processes(place / "var/demo/config.toml") == []
    _stays_up(place)  # it clears what the first has made


def _stays_up(place: Path) -> None:
    """Its pages, until Ctrl-C; a second demo is refused meanwhile."""
    said = place / "said"
    with said.open("wb") as output:
        # Tests that run in the background inherit that Ctrl-C is ignored; a terminal's do not.
        demo = subprocess.Popen(
            ["env", "--default-signal=INT", *FAPIAO, "demo"],
            cwd=place,
            env=_environ(),
            stdout=output,
            start_new_session=True,
        )
    wait_until(lambda: "Ctrl-C stops" in said.read_text(), "the pages are up")
    scan = re.findall(r"(http://\S+/verify/scan\S+)", said.read_text())
    authentic, forged = (urllib3.request("GET", url, timeout=PATIENCE) for url in scan)
    assert (authentic.status, forged.status) == (200, 200)
    assert authentic.data != forged.data
    _the_till_has_something_to_sell(place / "var/demo/config.toml")
    second = _demo(place, "--once")
    assert second.returncode == 3
    assert "already_running" in second.stderr
    os.killpg(demo.pid, signal.SIGINT)  # as a terminal sends it
    assert demo.wait(timeout=PATIENCE) == 0
    assert processes(place / "var/demo/config.toml") == []


def _the_till_has_something_to_sell(settings: Path) -> None:
    """A menu and tables; what is sold meanwhile is of today."""
    with closing(open_instance(load(settings, {}))) as instance:
        till = instance.till
        assert len(till.lists.menu(1)) > 10
        assert len(till.lists.tables(1)) == 12

        def sold() -> object:
            today = till.days.of(int(instance.clock().timestamp()))
            return till.books.figures(1, till.days.day(today))["count"]

        wait_until(sold, "an order of today is sold")


def test_a_folder_that_the_demo_has_not_made_is_left_alone(place: Path) -> None:
    kept = place / "var/demo/invoices.db"
    kept.parent.mkdir(parents=True)
    kept.write_text("precious")
    done = _demo(place, "--once")
    assert done.returncode == 1
    assert "not_a_demo" in done.stderr
    assert kept.read_text() == "precious"
