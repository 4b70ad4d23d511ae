"""More quota on request: asked with a reason, answered once, in the register with the answer."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from werkzeug.test import TestResponse

from chain.errors import ConflictError
from invoice_service.domain.quota import Quotas
from invoice_service.services.checking.audit_trail import audit_trail
from invoice_service.services.people.ports import SCOPES, KeyTerms
from invoice_service.storage.sqlite.quota_requests import MOST_WITHDRAWN
from tests.api.admission.office import trail
from tests.api.desk import MEAL, OTHER_TAX_ID, Desk, problem


def owner(desk: Desk, merchant_id: int | None = None) -> dict[str, str]:
    """A key that may do all of its merchant's."""
    whose = merchant_id or desk.restaurant.merchant.id
    return desk.auth(desk.new_key(whose, KeyTerms(scopes=SCOPES["merchant"])))


def ask(desk: Desk, headers: dict[str, str], status: int = 201, **body: object) -> Any:  # noqa: ANN401 # JSON
    answer = desk.client.post("/v1/quota-requests", json=body, headers=headers)
    assert answer.status_code == status, answer.text
    return answer.get_json()


def answer(desk: Desk, id_: int, **body: object) -> Any:  # noqa: ANN401 # an answer
    path = f"/v1/quota-requests/{id_}/answer"
    return desk.client.post(path, json=body, headers=desk.official())


def limit(desk: Desk, **limits: int | None) -> None:
    path = f"/v1/merchants/{desk.restaurant.merchant.id}/quota"
    set_ = desk.client.put(path, json=limits, headers=desk.official())
    assert set_.status_code == 200, set_.text


def test_who_has_spent_its_month_asks_and_goes_on(desk: Desk) -> None:
    limit(desk, month_quota=50_000)
    desk.issue("T1")
    refused = desk.post("/v1/invoices", {"order_id": "T2", "lines": [MEAL]})
    assert problem(refused, 403, "quota_money_spent")["left"] == 50_000 - 46_991
    mine = owner(desk)
    asked = ask(desk, mine, month_quota=200_000, reason="春节宴席")
    assert (asked["state"], asked["month_quota"]) == ("open", 200_000)
    assert ask(desk, mine, 409, month_quota=1, reason="x")["code"] == "request_pending"
    queue = desk.client.get("/v1/quota-requests?state=open", headers=desk.official()).get_json()
    assert queue["requests"] == [asked]
    granted = answer(desk, asked["id"], version=1, granted=True, month_quota=100_000, answer="ok")
    assert granted.get_json()["state"] == "granted"
    desk.issue("T2")
    seen = desk.client.get("/v1/quota-requests", headers=mine).get_json()["requests"]
    assert (seen[0]["state"], seen[0]["answer"]) == ("granted", "ok")
    problem(answer(desk, asked["id"], version=1, granted=True), 409, "request_changed")
    problem(answer(desk, 999, version=1, granted=True), 404, "request_unknown")
    acts = trail(desk, "quota")[-3:]
    assert acts[0]["after"] == {"month_quota": 100_000}
    assert acts[0]["before"] == {"month_quota": 50_000}
    assert acts[1]["subject"] == f"quota_request:{asked['id']}"
    assert acts[2]["outcome"] == "refused" or acts[1]["outcome"] == "done"
    audit_trail(desk.instance.store)


def test_a_refusal_says_why_and_the_merchant_asks_again(desk: Desk) -> None:
    mine = owner(desk)
    asked = ask(desk, mine, invoice_limit=1_000_000, reason="会议餐")
    problem(answer(desk, asked["id"], version=1, granted=False), 422, "text_empty")
    told = answer(desk, asked["id"], version=1, granted=False, answer="请补充合同").get_json()
    assert (told["state"], told["answer"]) == ("refused", "请补充合同")
    ask(desk, mine, quota=5, reason="again")
    assert ask(desk, mine, 409, kind="quota", quota=6, reason="again")["code"] == "request_pending"


def test_nothing_is_not_asked_for(desk: Desk) -> None:
    mine = owner(desk)
    assert ask(desk, mine, 422, month_quota=5)["code"] == "text_empty"
    assert ask(desk, mine, 422, reason="more")["code"] == "limits_missing"
    assert ask(desk, mine, 422, kind="money", reason="x")["code"] == "value_unknown"
    assert ask(desk, desk.auth(), 403, month_quota=5, reason="x")["code"] == "scope_required"


def test_a_merchant_asks_to_leave_and_its_invoices_stand(desk: Desk) -> None:
    invoice, mine = desk.issue("T1"), owner(desk)
    asked = ask(desk, mine, kind="leave", reason="closes at New Year")
    answer(desk, asked["id"], version=1, granted=True)
    refused = desk.post("/v1/invoices", {"order_id": "T2", "lines": [MEAL]})
    problem(refused, 403, "merchant_left")
    read = desk.client.get(f"/v1/invoices/{invoice['hash']}", headers=mine)
    assert read.status_code == 200
    assert trail(desk, "suspension")[-1]["after"] == {"status": "left"}
    assert ask(desk, mine, 403, kind="leave")["code"] == "merchant_left"
    audit_trail(desk.instance.store)


def test_who_is_let_leave_by_hand_has_what_it_asked_for(desk: Desk) -> None:
    mine, official = owner(desk), desk.official()
    asked = ask(desk, mine, kind="leave")
    more = ask(desk, mine, quota=5, reason="more")
    done = desk.client.post(
        "/v1/merchants/1/leaving", json={"reason": "铺位收回"}, headers=official
    )
    assert done.status_code == 200, done.text
    found = desk.client.get("/v1/quota-requests", headers=official).get_json()["requests"]
    assert [(one["id"], one["state"]) for one in found] == [
        (asked["id"], "granted"),
        (more["id"], "open"),
    ]
    assert found[0]["answer"] == "铺位收回"
    assert trail(desk, "quota")[-1]["subject"] == f"quota_request:{asked['id']}"
    late = answer(desk, asked["id"], version=1, granted=False, answer="no")
    problem(late, 409, "request_changed")
    audit_trail(desk.instance.store)


def take_back(desk: Desk, headers: dict[str, str], id_: int) -> TestResponse:
    return desk.client.post(f"/v1/quota-requests/{id_}/withdrawal", headers=headers)


def test_a_merchant_takes_back_what_waits_and_asks_anew(desk: Desk) -> None:
    mine, limits = owner(desk), desk.restaurant.merchant.quotas()
    asked = ask(desk, mine, month_quota=200_000, reason="春节宴席")
    gone = take_back(desk, mine, asked["id"])
    assert (gone.status_code, gone.get_json()["state"]) == (200, "withdrawn")
    assert take_back(desk, mine, asked["id"]).get_json() == gone.get_json()
    queue = desk.client.get("/v1/quota-requests?state=open", headers=desk.official()).get_json()
    assert queue["requests"] == []
    late = answer(desk, asked["id"], version=1, granted=True)
    assert problem(late, 409, "request_changed")["state"] == "withdrawn"
    (act,) = [one for one in trail(desk, "quota") if one["outcome"] == "done"]
    assert act["after"] == {"merchant": 1, "state": "withdrawn"}
    assert act["before"] == {"kind": "quota", "month_quota": 200_000, "state": "open"}
    found = desk.instance.store.account(desk.restaurant.merchant.id)
    assert found is not None
    assert found.merchant.quotas() == limits
    again = ask(desk, mine, month_quota=300_000, reason="春节宴席")
    other = owner(desk, desk.new_merchant(OTHER_TAX_ID, "海岸咖啡馆").merchant.id)
    problem(take_back(desk, other, again["id"]), 404, "request_unknown")
    problem(take_back(desk, mine, 999), 404, "request_unknown")
    problem(take_back(desk, desk.auth(), again["id"]), 403, "scope_required")
    assert answer(desk, again["id"], version=1, granted=True).status_code == 200
    assert problem(take_back(desk, mine, again["id"]), 409, "request_changed")["state"] == "granted"
    audit_trail(desk.instance.store)


def test_asking_and_taking_back_in_turns_comes_to_an_end(desk: Desk) -> None:
    mine = owner(desk)
    for _ in range(MOST_WITHDRAWN):
        take_back(desk, mine, ask(desk, mine, quota=5, reason="x")["id"])
    desk.clock.forward(hours=1)
    assert ask(desk, mine, 429, quota=5, reason="x")["retry_after"] == 23 * 3600
    desk.clock.forward(hours=23)
    ask(desk, mine, quota=5, reason="x")


def test_of_a_withdrawal_and_an_answer_at_once_one_stands(desk: Desk) -> None:
    quotas, by = desk.instance.admission.quotas, desk.instance.operator()
    for month in range(1, 9):
        made = quotas.ask(1, "quota", Quotas(month_quota=month), "more", by)
        meet = Barrier(2)

        def withdraw(id_: int = made.id, meet: Barrier = meet) -> str:
            meet.wait()
            return quotas.withdraw(id_, 1, by).state

        def grant(id_: int = made.id, meet: Barrier = meet, month: int = month) -> str:
            meet.wait()
            return quotas.answer(id_, 1, Quotas(month_quota=month), "", by).state

        with ThreadPoolExecutor(2) as pool:
            both = [pool.submit(one) for one in (withdraw, grant)]
            failed = [one.exception() for one in both]
        (told,) = [one for one in failed if one is not None]
        assert isinstance(told, ConflictError)
        assert told.code == "request_changed"
        assert told.extra["state"] == quotas.one(made.id).state
        account = desk.instance.store.account(1)
        assert account is not None
        granted = quotas.one(made.id).state == "granted"
        assert (account.merchant.month_quota == month) == granted
    audit_trail(desk.instance.store)


def test_another_merchants_requests_are_not_seen(desk: Desk) -> None:
    ask(desk, owner(desk), quota=5, reason="mine")
    other = desk.new_merchant(OTHER_TAX_ID, "海岸咖啡馆").merchant.id
    seen = desk.client.get("/v1/quota-requests", headers=owner(desk, other)).get_json()
    assert seen == {"requests": [], "next": None}


def test_a_quota_that_is_not_named_stays(desk: Desk) -> None:
    limit(desk, quota=10, month_quota=70_000)
    limit(desk, invoice_limit=60_000)
    merchant = desk.instance.store.account(desk.restaurant.merchant.id)
    assert merchant is not None
    assert merchant.merchant.quotas().said() == {
        "quota": 10,
        "month_quota": 70_000,
        "invoice_limit": 60_000,
    }
    limit(desk, quota=None)
    audit_trail(desk.instance.store)
