"""The log for everybody: pages and JSON at one address, true, bounded, and silent about people."""

import json
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from chain.commitment import anchor, parse_password_area
from chain.entry import parse_entry, plain_entry
from chain.hashing import digest_from_hex, leaf_hash, sha256
from chain.proof.tlogproof import parse_tlog_proof, verify_tlog_proof
from chain.tree.merkle import verify_inclusion
from invoice_service.services import explorer
from invoice_service.services.people.trail import BOUND_WITHIN
from invoice_service.web.explorer.words import KINDS
from tests.api.desk import Desk, problem
from tests.api.log.test_public import fill
from tests.scale import share
from tests.web.customers.test_scan import Page

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Language": "en"}
FOREVER = "public, max-age=31536000, immutable"


@pytest.fixture
def log(desk: Desk) -> Desk:
    """Three blocks on two days, one of them with a return; the first day is closed."""
    fill(desk, 3)
    desk.reverse(desk.issue("B1"))
    desk.anchor()
    desk.clock.forward(days=1)
    desk.issue("C1")
    desk.anchor()
    return desk


def told(desk: Desk, path: str) -> Any:  # noqa: ANN401 # JSON
    answer = desk.client.get(f"/explorer/{path}")
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def page(desk: Desk, path: str) -> Page:
    answer = desk.client.get(f"/explorer/{path}", headers=HTML)
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "text/html"
    return Page(answer.text)


def links(page: Page) -> set[str]:
    return {str(a["href"]) for a in page.all("a")}


def test_the_overview_is_the_published_log(log: Desk) -> None:
    found = told(log, "")
    assert found["checkpoint"].encode() == log.client.get("/log/checkpoint").data
    assert (found["size"], found["blocks"]) == (10, 3)
    assert found["keys"] == [log.instance.log_key.text()]
    assert found["last_closed"] == "2026-11-21"
    assert (found["witnesses"], found["quorum_met"]) == ([], True)
    shown = page(log, "")
    assert {"/explorer/blocks/3", "/explorer/closings/2026-11-21"} <= links(shown)
    assert log.instance.log_key.text() in shown.text


def test_before_the_first_checkpoint_there_is_an_empty_log(desk: Desk) -> None:
    found = told(desk, "")
    assert (found["size"], found["blocks"], found["sealed_at"]) == (0, 0, None)
    assert told(desk, "blocks")["blocks"] == []
    assert told(desk, "closings") == {"closings": [], "next": None}
    assert told(desk, "acts")["total"] == 0
    for path in ("", "blocks", "closings", "acts", "keys", "search?q=1"):
        page(desk, path)
    problem(desk.client.get("/explorer/entries/0"), 404, "no_entry")


def test_blocks_and_entries_are_those_of_the_log(log: Desk) -> None:
    public = log.client.get("/log/blocks").get_json()["blocks"]
    assert told(log, "blocks")["blocks"] == public[::-1]
    seen = []
    for block in public:
        one = told(log, f"blocks/{block['height']}")
        assert one["block"] == block
        seen += [line["index"] for line in one["entries"]]
    assert seen == list(range(10))
    for index in seen:
        entry = told(log, f"entries/{index}")
        data = entry["entry"].encode()
        assert data == log.instance.log.entry(index)
        parse_entry(data)
        way = entry["inclusion"]
        path = [digest_from_hex(one) for one in way["path"]]
        leaf = digest_from_hex(entry["leaf"])
        assert leaf == leaf_hash(data)
        verify_inclusion(leaf, index, way["size"], path, digest_from_hex(way["root"]))
        page(log, f"entries/{index}")


def test_a_return_leads_to_what_it_takes_back(log: Desk) -> None:
    shown = page(log, "entries/5")
    assert "/explorer/entries/4" in links(shown)


def test_the_proof_holds_under_the_newest_checkpoint(log: Desk) -> None:
    for index in range(10):
        answer = log.client.get(f"/explorer/entries/{index}/proof")
        assert answer.content_type == "text/plain; charset=utf-8"
        proof = parse_tlog_proof(answer.data)
        found = verify_tlog_proof(proof, log.instance.log.entry(index), log.instance.log_key)
        assert (found.index, found.checkpoint.size) == (index, 10)


def test_a_large_block_comes_in_pages(desk: Desk) -> None:
    fill(desk, 250)
    seen, start = [], 0
    while start is not None:
        found = told(desk, f"blocks/1?from={start}")
        assert len(found["entries"]) <= explorer.ENTRIES_A_PAGE
        seen += [line["index"] for line in found["entries"]]
        start = found["next"]
    assert seen == list(range(251))
    problem(desk.client.get("/explorer/blocks/1?from=251"), 404, "no_entry")
    for start in (-1, "x", "1.0"):
        problem(desk.client.get(f"/explorer/blocks/1?from={start}"), 400, "parameter_malformed")


def test_acts_are_counted_by_kind_and_as_of_a_block_for_ever(log: Desk) -> None:
    log.issue("with acts")
    log.anchor_all()
    held = told(log, "acts?block=4")
    assert (held["block"], held["counts"]["admission"], held["counts"]["quota"]) == (4, 1, 0)
    assert told(log, "acts?block=3")["total"] == 0
    quota = {"quota": 500}
    assert (
        log.client.put("/v1/merchants/1/quota", json=quota, headers=log.official()).status_code
        == 200
    )
    assert told(log, "acts") == held  # it is not in the log yet
    log.issue("later")
    log.anchor_all()
    newest = told(log, "acts")
    assert (newest["block"], newest["counts"]["quota"]) == (5, 1)
    same = log.client.get("/log/acts").get_json()
    assert {name: newest[name] for name in same} == same
    assert told(log, "acts?block=4") == held
    assert log.client.get("/explorer/acts?block=4").headers["Cache-Control"] == FOREVER
    shown = page(log, "acts")
    assert "/explorer/acts?block=5" in links(shown)
    assert "merchant:" not in shown.text
    assert "/explorer/acts" in links(page(log, ""))
    problem(log.client.get("/explorer/acts?block=6"), 404, "no_block")
    problem(log.client.get("/explorer/acts?block=x"), 400, "parameter_malformed")


@pytest.mark.parametrize(
    "twice", ["acts?block=1&block=2", "search?q=1&q=2", "closings?before=x&before=y"]
)
def test_of_a_parameter_that_stands_twice_none_is_chosen(desk: Desk, twice: str) -> None:
    problem(desk.client.get(f"/explorer/{twice}"), 400, "duplicate_parameter")


def test_what_the_trail_came_to_is_no_decision(log: Desk) -> None:
    at = int(log.clock().timestamp()) + BOUND_WITHIN
    assert log.instance.store.bind_trail(at)
    log.anchor_all()
    lines = told(log, f"blocks/{told(log, 'acts')['block']}")["entries"]
    kinds = {}
    for line in [one for one in lines if one["kind"] == "act"]:
        entry = told(log, f"entries/{line['index']}")["entry"]
        kinds[json.loads(entry)["type"]] = page(log, f"entries/{line['index']}").text
    assert "The trail, so far" in kinds["trail"]
    assert "The tax office has decided something" not in kinds["trail"]
    assert "The tax office has decided something" in kinds["admission"]
    assert "Admissions" in kinds["admission"]
    assert "The trail, so far" not in kinds["admission"]


def test_closings_say_what_is_closed_and_what_is_open(log: Desk) -> None:
    found = told(log, "closings")
    assert [(one["day"], one["state"]) for one in found["closings"]] == [
        ("2026-11-22", "open"),
        ("2026-11-21", "closed"),
    ]
    closed = told(log, "closings/2026-11-21")
    assert closed == found["closings"][1]
    assert closed["commitment"] in log.instance.log.entry(closed["index"]).decode()
    assert closed["commitment"] in page(log, "closings/2026-11-21").text
    assert told(log, "closings?before=2026-11-22")["closings"] == [closed]
    for before in ("0001-01-01", "2026-11-21"):
        assert told(log, f"closings?before={before}") == {"closings": [], "next": None}
    assert told(log, "closings?before=9999-12-31") == found
    for day in ("2026-11-22", "2026-11-20", "0001-01-01", "21", "2026-11-31"):
        problem(log.client.get(f"/explorer/closings/{day}"), 404, "no_closing")
    problem(log.client.get("/explorer/closings?before=x"), 400, "parameter_malformed")


def test_many_days_come_in_pages(tmp_path: Path) -> None:
    """A clock that may leap over months, so that they need not be lived through."""
    with Desk(tmp_path, FAPIAO_CLOCK_MAX_FORWARDS=str(100 * 86_400)) as desk:
        desk.issue()
        desk.anchor()
        desk.issue("T2")
        desk.clock.forward(days=70)
        desk.anchor()
        days = list(days_in_pages(desk))
    assert (len(days), days[0], days[-1]) == (71, "2027-01-30", "2026-11-21")


def days_in_pages(desk: Desk) -> Iterator[str]:
    before: str | None = ""
    while before is not None:
        found = told(desk, f"closings{before and f'?before={before}'}")
        assert len(found["closings"]) <= explorer.DAYS_A_PAGE
        yield from (one["day"] for one in found["closings"])
        before = found["next"]


def test_keys_and_statements(log: Desk) -> None:
    both = log.instance.rotation().start()
    log.anchor()
    log.instance.rotation().finish()
    found = told(log, "keys")
    assert [one["state"] for one in found["keys"]] == ["log", "retired", "promise"]
    assert found["keys"][1]["key"] == both.keys.signing[0].text()
    assert [one["number"] for one in found["statements"]] == [3, 2, 1]
    assert told(log, "keys?before=2")["statements"][0]["note"].encode() == (
        log.client.get("/log/keys/1").data
    )
    assert both.keys.signing[0].text() in page(log, "keys").text


@pytest.mark.parametrize(
    ("asked", "places"),
    [
        ("1", ["blocks/1", "entries/1"]),
        ("0", ["entries/0"]),
        ("8", ["entries/8"]),
        ("2026-11-21", ["closings/2026-11-21"]),
        ("2026-11-20", []),
        ("99", []),
        ("ab" * 32, []),
    ],
)
def test_a_search_finds_what_is_there(log: Desk, asked: str, places: list[str]) -> None:
    found = told(log, f"search?q={asked}")
    assert [one["address"] for one in found["found"]] == [f"/explorer/{one}" for one in places]
    answer = log.client.get(f"/explorer/search?q={asked}", headers=HTML)
    if len(places) == 1:
        assert (answer.status_code, answer.location) == (303, f"/explorer/{places[0]}")
    else:
        assert answer.status_code == 200
        assert {f"/explorer/{one}" for one in places} <= links(Page(answer.text))


def test_an_anchor_leads_to_its_entry_and_a_password_area_nowhere(log: Desk) -> None:
    invoice = log.issue("D1")
    log.anchor()
    commitment = anchor(parse_password_area(invoice["hash"])).hex()
    found = told(log, f"search?q={commitment.upper()}")["found"]
    assert commitment in told(log, found[0]["address"].removeprefix("/explorer/"))["entry"]
    for text in (invoice["hash"], f"https://fapiao.test/verify/scan?hash={invoice['hash']}"):
        answer = log.client.get("/explorer/search", query_string={"q": text})
        assert answer.get_json() == {"found": [], "unsaid": "password_area"}
        shown = log.client.get("/explorer/search", query_string={"q": text}, headers=HTML)
        assert "was not looked up" in shown.text
        main = shown.text[shown.text.index("<main>") :]
        assert invoice["hash"] not in main  # nor is it shown to whoever looks over a shoulder


def test_numbers_of_invoices_are_for_officials(log: Desk) -> None:
    number = log.issue("D1")["number"]
    log.anchor()
    assert told(log, f"search?q={number}")["unsaid"] == "number"
    assert "for officials" in page(log, f"search?q={number}").text


def test_what_is_not_there_is_told_in_the_form_that_was_asked_for(log: Desk) -> None:
    for path, code in (
        ("blocks/4", "no_block"),
        ("blocks/0", "no_block"),
        ("blocks/01", "no_block"),
        ("entries/10", "no_entry"),
        ("entries/-1", "no_entry"),
        ("entries/10/proof", "no_entry"),
        ("nothing", "no_such_address"),
    ):
        answer = log.client.get(f"/explorer/{path}")
        problem(answer, 404, code)
        shown = log.client.get(f"/explorer/{path}", headers=HTML)
        assert (shown.status_code, shown.mimetype) == (404, "text/html")
    problem(log.client.get("/explorer/blocks?before=x"), 400, "parameter_malformed")


def test_what_is_sealed_and_not_published_is_not_there(desk: Desk) -> None:
    """The log's database is ahead of its checkpoint while a block is being published."""
    fill(desk, 1)
    folder = desk.config.log_dir
    before = (folder / "checkpoint").read_bytes()
    fill(desk, 1, "G")
    (folder / "checkpoint").write_bytes(before)
    assert told(desk, "blocks")["height"] == 1
    problem(desk.client.get("/explorer/blocks/2"), 404, "no_block")
    problem(desk.client.get("/explorer/entries/2"), 404, "no_entry")
    assert told(desk, "search?q=2")["found"] == []


def kept(answer: TestResponse) -> tuple[str, str]:
    return answer.headers["Cache-Control"], answer.headers["Vary"]


def test_how_long_each_form_is_kept(log: Desk) -> None:
    for path, cache in (
        ("", "public, max-age=2"),
        ("blocks", "public, max-age=2"),
        ("closings", "public, max-age=2"),
        ("keys", "public, max-age=300"),
        ("blocks/1", FOREVER),
        ("entries/1", FOREVER),
        ("closings/2026-11-21", FOREVER),
    ):
        answer = log.client.get(f"/explorer/{path}")
        assert kept(answer) == (cache, "Accept"), path
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        shown = log.client.get(f"/explorer/{path}", headers=HTML)
        assert kept(shown) == ("no-cache", "Accept, Accept-Language, Cookie"), path
        assert "Access-Control-Allow-Origin" not in shown.headers
        assert shown.headers["ETag"] != answer.headers["ETag"]
        for headers, first in (({}, answer), (HTML, shown)):
            tag = {"If-None-Match": first.headers["ETag"]}
            again = log.client.get(f"/explorer/{path}", headers={**headers, **tag})
            assert (again.status_code, again.data) == (304, b""), path
            assert again.headers["Vary"] == first.headers["Vary"]


def test_what_is_immutable_does_not_change(log: Desk) -> None:
    paths = ("blocks/1", "blocks/3", "entries/0", "entries/8", "closings/2026-11-21")
    before = [log.client.get(f"/explorer/{path}").data for path in paths]
    log.clock.forward(days=1)
    fill(log, 300, "L")
    assert [log.client.get(f"/explorer/{path}").data for path in paths] == before


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("text/html;q=0.5, application/json", "application/json"),
        ("text/html", "text/html"),
        (HTML["Accept"], "text/html"),
        ("image/png", "application/json"),
    ],
)
def test_who_names_a_page_gets_one(log: Desk, accept: str | None, kind: str) -> None:
    headers = {} if accept is None else {"Accept": accept}
    for path in ("", "blocks/1", "search?q=0815"):
        assert log.client.get(f"/explorer/{path}", headers=headers).mimetype == kind


def test_a_kind_that_is_not_known_is_shown_as_it_stands() -> None:
    data = b'{"act":"' + b"ab" * 32 + b'","kind":"weather","sky":"<b>blue</b>"}'
    line = explorer.line(7, data)
    assert (line.kind, line.names) == ("weather", "ab" * 32)
    assert explorer.line(8, b'{"kind":"other"}').names == ""
    assert "weather" not in KINDS
    for broken in (b"[]", b"{}", b'{"kind":1}', b"\xff", b"x"):
        with pytest.raises(Exception, match="store_damaged"):
            explorer.fields_of(broken)


def test_nothing_says_who_or_how_much(log: Desk) -> None:
    secrets = {
        *("旋转餐厅", "91440300708461136T", "498.10", '"6210"', '"440303"', "餐饮服务"),
        *(
            one["hash"]
            for one in log.client.get("/v1/invoices", headers=log.auth()).get_json()["invoices"]
        ),
        *(
            one["hash"][2:]
            for one in log.client.get("/v1/invoices", headers=log.auth()).get_json()["invoices"]
        ),
    }
    paths = ["", "blocks", "closings", "closings/2026-11-21", "keys", "compare", "search?q=1"]
    paths += [f"blocks/{n}" for n in (1, 2, 3)] + [f"entries/{n}" for n in range(10)]
    for path in paths:
        for headers in ({}, HTML):
            text = log.client.get(f"/explorer/{path}", headers=headers).text
            assert [one for one in secrets if one in text] == [], path


def test_every_page_speaks_both_languages(log: Desk) -> None:
    for path in (
        "",
        "blocks",
        "blocks/1",
        "entries/0",
        "closings",
        "keys",
        "compare",
        "search?q=x",
    ):
        headers = {**HTML, "Accept-Language": "zh"}
        answer = log.client.get(f"/explorer/{path}", headers=headers)
        assert answer.headers["Content-Language"] == "zh-Hans"
        assert "公开账本" in answer.text


def test_a_view_reads_by_key_alone(log: Desk) -> None:
    """No statement that a view makes walks through a table of the log."""
    fill(log, 120, "W")
    asked: list[str] = []
    store = log.instance.log_store
    connection: sqlite3.Connection = store._here().connection
    connection.set_trace_callback(asked.append)
    for path in (
        "",
        "blocks",
        "blocks/4",
        "entries/50",
        "closings",
        "keys",
        "search?q=" + "ab" * 32,
    ):
        log.client.get(f"/explorer/{path}", headers=HTML)
    connection.set_trace_callback(None)
    assert asked
    for statement in {one for one in asked if one.lstrip().upper().startswith("SELECT")}:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
        for *_, step in plan:
            assert "SCAN" not in step or "LIMIT 1" in statement, (statement, step)
    assert len(asked) < 1000


def test_sealed_times_are_those_of_the_log(log: Desk) -> None:
    for block in told(log, "blocks")["blocks"]:
        assert datetime.fromisoformat(block["sealed_at"]).tzinfo is not None
        assert json.dumps(block["sealed_at"]).endswith('Z"')


@pytest.mark.scaled
def test_every_block_of_many_is_on_a_page(desk: Desk) -> None:
    many, log = share(10_000, 260), desk.instance.log
    for number in range(many):
        drafts = [plain_entry(sha256(b"block %d" % number))]
        log.sequence(log.head(), drafts, sealed_at=desk.clock(), cursor=0)
    log.publish(*desk.instance.log_signers())
    seen, before = [], ""
    while before is not None:
        found = told(desk, f"blocks{before and f'?before={before}'}")
        assert len(found["blocks"]) <= explorer.BLOCKS_A_PAGE
        seen += [block["height"] for block in found["blocks"]]
        before = found["next"]
    assert seen == list(range(many, 0, -1))
    for end in (1, 2, 51, many, many + 1, many + 1_000):
        found = told(desk, f"blocks?before={end}")["blocks"]
        assert [block["height"] for block in found] == seen[max(many + 1 - end, 0) :][:50]
