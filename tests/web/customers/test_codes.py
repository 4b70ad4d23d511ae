"""The page of error codes: by subject, searched without script, and where problems point to."""

import re

from invoice_service.api.catalog import CATALOG, SUBJECTS
from invoice_service.api.remedies import REMEDIES
from invoice_service.web.customers.codes_page import WHOM
from tests.api.desk import Desk
from tests.web.customers.test_scan import Page


def codes(desk: Desk, **query: str) -> list[str]:
    """The codes that are shown, in order."""
    answer = desk.client.get("/problems", query_string=query)
    assert answer.status_code == 200
    return [str(item["id"]) for item in Page(answer.text).all("li") if "id" in item]


def test_every_code_stands_there_once_under_its_subject(desk: Desk) -> None:
    assert codes(desk) == list(CATALOG)
    page = Page(desk.client.get("/problems").text)
    anchors = [str(section.get("id")) for section in page.all("section") if section.get("id")]
    assert anchors == [f"about-{subject.name}" for subject in SUBJECTS]
    links = {str(link["href"]) for link in page.all("a")}
    assert {f"#{anchor}" for anchor in anchors} <= links
    assert not set(anchors) & set(CATALOG)


def test_no_code_has_two_subjects() -> None:
    assert sum(len(subject.codes) for subject in SUBJECTS) == len(CATALOG)


def test_the_address_of_a_problem_is_that_of_its_entry(desk: Desk) -> None:
    for path in ("/v1/nothing", "/v1/verifications?qr=x", "/v1/merchants"):
        body = desk.client.get(path).get_json()
        page, code = body["type"].removeprefix("https://fapiao.test").split("#")
        text = desk.client.get(page).text
        assert f'<li id="{code}">' in text
        assert body["title_zh"] in text


def test_a_code_is_found_by_its_name_status_or_words(desk: Desk) -> None:
    assert codes(desk, q="not_in_log") == ["not_in_log"]
    assert codes(desk, q="NOT_IN_L") == ["not_in_log"]
    assert "rate_limited" in codes(desk, q="429")
    assert codes(desk, q="幂等 409") == ["idempotency_key_conflict", "order_id_reused"]
    assert codes(desk, q="  ") == list(CATALOG)
    assert codes(desk, q="no such word") == []
    assert {"no_tile", "log_behind"} <= set(codes(desk, q="公开账本"))


def test_what_was_sought_stays_in_the_field_as_text(desk: Desk) -> None:
    text = desk.client.get("/problems", query_string={"q": '"><script>'}).text
    assert "<script" not in text
    assert Page(text).all("input")[1]["value"] == '"><script>'
    assert re.search(r"没有符合的代码", text)
    assert codes(desk, q="x" * 5000) == []


def test_every_code_has_one_remedy_in_both_languages_and_somebody_to_do_it() -> None:
    assert set(REMEDIES) == set(CATALOG)
    for code, remedy in REMEDIES.items():
        assert remedy.whom in WHOM, code
        assert remedy.text.endswith("."), code
        assert remedy.text_zh.endswith("。"), code


def test_the_remedy_of_a_wrong_request_is_for_wrong_requests() -> None:
    shared = {code for code, remedy in REMEDIES.items() if remedy == REMEDIES["bad_request"]}
    (requests,) = [subject for subject in SUBJECTS if subject.name == "request"]
    assert shared <= set(requests.codes)


def test_what_is_to_be_done_stands_with_each_and_can_be_narrowed_to_ones_own(desk: Desk) -> None:
    page = Page(desk.client.get("/problems", headers={"Accept-Language": "en"}).text)
    assert "fapiao clock confirm" in page.text
    mine = codes(desk, **{"for": "operator"})
    assert {"clock_ahead", "disk_full"} <= set(mine)
    assert {REMEDIES[code].whom for code in mine} == {"operator"}
    assert codes(desk, **{"for": "operator", "q": "clock"}) == [
        code for code in mine if "clock" in code or code == "payment_time_over"
    ]
    assert codes(desk, **{"for": "nobody"}) == list(CATALOG)
