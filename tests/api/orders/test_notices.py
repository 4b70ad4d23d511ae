"""Notices of payment services: each case has its answer, and none pays what it should not.

The keys are made here: the services' documents show no private key of their examples.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from invoice_service.sections import Payments
from invoice_service.services.claims.payment_keys import wechat_keys
from invoice_service.services.claims.wechat import Headers, read_notice
from tests.api.desk import Desk, problem
from tests.api.orders.test_orders import claim, made, now
from tests.services.claims import signed

NAMES = ("Timestamp", "Nonce", "Serial", "Signature")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """An instance that knows both services."""
    folder = tmp_path_factory.mktemp("paid")
    with Desk(folder, **signed.settings(folder / "payments")) as desk:
        yield desk


class Numbers:
    """Orders of one module, each with a number of its own."""

    last = 0


def order(desk: Desk, **more: Any) -> dict[str, Any]:  # noqa: ANN401 # JSON
    """A new one."""
    Numbers.last += 1
    return made(desk, f"N{Numbers.last}", **more)


def at(desk: Desk) -> int:
    return int(desk.clock().timestamp())


def wechat(desk: Desk, body: bytes, **changed: str) -> TestResponse:
    """WeChat Pay's call, with changed headers."""
    return desk.client.post(
        "/v1/payments/wechat", data=body, headers={**signed.headers(body, at(desk)), **changed}
    )


def alipay(desk: Desk, body: bytes) -> TestResponse:
    kind = "application/x-www-form-urlencoded; charset=GBK"
    return desk.client.post("/v1/payments/alipay", data=body, content_type=kind)


def told(made_: dict[str, Any], total: int = 49810, **changes: Any) -> bytes:  # noqa: ANN401 # JSON
    """A notice that an order was paid, by a payment of its own."""
    said = signed.transaction(made_["id"], total, transaction_id=f"42-{made_['id']}")
    return signed.notice(said | changes)


def test_a_notice_pays_its_order_once(whole: Desk) -> None:
    one = order(whole)
    for _ in range(2):
        answer = wechat(whole, told(one))
        assert (answer.status_code, answer.get_json()["code"]) == (200, "SUCCESS")
    then = now(whole, one)
    assert then["state"] == "paid"
    assert [(it["by"], it["amount"], it["counts"]) for it in then["payments"]] == [
        ("wechat", 49810, True)
    ]


def test_a_notice_of_money_that_went_back_pays_nothing(whole: Desk) -> None:
    """Alipay tells of a refund by the status and the amount of the payment itself."""
    one = order(whole, auto_issue=True)
    fee = signed.alipay(one["id"], "498.10", refund_fee="100.00")
    for body in (fee, signed.alipay(one["id"], "498.10", gmt_refund="2026-11-21 12:40:00.000")):
        answer = alipay(whole, body)
        assert (answer.status_code, answer.text) == (200, "success")
    assert now(whole, one)["state"] == "open"


def test_a_serial_is_one_number_with_its_first_zero_or_without(tmp_path: Path) -> None:
    (tmp_path / "signers").mkdir()
    (tmp_path / "apiv3").write_bytes(signed.API_KEY)
    (tmp_path / "signers" / "0A1B.pem").write_bytes(signed.public())
    settings = Payments(
        wechat_key=str(tmp_path / "apiv3"), wechat_signers=str(tmp_path / "signers")
    )
    keys = wechat_keys(settings)
    assert keys is not None
    body = signed.notice(signed.transaction("o", 1))
    for serial in ("0A1B", "A1B", "a1b"):
        said = signed.headers(body, 1, serial=serial)
        proved = Headers(*(said[f"Wechatpay-{name}"] for name in NAMES))
        assert read_notice(keys, proved, body, 1) is not None


def test_both_services_pay_and_one_issues_by_itself(whole: Desk) -> None:
    for charset in ("utf-8", "GBK"):
        one = order(whole, auto_issue=True)
        for _ in range(2):
            body = signed.alipay(one["id"], "498.10", charset=charset, trade_no=one["id"])
            answer = alipay(whole, body)
            assert (answer.status_code, answer.text) == (200, "success")
        assert now(whole, one)["state"] == "claimed"


def test_a_public_key_of_the_service_counts_by_its_id(whole: Desk) -> None:
    one = order(whole)
    body = told(one)
    proof = signed.headers(body, at(whole), signer=1, serial="PUB_KEY_ID_0116")
    assert whole.client.post("/v1/payments/wechat", data=body, headers=proof).status_code == 200


def test_a_notice_before_its_order_comes_again(whole: Desk) -> None:
    unknown = {"id": "f" * 32}
    problem(wechat(whole, told(unknown)), 404, "payment_order_unknown")
    problem(alipay(whole, signed.alipay("f" * 32, "1.00")), 404, "payment_order_unknown")


def test_another_amount_is_written_down_and_pays_nothing(whole: Desk) -> None:
    one = order(whole, auto_issue=True)
    for _ in range(2):
        problem(wechat(whole, told(one, 49809)), 409, "payment_amount_differs")
    then = now(whole, one)
    assert (then["state"], [it["counts"] for it in then["payments"]]) == ("open", [False])
    body = signed.alipay(one["id"], "498.11", trade_no=f"9-{one['id']}")
    problem(alipay(whole, body), 409, "payment_amount_differs")


def test_late_money_is_money(whole: Desk) -> None:
    late, gone = order(whole, expires_in=60, auto_issue=True), order(whole, auto_issue=True)
    whole.client.delete(f"/v1/orders/{gone['id']}", headers=whole.auth())
    whole.anchor()
    whole.clock.forward(seconds=61)
    for one in (late, gone):
        assert wechat(whole, told(one)).status_code == 200
    assert now(whole, late)["state"] == "claimed"
    then = now(whole, gone)
    assert (then["state"], len(then["payments"])) == ("cancelled", 1)


def test_a_claim_before_the_notice_stays(whole: Desk) -> None:
    one = order(whole, auto_issue=True)
    assert claim(whole, one, name="李四").status_code == 303
    before = whole.count()
    assert wechat(whole, told(one)).status_code == 200
    assert whole.count() == before


@pytest.mark.parametrize("off", [-301, 301])
def test_what_is_caught_and_sent_again_is_refused(whole: Desk, off: int) -> None:
    body = told(order(whole))
    proof = signed.headers(body, at(whole) + off)
    answer = whole.client.post("/v1/payments/wechat", data=body, headers=proof)
    problem(answer, 403, "payment_time_over")
    for text in ("", "soon", "1" * 400, "-1"):
        answer = wechat(whole, body, **{"Wechatpay-Timestamp": text})
        problem(answer, 403, "payment_time_over")


def test_forged_notices_are_refused(whole: Desk) -> None:
    one = order(whole)
    body = told(one)
    other = signed.headers(body, at(whole), signer=1)["Wechatpay-Signature"]
    changed = body.replace(b"transaction", b"transactiom", 1)
    proof = signed.headers(body, at(whole))
    for answer in (
        wechat(whole, body, **{"Wechatpay-Signature": other}),
        wechat(whole, body, **{"Wechatpay-Signature": "no base64"}),
        wechat(whole, body, **{"Wechatpay-Nonce": "another"}),
        whole.client.post("/v1/payments/wechat", data=changed, headers=proof),
        wechat(whole, signed.notice(signed.transaction(one["id"], 49810), key_=b"x" * 32)),
        wechat(whole, told(one, mchid="another")),
        alipay(whole, signed.alipay(one["id"], "498.10", signer=1)),
        alipay(whole, signed.alipay(one["id"], "498.10", app_id="another")),
        alipay(whole, signed.alipay(one["id"], "498.10").replace(b"498.10", b"498.11")),
        alipay(whole, b"sign=%21&total_amount=1"),
        alipay(whole, b"sign_type=RSA&total_amount=1"),
    ):
        problem(answer, 403, "payment_signature_invalid")
    wrong = wechat(whole, body, **{"Wechatpay-Serial": "5157F09EFDC096DE15EBE81A47057A7232F1B8E2"})
    problem(wrong, 403, "payment_serial_unknown")
    assert now(whole, one)["state"] == "open"


def test_notices_of_other_things_are_acknowledged_and_no_more(whole: Desk) -> None:
    one = order(whole)
    said = signed.transaction(one["id"], 49810)
    assert wechat(whole, signed.notice(said, "REFUND.SUCCESS")).status_code == 200
    assert wechat(whole, told(one, trade_state="CLOSED")).status_code == 200
    closed = signed.alipay(one["id"], "498.10", trade_status="TRADE_CLOSED")
    assert alipay(whole, closed).text == "success"
    assert "payments" not in now(whole, one)


def test_what_is_no_notice_is_refused(whole: Desk) -> None:
    for body in (b"{}", b"[]", b'{"id": 1}', b"\xff"):
        problem(wechat(whole, body), 400, "payment_malformed")
    usd: dict[str, Any] = {"amount": {"total": 49810, "currency": "USD"}}
    problem(wechat(whole, told(order(whole), **usd)), 400, "payment_malformed")
    for body in (b"nonsense", b"a=1&a=2&sign=", b"charset=latin-1", b"a=%ff", b"\xff=1"):
        problem(alipay(whole, body), 400, "payment_malformed")
    for amount in ("", "4e2", "498.100"):
        answer = alipay(whole, signed.alipay(order(whole)["id"], amount))
        problem(answer, 400, "payment_malformed")


def test_without_keys_no_notice_is_taken(desk: Desk) -> None:
    for path in ("wechat", "alipay"):
        problem(desk.client.post(f"/v1/payments/{path}", data=b"x"), 404, "payments_off")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("apiv3", b"too short"),
        ("signers/platform.pem", b"-----BEGIN CERTIFICATE-----\nnone\n"),
        ("signers/PUB_KEY_ID_0116.pem", b"no key"),
    ],
)
def test_keys_that_cannot_be_read_are_the_operator_s(
    tmp_path: Path, name: str, data: bytes
) -> None:
    settings = signed.settings(tmp_path / "payments")
    with Desk(tmp_path, **settings) as desk:
        (tmp_path / "payments" / name).write_bytes(data)
        answer = wechat(desk, told({"id": "0" * 32}))
        problem(answer, 503, "payment_keys_unreadable")
        assert str(tmp_path) not in answer.text
