"""Every input that must be refused: by its own code, with nothing stored."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from invoice_service.services.people.admit import revoke_key, set_quota, suspend
from tests.api.desk import JSON, MEAL, OTHER_TAX_ID, UNKNOWN, Desk, problem, slip
from tests.domain.samples import BY

COMPANY = {"kind": "company", "name": "深圳某某科技有限公司", "tax_id": OTHER_TAX_ID}


@pytest.fixture(scope="module")
def idle(made: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """For what is refused and leaves nothing: one that nothing is ever stored in."""
    with made.copied(tmp_path_factory.mktemp("idle")) as desk:
        yield desk


def order(**changes: object) -> dict[str, Any]:
    return {"order_id": "T1", "lines": [MEAL], **changes}


def meal(**changes: object) -> dict[str, Any]:
    return order(lines=[{**MEAL, **changes}])


def raw(text: str) -> bytes:
    return text.encode()


AT_ORDER, AT_QUANTITY, AT_PRICE = "/order_id", "/lines/0/quantity", "/lines/0/unit_price"
EXPONENT = '{"order_id":"T1","lines":[{"name":"a","unit_price":1e3,"tax_rate":"0.06"}]}'
WRONG_DIGIT = OTHER_TAX_ID[:-1] + "C"

REFUSED: dict[str, tuple[object, str]] = {
    "nothing": (b"", "400 empty_body"),
    "not JSON": (b"order_id=T1", "400 not_json"),
    "cut off": (raw(json.dumps(order())[:-1]), "400 not_json"),
    "two objects": (raw(json.dumps(order()) * 2), "400 not_json"),
    "NaN": (raw(json.dumps(meal(unit_price=float("nan")))), "400 not_json"),
    "not UTF-8": ('{"order_id":"餐"}'.encode("gbk"), "400 not_utf8"),
    "half a character": (raw('{"order_id":"\\ud800","lines":[]}'), "400 lone_surrogate"),
    "an array": ([order()], "422 wrong_type"),
    "unknown field": (order(colour=5), "422 unknown_field /colour"),
    "unknown field of a line": (meal(price=5), "422 unknown_field /lines/0/price"),
    "no order_id": ({"lines": [MEAL]}, f"422 missing_field {AT_ORDER}"),
    "no lines": ({"order_id": "T1"}, "422 missing_field /lines"),
    "empty lines": (order(lines=[]), "422 no_lines /lines"),
    "no rate": (
        order(lines=[{"name": "a", "unit_price": 1}]),
        "422 missing_field /lines/0/tax_rate",
    ),
    "2,001 lines": (order(lines=[MEAL] * 2001), "422 too_many_lines /lines"),
    "over 1 MiB": (order(remark="x" * (1 << 20)), "413 body_too_large"),
    "empty order_id": (order(order_id=""), f"422 text_empty {AT_ORDER}"),
    "long order_id": (order(order_id="x" * 65), f"422 text_too_long {AT_ORDER}"),
    "number for order_id": (order(order_id=5), f"422 wrong_type {AT_ORDER}"),
    "header in order_id": (
        order(order_id="T1\r\nSet-Cookie: a=b"),
        f"422 control_character {AT_ORDER}",
    ),
    "line end in a name": (meal(name="餐\n费"), "422 control_character /lines/0/name"),
    "quantity zero": (meal(quantity="0"), f"422 quantity_not_positive {AT_QUANTITY}"),
    "quantity negative": (meal(quantity="-1"), f"422 quantity_not_positive {AT_QUANTITY}"),
    "quantity not a number": (meal(quantity="many"), f"422 quantity_invalid {AT_QUANTITY}"),
    "quantity 1e3": (meal(quantity="1e3"), f"422 quantity_invalid {AT_QUANTITY}"),
    "quantity +5": (meal(quantity="+5"), f"422 quantity_invalid {AT_QUANTITY}"),
    "quantity full-width": (meal(quantity="５"), f"422 quantity_invalid {AT_QUANTITY}"),
    "quantity NaN": (meal(quantity="NaN"), f"422 quantity_invalid {AT_QUANTITY}"),
    "quantity as JSON number": (meal(quantity=2), f"422 wrong_type {AT_QUANTITY}"),
    "price zero": (meal(unit_price=0), "422 total_zero /lines"),
    "price negative": (meal(unit_price=-5), f"422 unit_price_not_positive {AT_PRICE}"),
    "price in yuan": (meal(unit_price=498.1), f"422 amount_not_fen {AT_PRICE}"),
    "price twice": (meal(total=5), "422 price_twice /lines/0"),
    "price in yuan as a number": (
        order(lines=[{"name": "a", "unit_price_yuan": 0.5, "tax_rate": "0.06"}]),
        "422 unit_price_yuan_invalid /lines/0/unit_price_yuan",
    ),
    "line below zero": (
        order(lines=[{"name": "a", "total": -5, "tax_rate": "0.06"}]),
        "422 line_total_negative /lines/0/total",
    ),
    "discount below zero": (meal(discount=-5), "422 discount_negative /lines/0/discount"),
    "discount above its line": (
        meal(discount=49811),
        "422 discount_too_large /lines/0/discount",
    ),
    "discount above the order": (order(discount=49811), "422 discount_too_large /discount"),
    "exempt at six percent": (
        meal(tax_kind="exempt"),
        "422 tax_kind_with_rate /lines/0/tax_kind",
    ),
    "organisation without a name": (
        order(buyer={"kind": "organisation"}),
        "422 buyer_incomplete /buyer/name",
    ),
    "price as text": (meal(unit_price="498"), f"422 amount_not_fen {AT_PRICE}"),
    "price with a fraction": (meal(unit_price=1.5), f"422 amount_not_fen {AT_PRICE}"),
    "price 1e3": (raw(EXPONENT), f"422 amount_not_fen {AT_PRICE}"),
    "price beyond all money": (meal(unit_price=10**14), f"422 amount_out_of_range {AT_PRICE}"),
    "unknown rate": (meal(tax_rate="0.07"), "422 tax_rate_unknown /lines/0/tax_rate"),
    "rate in percent": (meal(tax_rate="6%"), "422 tax_rate_unknown /lines/0/tax_rate"),
    "total off by a fen": (order(total=49811), "422 totals_mismatch /total"),
    "tax off by a fen": (order(tax=2818), "422 totals_mismatch /tax"),
    "amount off by a fen": (order(amount=46990), "422 totals_mismatch /amount"),
    "tax id with a wrong check digit": (
        order(buyer={**COMPANY, "tax_id": WRONG_DIGIT}),
        "422 tax_id_invalid /buyer/tax_id",
    ),
    "company without tax id": (
        order(buyer={"kind": "company", "name": "某公司"}),
        "422 buyer_incomplete /buyer/tax_id",
    ),
    "unknown kind of buyer": (order(buyer={"kind": "x"}), "422 value_unknown /buyer/kind"),
}


@pytest.mark.parametrize(("body", "expected"), REFUSED.values(), ids=REFUSED.keys())
def test_a_bad_request_is_refused_by_its_code_and_stores_nothing(
    idle: Desk, body: object, expected: str
) -> None:
    status, code, *pointer = expected.split(" ")
    refused = problem(idle.post("/v1/invoices", body), int(status), code)
    assert [refused.get("pointer", "")] == (pointer or [""])
    assert idle.count() == 0


@pytest.mark.parametrize("text", [
    '{"order_id":"T1","order_id":"T2","lines":[{"name":"a","unit_price":1,"tax_rate":"0"}]}',
    '{"order_id":"T1","lines":[{"name":"a","unit_price":1,"unit_price":2,"tax_rate":"0"}]}',
])  # fmt: skip
def test_a_key_that_stands_twice_is_refused(idle: Desk, text: str) -> None:
    problem(idle.post("/v1/invoices", text.encode()), 400, "duplicate_key")
    assert idle.count() == 0


def test_a_body_that_does_not_say_its_length_is_cut_off_all_the_same(desk: Desk) -> None:
    body = json.dumps(order(remark="x" * (1 << 20))).encode()
    answer = desk.client.post(
        "/v1/invoices",
        data=body,
        headers={"Content-Type": JSON, **desk.auth()},
        environ_overrides={"CONTENT_LENGTH": "", "wsgi.input_terminated": True},
    )
    problem(answer, 413, "body_too_large")
    assert desk.count() == 0


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415, "unsupported_media_type"),
        ({"Content-Type": "text/plain"}, 415, "unsupported_media_type"),
        ({"Content-Type": ""}, 415, "unsupported_media_type"),
        ({"Content-Type": f"{JSON}; charset=gbk"}, 415, "unsupported_media_type"),
        ({"Content-Encoding": "gzip"}, 415, "unsupported_encoding"),
        ({"Idempotency-Key": ""}, 400, "idempotency_key_invalid"),
        ({"Idempotency-Key": "a b"}, 400, "idempotency_key_invalid"),
        ({"Idempotency-Key": "a\tSet-Cookie:b"}, 400, "idempotency_key_invalid"),
        ({"Idempotency-Key": "\xe9\xa4\x90"}, 400, "idempotency_key_invalid"),
        ({"Idempotency-Key": "x" * 256}, 400, "idempotency_key_invalid"),
    ],
)
def test_bad_headers_are_refused(
    idle: Desk, headers: dict[str, str], status: int, code: str
) -> None:
    problem(idle.post("/v1/invoices", order(), headers), status, code)
    assert idle.count() == 0


@pytest.mark.parametrize("name", ["HTTP_IDEMPOTENCY_KEY", "HTTP_PREFER", "HTTP_AUTHORIZATION"])
def test_line_ends_in_a_header_forge_no_answer(desk: Desk, name: str) -> None:
    """Servers refuse such a header; a proxy's mistake must not reach an answer either."""
    answer = desk.client.post(
        "/v1/invoices",
        json=order(),
        headers=desk.auth(),
        environ_overrides={name: "x\r\nSet-Cookie: owned=1"},
    )
    assert "Set-Cookie" not in answer.headers
    assert "owned" not in str(answer.headers)
    if name == "HTTP_IDEMPOTENCY_KEY":
        problem(answer, 400, "idempotency_key_invalid")
    if name == "HTTP_AUTHORIZATION":
        assert answer.status_code == 401


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "key_missing"),
        ("", "key_missing"),
        ("Bearer", "authorization_scheme"),
        ("Bearer  ", "authorization_scheme"),
        ("Basic dXNlcjpwYXNz", "authorization_scheme"),
        ("fk_" + "A" * 43, "authorization_scheme"),
        ("Bearerfk_" + "A" * 43, "authorization_scheme"),
        ("Bearer\tfk_" + "A" * 43, "authorization_scheme"),
        ("Bearer fk_" + "A" * 43 + " x", "key_malformed"),
        ("Bearer fk_short", "key_malformed"),
        ("Bearer fk_" + "A" * 43, "key_unknown"),
        ("bearer fk_" + "A" * 43, "key_unknown"),
        ("Bearer \xff\xfe", "key_malformed"),
    ],
)
def test_a_wrong_key_opens_nothing(idle: Desk, header: str | None, code: str) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = idle.client.post("/v1/invoices", json=order(), headers=headers)
    problem(answer, 401, code)
    shown = code not in {"key_missing", "authorization_scheme"}
    error = ', error="invalid_token"' if shown else ""
    assert answer.headers.getlist("WWW-Authenticate") == [f'Bearer realm="fapiao"{error}']
    assert idle.count() == 0


def test_a_revoked_key_opens_nothing(desk: Desk) -> None:
    store = desk.instance.store
    for key in store.keys(desk.restaurant.merchant.id):
        revoke_key(store, key.id, BY)
    problem(desk.post("/v1/invoices", order()), 401, "key_revoked")
    assert desk.count() == 0


@pytest.mark.parametrize("header", ["{}", "Basic {}", "Token {}", "Bearer {0}, Bearer {0}"])
def test_a_good_key_counts_only_as_one_bearers_key(desk: Desk, header: str) -> None:
    headers = {"Authorization": header.format(desk.key)}
    answer = desk.client.post("/v1/invoices", json=order(), headers=headers)
    assert answer.status_code == 401
    assert desk.count() == 0


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER ", "Bearer   "])
def test_the_scheme_may_be_written_in_any_case(desk: Desk, scheme: str) -> None:
    headers = {"Authorization": scheme + desk.key}
    assert desk.client.post("/v1/invoices", json=order(), headers=headers).status_code == 201


def test_officials_do_not_issue(desk: Desk) -> None:
    answer = desk.post("/v1/invoices", order(), desk.official())
    problem(answer, 403, "role_required")
    said = 'Bearer realm="fapiao", error="insufficient_scope"'
    assert answer.headers["WWW-Authenticate"] == said
    assert desk.count() == 0


def test_a_quota_that_is_used_up_stops_issuing(desk: Desk) -> None:
    set_quota(desk.instance.store, desk.restaurant.merchant.id, 1, BY)
    desk.issue("T1")
    problem(desk.post("/v1/invoices", order(order_id="T2")), 403, "quota_exhausted")
    assert desk.count() == 1


def test_a_suspended_merchant_does_not_issue(desk: Desk) -> None:
    suspend(desk.instance.store, desk.restaurant.merchant.id, BY)
    problem(desk.post("/v1/invoices", order()), 403, "merchant_suspended")
    assert desk.count() == 0


def test_numbers_that_are_used_up_stop_issuing(tmp_path: Path) -> None:
    limits = {"FAPIAO_NUMBERING_NUMBERS_PER_BATCH": "1", "FAPIAO_NUMBERING_LAST_BATCH": "1"}
    with Desk(tmp_path, **limits) as desk:
        desk.issue("T1")
        answer = desk.post("/v1/invoices", order(order_id="T2"))
        problem(answer, 403, "number_range_exhausted")
        assert desk.count() == 1


def test_a_clock_that_was_set_back_stops_issuing(desk: Desk) -> None:
    desk.issue("T1")
    desk.clock.now -= timedelta(hours=1)
    answer = desk.post("/v1/invoices", order(order_id="T2"))
    problem(answer, 503, "clock_behind")
    assert int(answer.headers["Retry-After"]) > 0
    assert desk.count() == 1


BAD_SLIPS = [
    ({"hash": "01" + "a" * 63}, "password_area"),
    ({"hash": "01" + "a" * 65}, "password_area"),
    ({"hash": "02" + "a" * 64}, "password_area"),
    ({"hash": "01" + "G" * 64}, "password_area"),
    ({"hash": ""}, "password_area"),
    ({"bill_num": "123"}, "bill_num_invalid"),
    ({"bill_num": "１２３４５６７８"}, "bill_num_invalid"),
    ({"bill_num": "+0000001"}, "bill_num_invalid"),
    ({"total_amount": "1e3"}, "amount_invalid"),
    ({"total_amount": "+5"}, "amount_invalid"),
    ({"total_amount": "４９８１０"}, "amount_invalid"),
    ({"total_amount": "498.10"}, "amount_invalid"),
    ({"total_amount": "049810"}, "amount_invalid"),
    ({"total_amount": " 49810"}, "amount_invalid"),
    ({"total_amount": ""}, "amount_invalid"),
]


@pytest.mark.parametrize(("changes", "code"), BAD_SLIPS)
def test_a_slip_that_cannot_be_read_gets_no_verdict(
    idle: Desk, changes: dict[str, str], code: str
) -> None:
    said = slip({"hash": UNKNOWN, "number": "00000001", "total": 49810}, **changes)
    problem(idle.client.get("/v1/verifications", query_string=said), 400, code)
    page = idle.client.get("/verify/scan", query_string=said)
    assert page.status_code == 400
    assert 'data-verdict="none"' in page.text
    assert code in page.text


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("hash=a", "missing_parameter"),
        ("", "missing_parameter"),
        ("hash=a&hash=b", "duplicate_parameter"),
        ("hash=a&amount=5", "unknown_parameter"),
        ("hash", "query_malformed"),
        ("hash=%ff", "query_malformed"),
        ("&".join(f"hash={n}" for n in range(30)), "query_malformed"),
    ],
)
def test_a_query_is_read_strictly(idle: Desk, query: str, code: str) -> None:
    problem(idle.client.get(f"/v1/verifications?{query}"), 400, code)


@pytest.mark.parametrize("path", ["", "/proof", "/qr.svg", "/qr.png"])
@pytest.mark.parametrize("hash_", ["01", UNKNOWN[:-1], UNKNOWN.replace("0", "g"), UNKNOWN + "0"])
def test_a_hash_of_the_wrong_form_is_no_invoice_and_says_why(
    idle: Desk, hash_: str, path: str
) -> None:
    problem(idle.client.get(f"/v1/invoices/{hash_}{path}"), 400, "password_area")


@pytest.mark.parametrize("path", ["", "/proof", "/qr.svg", "/qr.png"])
def test_an_unknown_hash_is_not_found(idle: Desk, path: str) -> None:
    problem(idle.client.get(f"/v1/invoices/{UNKNOWN}{path}"), 404, "invoice_unknown")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=0", "parameter_malformed"),
        ("limit=501", "parameter_malformed"),
        ("limit=1e2", "parameter_malformed"),
        ("limit=%EF%BC%95", "parameter_malformed"),
        ("after=-1", "parameter_malformed"),
        ("after=x", "parameter_malformed"),
        ("number=1", "bill_num_invalid"),
        ("from=2026-02-30", "day_invalid"),
        ("to=yesterday", "day_invalid"),
        ("from=20261121", "day_invalid"),
        ("from=2026-11-22&to=2026-11-21", "range_invalid"),
        ("page=2", "unknown_parameter"),
    ],
)
def test_a_search_is_read_strictly(idle: Desk, query: str, code: str) -> None:
    problem(idle.client.get(f"/v1/invoices?{query}", headers=idle.auth()), 400, code)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/nothing", 404, "no_such_address"),
        ("/v1/invoices/", 404, "no_such_address"),
        ("/v1//invoices", 404, "no_such_address"),
        ("/log/nothing", 404, "no_such_address"),
    ],
)
def test_an_unknown_address_is_a_problem_too(idle: Desk, path: str, status: int, code: str) -> None:
    problem(idle.client.get(path), status, code)


def test_a_wrong_method_says_which_would_do(desk: Desk) -> None:
    answer = desk.client.delete("/v1/invoices")
    refused = problem(answer, 405, "method_not_allowed")
    assert "POST" in answer.headers["Allow"]
    assert "POST" in refused["allow"]
