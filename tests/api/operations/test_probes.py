"""Health and metrics."""

import re
from pathlib import Path
from typing import get_args

import pytest

from chain.errors import UnavailableError
from invoice_service.api.operations.metrics import OTHER, Exposition, Meter
from invoice_service.app import create_app, crowd_counter
from invoice_service.front.crowd import Why
from invoice_service.services.anchoring.anchor import anchor_pending
from tests.api.desk import Desk, refusing, slip


def test_health_touches_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        desk.instance.store, "last_seq", refusing(UnavailableError("database_busy", "busy"))
    )
    assert desk.client.get("/healthz").get_json() == {"alive": True}


def test_readiness_says_what_is_pending(desk: Desk) -> None:
    desk.issue()
    desk.clock.forward(seconds=7)
    found = desk.client.get("/readyz").get_json()
    assert (found["ready"], found["pending"], found["oldest_pending"]) == (True, 1, 7)


def test_decisions_that_wait_for_the_log_are_counted(desk: Desk) -> None:
    anchor_pending(desk.instance.anchoring())
    named = ("fapiao_pending_acts", "fapiao_pending_acts_oldest_seconds", "fapiao_pending")
    decided = desk.instance.store
    for quota in (5, 6, 7):
        decided.set_quota(desk.restaurant.merchant.id, quota, desk.instance.operator())
        desk.clock.forward(seconds=3)
    text = desk.client.get("/metrics").text
    assert [metric(text, name) for name in named] == [3, 9, 0]
    found = desk.client.get("/readyz").get_json()
    assert (found["pending_acts"], found["oldest_pending_act"]) == (3, 9)
    anchor_pending(desk.instance.anchoring())
    text = desk.client.get("/metrics").text
    assert [metric(text, name) for name in named] == [0, 0, 0]


def test_readiness_is_503_when_the_database_cannot_be_read(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        desk.instance.store, "last_seq", refusing(UnavailableError("database_damaged", "bad"))
    )
    answer = desk.client.get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json()["problems"][0]["code"] == "database_damaged"


def metric(text: str, name: str) -> float:
    match = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    assert match, f"{name} is not in\n{text}"
    return float(match[1])


def test_metrics_count_answers_by_endpoint_and_show_the_state(desk: Desk) -> None:
    invoice = desk.issue()
    for _ in range(3):
        desk.client.get("/v1/verifications", query_string=slip(invoice))
    desk.client.get("/v1/verifications?hash=x")
    answer = desk.client.get("/metrics")
    assert answer.content_type.startswith("text/plain; version=")
    text = answer.text
    one = 'fapiao_answers_total{endpoint="verifications.one",status='
    assert metric(text, one + '"2xx"}') == 3
    assert metric(text, one + '"4xx"}') == 1
    assert metric(text, 'fapiao_answers_total{endpoint="issuing.issue",status="2xx"}') == 1
    # from 0 on, so that the first one is an increase
    assert metric(text, 'fapiao_answers_total{endpoint="log.checkpoint",status="5xx"}') == 0
    assert metric(text, "fapiao_issued") == 1
    assert metric(text, "fapiao_pending") == 1
    assert metric(text, "fapiao_ready") == 1
    times = 'fapiao_answer_seconds_bucket{endpoint="verifications.one",le="+Inf"}'
    assert metric(text, times) == 4
    assert metric(text, 'fapiao_answer_seconds_count{endpoint="verifications.one"}') == 4
    assert invoice["hash"] not in text


def test_metrics_sum_what_all_processes_did(desk: Desk) -> None:
    """A second application over the same instance stands for a second process."""
    other = create_app(desk.instance).test_client()
    for client in (desk.client, other, other):
        client.get("/healthz")
    name = 'fapiao_answers_total{endpoint="operations.healthz",status="2xx"}'
    assert metric(desk.client.get("/metrics").text, name) == 3
    assert metric(other.get("/metrics").text, name) == 3


def test_who_is_turned_away_is_counted_over_all_processes_and_warned_of(desk: Desk) -> None:
    other = create_app(desk.instance)
    for app in (desk.app, other):
        count = crowd_counter(app)
        assert count is not None
        count("bodies_full")
        count("address_full")
    text = desk.client.get("/metrics").text
    assert [
        metric(text, f'fapiao_turned_away_total{{reason="{why}"}}') for why in get_args(Why)
    ] == [2, 0, 0, 2, 0]
    for client in (desk.client, other.test_client()):
        warnings = client.get("/readyz").get_json()["warnings"]
        assert [one["code"] for one in warnings if "full" in one["code"]] == ["bodies_full"]
    desk.clock.forward(seconds=61)
    assert "bodies_full" not in desk.client.get("/readyz").text


@pytest.mark.parametrize(
    ("milliseconds", "bound"), [(0.5, "0.001"), (1, "0.001"), (3, "0.005"), (40_000, "+Inf")]
)
def test_times_fall_into_their_buckets(tmp_path: Path, milliseconds: float, bound: str) -> None:
    meter = Meter(tmp_path, ["x"])
    meter.observe("x", 200, int(milliseconds * 1_000_000))
    text, _ = Exposition(meter, dict).render("")
    buckets = re.findall(rb'fapiao_answer_seconds_bucket{endpoint="x",le="(\S+)"} (\S+)', text)
    first = next(found for found, count in buckets if float(count) == 1)
    assert first.decode() == bound
    seconds = metric(text.decode(), 'fapiao_answer_seconds_sum{endpoint="x"}')
    assert seconds == milliseconds / 1000


def test_no_route_is_counted_as_other(desk: Desk) -> None:
    for rule in desk.app.url_map.iter_rules():
        path = re.sub(r"<[^>]*>", "1", re.sub(r"<any\((\w+)[^>]*>", r"\1", str(rule)))
        desk.client.open(path, method=sorted(rule.methods or {"GET"})[0])
    assert f'_count{{endpoint="{OTHER}"' not in desk.client.get("/metrics").text
    desk.client.get("/v1/nothing")
    assert f'endpoint="{OTHER}",status="4xx"' in desk.client.get("/metrics").text


@pytest.mark.parametrize("path", ["/v1/invoices", "/log/checkpoint", "/verify/scan", "/healthz"])
def test_options_name_the_methods(desk: Desk, path: str) -> None:
    answer = desk.client.options(path)
    assert answer.status_code == 200
    assert "OPTIONS" in answer.headers["Allow"]


def test_head_answers_as_get_without_a_body(desk: Desk) -> None:
    desk.issue()
    desk.anchor()
    for path in ("/log/checkpoint", "/log/tile/0/000.p/2", "/", "/healthz"):
        head, get = desk.client.head(path), desk.client.get(path)
        assert (head.status_code, head.data) == (get.status_code, b"")
        assert head.headers["Content-Length"] == get.headers["Content-Length"]
