"""The catalog of codes is whole, and failures of ours tell nothing of our inside."""

import ast
import json
import re
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from chain.errors import MalformedError, NotFoundError, Problem, UnavailableError
from invoice_service.api import problems
from invoice_service.api.catalog import CATALOG
from invoice_service.api.incidents import INCIDENTS, LINE_SECONDS, Incidents
from tests.api.desk import MEAL, Desk, problem, refusing, slip

ROOT = Path(__file__).parents[2]
ERRORS = {
    "Problem",
    "MalformedError",
    "VerificationError",
    "ConflictError",
    "RefusedError",
    "NotFoundError",
    "UnavailableError",
}

ELSEWHERE = {
    "commands",
    "replay",
    "keys",
    "processes",
    "pictures.py",
    "pdf.py",
    "wiring.py",
    "config.py",
}
"""Rooms whose errors do not reach HTTP: they run before the service does, or beside it."""

NOT_OVER_HTTP = {
    "report_malformed": "fapiao report --verify, in the command line tool",
    "credential": "fapiao verify, in the command line tool",
    "credential_expired": "what a wallet showed does not hold: the `code` of a verdict on the file",
    "disclosure_unknown": "what a wallet showed does not hold: the `code` of a verdict on the file",
    "holder_differs": "what a wallet showed does not hold: the `code` of a verdict on the file",
    "signature_missing": "what a wallet showed does not hold: the `code` of a verdict on the file",
    "key_text": "a wallet's proof: proof_invalid",
    "anchor_mismatch": "verify turns it into record_damaged",
    "reversal_mismatch": "verify turns it into record_damaged",
    "seal_kind": "verify turns it into record_damaged",
    "seal_other_block": "verify turns it into record_damaged",
    "state_differs": "verify turns it into record_damaged",
    "salt_length": "salts are made here",
    "too_many_rows": "fapiao export, in the command line tool",
    "invoices_differ": "anchoring, in the worker",
    "policy": "opening an instance, before anything is served",
    "policy_of_another_log": "opening an instance, before anything is served",
    "backup_failed": "fapiao backup, in the command line tool",
    "config_invalid": "settings, before anything is served",
    "log_rolled_back": "opening an instance, before anything is served",
    "origin_differs": "opening an instance, before anything is served",
    "instance_differs": "marking a database, when the instance is opened",
    "totals_moved": "anchoring, in the worker",
    "promise_malformed": "reading a promise, in the command line tool",
    "promise_key_missing": "reading a promise, in the command line tool",
    "promise_of_another": "reading a promise, in the command line tool",
    "keys_of_another": "changing keys, in the command line tool",
    "log_key_missing": "signing a checkpoint, in the worker",
    "group_unknown": "the front door refuses the query before",
}


def codes(folder: Path) -> Iterator[tuple[str, str]]:
    """(code, file) of every error that is made with a literal code."""
    for path in folder.rglob("*.py"):
        if ELSEWHERE & {path.name, *path.relative_to(folder).parts}:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                first = node.args[0] if node.args else None
                if node.func.id in ERRORS and isinstance(first, ast.Constant):
                    yield str(first.value), path.name


def test_every_code_that_can_leave_the_service_is_in_the_catalog() -> None:
    missing = {
        (code, file)
        for code, file in codes(ROOT / "invoice_service")
        if code not in CATALOG and code not in NOT_OVER_HTTP and "audit" not in file
    }
    assert not missing


def test_every_entry_has_a_status_and_two_sentences() -> None:
    for code, entry in CATALOG.items():
        assert re.fullmatch(r"[a-z][a-z0-9_]*", code)
        HTTPStatus(entry.status)
        assert entry.title[0].isupper(), code
        assert not entry.title.endswith("."), code
        assert re.search(r"[\u4e00-\u9fff]", entry.title_zh), code


def test_a_code_that_is_not_in_the_catalog_falls_back_to_its_fault() -> None:
    assert problems.status_of(MalformedError("brand_new", "x")) == 422
    assert problems.status_of(UnavailableError("brand_new", "x")) == 503
    assert problems.status_of(NotFoundError("brand_new", "x")) == 404
    assert problems.status_of(Problem("brand_new", "x")) == 500
    assert problems.describe(UnavailableError("brand_new", "x"))["title"] == "Service Unavailable"


def test_an_extra_member_never_replaces_one_of_ours() -> None:
    described = problems.describe(MalformedError("not_json", "x", status=200, limit=5))
    assert (described["status"], described["limit"]) == (400, 5)


SECRET = "/srv/fapiao/secret/place"


@pytest.mark.parametrize("path", ["/v1/invoices/01" + "a" * 64, "/verify/scan", "/"])
def test_a_crash_tells_nothing_but_its_number(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], path: str
) -> None:
    monkeypatch.setattr(desk.instance.store, "invoice", refusing(OSError(SECRET)))
    view = desk.app.view_functions
    monkeypatch.setitem(view, "pages.landing", refusing(ZeroDivisionError(SECRET)))
    query = slip({"hash": "01" + "a" * 64, "number": "00000001", "total": 1})
    answer = desk.client.get(path, query_string=query if "scan" in path else "")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    logged = capfd.readouterr().err
    assert SECRET in logged
    assert "a" * 64 not in logged
    if path.startswith("/v1"):
        assert problem(answer, 500, "internal_error")["incident"] in logged
    else:
        assert 'data-verdict="none"' in answer.text


def test_what_is_unavailable_may_be_tried_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    full = refusing(UnavailableError("disk_full", f"no space on {SECRET}"))
    monkeypatch.setattr(desk.instance.store, "issue", full)
    answer = desk.post("/v1/invoices", {"order_id": "T1", "lines": [MEAL]})
    body = problem(answer, 503, "disk_full")
    assert answer.headers["Retry-After"] == "2"
    assert SECRET not in answer.text
    logged = capfd.readouterr().err
    assert SECRET in logged
    assert body["incident"] in logged


def test_trouble_that_goes_on_is_a_line_a_minute_with_how_often_it_was_met(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    seconds = [0.0]
    told = Incidents(lambda: seconds[0])
    monkeypatch.setitem(desk.app.extensions, INCIDENTS, told)
    behind = refusing(UnavailableError("log_behind", "the log is 40 seconds behind"))
    monkeypatch.setattr(desk.instance.store, "issue", behind)

    def refused() -> str:
        answer = desk.post("/v1/invoices", {"order_id": "T1", "lines": [MEAL]})
        incident: str = problem(answer, 503, "log_behind")["incident"]
        return incident

    known = {refused() for _ in range(5)}
    seconds[0] = LINE_SECONDS
    known |= {refused() for _ in range(2)}
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert [line["code"] for line in lines] == ["log_behind"] * 2
    assert {line["incident"] for line in lines} == known
    assert [line.get("times") for line in lines] == [None, 5]
    monkeypatch.setattr(desk.instance.store, "issue", refusing(UnavailableError("disk_full", "x")))
    answer = desk.post("/v1/invoices", {"order_id": "T1", "lines": [MEAL]})
    assert problem(answer, 503, "disk_full")["incident"] not in known
    assert "disk_full" in capfd.readouterr().err


def test_crashes_of_another_kind_are_told_each(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    view = desk.app.view_functions
    for number, fault in ((1, KeyError("a")), (2, KeyError("b")), (3, OSError("c"))):
        monkeypatch.setitem(view, "pages.landing", refusing(fault))
        assert desk.client.get("/").status_code == 500, number
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert [line["detail"] for line in lines] == ["KeyError('a')", "OSError('c')"]


def test_bodies_and_keys_are_never_logged(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(desk.instance.store, "issue", refusing(RuntimeError("x")))
    desk.post("/v1/invoices", {"order_id": "SECRET-ORDER", "lines": [MEAL]})
    logged = capfd.readouterr().err
    assert "RuntimeError" in logged
    assert "SECRET-ORDER" not in logged
    assert desk.key not in logged


def test_every_code_stands_on_the_page_that_problems_point_to(desk: Desk) -> None:
    page = desk.client.get("/problems").text
    for code in CATALOG:
        assert f'id="{code}"' in page


def test_the_documentation_lists_every_code_as_it_is() -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z0-9_]+)` \| (\d{3}) \| (.*) \|$", text, re.MULTILINE)
    assert rows == [(code, str(entry.status), entry.title) for code, entry in CATALOG.items()]
