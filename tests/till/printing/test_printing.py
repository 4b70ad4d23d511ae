"""From the till's page to a printer: made-up devices under Node, and the real bridge."""

import json
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from invoice_service.processes.print_bridge import Place
from tests.outside import need
from tests.patience import NEVER, PATIENCE, wait_until
from tests.processes.test_print_bridge import OURS, SOON, bridge, printer

RUNNER = Path(__file__).with_name("run.mjs")
SLIP = bytes(n % 251 for n in range(10_000))


def run(case: str, *arguments: str) -> Any:  # noqa: ANN401 # whatever the case finds
    """What came of a case."""
    done = subprocess.run(
        [need("node"), RUNNER, case, *arguments], capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_serial_printer_gets_the_slip_and_the_line_is_free_again() -> None:
    assert run("serial", "") == {
        "first": "done",
        "whole": True,
        "open": False,
        "rates": [38400, 38400],
        "second": "done",
        "again": True,
    }


@pytest.mark.parametrize(
    ("fault", "code"),
    [("away", "printer_away"), ("breaks", "printer_broke_off"), ("hangs", "printer_slow")],
)
def test_a_serial_line_that_fails_is_named(fault: str, code: str) -> None:
    found = run("serial", fault)
    assert (found["first"], found["whole"]) == (code, False)


def test_a_serial_port_is_chosen_by_a_person_once() -> None:
    assert run("serialChosen") == {
        "none": "printer_not_chosen",
        "without": "printer_unsupported",
        "chosen": True,
        "known": [True],
        "nowhere": [],
    }


def test_a_usb_printer_gets_the_slip_through_its_own_way_in() -> None:
    found = run("usb", "")
    assert found["calls"] == [["configuration", 1], ["alternate", 1, 2], ["alternate", 1, 2]]
    assert (found["first"], found["whole"]) == (found["second"], found["again"]) == ("done", True)
    assert (found["open"], found["claimed"]) == (False, 0)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("away", "printer_away"),
        ("claimed", "printer_away"),
        ("stalls", "printer_broke_off"),
        ("half", "printer_broke_off"),
        ("unplugged", "printer_broke_off"),
        ("hangs", "printer_slow"),
    ],
)
def test_a_usb_printer_that_fails_is_named_and_let_go(fault: str, code: str) -> None:
    found = run("usb", fault)
    assert (found["first"], found["whole"]) == (code, False)
    assert (found["open"], found["claimed"]) == (False, 0)
    assert (["clear", "out", 3] in found["calls"]) is (fault == "stalls")


def test_only_printers_are_asked_for_and_known() -> None:
    assert run("usbChosen") == {
        "asked": [{"filters": [{"classCode": 7}]}],
        "none": "printer_not_chosen",
        "without": "printer_unsupported",
        "known": 1,
        "other": "printer_away",
    }


def address(where: tuple[str, int]) -> str:
    return f"http://{where[0]}:{where[1]}/print"


def test_the_page_prints_through_the_bridge() -> None:
    with printer() as box, bridge(box.place) as where:
        assert run("bridge", address(where), OURS, "60") == {"first": "done"}
        wait_until(lambda: box.jobs == [SLIP], "it is printed")


def test_the_page_is_told_what_the_bridge_says() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nowhere = Place(*taken.getsockname()[:2])
    with bridge(nowhere) as where:
        assert run("bridge", address(where), OURS, "60") == {"first": "printer_away"}
        assert run("bridge", address(where), "https://evil.example", "60") == {
            "first": "origin_not_allowed"
        }


def test_without_a_bridge_the_printer_is_away_and_with_a_mute_one_slow() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        place = mute.getsockname()[:2]
        assert run("bridge", address(place), OURS, str(SOON)) == {"first": "printer_slow"}
    assert run("bridge", address(place), OURS, str(NEVER)) == {"first": "printer_away"}


def test_the_browser_opens_the_receipt_that_prints_itself() -> None:
    found = run("browser")
    (call,) = found["opened"]
    assert call[0] == "/v1/invoices/01ab/receipt?width=80&form=full&copy=1&print=1"
    assert found["blocked"] == "printer_unsupported"


def test_slips_are_counted_and_a_second_one_is_a_copy() -> None:
    found = run("counted")
    assert found["papers"] == ["original a", "original b", "copy a"]
    assert found["counts"] == [1, 1, 2]
    asked = "GET /v1/invoices/a/slip?width=80&form=full&copy=0&drawer=0"
    assert found["asked"][:2] == [asked, "POST /v1/invoices/a/prints"]


def test_what_may_be_on_paper_is_followed_by_a_copy_and_what_cannot_by_an_original() -> None:
    assert run("afterFaults") == {
        "printer_away": ["printer_away", "original a"],
        "printer_busy": ["printer_busy", "original a"],
        "printer_slow": ["printer_slow", "copy a"],
        "printer_broke_off": ["printer_broke_off", "copy a"],
    }


def test_a_count_that_was_not_told_is_remembered_by_the_browser() -> None:
    found = run("lostCount")
    assert found["papers"] == ["original a", "copy a"]
    assert found["counts"] == [None, 1]
    assert found["kept"] == "[]"


def test_a_copy_that_was_not_printed_stays_one() -> None:
    assert run("copyAway") == ["copy a"]


def test_slips_go_to_the_printer_one_after_the_other() -> None:
    events = run("inTurn")
    assert events == [
        *("begin original a", "end"),
        *("begin original b", "end"),
        *("begin original c", "end"),
    ]


def test_what_the_service_refuses_is_not_printed() -> None:
    assert run("refused") == {
        "found": [
            ["invoice_unknown", "There is no such invoice"],
            ["invoice_unknown", "没有这张发票"],
        ],
        "away": "service_away",
        "papers": [],
    }
