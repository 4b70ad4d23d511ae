"""Reports and counts of scans for officials, whatever door the scans came by."""

import io
from typing import Any

import pytest

from invoice_service.api.help.calls import SCANS
from tests.api.desk import MEAL, NDJSON, UNKNOWN, Desk, problem, slip

FORM = "multipart/form-data"


def get(desk: Desk, path: str, status: int = 200) -> Any:  # noqa: ANN401 # JSON
    answer = desk.client.get(path, headers=desk.official())
    assert answer.status_code == status, answer.text
    return answer.get_json()


def report(desk: Desk, number: int = 0, **fields: str) -> None:
    """Somebody's report."""
    form = {"nonce": f"{number:048x}", "message": "x", **fields}
    answer = desk.client.post("/report", data=form, content_type=FORM)
    assert answer.status_code == 200, answer.text


def judge(desk: Desk, id_: object, body: object) -> Any:  # noqa: ANN401 # an answer
    path = f"/v1/reports/{id_}/state"
    return desk.client.put(path, json=body, headers=desk.official())


def test_a_report_is_read_judged_and_stands_in_the_trail(desk: Desk) -> None:
    invoice = desk.issue()
    report(desk, said=invoice["qr"], place="Shenzhen", contact="13800000000")
    (found,) = get(desk, "/v1/reports")["reports"]
    assert found == get(desk, "/v1/reports/1")
    assert (found["state"], found["hash"], found["verdict"]) == ("new", invoice["hash"], "pending")
    assert found["at"] == "2026-11-21T04:30:00Z"
    assert "note" not in found
    judged = judge(desk, 1, {"state": "seen", "note": "we call you"}).get_json()
    assert (judged["state"], judged["note"]) == ("seen", "we call you")
    (act,) = get(desk, "/v1/trail?type=report")["acts"]
    assert (act["subject"], act["after"]) == ("report:1", {"state": "seen"})
    assert "we call you" not in str(act)


def test_they_come_in_pages_and_by_state(desk: Desk) -> None:
    for number in range(3):
        report(desk, number)
    first = get(desk, "/v1/reports?limit=2")
    assert [one["id"] for one in first["reports"]] == [1, 2]
    rest = get(desk, f"/v1/reports?limit=2&after={first['next']}")
    assert ([one["id"] for one in rest["reports"]], rest["next"]) == ([3], None)
    judge(desk, 2, {"state": "closed"})
    assert [one["id"] for one in get(desk, "/v1/reports?state=closed")["reports"]] == [2]
    assert get(desk, "/v1/reports?state=lost", 400)["code"] == "parameter_malformed"


def test_a_picture_is_what_was_sent_made_anew(desk: Desk, photograph: bytes) -> None:
    form = {"nonce": "0" * 48, "picture": (io.BytesIO(photograph + b"<script>"), "a.jpg")}
    assert desk.client.post("/report", data=form, content_type=FORM).status_code == 200
    assert get(desk, "/v1/reports/1")["pictures"] == [1]
    picture = desk.client.get("/v1/reports/1/pictures/1", headers=desk.official())
    assert picture.content_type == "image/jpeg"
    assert b"<script>" not in picture.data
    assert picture.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["1", "x", "0", "9" * 40, "1/pictures/1"])
def test_what_is_not_there_is_unknown(desk: Desk, path: str) -> None:
    answer = desk.client.get(f"/v1/reports/{path}", headers=desk.official())
    problem(answer, 404, "report_unknown")


def test_a_judgement_that_cannot_be_read_changes_nothing(desk: Desk) -> None:
    report(desk)
    for body, code in (
        ({}, "missing_field"),
        ({"state": "burnt"}, "value_unknown"),
        ({"state": "seen", "note": 7}, "wrong_type"),
        ({"state": "seen", "why": "x"}, "unknown_field"),
        ({"state": "seen", "note": "x" * 501}, "text_too_long"),
    ):
        problem(judge(desk, 1, body), 422, code)
    problem(judge(desk, 2, {"state": "seen"}), 404, "report_unknown")
    assert get(desk, "/v1/reports/1")["state"] == "new"
    assert get(desk, "/v1/trail?type=report")["acts"] == []


def test_an_official_erases_for_who_lost_the_receipt(desk: Desk) -> None:
    report(desk, contact="13800000000")
    path = "/v1/reports/1"
    erased = desk.client.delete(path, headers=desk.official()).get_json()
    assert erased == {"id": 1, "at": erased["at"], "state": "new", "erased": True}
    assert get(desk, path) == erased
    (act,) = get(desk, "/v1/trail?type=report")["acts"]
    assert (act["subject"], act["after"]) == ("report:1", {"erased": 1})
    problem(desk.client.delete("/v1/reports/2", headers=desk.official()), 404, "report_unknown")


def test_every_door_counts_what_does_not_fit_and_nothing_else(desk: Desk) -> None:
    invoice, other = desk.issue("A"), desk.issue("B")
    desk.anchor()
    good, wrong = slip(invoice), slip(invoice, total_amount="913")
    made_up = slip(invoice, hash=UNKNOWN)
    client = desk.client
    for said in (good, wrong, made_up):
        client.get("/v1/verifications", query_string=said)
        client.get("/verify/scan", query_string=said)
        client.post("/v1/verifications", json=said, content_type=NDJSON).get_data()
        client.post("/dzswj/bers_ep_web/query_bill_detail", data=_pilot(said))
    client.get("/v1/verifications", query_string=slip(other, total_amount="1"))
    # A report looks the slip up once more, and counts nothing.
    report(
        desk,
        said=f"https://fapiao.test/verify/scan?hash={wrong['hash']}"
        f"&bill_num={wrong['bill_num']}&total_amount=913",
    )
    assert get(desk, "/v1/reports/1")["verdict"] == "mismatch"
    found = get(desk, "/v1/reports/mismatches")
    assert (found["from"], found["to"]) == ("2026-10-23", "2026-11-21")
    assert (found["unknown"], found["others"]) == (4, 0)
    day = {"first_day": "2026-11-21", "last_day": "2026-11-21"}
    merchant = desk.restaurant.merchant.id
    assert found["invoices"] == [
        {"hash": one["hash"], "number": one["number"], "merchant": merchant, "count": n, **day}
        for one, n in ((invoice, 4), (other, 1))
    ]


def _pilot(said: dict[str, str]) -> dict[str, str]:
    return {"tx_hash": said["hash"], **{k: v for k, v in said.items() if k != "hash"}}


def test_days_are_chosen(desk: Desk) -> None:
    invoice = desk.issue()
    for _ in range(2):
        desk.client.get("/v1/verifications", query_string=slip(invoice, total_amount="1"))
        desk.clock.forward(days=1)
    desk.app.extensions[SCANS].flush()

    def count(query: str) -> int:
        invoices = get(desk, f"/v1/reports/mismatches{query}")["invoices"]
        return sum(one["count"] for one in invoices)

    assert count("") == 2
    assert count("?from=2026-11-22") == 1
    assert count("?to=2026-11-21") == 1
    assert count("?from=2026-11-23&to=2026-11-23") == 0
    assert get(desk, "/v1/reports/mismatches?from=2026-11-22&to=2026-11-21", 400)["code"] == (
        "range_invalid"
    )
    assert get(desk, "/v1/reports/mismatches?from=today", 400)["code"] == "day_invalid"


def test_metrics_say_how_many_wait(desk: Desk) -> None:
    report(desk)
    report(desk, 1)
    judge(desk, 2, {"state": "seen"})
    text = desk.client.get("/metrics").text
    assert "fapiao_reports_new 1.0" in text
    assert "fapiao_reports_seen 1.0" in text


def test_nothing_of_it_is_made_while_all_fits(desk: Desk) -> None:
    invoice = desk.issue(lines=[MEAL])
    desk.client.get("/v1/verifications", query_string=slip(invoice))
    desk.app.extensions[SCANS].flush()
    assert not desk.config.help_dir.exists()
