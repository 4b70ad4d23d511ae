"""Everything that a page of the bureau shows is taken along: whole, as one sees it, and told of."""

import csv
import io
import json
import re
import threading
from collections.abc import Iterator
from html import unescape
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit
from zipfile import ZipFile

import pytest
from openpyxl import load_workbook

from chain.hashing import sha256
from invoice_service.domain.acts import By
from invoice_service.domain.merchant import MerchantRequest
from invoice_service.domain.quota import Quotas
from invoice_service.processes.web import limits_of
from invoice_service.replay.city import build_city
from invoice_service.services.help.ports import Counted
from invoice_service.services.people.admit import admit
from invoice_service.services.people.proposals import Actor
from invoice_service.web.bureau.taking import sent
from tests.api.admission.office import apply
from tests.api.desk import OTHER_TAX_ID
from tests.scale import share
from tests.web.people.visitors import Browser, Bureau, code_in

HOSTILE: Final = "=cmd|'/C calc'!A1\"><b>" + "甲" * 70
MANY: Final = share(10_000, 1_200)
FILE: Final = "/bureau/merchants/1"
PAGES: Final = (
    *("/bureau/trail?actor=&day=&subject=&type=", "/bureau/lookups", "/bureau/merchants", FILE),
    *("/bureau/people", "/bureau/applications", "/bureau/quota", "/reports"),
    "/bureau/totals?by=day",
)
KINDS: Final = ("xlsx", "csv", "json", "zip", "manifest")


@pytest.fixture(scope="module")
def bureau(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bureau]:
    """Something on every page, much of it hostile."""
    with Bureau(tmp_path_factory.mktemp("bureau")) as bureau:
        instance = bureau.instance
        store, by = instance.store, instance.operator()
        for shop in build_city(3, 2).shops:
            asked = MerchantRequest(
                tax_id=shop.request.tax_id,
                name=HOSTILE,
                industry=shop.request.industry,
                district=shop.request.district,
            )
            admit(store, asked, by)
        hash_ = bureau.issue("=1")["hash"]
        bureau.reverse({"hash": hash_})
        bureau.issue("007")
        bureau.anchor()
        instance.help_store.count_scans([Counted("2026-11-20", hash_, 1, 3)])
        told = {"nonce": "0" * 48, "message": HOSTILE, "contact": "1380000", "said": "@x"}
        assert bureau.client.post("/report", data=told, content_type="multipart/form-data").text
        apply(bureau, name=HOSTILE[:60])
        store.add_quota_request(1, "quota", Quotas(quota=5, month_quota=12_345), HOSTILE, by)
        first, second = (bureau.person(one, "administrator") for one in ("chen", "wu"))
        actor = Actor(By(f"person:{first.id}", by.at), first.id)
        propose = instance.people.proposals.propose
        propose("role", f"person:{second.id}", {"role": "viewer"}, HOSTILE, actor)
        store.set_quota(1, 70, by)
        yield bureau


@pytest.fixture(scope="module")
def chen(bureau: Bureau) -> Browser:
    """An administrator who has said why they look."""
    browser = bureau.strong(next(p for p in bureau.instance.store.people(None) if p.name == "Chen"))
    browser.get(FILE)
    browser.send("/bureau/purpose", purpose="=案号 7", to=FILE)
    assert browser.get(FILE).status_code == 200
    return browser


def links(page: str) -> dict[str, str]:
    """The files that a page offers: by the last part of their paths, but for the invoices'."""
    found = [
        unescape(one) for one in re.findall(r'href="(/(?:bureau|reports)/[^"]*file/[^"]*)"', page)
    ]
    own = [one for one in found if "/invoices/" not in one]
    return {urlsplit(one).path.rpartition("/")[2]: one for one in own}


def lines(browser: Browser, path: str) -> list[list[str]]:
    answer = browser.get(path)
    assert answer.status_code == 200, answer.text
    return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))[1:]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_offers_all_kinds_and_its_manifest_tells_of_them(
    chen: Browser, path: str
) -> None:
    found = links(chen.get(path).text)
    totals = path.startswith("/bureau/totals")
    kinds = set(KINDS) - ({"zip"} if totals else set())
    several = {kind for kind in found if kind.endswith(".csv")}
    assert set(found) == (kinds - {"csv"} | several if several else kinds)
    manifest = chen.get(found.pop("manifest")).get_json()
    packed = None if totals else chen.get(found.pop("zip"))
    sums = {}
    for kind, link in found.items():
        answer = chen.get(link)
        assert answer.status_code == 200
        name = re.fullmatch(
            rf'attachment; filename="([a-z0-9.-]+\.{kind})"', answer.headers["Content-Disposition"]
        )
        assert name is not None, answer.headers
        assert answer.headers["Cache-Control"] == "no-store"
        assert "<b>" not in name[1]
        sums[kind] = sha256(answer.data).hex()
    assert manifest["sha256"] == sums
    assert {"version", "query", "block", "rows", "asked", "notes", "what"} <= set(manifest)
    assert (manifest["asked"]["name"], manifest["asked"]["role"]) == ("Chen", "administrator")
    assert manifest["block"]["height"] == 1
    assert len(manifest["block"]["root"]) == 64
    if packed is not None:
        with ZipFile(io.BytesIO(packed.data)) as archive:
            inside = {one.partition(".")[2]: archive.read(one) for one in archive.namelist()}
        told = json.loads(inside.pop("manifest.json"))
        assert told["sha256"] == {kind: sha256(data).hex() for kind, data in inside.items()}
        assert told["sha256"] == sums


@pytest.mark.parametrize("path", PAGES[:-1])
def test_no_text_is_a_formula_and_rows_are_those_of_the_page(chen: Browser, path: str) -> None:
    found = links(chen.get(path).text)
    cover, *sheets = load_workbook(io.BytesIO(chen.get(found["xlsx"]).data)).worksheets
    data = chen.get(found["json"]).get_json()
    manifest = chen.get(found["manifest"]).get_json()
    assert cover.max_row > 3
    assert [len(one["rows"]) for one in data["tables"].values()] == [
        manifest["tables"][name]["rows"] for name in data["tables"]
    ]
    assert sum(one.max_row - 1 for one in sheets) == manifest["rows"] > 0
    for sheet in (cover, *sheets):
        for cells in sheet.iter_rows():
            assert {"f", "e"}.isdisjoint(cell.data_type for cell in cells)
    for kind, link in found.items():
        if kind.endswith("csv"):
            for row in lines(chen, link):
                assert not [one for one in row if one.startswith((*"=+@\r", "\t="))]


def test_the_trail_is_whole_and_stays_as_it_was(
    bureau: Bureau, chen: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("invoice_service.web.bureau.trail.PAGE", 3)
    monkeypatch.setattr("invoice_service.web.bureau.trail._AT_ONCE", 2)
    found = links(chen.get("/bureau/trail").text)
    before = chen.get(found["csv"]).data
    head = int(parse_qs(urlsplit(found["csv"]).query)["up_to"][0])
    rows = lines(chen, found["csv"])
    assert [int(row[0]) for row in rows] == list(range(head, 0, -1))
    bureau.instance.store.set_quota(3, 71, bureau.instance.operator())
    assert chen.get(found["csv"]).data == before
    said = chen.get(found["manifest"]).get_json()
    assert said["trail"]["acts"] == head
    acts = bureau.client.get(f"/v1/trail?after={head - 1}&limit=1", headers=bureau.official())
    assert said["trail"]["hash"] == acts.get_json()["acts"][0]["hash"] == rows[0][-1]
    assert said["tables"]["acts"] == {"rows": head, "basis": "trail"}
    newer = lines(chen, "/bureau/trail/file/csv")
    assert len(newer) > head
    with_names = [row for row in rows if row[4] == "merchant:1" and row[2] == "开票限额 quota"]
    assert with_names[0][5] == bureau.restaurant.merchant.name
    assert "发票总份数 invoices in all: 70" in with_names[0][3]


def test_the_trail_keeps_its_filter(chen: Browser) -> None:
    found = links(chen.get("/bureau/trail?type=proposal&actor=chen").text)
    rows = lines(chen, found["csv"])
    assert {row[2] for row in rows} == {"双人提议 proposal for two"} or len(
        {r[2] for r in rows}
    ) == 1
    assert {row[7] for row in rows} == {"Chen"}
    assert "→" in rows[0][3] or "Wu person:" in rows[0][3]
    assert chen.get(found["json"]).get_json()["query"] == {
        "type": "proposal",
        "actor": "chen",
        "subject": "",
        "day": "",
        "up_to": parse_qs(urlsplit(found["json"]).query)["up_to"][0],
    }
    assert lines(chen, "/bureau/trail/file/csv?day=2020-01-01") == []


def test_an_export_while_acts_are_appended_is_of_one_trail(bureau: Bureau, chen: Browser) -> None:
    """The manifest fits the files although somebody acts between and during each of them."""
    found = links(chen.get("/bureau/trail").text)
    stop, by = threading.Event(), bureau.instance.operator()

    def act() -> None:
        number = 0
        while not stop.is_set() and number < 500:
            number += 1
            bureau.instance.store.set_quota(2, number, by)

    acting = threading.Thread(target=act)
    acting.start()
    try:
        said = chen.get(found["manifest"]).get_json()
        for kind in ("csv", "json", "xlsx"):
            assert sha256(chen.get(found[kind]).data).hex() == said["sha256"][kind]
    finally:
        stop.set()
        acting.join()


def test_a_list_that_changes_is_of_one_reading_in_its_package(
    bureau: Bureau, chen: Browser
) -> None:
    """A manifest alone is of its own moment: that of the package is of its files."""
    found = links(chen.get("/bureau/merchants").text)
    before = chen.get(found["manifest"]).get_json()["sha256"]["csv"]
    bureau.issue("between")
    assert sha256(chen.get(found["csv"]).data).hex() != before
    with ZipFile(io.BytesIO(chen.get(found["zip"]).data)) as archive:
        said = json.loads(archive.read("merchants.manifest.json"))
        assert said["sha256"]["csv"] == sha256(archive.read("merchants.csv")).hex()
    assert said["tables"]["merchants"]["basis"] == "record"
    assert [note["code"] for note in said["notes"]] == ["record"]


def test_whoever_sees_no_names_takes_none_along(bureau: Bureau, chen: Browser) -> None:
    viewer = bureau.strong(bureau.person("vi", "viewer"))
    tax_id = bureau.restaurant.merchant.tax_id
    found = links(viewer.get("/bureau/merchants").text)
    inside = viewer.get(found["csv"]).text + viewer.get(found["json"]).text
    with ZipFile(io.BytesIO(viewer.get(found["zip"]).data)) as archive:
        inside += archive.read("merchants.csv").decode()
    cells = load_workbook(io.BytesIO(viewer.get(found["xlsx"]).data)).worksheets[1].iter_rows()
    inside += str([cell.value for row in cells for cell in row])
    assert tax_id not in inside
    assert "旋转餐厅" not in inside
    assert "深***" in inside
    assert tax_id in chen.get(found["csv"]).text
    asked = f"?text={tax_id}"  # nobody is found by a name that they do not see
    assert len(lines(viewer, f"/bureau/merchants/file/csv{asked}")) == 3
    assert len(lines(chen, f"/bureau/merchants/file/csv{asked}")) == 1
    assert len(lines(viewer, "/bureau/merchants/file/csv?district=440303&status=left")) == 0
    for path in ("trail", "lookups", "people", "applications", "quota", "merchants/1"):
        assert viewer.get(f"/bureau/{path}/file/json").status_code == 403, path


def test_a_file_taken_along_is_a_look_up_like_its_page(bureau: Bureau) -> None:
    examiner = bureau.strong(bureau.person("ex", "examiner"))
    known = len(bureau.acts("lookup"))
    for path in (f"{FILE}/file/zip", f"{FILE}/invoices/file/csv"):
        asked = examiner.get(path)
        assert f'name="to" value="{FILE}"' in asked.text
        assert asked.mimetype == "text/html"
    assert len(bureau.acts("lookup")) == known
    examiner.send("/bureau/purpose", purpose="案号 9", to=FILE)
    assert examiner.get(f"{FILE}/file/json").get_json()["what"] == "merchant"
    assert examiner.get("/bureau/quota/file/csv").status_code == 200
    for path in ("/bureau/merchants/file/csv", "/bureau/applications/file/csv"):
        assert examiner.get(path).status_code == 200
    looked = [(one["subject"], one["reason"]) for one in bureau.acts("lookup")[known:]]
    assert looked == [("merchant:1", "案号 9"), ("quota_requests", "案号 9")]


def test_a_merchants_file_has_all_that_its_page_has(bureau: Bureau, chen: Browser) -> None:
    found = links(chen.get(FILE).text)
    tables = {k: v["rows"] for k, v in chen.get(found["json"]).get_json()["tables"].items()}
    assert set(tables) == {"merchant", "whole", "months", "rates", "scans", "decisions"}
    (merchant,) = tables["merchant"]
    assert (merchant["tax_id"], merchant["quota"]) == (bureau.restaurant.merchant.tax_id, 70)
    (whole,) = tables["whole"]
    assert (whole["gross_count"], whole["gross_total"]) == (2, "99620")
    assert (whole["reversed_total"], whole["net_total"]) == ("-49810", "49810")
    assert [one["net_total"] for one in tables["months"]] == ["49810"]
    assert [one["rate"] for one in tables["rates"]]
    assert [(one["count"], one["first_day"]) for one in tables["scans"]] == [(3, "2026-11-20")]
    assert [one["type"] for one in tables["decisions"]][-1] == "admission"
    assert tables["decisions"][0]["after"]["quota"] == 70
    page = chen.get(FILE).text
    (link,) = {unescape(one) for one in re.findall(r'href="([^"]*/invoices/file/csv[^"]*)"', page)}
    before = lines(chen, link)
    assert [row[2] for row in before[:3]] == [
        *("蓝字发票 blue invoice", "红字发票 red invoice", "蓝字发票 blue invoice")
    ]
    assert [row[5] for row in before[:3]][::2] == ["'=1", "\t007"]
    assert before[0][8:10] == ["498.10", "0.00"]
    bureau.issue("later")
    assert lines(chen, link) == before
    at_none = chen.get(f"{FILE}/file/json?at_block=0").get_json()
    assert at_none["tables"]["months"]["rows"] == []
    assert at_none["at"]["block"]["height"] == 0


def test_people_proposals_and_the_desk(chen: Browser) -> None:
    tables = chen.get("/bureau/people/file/json").get_json()["tables"]
    chen_, wu = tables["people"]["rows"][:2]
    assert (chen_["role"], chen_["state"], chen_["one_time_codes"]) == (
        *("administrator", "active"),
        "yes",
    )
    (proposal,) = tables["proposals"]["rows"]
    assert (proposal["subject_name"], proposal["actor_name"], proposal["role"]) == (
        *("Wu", "Chen"),
        "viewer",
    )
    assert (proposal["state"], proposal["reason"]) == ("open", HOSTILE)
    assert [one["id"] for one in tables["people"]["rows"][:2]] == [chen_["id"], wu["id"]] == [1, 2]
    assert "argon2" not in json.dumps(tables)
    (application,) = chen.get("/bureau/applications/file/json").get_json()["tables"][
        "applications"
    ]["rows"]
    assert application["tax_id"] == OTHER_TAX_ID
    assert "contact" not in application  # that is looked up
    assert lines(chen, "/bureau/applications/file/csv?state=admitted") == []
    assert len(lines(chen, f"/bureau/applications/file/csv?text={OTHER_TAX_ID}")) == 1
    (request,) = chen.get("/bureau/quota/file/json").get_json()["tables"]["quota_requests"]["rows"]
    assert (request["month_quota"], request["quota"], request["quota_now"]) == ("12345", 5, 70)
    assert lines(chen, "/bureau/quota/file/csv?state=granted") == []
    (report,) = lines(chen, "/reports/file/csv?state=new")
    assert report[2:6] == ["未处理 new", "0", "'@x", f"'{HOSTILE}"]
    assert "1380000" not in str(report)  # how to reach somebody stands on the report's own page


def test_the_overviews_tables_are_reports_at_its_block(chen: Browser) -> None:
    """The very same figures: so what is taken along from there is taken from its page."""
    page = chen.get("/bureau/").text
    found = [unescape(one) for one in re.findall(r'href="([^"]*#along)"', page)]
    assert len(found) == 5
    for link in found:
        address = link.partition("#")[0]
        assert parse_qs(urlsplit(address).query)["at_block"] == ["1"]
        report = chen.get(address).text
        assert 'id="along"' in report
        sums = re.findall(r'data-value="-?\d+">[^<]*<', report.partition("<tfoot>")[2])[:4]
        assert sums
        shown = [one.partition(">")[2].rstrip("<") for one in sums]
        assert all(one in page for one in shown), shown
        assert "csv" in links(report)


def test_no_file_takes_the_threads_of_sales(bureau: Bureau) -> None:
    """The server in front knows each of them by its address."""
    rules = [str(rule) for rule in bureau.app.url_map.iter_rules() if "<kind>" in str(rule)]
    limits = limits_of(bureau.config)
    assert len(rules) >= 10
    assert [rule for rule in rules if not limits.is_long(rule.encode())] == []
    assert limits.is_long(b"/bureau/trail/fil%65/zip")
    assert not limits.is_long(b"/v1/invoices")


def test_no_name_of_a_file_ends_its_header() -> None:
    answer = sent((b"x",), "csv", 'a"; x=1\r\nSet-Cookie: 甲=/../.csv')
    said = answer.headers["Content-Disposition"]
    assert said == 'attachment; filename="a-x-1-Set-Cookie-..-.csv"'


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("trail/file/csv?up_to=x", "parameter_malformed"),
        ("trail/file/csv?up_to=-1", "parameter_malformed"),
        ("trail/file/csv?up_to=07", "parameter_malformed"),
        ("trail/file/csv?up_to=99999", "parameter_malformed"),  # nor later another file
        ("merchants/1/invoices/file/csv?up_to=99999", "parameter_malformed"),
        ("trail/file/exe", "no_such_address"),
        ("trail/file/csv?type=dance", "parameter_malformed"),
        ("lookups/file/csv?from=x", "day_invalid"),
        ("lookups/file/csv?from=20261120", "day_invalid"),
        ("lookups/file/csv?to=2026-W48-1", "day_invalid"),
        ("lookups/file/csv?to=2026-11-201", "day_invalid"),
        ("lookups/file/csv?person=1234567890123456", "parameter_malformed"),
        ("merchants/1/file/csv", "no_such_address"),
        ("merchants/1/file/json?at_block=9999", "block_unknown"),
        ("merchants/1/file/json?at_block=x", "parameter_malformed"),
        ("merchants/99/file/json", "merchant_unknown"),
        ("merchants/1/invoices/file/csv?up_to=9&up_to=8", "duplicate_parameter"),
        ("people/file/applications.csv", "no_such_address"),
    ],
)
def test_a_wrong_question_is_told(chen: Browser, path: str, code: str) -> None:
    answer = chen.get(f"/bureau/{path}")
    assert (code_in(answer), answer.mimetype) == (code, "text/html")
    assert "attachment" not in answer.headers.get("Content-Disposition", "")


@pytest.mark.scaled
def test_very_many_merchants_are_all_in_it(bureau: Bureau, chen: Browser) -> None:
    """Whole: 10,000, all with a hostile name."""
    rows = [
        (one.request.tax_id, HOSTILE, one.request.industry, one.request.district)
        for one in build_city(5, MANY).shops
    ]
    with bureau.instance.store.connections.writing() as connection:
        (before,) = connection.execute("SELECT count(*) FROM merchants").fetchone()
        connection.executemany(
            "INSERT OR IGNORE INTO merchants (tax_id, name, industry, district, used, status,"
            " created_at, address_phone, bank_account, drawer, payee, reviewer)"
            " VALUES (?, ?, ?, ?, 0, 'active', 1, '', '', '', '', '')",
            rows,
        )
        (after,) = connection.execute("SELECT count(*) FROM merchants").fetchone()
    assert after > before + MANY // 2
    found: dict[str, Any] = links(chen.get("/bureau/merchants").text)
    listed = lines(chen, found["csv"])
    assert len(listed) == after
    assert {row[1] for row in listed[-9:]} == {f"'{HOSTILE}"}
    sheet = load_workbook(io.BytesIO(chen.get(found["xlsx"]).data), read_only=True).worksheets[1]
    assert sum(1 for _ in sheet.iter_rows()) == after + 1
