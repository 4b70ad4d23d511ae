"""Acting on a merchant from its file: once, on what was seen, by who may, with a reason."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.web.people.visitors import Browser, Bureau, code_in, hidden

FILE = "/bureau/merchants/1"


@pytest.fixture
def bureau(tmp_path: Path) -> Iterator[Bureau]:
    with Bureau(tmp_path) as bureau:
        yield bureau


def opened(bureau: Bureau, name: str, role: Any) -> Browser:  # noqa: ANN401 # a role of the bureau
    """Somebody who has said why they look."""
    browser = bureau.strong(bureau.person(name, role))
    browser.get(FILE)
    browser.send("/bureau/purpose", purpose="案号 7", to=FILE)
    assert browser.get(FILE).status_code == 200
    return browser


def forms(browser: Browser) -> set[str]:
    """What the file offers."""
    return set(re.findall(rf'action="{FILE}/([a-z]+)"', browser.get(FILE).text))


def done(bureau: Bureau, type_: str) -> list[tuple[Any, str]]:
    """What was done to the merchant, with its reason."""
    return [
        (one["after"], one["reason"])
        for one in bureau.acts(type_)
        if (one["subject"], one["outcome"]) == ("merchant:1", "done")
    ]


def limits(page: str) -> dict[str, str]:
    """What the form for limits has seen."""
    return {
        f"seen_{name}": hidden(page, f"seen_{name}")
        for name in ("quota", "month_quota", "invoice_limit")
    }


def test_one_suspends_and_one_readmits_each_once_with_a_reason(bureau: Bureau) -> None:
    examiner = opened(bureau, "ex", "examiner")
    assert forms(examiner) == {"suspension"}
    sent = {"seen": "active", "reason": "多次<b>不符"}
    for _ in range(2):  # pressed twice
        answer = examiner.send(f"{FILE}/suspension", **sent)
        assert (answer.status_code, answer.headers["Location"]) == (
            *(303, f"{FILE}?done=suspension"),
        )
    assert done(bureau, "suspension") == [({"status": "suspended"}, "多次<b>不符")]
    page = examiner.get(f"{FILE}?done=suspension").text
    assert "已停用：" in page
    assert "多次&lt;b&gt;不符" in page
    assert "已停用：" not in examiner.get(f"{FILE}?done=readmission").text
    assert forms(examiner) == set()
    admin = opened(bureau, "chen", "administrator")
    assert forms(admin) == {"readmission", "leaving", "quota", "revocation"}
    again = admin.send(f"{FILE}/readmission", seen="suspended", reason="已整改")
    assert again.status_code == 303
    assert done(bureau, "suspension")[1:] == [({"status": "active"}, "已整改")]


def test_one_lets_it_leave_once_and_takes_it_back(bureau: Bureau) -> None:
    admin = opened(bureau, "chen", "administrator")
    for _ in range(2):
        answer = admin.send(f"{FILE}/leaving", seen="active", reason="停业")
        assert answer.headers["Location"] == f"{FILE}?done=leaving"
    assert done(bureau, "suspension") == [({"status": "left"}, "停业")]
    assert "已退出：" in admin.get(f"{FILE}?done=leaving").text
    assert forms(admin) == {"readmission", "quota", "revocation"}
    assert admin.send(f"{FILE}/readmission", seen="left", reason="复业").status_code == 303
    assert done(bureau, "suspension")[1:] == [({"status": "active"}, "复业")]


def test_a_stale_form_is_refused_with_what_changed_and_what_was_typed(bureau: Bureau) -> None:
    examiner = opened(bureau, "ex", "examiner")
    admin = opened(bureau, "chen", "administrator")
    admin.send(f"{FILE}/suspension", seen="active", reason="先到")
    late = examiner.send(f"{FILE}/suspension", seen="active", reason="后到")
    assert code_in(late) == "merchant_changed"
    assert "已准入 → <b>已停用</b>" in late.text
    assert "先到" in late.text
    assert "后到" in late.text
    assert hidden(late.text, "back") == FILE
    assert [reason for _, reason in done(bureau, "suspension")] == ["先到"]
    seen = limits(admin.get(FILE).text)
    other = opened(bureau, "li", "administrator")
    sent = {"quota": "9", "month_quota": "800.50", "invoice_limit": "", "reason": "春节"}
    for _ in range(2):
        assert other.send(f"{FILE}/quota", **seen, **sent).status_code == 303
    assert done(bureau, "quota") == [({"quota": 9, "month_quota": 80050}, "春节")]
    stale = admin.send(f"{FILE}/quota", **seen, quota="77", reason="旧")
    assert code_in(stale) == "merchant_changed"
    assert 'value="77"' in stale.text
    assert "<b>¥800.50</b>" in stale.text
    assert limits(stale.text)["seen_month_quota"] == "80050"
    fresh = limits(stale.text)
    same = {"quota": "9", "month_quota": "800.50", "reason": ""}
    assert admin.send(f"{FILE}/quota", **fresh, **same).headers["Location"].endswith("done=same")
    assert len(done(bureau, "quota")) == 1


@pytest.mark.parametrize(
    ("what", "sent", "code"),
    [
        ("suspension", {"reason": "\u200b "}, "text_empty"),
        ("suspension", {"reason": "x" * 201}, "text_too_long"),
        ("suspension", {"reason": "x", "seen": "suspended"}, "merchant_changed"),
        ("revocation", {"reason": ""}, "text_empty"),
        ("leaving", {"reason": ""}, "text_empty"),
        ("leaving", {"reason": "x", "seen": "suspended"}, "merchant_changed"),
        ("quota", {"reason": "x", "quota": "1e3"}, "amount_out_of_range"),
        ("quota", {"reason": "x", "quota": "0" * 19 + "1" + "9" * 9}, "amount_out_of_range"),
        ("quota", {"reason": "x", "month_quota": "many"}, "amount_invalid"),
        ("quota", {"reason": "", "quota": "5"}, "text_empty"),
    ],
)
def test_what_cannot_be_taken_does_nothing_and_stays(
    bureau: Bureau, what: str, sent: dict[str, str], code: str
) -> None:
    admin = opened(bureau, "chen", "administrator")
    answer = admin.send(f"{FILE}/{what}", **{"seen": "active", **sent})
    assert code_in(answer) == code
    assert "<details open>" in answer.text
    for name in ("reason", "quota", "month_quota"):
        assert f'value="{sent.get(name, "")}"' in answer.text
    assert done(bureau, "suspension") == done(bureau, "quota") == []


def test_revoking_takes_two_and_is_proposed_once(bureau: Bureau) -> None:
    admin, other = (opened(bureau, name, "administrator") for name in ("chen", "wu"))
    for _ in range(2):
        answer = admin.send(f"{FILE}/revocation", seen="active", reason="伪造发票")
        assert answer.headers["Location"] == f"{FILE}?done=proposal"
    assert "revocation" not in forms(other)
    assert code_in(other.send(f"{FILE}/revocation", seen="active", reason="x")) == "proposal_open"
    assert "伪造发票" in other.get("/bureau/people").text
    assert done(bureau, "suspension") == []
    assert other.send("/bureau/proposals/1/confirmation").status_code == 303
    assert done(bureau, "suspension") == [({"status": "revoked"}, "伪造发票")]
    assert forms(admin) == set()
    late = admin.send(f"{FILE}/readmission", seen="suspended", reason="x")
    assert code_in(late) in {"merchant_changed", "merchant_revoked"}


def test_one_alone_revokes_and_who_may_not_is_told_who_may(bureau: Bureau) -> None:
    auditor = opened(bureau, "au", "auditor")
    assert forms(auditor) == set()
    page = auditor.get(FILE).text
    assert "审核员 · 管理员" in page
    for what in ("suspension", "readmission", "leaving", "quota", "revocation"):
        refused = auditor.send(f"{FILE}/{what}", seen="active", reason="x")
        assert code_in(refused) == "role_required"
    admin = opened(bureau, "chen", "administrator")
    assert code_in(admin.post(f"{FILE}/suspension", seen="active", reason="x")) == "form_stale"
    for _ in range(2):
        answer = admin.send(f"{FILE}/revocation", seen="active", reason="伪造")
        assert answer.headers["Location"] == f"{FILE}?done=revocation"
    assert done(bureau, "suspension") == [({"status": "revoked"}, "伪造")]
    assert forms(admin) == set()
