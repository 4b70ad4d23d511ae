"""The admission desk and the queue of requests: an official's morning, on plain pages."""

import re
from typing import Any
from urllib.parse import urlencode

import pytest

from invoice_service.domain.application import Finding
from invoice_service.domain.waiting import again_in
from invoice_service.services.admission.ports import Decision
from tests.web.apply.test_apply import send, status
from tests.web.help.test_report import receipt_in, refused
from tests.web.people.visitors import Browser, Bureau, code_in, hidden

HOSTILE = "<script>alert(1)</script>{{7*7}}'\""


def step(browser: Browser, bureau: Bureau, decision: str, **fields: Any) -> Any:  # noqa: ANN401 # an answer
    """The form of that step, as the page has it."""
    browser.get("/bureau/applications/1")
    version = bureau.instance.admission.bench.one(1).version
    path = "/bureau/applications/1/decision"
    return browser.send(path, version=str(version), decision=decision, **fields)


def test_from_the_desk_to_the_register(bureau: Bureau, photograph: bytes) -> None:
    receipt = receipt_in(send(bureau, (photograph,), name=HOSTILE, message=HOSTILE))
    head = bureau.strong(bureau.person("wang", "administrator"))
    desk = head.get("/bureau/applications").text
    assert "<script>alert" not in desk
    assert "&lt;script&gt;alert(1)" in desk
    page = head.get("/bureau/applications/1").text
    assert "<script>alert" not in page
    assert "49" not in page.partition("<h1>")[2].partition("</h1>")[0]
    picture = head.get("/bureau/applications/1/papers/1")
    assert (picture.content_type, picture.data[:3]) == ("image/jpeg", b"\xff\xd8\xff")
    assert head.send("/bureau/applications/1/comment", text="Licence?").status_code == 303
    assert "Licence?" in status(bureau, receipt).text
    assert step(head, bureau, "notice").status_code == 303
    early = step(head, bureau, "examine", risk="low", credit="A")
    assert (early.status_code, code_in(early)) == (409, "notice_running")
    bureau.clock.forward(days=5)
    head = bureau.strong(bureau.person("zhao", "administrator"))
    assert step(head, bureau, "examine", risk="low", credit="A").status_code == 303
    wrong = step(head, bureau, "admit", batch="1", month_quota="a lot")
    assert code_in(wrong) == "amount_invalid"
    done = step(head, bureau, "admit", batch="2026-11", month_quota="¥1,000.50", quota="30")
    assert done.status_code == 303
    merchant_id = bureau.instance.admission.bench.one(1).merchant_id
    assert merchant_id is not None
    account = bureau.instance.store.account(merchant_id)
    assert account is not None
    assert (account.merchant.month_quota, account.merchant.quota) == (100_050, 30)
    told = status(bureau, receipt)
    assert "You are admitted" in told.text
    assert "/invitation/" not in told.text
    told = status(bureau, receipt, act="account", name="Chen", login="chen")
    (link,) = re.findall(r'href="https://fapiao\.test(/invitation/[^"]+)"', told.text)
    desk = head.get("/bureau/applications/1").text
    assert f"chen@{merchant_id}" in desk
    assert link not in desk
    owner = bureau.browser()
    assert "chen@" in owner.get(link).text
    assert owner.send(link, password="nine geese walk over ice").status_code == 303
    assert owner.is_in()
    assert "It is open" in status(bureau, receipt).text
    assert bureau.browser().get(link).status_code == 404


def test_the_desk_offers_the_account_anew_or_no_more(bureau: Bureau, photograph: bytes) -> None:
    receipt = receipt_in(send(bureau, (photograph,)))
    head = bureau.strong(bureau.person("wang", "administrator"))
    bench, path = bureau.instance.admission.bench, "/bureau/applications/1"
    steps: tuple[dict[str, Any], ...] = (
        {"step": "notice"},
        {"step": "examine", "finding": Finding("low", "A")},
        {"step": "admit", "batch": "1", "offer_seconds": 60},
    )
    for one in steps:
        decision = Decision(version=bench.one(1).version, **one)
        bench.store.decide(1, decision, bureau.instance.operator())
    assert "Open the account" in status(bureau, receipt).text
    head.get(path)
    assert head.send(f"{path}/invitation", withhold="yes").status_code == 303
    assert "not opened here" in status(bureau, receipt).text
    wrong = status(bureau, receipt, act="account", name="Chen", login="chen")
    refused(wrong, 409, "account_not_offered")
    assert head.send(f"{path}/invitation").status_code == 303
    assert "Open the account" in status(bureau, receipt).text
    examiner = bureau.strong(bureau.person("sun", "examiner"))
    assert "Offer it" not in examiner.get(path).text
    assert code_in(examiner.send(f"{path}/invitation")) == "role_required"


def test_the_desk_says_who_competes_and_refuses_nobody_unseen(
    bureau: Bureau, photograph: bytes
) -> None:
    first, second = (receipt_in(send(bureau, (photograph,), message=one)) for one in "ab")
    examiner = bureau.strong(bureau.person("wang", "administrator"))
    assert examiner.get("/bureau/applications").text.count("label is-warn") == 2
    assert 'href="/bureau/applications/2"' in examiner.get("/bureau/applications/1").text
    bench, by = bureau.instance.admission.bench, bureau.instance.operator()
    for one in ({"step": "notice"}, {"step": "examine", "finding": Finding("low", "A")}):
        decision = Decision(version=bench.one(1).version, **one)
        bench.store.decide(1, decision, by)
    page = examiner.get("/bureau/applications/1").text
    assert hidden(page, "rivals") == "2"
    unseen = step(examiner, bureau, "admit", batch="1")
    assert (unseen.status_code, code_in(unseen)) == (409, "application_changed")
    assert step(examiner, bureau, "admit", batch="1", rivals="2").status_code == 303
    assert "Another application with this tax id was admitted" in status(bureau, second).text
    assert "You are admitted" in status(bureau, first).text
    assert "编号 2" in examiner.get("/bureau/applications/2").text


def test_an_examiner_sees_no_admission_and_cannot_send_one(
    bureau: Bureau, photograph: bytes
) -> None:
    send(bureau, (photograph,))
    examiner = bureau.strong(bureau.person("sun", "examiner"))
    assert step(examiner, bureau, "notice").status_code == 303
    refused = step(examiner, bureau, "admit", batch="1")
    assert (refused.status_code, code_in(refused)) == (403, "role_required")
    assert "Batch of the pilot" not in examiner.get("/bureau/applications/1").text
    auditor = bureau.strong(bureau.person("qian", "auditor"))
    page = auditor.get("/bureau/applications/1").text
    assert 'name="decision"' not in page
    assert code_in(step(auditor, bureau, "refuse", reason="x")) == "role_required"


def test_an_owner_asks_and_an_examiner_answers(bureau: Bureau) -> None:
    owner = bureau.signed_in(bureau.person("zhang"))
    assert "none" in owner.get("/account/quota").text or "无" in owner.get("/account/quota").text
    nothing = owner.send("/account/quota", reason="more")
    assert code_in(nothing) == "limits_missing"
    sent = owner.send("/account/quota", month_quota="5,000", reason="Spring Festival")
    assert sent.status_code == 303
    again = owner.send("/account/quota", month_quota="6,000", reason="more")
    assert (again.status_code, code_in(again)) == (409, "request_pending")
    examiner = bureau.strong(bureau.person("sun", "examiner"))
    queue = examiner.get("/bureau/quota").text
    assert "Spring Festival" in queue
    assert "不予批准" in queue  # nobody is refused admission here
    unsaid = examiner.send("/bureau/quota/1", version="1", answered="refuse", answer="")
    assert code_in(unsaid) == "text_empty"
    assert "现在可开" in unsaid.text
    wrong = examiner.send("/bureau/quota/1", version="1", answered="grant", month_quota="no")
    assert re.search(r'<details open>.*name="month_quota"[^>]* value="no"', wrong.text, re.DOTALL)
    done = examiner.send("/bureau/quota/1", version="1", answered="grant", answer="ok")
    assert done.status_code == 303
    account = bureau.instance.store.account(bureau.restaurant.merchant.id)
    assert account is not None
    assert account.merchant.month_quota == 500_000
    assert "5,000.00" in owner.get("/account/quota").text
    stale = examiner.send("/bureau/quota/1", version="1", answered="grant", answer="ok")
    assert code_in(stale) == "request_changed"


def test_an_owner_takes_back_and_whoever_answers_is_told(bureau: Bureau) -> None:
    owner = bureau.signed_in(bureau.person("zhang"))
    owner.send("/account/quota", month_quota="5,000", reason="Spring Festival")
    path = "/account/quota/1/withdrawal"
    assert f'action="{path}"' in owner.get("/account/quota").text
    examiner = bureau.strong(bureau.person("sun", "examiner"))
    examiner.get("/bureau/quota")
    assert owner.send(path).status_code == 303
    assert f'action="{path}"' not in owner.get("/account/quota").text
    assert "Spring Festival" not in examiner.get("/bureau/quota").text
    late = examiner.send("/bureau/quota/1", version="1", answered="grant", answer="ok")
    assert code_in(late) == "request_changed"
    assert "商户已撤回" in late.text
    owner.send("/account/quota", kind="leave", sure="yes")
    assert examiner.send("/bureau/quota/2", version="1", answered="grant").status_code == 303
    told = owner.send("/account/quota/2/withdrawal")
    assert (told.status_code, code_in(told)) == (409, "request_changed")
    assert "已同意" in told.text
    assert owner.send("/account/quota/9/withdrawal").status_code == 404


def test_who_takes_back_too_often_is_told_until_when(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("invoice_service.storage.sqlite.quota_requests.MOST_WITHDRAWN", 1)
    owner = bureau.signed_in(bureau.person("zhang"))
    owner.send("/account/quota", month_quota="5,000", reason="Spring Festival")
    assert owner.send("/account/quota/1/withdrawal").status_code == 303
    told = []
    for language in ("zh", "en"):
        owner.post("/language", language=language, back="/")
        answer = owner.send("/account/quota", month_quota="5,000", reason="again")
        assert (answer.status_code, code_in(answer)) == (429, "rate_limited")
        told.append(again_in(int(answer.headers["Retry-After"]))[language == "zh"])
        assert told[-1] in answer.text
    assert "小时" in told[0]
    assert "hours" in told[1]


@pytest.mark.parametrize("sure", ["", "yes"])
def test_leaving_is_asked_for_with_care(bureau: Bureau, sure: str) -> None:
    owner = bureau.signed_in(bureau.person("zhang"))
    sent = owner.send("/account/quota", kind="leave", sure=sure)
    assert (sent.status_code == 303) == bool(sure)


def test_the_desk_finds_by_name_and_tax_id_in_every_state(
    bureau: Bureau, photograph: bytes
) -> None:
    receipt = receipt_in(send(bureau, (photograph,), name=HOSTILE))
    status(bureau, receipt, act="withdraw", sure="yes")
    send(bureau, (photograph,), name="福田面馆", tax_id="914403001922038216")
    auditor = bureau.strong(bureau.person("qian", "auditor"))

    def found(**asked: str) -> list[str]:
        page = auditor.get(f"/bureau/applications?{urlencode(asked)}")
        assert page.status_code == 200
        return re.findall(r'href="/bureau/applications/(\d+)"', page.text)

    assert found(text="alert(1)") == ["1"]
    assert found(text="面馆") == found(text="9144 0300 1922") == ["2"]
    assert found(text="面馆", state="admitted") == []
    assert found(text="x" * 5000) == []
    assert "<script>alert" not in auditor.get(f"/bureau/applications?text={HOSTILE}").text
