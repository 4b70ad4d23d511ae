"""Many at once: a result per record in order, one bad record stops no other."""

import json
from pathlib import Path
from typing import Any

import pytest

from chain.errors import UnavailableError
from chain.proof.promise import open_promise
from invoice_service.services.issuing.issue import AT_ONCE
from tests.api.desk import MEAL, NDJSON, Desk, problem, refusing


def lines(*records: object) -> bytes:
    return b"".join(
        (record if isinstance(record, bytes) else json.dumps(record).encode()) + b"\n"
        for record in records
    )


def order(number: object, **changes: object) -> dict[str, Any]:
    return {"order_id": f"B{number}", "lines": [MEAL], **changes}


def batch(desk: Desk, body: bytes, **headers: str) -> list[dict[str, Any]]:
    answer = desk.post("/v1/invoices/batch", body, {"Content-Type": NDJSON, **headers})
    assert answer.status_code == 200, answer.text
    assert answer.content_type == NDJSON
    assert answer.headers["Cache-Control"] == "no-store"
    return [json.loads(line) for line in answer.text.splitlines()]


def test_every_record_has_its_result_in_order(desk: Desk) -> None:
    results = batch(desk, lines(*(order(number) for number in range(450))))
    assert [result["line"] for result in results] == list(range(1, 451))
    assert {result["status"] for result in results} == {201}
    assert [result["invoice"]["order_id"] for result in results] == [f"B{n}" for n in range(450)]
    assert [int(result["invoice"]["number"]) for result in results] == list(range(1, 451))
    assert desk.count() == 450


def test_a_bad_record_stops_no_other_and_says_why(desk: Desk) -> None:
    results = batch(
        desk,
        lines(
            order(1),
            b"not json",
            order(2, total=1),
            b'{"order_id":"\xff"}',
            order(1),
            order(1, remark="other"),
            order(3),
        ),
    )
    assert [result["status"] for result in results] == [201, 400, 422, 400, 200, 409, 201]
    codes = [result.get("problem", {}).get("code") for result in results]
    assert codes == [
        *(None, "not_json", "totals_mismatch", "not_utf8", None, "order_id_conflict", None)
    ]
    assert results[4]["invoice"]["hash"] == results[0]["invoice"]["hash"]
    assert desk.count() == 2


def test_empty_lines_are_counted_and_have_no_result(desk: Desk) -> None:
    results = batch(desk, b"\n" + lines(order(1)) + b"\r\n  \n" + lines(order(2))[:-1])
    assert [result["line"] for result in results] == [2, 5]


def test_a_batch_can_be_sent_again_as_a_whole(desk: Desk) -> None:
    body = lines(*(order(number) for number in range(5)))
    first, again = batch(desk, body), batch(desk, body)
    assert [result["status"] for result in again] == [200] * 5
    for one, other in zip(first, again, strict=True):
        texts = [result["invoice"].pop("promise") for result in (one, other)]
        said = [open_promise(text.encode(), desk.instance.promise_key) for text in texts]
        assert said[0] == said[1]
        assert one["invoice"] == other["invoice"]
    assert desk.count() == 5


def test_return_minimal_leaves_the_promises_out(desk: Desk) -> None:
    assert "promise" in batch(desk, lines(order(1)))[0]["invoice"]
    assert "promise" not in batch(desk, lines(order(2)), Prefer="return=minimal")[0]["invoice"]


def test_what_could_not_be_stored_is_said_of_each_record(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = refusing(UnavailableError("disk_full", "no space"))
    monkeypatch.setattr(desk.instance.store, "issue", full)
    results = batch(desk, lines(order(1), b"{", order(2)))
    assert [result["status"] for result in results] == [503, 400, 503]
    assert results[0]["problem"]["code"] == "disk_full"


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"", NDJSON, 400, "empty_body"),
        (b"\n\n", NDJSON, 400, "empty_body"),
        (lines(order(1)), "application/json", 415, "unsupported_media_type"),
    ],
)
def test_a_batch_that_cannot_be_read_is_refused_whole(
    desk: Desk, body: bytes, kind: str, status: int, code: str
) -> None:
    answer = desk.post("/v1/invoices/batch", body, {"Content-Type": kind})
    problem(answer, status, code)
    assert desk.count() == 0


@pytest.mark.parametrize(
    ("limit", "code"),
    [
        ({"FAPIAO_LIMITS_BATCH_RECORDS": "3"}, "too_many_records"),
        ({"FAPIAO_LIMITS_BATCH_BYTES": "300"}, "body_too_large"),
    ],
)
@pytest.mark.parametrize("length", ["stated", "not stated"])
def test_a_batch_above_the_limits_issues_nothing(
    tmp_path: Path, limit: dict[str, str], code: str, length: str
) -> None:
    with Desk(tmp_path, **limit) as desk:
        overrides = {"CONTENT_LENGTH": "", "wsgi.input_terminated": True}
        answer = desk.client.post(
            "/v1/invoices/batch",
            data=lines(*(order(number) for number in range(4))),
            headers={"Content-Type": NDJSON, **desk.auth()},
            environ_overrides=overrides if length == "not stated" else {},
        )
        problem(answer, 413, code)
        assert desk.count() == 0


def test_a_record_above_its_own_limit_stops_no_other(desk: Desk) -> None:
    results = batch(desk, lines(order(1, remark="x" * (1 << 20)), order(2)))
    assert [result["status"] for result in results] == [413, 201]


def test_results_come_while_later_records_are_still_being_issued(desk: Desk) -> None:
    body = lines(*(order(number) for number in range(500)))
    answer = desk.client.post(
        "/v1/invoices/batch",
        data=body,
        headers={"Content-Type": NDJSON, **desk.auth()},
        buffered=False,
    )
    first = next(answer.iter_encoded())
    assert json.loads(first)["line"] == 1
    assert 0 < desk.count() < 500
    answer.close()


def test_a_client_that_goes_away_leaves_what_is_done_and_nothing_half(desk: Desk) -> None:
    test_results_come_while_later_records_are_still_being_issued(desk)
    done = desk.count()
    results = batch(desk, lines(*(order(number) for number in range(500))))
    assert [result["status"] for result in results] == [200] * done + [201] * (500 - done)
    assert desk.count() == 500


def test_every_record_has_a_result_also_when_we_break_half_way(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A server ends a broken stream like a whole one: only lines can tell."""
    store = desk.instance.store
    issue = store.issue

    def break_later(*batch: Any) -> object:  # noqa: ANN401 # passed on as it is
        if desk.count() >= AT_ONCE:
            raise RuntimeError("inside")
        return issue(*batch)

    monkeypatch.setattr(store, "issue", break_later)
    results = batch(desk, lines(*(order(number) for number in range(450))))
    assert [result["line"] for result in results] == list(range(1, 451))
    done = sum(result["status"] == 201 for result in results)
    assert done == AT_ONCE
    assert {result["status"] for result in results[done:]} == {500}
    problems = [result["problem"] for result in results[done:]]
    assert {found["code"] for found in problems} == {"internal_error"}
    (incident,) = {found["incident"] for found in problems}
    logged = capfd.readouterr().err
    assert logged.count(incident) == 1
    assert "inside" in logged
    assert "inside" not in json.dumps(results)


def test_trouble_of_ours_is_recorded_once_and_its_details_stay_with_us(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    full = refusing(UnavailableError("disk_full", "inside"))
    monkeypatch.setattr(desk.instance.store, "issue", full)
    results = batch(desk, lines(*(order(number) for number in range(300))))
    assert {result["problem"]["code"] for result in results} == {"disk_full"}
    assert "inside" not in json.dumps(results)
    assert capfd.readouterr().err.count("disk_full") == 1
