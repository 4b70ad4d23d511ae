"""A page that answers a form speaks the other language with what was typed, and nothing is done."""

import re
from html import unescape

import pytest
from werkzeug.test import TestResponse

from tests.api.desk import MEAL
from tests.web.apply.test_apply import send, status
from tests.web.help import conftest
from tests.web.help.test_report import receipt_in
from tests.web.help.test_report import send as report
from tests.web.help.test_report import status as told
from tests.web.people.visitors import OURS, Browser, Bureau, code_in, hidden

bureau, made_bureau, photograph = conftest.bureau, conftest.made_bureau, conftest.photograph

SWITCH = re.compile(r'<form action="/language" method="post">(.*?)</form>', re.DOTALL)
FIELD = re.compile(r'name="([^"]+)" value="([^"]*)"')


def switch(answer: TestResponse) -> dict[str, str]:
    """What the switch of a page sends."""
    (form,) = SWITCH.findall(answer.text)
    return {name: unescape(value) for name, value in FIELD.findall(form)}


def other(browser: Browser, answer: TestResponse, site: str | None = OURS) -> TestResponse:
    """The page in the other language, as a browser gets there."""
    fields = switch(answer)
    chosen = browser.post("/language", site, **fields)
    assert chosen.status_code == 307, chosen.text
    assert "language=" in chosen.headers["Set-Cookie"]
    shown = browser.post(chosen.headers["Location"], site, **fields)
    assert shown.headers["Content-Language"].startswith(fields["language"])
    return shown


@pytest.fixture
def browser(bureau: Bureau) -> Browser:
    return bureau.browser()


def test_a_refused_application_is_there_again_but_for_its_papers(
    bureau: Bureau, browser: Browser, photograph: bytes
) -> None:
    wrong = send(bureau, (photograph,), tax_id="91330100799655058A", message='<b>"你好"</b>')
    for language, code_said in (("zh", "识别号"), ("en", "tax id")):
        shown = other(browser, wrong)
        assert code_in(shown) == "tax_id_invalid"
        assert code_said in shown.text, language
        assert "&lt;b&gt;&#34;你好&#34;&lt;/b&gt;</textarea>" in shown.text
        assert re.search(r'value="440305" selected', shown.text)
        assert 'value="91330100799655058A"' in shown.text
        said = {"zh": "页面不保存文件", "en": "Pages keep no files"}
        assert said[language] in shown.text
        wrong = shown
    assert bureau.instance.admission.bench.store.applications(["received"], 0, 9) == []


def test_the_applicants_page_stays_itself_and_nothing_is_done_twice(
    bureau: Bureau, browser: Browser, photograph: bytes
) -> None:
    receipt = receipt_in(send(bureau, (photograph,)))
    shown = other(browser, status(bureau, receipt, act="comment", text="We moved"))
    assert "我的申请" in shown.text
    assert shown.text.count("We moved") == 1
    unsure = status(bureau, receipt, act="withdraw", text="Wait")
    shown = other(browser, unsure)
    assert code_in(shown) == "form_incomplete"
    assert "Wait</textarea>" in shown.text
    found = bureau.instance.admission.bench.one(1)
    assert (found.state, len(found.comments)) == ("received", 1)
    unknown = other(browser, status(bureau, "00000-00000-00000-00000"))
    assert "00000-00000-00000-00000" in unknown.text


def test_a_report_and_its_senders_page_do_so_too(bureau: Bureau, browser: Browser) -> None:
    refused = report(bureau, said="", message="", place="柜台")
    assert 'value="柜台"' in other(browser, refused).text
    receipt = receipt_in(report(bureau, message="wrong"))
    shown = other(browser, told(bureau, receipt))
    assert receipt in shown.text
    assert "Number of the receipt" not in shown.text


def test_a_refused_decision_keeps_what_was_typed_and_is_not_taken(
    bureau: Bureau, photograph: bytes
) -> None:
    send(bureau, (photograph,))
    examiner = bureau.strong(bureau.person("sun", "examiner"))
    examiner.get("/bureau/applications/1")
    path = "/bureau/applications/1/decision"
    early = examiner.send(path, version="7", decision="refuse", reason="no such shop")
    acts = len(bureau.acts("admission"))
    shown = other(examiner, early)
    assert code_in(shown) == "application_changed"
    assert "look at it again" in shown.text
    assert 'value="no such shop"' in shown.text
    assert len(bureau.acts("admission")) == acts


def test_a_claim_that_was_refused_keeps_its_title_and_no_secret(
    bureau: Bureau, browser: Browser
) -> None:
    made = bureau.post("/v1/orders", {"order_id": "A1", "lines": [MEAL]}).get_json()
    path, secret = f"/claim/{made['link'].rpartition('/')[2]}", "7" * 32
    browser.get(path)
    wrong = browser.post(path, kind="company", name="某某公司", tax_id="x", mine=secret)
    assert secret not in switch(wrong).values()
    shown = other(browser, wrong)
    assert "The tax id is wrong" in shown.text
    assert 'value="某某公司"' in shown.text.partition("<main>")[2]


def test_the_page_of_a_merchants_people_stays_that_merchants(bureau: Bureau) -> None:
    head = bureau.strong(bureau.person("chen", "administrator"))
    head.get("/people?merchant=1")
    wrong = head.send("/people", merchant="1", name="李", login="no such!", role="owner")
    for _ in range(2):
        wrong = other(head, wrong)
        assert code_in(wrong) == "login_invalid"
        assert hidden(wrong.text.partition("<main>")[2], "merchant") == "1"
        assert 'value="no such!"' in wrong.text.partition("<main>")[2]
        assert re.search(r'value="owner" checked', wrong.text)


def test_no_password_is_in_a_page_and_whose_it_was_stays(bureau: Bureau) -> None:
    owner = bureau.person("zhang")
    browser = bureau.browser()
    refused = browser.sign_in(owner, "three foxes and a hare")
    assert "three foxes" not in refused.text
    shown = other(browser, refused)
    assert code_in(shown) == code_in(refused) != ""
    assert f'value="{owner.login}"' in shown.text


def test_what_another_site_sends_is_no_look(bureau: Bureau, photograph: bytes) -> None:
    wrong = send(bureau, (photograph,), tax_id="x")
    answer = bureau.browser().post("/apply?again=form", site="cross-site", **switch(wrong))
    assert answer.status_code in (403, 415)
    assert 'value="海岸咖啡馆"' not in answer.text


UNPROVED = {"zh": "浏览器没有说明", "en": "Your browser does not say where"}


def test_a_browser_that_does_not_say_whence_shows_it_by_its_forms_token(
    bureau: Bureau, photograph: bytes
) -> None:
    """Nobody else has that: of another browser's, and of none, the fields are empty."""
    send(bureau, (photograph,))
    examiner = bureau.strong(bureau.person("wei", "examiner"))
    examiner.get("/bureau/applications/1")
    path = "/bureau/applications/1/decision"
    wrong = examiner.send(path, version="7", decision="refuse", reason="no such shop")
    for _ in range(2):  # the page that is shown has a switch again
        wrong = other(examiner, wrong, site=None)
        assert 'value="no such shop"' in wrong.text
        assert code_in(wrong) == "application_changed"
        assert not any(said in wrong.text for said in UNPROVED.values())
    another = bureau.strong(bureau.person("zhou", "examiner"))
    typed = switch(wrong)
    for own in (typed["own"], "", "0" * 64, "\ud800"):
        fields = typed | {"own": own.encode("utf-8", "replace").decode()}
        shown = another.post(f"{typed['back']}?again=form", None, **fields)
        assert "no such shop" not in shown.text
        assert code_in(shown) == ""
        assert shown.text.count(UNPROVED["zh"]) + shown.text.count(UNPROVED["en"]) == 1
        assert "no such shop" in another.post(f"{typed['back']}?again=form", **fields).text
    assert bureau.instance.admission.bench.one(1).state == "received"


def test_a_page_without_a_token_is_empty_where_the_browser_says_nothing(
    bureau: Bureau, browser: Browser, photograph: bytes
) -> None:
    wrong = send(bureau, (photograph,), tax_id="x")
    shown = other(browser, wrong, site=None)
    assert UNPROVED[shown.headers["Content-Language"][:2]] in shown.text
    assert "海岸咖啡馆" not in shown.text.partition("<main>")[2]
    receipt = receipt_in(send(bureau, (photograph,)))
    asked = other(browser, status(bureau, receipt), site=None)
    assert receipt in asked.text
    assert not any(said in asked.text for said in UNPROVED.values()), "nothing was typed"


def test_what_is_too_long_to_come_along_is_said(
    bureau: Bureau, browser: Browser, photograph: bytes
) -> None:
    """As much as a form may have comes along, and what comes behind it, too."""
    fits, over = "长" * 6_000, "长" * 6_700
    wrong = send(bureau, (photograph,), tax_id="x", message=fits)
    shown = other(browser, wrong)
    assert f"{fits}</textarea>" in shown.text
    said = {"zh": "有一段文字太长", "en": "A text was too long to come along"}
    assert not any(one in shown.text for one in said.values())
    shown = send(bureau, (photograph,), tax_id="x", message=over)
    for _ in range(2):
        shown = other(browser, shown)
        assert shown.status_code == 200
        assert said[shown.headers["Content-Language"][:2]] in shown.text
        assert over not in shown.text
        assert 'value="海岸咖啡馆"' in shown.text


@pytest.mark.parametrize("path", ["/v1/invoices", "/language", "/sign-out", "/till/here"])
def test_where_no_page_is_nothing_is_looked_at(bureau: Bureau, path: str) -> None:
    answer = bureau.browser().post(f"{path}?again=form", **{"typed.x": "1"})
    assert answer.status_code >= 400
