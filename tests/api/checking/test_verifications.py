"""Verdicts for programs, one and many."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from chain.errors import UnavailableError
from invoice_service.api.checking.results import COLUMNS, Results
from invoice_service.domain.verdict import Verdict, Verification
from tests.api.desk import NDJSON, TAX_ID, UNKNOWN, Desk, problem, refusing, slip
from tests.domain.bent import bent, several

CSV = "text/csv"


def verdict(desk: Desk, **said: str) -> dict[str, Any]:
    answer = desk.client.get("/v1/verifications", query_string=said)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    found: dict[str, Any] = answer.get_json()
    return found


def commas(invoice: dict[str, Any], **changes: str) -> str:
    """The pilot's other form of the code."""
    fields = {
        "code": invoice["code"],
        "number": invoice["number"],
        "seller": TAX_ID,
        "amount": "469.91",
        "day": "20261121",
        "hash": invoice["hash"],
        **changes,
    }
    return ",".join(["01", "10", *fields.values()])


def test_an_anchored_invoice_is_authentic_with_its_block(desk: Desk) -> None:
    invoice = desk.issue()
    desk.anchor()
    found = verdict(desk, **slip(invoice))
    assert found["verdict"] == "authentic"
    assert (found["block"], found["index"], found["log_size"]) == (1, 0, 2)
    assert found["sealed_at"] == "2026-11-21T04:30:00Z"
    names = [step["name"] for step in found["steps"]]
    assert names[:6] == ["groups", "slip", "entry", "signature", "inclusion", "seal"]
    assert [step["number"] for step in found["steps"]] == list(range(1, len(names) + 1))
    assert found["face"]["number"] == "00000001"


def test_a_new_invoice_is_pending(desk: Desk) -> None:
    found = verdict(desk, **slip(desk.issue()))
    assert found["verdict"] == "pending"
    assert "block" not in found


@pytest.mark.parametrize("changes", [{"bill_num": "00000002"}, {"total_amount": "49811"}])
def test_an_altered_slip_is_a_mismatch_and_shows_no_face(
    desk: Desk, changes: dict[str, str]
) -> None:
    invoice = desk.issue()
    desk.anchor()
    found = verdict(desk, **slip(invoice, **changes))
    assert found["verdict"] == "mismatch"
    assert "face" not in found


def test_what_was_never_issued_is_unknown(desk: Desk) -> None:
    found = verdict(desk, hash=UNKNOWN, bill_num="00000001", total_amount="1")
    assert found == {"verdict": "unknown", "hash": UNKNOWN}


def test_an_individual_buyers_name_is_masked_and_a_companys_is_not(desk: Desk) -> None:
    person = desk.issue("T1", buyer={"name": "张三丰"})
    company = {"kind": "company", "name": "某某科技有限公司", "tax_id": TAX_ID}
    firm = desk.issue("T2", buyer=company)
    assert verdict(desk, **slip(person))["buyer_name"] == "张**"
    assert verdict(desk, **slip(firm))["buyer_name"] == "某某科技有限公司"


def test_a_whole_code_is_read_in_both_forms(desk: Desk) -> None:
    invoice = desk.issue()
    assert verdict(desk, qr=invoice["qr"])["verdict"] == "pending"
    assert verdict(desk, qr=commas(invoice))["verdict"] == "pending"
    assert verdict(desk, qr=commas(invoice, amount="469.92"))["verdict"] == "mismatch"
    answer = desk.client.get("/v1/verifications", query_string={"qr": "nonsense"})
    problem(answer, 400, "qr_invalid")


def test_fields_beside_a_code_say_the_same_or_nothing_is_judged(desk: Desk) -> None:
    invoice, other = desk.issue("T1"), desk.issue("T2")
    said = slip(other, bill_num="00000009", total_amount="1")
    answer = desk.client.get("/v1/verifications", query_string={**said, "qr": invoice["qr"]})
    problem(answer, 400, "claims_differ")
    assert verdict(desk, **slip(invoice), qr=invoice["qr"])["verdict"] == "pending"
    assert verdict(desk, **slip(invoice, total_amount="1"), qr=commas(invoice))["verdict"] == (
        "mismatch"
    )
    rows = [{**said, "qr": invoice["qr"]}, {"hash": other["hash"], "qr": invoice["qr"]}]
    body = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    results = [json.loads(line) for line in check(desk, body, NDJSON).splitlines()]
    assert [found["problem"]["code"] for found in results] == ["claims_differ"] * 2
    table = f"hash,qr\r\n{other['hash']},{invoice['qr']}\r\n{invoice['hash']},{invoice['qr']}"
    results = [json.loads(line) for line in check(desk, table.encode(), CSV).splitlines()]
    assert results[0]["problem"]["code"] == "claims_differ"
    assert results[1]["verification"]["verdict"] == "pending"


def test_a_forwarded_code_and_capitals_are_read_in_every_list(desk: Desk) -> None:
    invoice = desk.issue()
    bent = invoice["qr"] + "&from=singlemessage&isappinstalled=0"
    shouted = slip(invoice, hash=invoice["hash"].upper())
    assert verdict(desk, qr=bent)["verdict"] == "pending"
    assert verdict(desk, **shouted)["hash"] == invoice["hash"]
    lists = {
        "text/plain": f"{bent}\r\n",
        NDJSON: "\n".join(json.dumps(row) for row in ({"qr": bent}, shouted)),
        CSV: f"hash,bill_num,total_amount\n{shouted['hash']},1,49810\n",  # as Excel leaves 00000001
    }
    for kind, body in lists.items():
        for line in check(desk, body.encode(), kind).splitlines():
            assert json.loads(line)["verification"]["verdict"] == "pending", kind
    found = desk.client.get(f"/v1/invoices/{invoice['hash'].upper()}").get_json()
    assert found["hash"] == invoice["hash"]


def test_what_was_bent_on_its_way_is_read_in_every_list(desk: Desk) -> None:
    """One table for all entries; a line end within a code ends a list's line."""
    code = desk.issue()["qr"]
    texts = {name: text for name, text in bent(code).items() if "\n" not in text}
    table = io.StringIO()
    csv.writer(table).writerows([["qr"], *([text] for text in texts.values())])
    bodies = {
        "text/plain": "\n".join(texts.values()),
        NDJSON: "\n".join(json.dumps({"qr": text}) for text in texts.values()),
        CSV: table.getvalue(),
    }
    for kind, body in bodies.items():
        answers = map(json.loads, check(desk, body.encode(), kind).splitlines())
        for name, found in zip(texts, answers, strict=True):
            assert "verification" in found, (kind, name, found)
            assert found["verification"]["verdict"] == "pending"
    for text in bent(code).values():
        assert verdict(desk, qr=text)["verdict"] == "pending"


def test_of_several_codes_in_one_text_none_is_chosen(desk: Desk) -> None:
    texts = several(desk.issue("T1")["qr"], desk.issue("T2")["qr"])
    body = "\n".join(json.dumps({"qr": text}) for text in texts.values())
    for name, line in zip(texts, check(desk, body.encode(), NDJSON).splitlines(), strict=True):
        code = json.loads(line)["problem"]["code"]
        assert code in {"claims_differ", "duplicate_parameter"}, name


@pytest.mark.parametrize(
    "code", ["database_busy", "database_unavailable", "record_damaged", "disk_full"]
)
def test_a_read_error_is_never_a_verdict(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    invoice = desk.issue()
    monkeypatch.setattr(
        desk.instance.store, "invoice", refusing(UnavailableError(code, "secret detail"))
    )
    answer = desk.client.get("/v1/verifications", query_string=slip(invoice))
    body = problem(answer, 503, code)
    assert "verdict" not in body
    assert "unknown" not in answer.text
    assert "secret detail" not in answer.text
    assert len(body["incident"]) == 12


def check(desk: Desk, body: bytes, kind: str, accept: str = NDJSON) -> str:
    answer = desk.client.post(
        "/v1/verifications", data=body, headers={"Content-Type": kind, "Accept": accept}
    )
    assert answer.status_code == 200, answer.text
    assert answer.content_type.startswith(accept)
    return answer.text


def test_many_slips_as_ndjson_have_a_result_each(desk: Desk) -> None:
    invoice = desk.issue()
    records = [
        slip(invoice),
        {**slip(invoice), "total_amount": 49810},
        {"qr": commas(invoice)},
        slip(invoice, bill_num="00000009"),
        slip(invoice, total_amount="1e3"),
        {"hash": UNKNOWN, "bill_num": "00000001", "total_amount": 5},
        {**slip(invoice), "note": "x"},
        {},
    ]
    body = b"".join(json.dumps(record).encode() + b"\n" for record in records) + b"{\n"
    results = [json.loads(line) for line in check(desk, body, NDJSON).splitlines()]
    assert [result["line"] for result in results] == list(range(1, 10))
    found = [
        result["verification"]["verdict"] if "verification" in result else result["problem"]["code"]
        for result in results
    ]
    assert found == [
        *("pending", "pending", "pending", "mismatch", "amount_invalid", "unknown"),
        *("unknown_field", "missing_parameter", "not_json"),
    ]


def test_many_slips_as_csv_and_back(desk: Desk) -> None:
    first, second = desk.issue("T1"), desk.issue("T2")
    desk.anchor()
    rows = [
        "bill_num,hash,total_amount",
        f"{first['number']},{first['hash']},49810",
        f'"{second["number"]}",{second["hash"]},49811',
        f"{first['number']},{first['hash']}",
        f"{first['number']},=1+1,49810",
    ]
    body = ("\ufeff" + "\r\n".join(rows)).encode()
    text = check(desk, body, CSV, CSV)
    assert text.startswith("\ufeff")
    results = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [row["line"] for row in results] == ["2", "3", "4", "5"]
    assert [row["verdict"] for row in results] == ["authentic", "mismatch", "", ""]
    assert [row["code"] for row in results] == ["", "", "not_csv", "password_area"]
    assert (results[0]["block"], results[0]["hash"]) == ("1", first["hash"])


def test_a_sellers_name_is_no_formula_in_a_table() -> None:
    """Somebody else opens it. Numbers below zero stay numbers."""
    face = {"seller": {"name": "=1+1"}, "issued_at": "", "total": -100}
    line = Results("").csv(2, Verification(verdict=Verdict.AUTHENTIC, hash="01", face=face))
    (row,) = csv.DictReader(io.StringIO(line.decode()), COLUMNS)
    assert (row["seller"], row["total"]) == ("'=1+1", "-1.00")


def test_an_invoice_that_stands_twice_is_said_to(desk: Desk) -> None:
    """By whatever it is named, and also where the second slip says something else of it."""
    first, other = desk.issue("T1"), desk.issue("T2")
    desk.anchor()
    records = [first["qr"], other["qr"], "nonsense", commas(first), other["qr"], first["qr"]]
    body = "\n".join(records).encode()
    results = [json.loads(line) for line in check(desk, body, "text/plain").splitlines()]
    assert [result.get("duplicate_of") for result in results] == [None, None, None, 1, 2, 1]
    rows = list(csv.DictReader(io.StringIO(check(desk, body, "text/plain", CSV)[1:])))
    assert [row["duplicate_of"] for row in rows] == ["", "", "", "1", "2", "1"]
    forged = json.dumps(slip(first, total_amount="1")).encode()
    results = [
        json.loads(line) for line in check(desk, forged + b"\n" + forged, NDJSON).splitlines()
    ]
    assert results[1]["duplicate_of"] == 1
    again = [json.loads(line) for line in check(desk, body, "text/plain").splitlines()]
    assert "duplicate_of" not in again[0]  # each list is a list of its own


def test_a_row_says_whose_invoice_it_is_and_how_much(desk: Desk) -> None:
    invoice = desk.issue()
    body = f"{invoice['qr']}\n{commas(invoice)}0".encode()
    row, bad = csv.DictReader(io.StringIO(check(desk, body, "text/plain", CSV)[1:]))
    assert (row["total"], row["issued_at"]) == ("498.10", invoice["issued_at"])
    assert "餐厅" in row["seller"]
    assert (bad["seller"], bad["total"], bad["issued_at"]) == ("", "", "")


def test_many_codes_as_plain_lines(desk: Desk) -> None:
    invoice = desk.issue()
    body = f"{invoice['qr']}\n{commas(invoice)}\n\nnonsense\n\xff".encode("latin-1")
    results = [json.loads(line) for line in check(desk, body, "text/plain").splitlines()]
    assert [result["line"] for result in results] == [1, 2, 4, 5]
    assert [("problem" in result) for result in results] == [False, False, True, True]


def test_a_slip_that_cannot_be_checked_just_now_stops_no_other(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = desk.issue("T1"), desk.issue("T2")
    desk.anchor()
    read = desk.instance.store.invoice

    def sometimes(digest: bytes) -> object:
        if digest.hex() in first["hash"]:
            raise UnavailableError("record_damaged", "row 1")
        return read(digest)  # type: ignore[arg-type]

    monkeypatch.setattr(desk.instance.store, "invoice", sometimes)
    body = f"{first['qr']}\n{second['qr']}\n".encode()
    results = [json.loads(line) for line in check(desk, body, "text/plain").splitlines()]
    assert results[0]["problem"]["status"] == 503
    assert results[1]["verification"]["verdict"] == "authentic"


@pytest.mark.parametrize(
    ("body", "kind", "accept", "status", "code"),
    [
        (b"", NDJSON, "*/*", 400, "empty_body"),
        (b"{}", "application/json", "*/*", 415, "unsupported_media_type"),
        (b"number,amount\n1,2\n", CSV, "*/*", 400, "not_csv"),
        (b"hash,hash\n1,2\n", CSV, "*/*", 400, "not_csv"),
        ("hash,qr\n".encode("utf-16"), CSV, "*/*", 400, "not_utf8"),
        ("{}".encode("utf-16-be"), NDJSON, "*/*", 400, "not_utf8"),
        ("hello".encode("utf-16"), "text/plain", "*/*", 400, "not_utf8"),
        (b"{}", NDJSON, "application/pdf", 406, "not_acceptable"),
    ],
)
def test_many_that_cannot_be_read_are_refused_whole(
    desk: Desk, body: bytes, kind: str, accept: str, status: int, code: str
) -> None:
    headers = {"Content-Type": kind, "Accept": accept}
    problem(desk.client.post("/v1/verifications", data=body, headers=headers), status, code)


def test_the_line_that_names_the_columns_is_no_record(tmp_path: Path) -> None:
    with Desk(tmp_path, FAPIAO_LIMITS_BATCH_RECORDS="2") as desk:
        row = f"{UNKNOWN},00000001,1\r\n"
        header = "hash,bill_num,total_amount\r\n"
        assert len(check(desk, (header + row * 2).encode(), CSV).splitlines()) == 2
        answer = desk.client.post(
            "/v1/verifications", data=header + row * 3, headers={"Content-Type": CSV}
        )
        refused = problem(answer, 413, "too_many_records")
        assert (refused["limit"], refused["detail"]) == (2, "at most 2 records in one list")


@pytest.mark.parametrize("kind", ["text/plain", NDJSON, CSV])
def test_more_than_the_limit_is_refused(desk: Desk, kind: str) -> None:
    most = desk.config.limits.batch_records
    body = b"hash\n" * (kind == CSV) + b"x\n" * (most + 1)
    answer = desk.client.post("/v1/verifications", data=body, headers={"Content-Type": kind})
    assert problem(answer, 413, "too_many_records")["limit"] == most


def test_the_line_that_names_the_columns_may_stand_alone(desk: Desk) -> None:
    assert check(desk, b"\n\nhash,bill_num,total_amount\n", CSV) == ""


@pytest.mark.parametrize("kind", ["text/plain", NDJSON])
def test_a_byte_order_mark_is_no_part_of_the_first_record(desk: Desk, kind: str) -> None:
    code = desk.issue()["qr"]
    line = code if kind == "text/plain" else json.dumps({"qr": code})
    (result,) = check(desk, f"\ufeff{line}".encode(), kind).splitlines()
    assert json.loads(result)["verification"]["verdict"] == "pending"


def test_every_slip_has_a_result_also_when_we_break_half_way(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = desk.issue()
    reads = iter([desk.instance.store.invoice, refusing(RuntimeError("inside"))])
    monkeypatch.setattr(desk.instance.store, "invoice", lambda digest: next(reads)(digest))
    body = f"{invoice['qr']}\n\n".encode() * 4
    results = [json.loads(line) for line in check(desk, body, "text/plain").splitlines()]
    assert [result["line"] for result in results] == [1, 3, 5, 7]
    assert results[0]["verification"]["verdict"] == "pending"
    assert {result["problem"]["code"] for result in results[1:]} == {"internal_error"}
    assert "inside" not in json.dumps(results)
