"""Issuing over HTTP: the answer, repeats, conflicts, waiting, reversals."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from chain.audit.evidence import promise_evidence
from chain.entry import format_time
from chain.errors import UnavailableError, VerificationError
from chain.proof.promise import Promise, open_promise
from chain.signing.cosignature import Cosigner
from chain.signing.note import SignerKey
from invoice_service.api.invoices import waiting
from invoice_service.domain.invoice import Issued, parse_request, prepare
from invoice_service.domain.tax import TaxRates
from invoice_service.services.anchoring.anchor import anchor_pending
from tests.api.desk import MEAL, NDJSON, Desk, problem, refusing, slip
from tests.patience import PATIENCE


def test_an_issue_answers_with_the_invoice_and_the_amounts_add_up(desk: Desk) -> None:
    invoice = desk.issue("T12-0815")
    assert invoice["number"] == "00000001"
    assert invoice["code"] == "144032609110"
    assert invoice["check_code"] == invoice["hash"][-5:]
    assert (invoice["amount"], invoice["tax"], invoice["total"]) == (46991, 2819, 49810)
    assert invoice["issued_at"] == "2026-11-21T12:30:00+08:00"
    assert invoice["state"] == "pending"
    assert invoice["qr"] == (
        f"https://fapiao.test/verify/scan?hash={invoice['hash']}&bill_num=00000001"
        "&total_amount=49810"
    )
    assert desk.count() == 1


def test_the_answer_is_not_cached_and_names_no_referrer(desk: Desk) -> None:
    answer = desk.post("/v1/invoices", {"order_id": "T1", "lines": [MEAL]})
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_the_promise_is_signed_and_gives_the_deadline(desk: Desk) -> None:
    invoice = desk.issue()
    promise = open_promise(invoice["promise"].encode(), desk.instance.promise_key)
    assert promise.hash == invoice["hash"]
    assert format_time(promise.given) == "2026-11-21T04:30:00Z"
    assert format_time(promise.deadline) == "2026-11-21T04:31:00Z"
    assert promise.version == 2


def promised(desk: Desk, answer: dict[str, Any]) -> Promise:
    """What was promised, without the text, which is another one each time; nothing else is new."""
    return open_promise(answer.pop("promise").encode(), desk.instance.promise_key)


def test_a_repeat_answers_200_with_the_first_invoice_and_the_first_deadline(desk: Desk) -> None:
    first = desk.issue()
    desk.clock.forward(seconds=50)
    answer = desk.post("/v1/invoices", {"lines": [MEAL], "order_id": "T1"})
    assert answer.status_code == 200
    assert answer.headers["Idempotency-Replayed"] == "true"
    again = answer.get_json()
    assert promised(desk, again) == promised(desk, first)
    assert again == first
    assert desk.count() == 1


def test_a_repeat_tells_what_has_become_of_the_invoice(desk: Desk) -> None:
    first = desk.issue()
    desk.anchor()
    again = desk.post("/v1/invoices", {"order_id": "T1", "lines": [MEAL]}).get_json()
    assert again["state"] == "authentic"
    red = desk.reverse(first)
    again = desk.post("/v1/invoices", {"order_id": "T1", "lines": [MEAL]}).get_json()
    assert (again["state"], again["reversed_by"], again["left"]) == ("reversed", [red["hash"]], 0)


def test_waiting_for_a_reversed_invoice_does_not_make_it_good_again(desk: Desk) -> None:
    desk.reverse(desk.issue())
    desk.anchor()
    again = desk.post("/v1/invoices", {"order_id": "T1", "lines": [MEAL]}, {"Prefer": "wait=1"})
    assert again.get_json()["state"] == "reversed"


def test_every_issue_is_booked_on_the_key_that_asked(desk: Desk) -> None:
    """So that a key revoked meanwhile is refused in the issuing transaction itself."""
    (key,) = desk.instance.store.keys(desk.restaurant.merchant.id)
    desk.reverse(desk.issue())
    line = json.dumps({"order_id": "B1", "lines": [MEAL]}).encode()
    desk.post("/v1/invoices/batch", line, {"Content-Type": NDJSON}).get_data()
    with closing(sqlite3.connect(desk.config.invoices_db)) as database:
        booked = database.execute("SELECT key_id FROM invoices ORDER BY seq").fetchall()
    assert booked == [(key.id,)] * 3


def test_a_first_answer_is_not_called_a_repeat(desk: Desk) -> None:
    answer = desk.post("/v1/invoices", {"order_id": "T1", "lines": [MEAL]})
    assert "Idempotency-Replayed" not in answer.headers
    assert "Preference-Applied" not in answer.headers


def test_other_content_under_the_same_order_is_refused_and_nothing_is_stored(desk: Desk) -> None:
    desk.issue()
    body = {"order_id": "T1", "lines": [{**MEAL, "unit_price": 100}]}
    problem(desk.post("/v1/invoices", body), 409, "order_id_conflict")
    assert desk.count() == 1


def test_an_idempotency_key_stands_for_one_request(desk: Desk) -> None:
    key = {"Idempotency-Key": "till-3/17"}
    body = {"order_id": "T1", "lines": [MEAL]}
    first = desk.post("/v1/invoices", body, key)
    again = desk.post("/v1/invoices", body, key)
    assert (first.status_code, again.status_code) == (201, 200)
    answers = first.get_json(), again.get_json()
    assert promised(desk, answers[0]) == promised(desk, answers[1])
    assert answers[0] == answers[1]
    other = desk.post("/v1/invoices", {**body, "order_id": "T2"}, key)
    problem(other, 409, "idempotency_key_conflict")
    assert desk.count() == 1


def test_return_minimal_leaves_the_promise_out(desk: Desk) -> None:
    answer = desk.post(
        "/v1/invoices", {"order_id": "T1", "lines": [MEAL]}, {"Prefer": "return=minimal"}
    )
    assert "promise" not in answer.get_json()
    assert answer.headers["Preference-Applied"] == "return=minimal"


@pytest.mark.parametrize("prefer", ["wait=x", "wait=-1", "wait", "respond-async", ";;,", "wait=１"])
def test_preferences_that_mean_nothing_are_passed_over(desk: Desk, prefer: str) -> None:
    headers = {"Prefer": prefer.encode().decode("latin-1")}
    answer = desk.post("/v1/invoices", {"order_id": "T1", "lines": [MEAL]}, headers)
    assert answer.status_code == 201
    assert "Preference-Applied" not in answer.headers


def test_wait_answers_as_soon_as_the_invoice_is_published(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []

    def anchor_after_a_while(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            desk.anchor()

    monkeypatch.setattr(
        waiting, "time", SimpleNamespace(sleep=anchor_after_a_while, monotonic=lambda: 0.0)
    )
    answer = desk.post(
        "/v1/invoices", {"order_id": "T1", "lines": [MEAL]}, {"Prefer": "wait=20, return=minimal"}
    )
    assert answer.get_json()["state"] == "authentic"
    assert answer.headers["Preference-Applied"] == "return=minimal, wait=20"
    assert slept == [waiting.POLL] * 3


def test_wait_gives_up_after_its_seconds_and_says_pending(desk: Desk) -> None:
    answer = desk.post("/v1/invoices", {"order_id": "T1", "lines": [MEAL]}, {"Prefer": "wait=1"})
    assert answer.status_code == 201
    assert answer.get_json()["state"] == "pending"
    assert answer.headers["Preference-Applied"] == "wait=1"


def test_waiting_never_takes_the_last_thread(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of ``web.threads`` = 4 three may wait; the fourth who asks to wait is answered at once."""
    waiters = desk.config.web.threads - 1
    answers: list[Any] = []
    all_wait, let_go = threading.Barrier(waiters + 1), threading.Event()

    def sleep(_: float) -> None:
        if not let_go.is_set():
            all_wait.wait(PATIENCE)
            let_go.wait(PATIENCE)

    monkeypatch.setattr(waiting, "time", SimpleNamespace(sleep=sleep, monotonic=lambda: 0.0))

    def ask(number: int) -> None:
        body = {"order_id": f"W{number}", "lines": [MEAL]}
        answers.append(desk.post("/v1/invoices", body, {"Prefer": "wait=2"}))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(waiters)]
    for thread in threads:
        thread.start()
    all_wait.wait(PATIENCE)
    answer = desk.post("/v1/invoices", {"order_id": "W9", "lines": [MEAL]}, {"Prefer": "wait=2"})
    assert answers == []
    assert answer.status_code == 201
    assert "Preference-Applied" not in answer.headers
    desk.anchor()
    let_go.set()
    for thread in threads:
        thread.join()
    assert [answer.headers["Preference-Applied"] for answer in answers] == ["wait=2"] * waiters


def test_a_log_that_cannot_be_read_does_not_hide_that_the_invoice_is_issued(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = refusing(UnavailableError("database_busy", "busy"))
    monkeypatch.setattr(desk.instance.log, "find", broken)
    answer = desk.post("/v1/invoices", {"order_id": "T1", "lines": [MEAL]}, {"Prefer": "wait=1"})
    assert answer.status_code == 201
    assert answer.get_json()["state"] == "pending"


def test_a_reversal_answers_with_the_red_invoice(desk: Desk) -> None:
    blue = desk.issue()
    red = desk.reverse(blue)
    assert red["type"] == "red"
    assert red["reverses"] == blue["hash"]
    assert red["total"] == -blue["total"]
    assert red["promise"]
    verdict = desk.client.get("/v1/verifications", query_string=slip(blue)).get_json()
    assert (verdict["verdict"], verdict["reversed_by"]) == ("reversed", [red["hash"]])


def test_a_red_invoice_has_a_code_that_can_be_checked(desk: Desk) -> None:
    red = desk.reverse(desk.issue())
    desk.anchor()
    address = red["qr"].removeprefix("https://fapiao.test")
    assert 'data-verdict="authentic"' in desk.client.get(address).text


def test_a_second_reversal_is_refused(desk: Desk) -> None:
    blue = desk.issue()
    red = desk.reverse(blue)
    path = f"/v1/invoices/{blue['hash']}/reversals"
    refused = problem(desk.post(path, {"reason": "ISSUE_ERROR"}), 409, "already_reversed")
    assert refused["reversed_by"] == red["hash"]
    assert desk.count() == 2


def test_a_red_invoice_cannot_be_reversed(desk: Desk) -> None:
    red = desk.reverse(desk.issue())
    path = f"/v1/invoices/{red['hash']}/reversals"
    problem(desk.post(path, {"reason": "ISSUE_ERROR"}), 403, "not_reversible")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 422, "missing_field"),
        ({"reason": "BORED"}, 422, "value_unknown"),
        ({"reason": 5}, 422, "wrong_type"),
        ({"reason": "ISSUE_ERROR", "note": ""}, 422, "unknown_field"),
        (b"{", 400, "not_json"),
    ],
)
def test_a_reversal_says_why_and_nothing_else(
    desk: Desk, body: object, status: int, code: str
) -> None:
    path = f"/v1/invoices/{desk.issue()['hash']}/reversals"
    problem(desk.post(path, body), status, code)
    assert desk.count() == 1


def test_another_merchants_invoice_is_not_there_to_reverse(desk: Desk) -> None:
    other = desk.new_merchant("914403001922038216", "咖啡馆")
    path = f"/v1/invoices/{desk.issue()['hash']}/reversals"
    answer = desk.post(path, {"reason": "ISSUE_ERROR"}, desk.auth(desk.new_key(other.merchant.id)))
    problem(answer, 404, "invoice_unknown")
    assert desk.count() == 1


def test_an_order_may_be_invoiced_again_after_its_reversal(desk: Desk) -> None:
    first = desk.issue()
    desk.reverse(first)
    corrected = desk.issue("T1", lines=[{**MEAL, "unit_price": 45000}], replaces=first["hash"])
    assert corrected["total"] == 45000
    assert desk.count() == 3


class TestAheadAndSetBack:
    """A clock ran three days ahead for a seal, and was set back: what is promised then is kept."""

    @pytest.fixture
    def desk(self, desk: Desk) -> Desk:
        """One invoice, and its block sealed ahead."""
        desk.issue("T1")
        desk.clock.forward(days=3)
        desk.anchor()
        desk.clock.forward(days=-3)
        return desk

    def kept(self, desk: Desk, *promises: str) -> bool:
        """Whether the published log says so of each; looked at once they are due."""
        desk.anchor()
        desk.clock.forward(days=4)
        desk.issue("last")
        desk.anchor()
        keys = desk.instance.log_keys, desk.instance.promise_key
        for promise in promises:
            with pytest.raises(VerificationError, match=r"^promise_kept\b"):
                promise_evidence(promise.encode(), *keys, desk.config.log_dir)
        return True

    def test_nothing_is_issued_and_the_page_of_health_says_so(self, desk: Desk) -> None:
        for path, body in (
            ("/v1/invoices", {"order_id": "T2", "lines": [MEAL]}),
            (f"/v1/invoices/{self.hash(desk)}/reversals", {"reason": "SALES_RETURN"}),
        ):
            problem(desk.post(path, body), 503, "clock_behind")
        assert desk.count() == 1
        ready = desk.client.get("/readyz")
        assert ready.status_code == 503
        assert [one["code"] for one in ready.get_json()["problems"]] == ["clock_behind"]

    def test_once_confirmed_all_that_is_promised_is_kept(self, desk: Desk) -> None:
        desk.instance.store.confirm_clock(desk.instance.operator())
        assert desk.client.get("/readyz").status_code == 200
        body = {"order_id": "T2", "lines": [MEAL], "business_day": "2026-11-21"}
        blue = desk.post("/v1/invoices", body).get_json()
        red = desk.reverse(blue)
        desk.clock.forward(seconds=20)
        desk.anchor()
        again = desk.post("/v1/invoices", {"order_id": "T3", "lines": [MEAL]}).get_json()
        assert {blue["issued_at"], red["issued_at"], again["issued_at"]} == {
            "2026-11-24T12:30:00+08:00"
        }
        texts = [one["promise"] for one in (blue, red, again)]
        repeated = desk.post("/v1/invoices", body).get_json()
        assert promised(desk, repeated).deadline == promised(desk, blue).deadline
        assert self.kept(desk, *texts)

    def test_a_clock_that_is_only_seconds_behind_needs_no_word(self, desk: Desk) -> None:
        desk.clock.forward(days=3, seconds=-50)
        assert self.kept(desk, desk.issue("T2")["promise"])

    def hash(self, desk: Desk) -> str:
        """The invoice that was issued before."""
        row = desk.instance.store.invoice_at(1)
        assert row is not None
        return row.hash


def test_the_first_invoice_is_not_from_before_the_instance(desk: Desk) -> None:
    desk.clock.forward(seconds=-61)
    body = {"order_id": "T1", "lines": [MEAL]}
    problem(desk.post("/v1/invoices", body), 503, "clock_behind")
    desk.clock.forward(seconds=1)
    desk.issue("T1")


class TestWitnessesAway:
    """In the log is what stands under a published checkpoint: only that can be checked."""

    @pytest.fixture
    def desk(self, tmp_path: Path) -> Iterator[Desk]:
        """A desk whose log needs a witness that is away."""
        witness = Cosigner(SignerKey("witness.example/w1", bytes(32))).verifier
        policy = tmp_path / "policy"
        policy.write_text(f"witness w {witness.text()} http://127.0.0.1:1/\nquorum w\n")
        with Desk(tmp_path, FAPIAO_WITNESS_POLICY=str(policy)) as desk:
            yield desk

    def test_what_nobody_could_check_in_time_is_not_promised(self, desk: Desk) -> None:
        worker = desk.instance.anchoring()
        first = desk.issue("T1")
        anchor_pending(worker)
        desk.clock.forward(seconds=30)
        desk.issue("T2")
        anchor_pending(worker)
        assert desk.instance.log.head().cursor == 2
        desk.clock.forward(seconds=1)
        body = {"order_id": "T3", "lines": [MEAL]}
        problem(desk.post("/v1/invoices", body), 503, "log_behind")
        ready = desk.client.get("/readyz").get_json()
        assert [one["code"] for one in ready["problems"]] == ["log_behind"]
        repeated = desk.post("/v1/invoices", {"order_id": "T1", "lines": [MEAL]}).get_json()
        assert promised(desk, repeated).deadline == promised(desk, first).deadline
        desk.clock.forward(seconds=30)
        late = desk.post("/v1/invoices", {"order_id": "T1", "lines": [MEAL]}).get_json()
        assert late["no_promise"] == "overdue"


class TestLogBehind:
    """Nothing is promised that is known not to be kept; what was promised is answered."""

    def test_from_half_of_the_delay_on_nothing_new_is_issued(self, desk: Desk) -> None:
        first = desk.issue("T1")
        desk.clock.forward(seconds=30)
        desk.issue("T2")
        desk.clock.forward(seconds=1)
        answer = desk.post("/v1/invoices", {"order_id": "T3", "lines": [MEAL]})
        problem(answer, 503, "log_behind")
        assert answer.headers["Retry-After"]
        path = f"/v1/invoices/{first['hash']}/reversals"
        problem(desk.post(path, {"reason": "SALES_RETURN"}), 503, "log_behind")
        assert desk.count() == 2
        again = desk.post("/v1/invoices", {"order_id": "T1", "lines": [MEAL]})
        assert (again.status_code, again.get_json()["hash"]) == (200, first["hash"])
        desk.anchor()
        desk.issue("T3")
        desk.reverse(first)

    def test_each_line_of_a_batch_hears_it(self, desk: Desk) -> None:
        desk.issue("T1")
        desk.clock.forward(seconds=31)
        lines = b"".join(
            json.dumps({"order_id": name, "lines": [MEAL]}).encode() + b"\n"
            for name in ("T1", "T2")
        )
        answer = desk.post("/v1/invoices/batch", lines, {"Content-Type": NDJSON})
        first, second = map(json.loads, answer.data.splitlines())
        assert (first["status"], second["status"]) == (200, 503)
        assert second["problem"]["code"] == "log_behind"

    def test_the_machine_itself_promises_nothing_and_goes_on(self, desk: Desk) -> None:
        """Files are issued on the machine while no worker runs."""
        desk.issue("T1")
        desk.clock.forward(hours=1)
        issuer = desk.instance.issuer
        merchant = desk.restaurant.merchant
        draft = prepare(
            parse_request(json.dumps({"order_id": "T2", "lines": [MEAL]}).encode()),
            merchant,
            salts=bytes(48),
            rates=TaxRates(["0.06"]),
        )
        assert isinstance(issuer.issue([draft])[0], Issued)

    def test_a_promise_that_is_broken_already_is_not_made_again(self, desk: Desk) -> None:
        body = {"order_id": "T1", "lines": [MEAL]}
        first = promised(desk, desk.issue("T1"))
        desk.clock.forward(seconds=60)
        assert promised(desk, desk.post("/v1/invoices", body).get_json()) == first
        desk.clock.forward(seconds=1)
        broken = desk.post("/v1/invoices", body).get_json()
        assert (broken.get("promise"), broken["no_promise"]) == (None, "overdue")
        desk.anchor()
        again = desk.post("/v1/invoices", body).get_json()
        assert promised(desk, again) == first
        assert "no_promise" not in again


def test_without_the_key_the_invoice_is_answered_all_the_same(desk: Desk) -> None:
    """No issuing process answers, and this one may not sign: as a web process of its own user."""
    key = desk.config.keys_dir / "promise.key"
    hidden = key.rename(key.with_name("elsewhere"))
    body = {"order_id": "T1", "lines": [MEAL]}
    answer = desk.post("/v1/invoices", body)
    assert answer.status_code == 201
    assert (answer.get_json().get("promise"), answer.get_json()["no_promise"]) == (None, "unsigned")
    hidden.rename(key)
    again = desk.post("/v1/invoices", body).get_json()
    assert promised(desk, again).hash == again["hash"]
    assert desk.count() == 1


def test_location_is_where_the_invoice_is(desk: Desk) -> None:
    order = {"order_id": "T1", "lines": [MEAL]}
    for status in (201, 200):
        answer = desk.post("/v1/invoices", order)
        assert answer.status_code == status
        found = desk.client.get(answer.headers["Location"], headers=desk.auth()).get_json()
        assert found["hash"] == answer.get_json()["hash"]
