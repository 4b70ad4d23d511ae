"""The alert rules that are shipped speak of what ``/metrics`` tells, and of nothing else."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
import yaml  # type: ignore[import-untyped]

from invoice_service.api.operations.metrics import CLASSES
from invoice_service.config import load
from tests.api.desk import Desk
from tests.outside import need

SHIPPED: Final = Path(__file__).parents[2] / "deploy" / "alerts.yml"
OPERATIONS: Final = Path(__file__).parents[2] / "docs" / "operations.md"
OURS: Final = re.compile(r"\bfapiao_[a-z_]+")
LABEL: Final = re.compile(r'\b(endpoint|status)!?="([^"]*)"')
ANY_OF: Final = re.compile(r'\b(endpoint|status)=~"([^"]*)"')
SAMPLE: Final = re.compile(r"^(fapiao_[a-z_]+)", re.MULTILINE)


def rules() -> Iterator[dict[str, Any]]:
    for group in yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))["groups"]:
        yield from group["rules"]


RULES: Final = list(rules())


class Told(NamedTuple):
    """What a service that has been used says, the names in it, and endpoints that are counted."""

    text: str
    names: set[str]
    endpoints: set[str]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    with Desk(tmp_path_factory.mktemp("desk")) as desk:
        desk.issue()
        text = desk.client.get("/metrics").text
        yield Told(text, set(SAMPLE.findall(text)), set(desk.app.view_functions))


def spelled(pattern: str) -> Iterator[str]:
    """Each value that a pattern of ours means: ``a[.](b|c)|d`` is ``a.b``, ``a.c`` and ``d``."""
    for part in re.split(r"\|(?![^(]*\))", pattern.replace("[.]", ".")):
        head, _, names = part.removesuffix(")").partition("(")
        yield from (head + name for name in names.split("|"))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_a_rule_asks_for_what_there_is(rule: dict[str, Any], told: Told) -> None:
    assert set(OURS.findall(rule["expr"])) <= told.names
    for label, value in LABEL.findall(rule["expr"]):
        assert value in (told.endpoints if label == "endpoint" else CLASSES)
    for label, pattern in ANY_OF.findall(rule["expr"]):
        for each in spelled(pattern):
            assert each in (told.endpoints if label == "endpoint" else CLASSES)
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"]["summary"]


def test_whatever_is_to_be_watched_has_a_rule() -> None:
    asked = {name for rule in RULES for name in OURS.findall(rule["expr"])}
    watched = set(re.findall(r"`(fapiao_[a-z_]+)", OPERATIONS.read_text(encoding="utf-8")))
    assert watched <= {name.removesuffix("_bucket") for name in asked} | asked
    assert len({rule["alert"] for rule in RULES}) == len(RULES)


def test_figures_that_settings_give_are_theirs() -> None:
    by_name = {rule["alert"]: rule["expr"] for rule in RULES}
    config = load(None, {})
    half = f"fapiao_pending_oldest_seconds > {config.anchor.max_delay // 2}"
    assert by_name["FapiaoPromiseInDanger"] == half
    late = f"fapiao_pending_acts_oldest_seconds > {config.anchor.max_delay}"
    late = f"fapiao_pending_acts > 0 and {late}"
    assert by_name["FapiaoActsWait"] == late
    most = f"fapiao_feeds > {config.limits.feeds * 4 // 5} * fapiao_web_processes"
    assert by_name["FapiaoFeedsMany"] == most


def promtool(*words: str, said: str = "") -> str:
    """What Prometheus's own tool answers; it comes with the whole server, of which CI takes it."""
    done = subprocess.run(
        [need("promtool"), *words], input=said, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_prometheus_takes_them() -> None:
    assert f"{len(RULES)} rules found" in promtool("check", "rules", str(SHIPPED))


def test_prometheus_has_nothing_to_say_of_what_is_told(told: Told) -> None:
    assert promtool("check", "metrics", said=told.text) == ""


class Course(NamedTuple):
    """A course of figures, one each ``every``; when its rule is still silent, and when it calls.

    ``calm`` is the same but for what alarms, and ``labels`` what the alarm names beside its rule.
    """

    figures: dict[str, str]
    calm: dict[str, str]
    silent: str
    calls: str
    every: str = "30s"
    labels: dict[str, str] = {}  # noqa: RUF012 # never written to


def one(name: str, alarms: str, calm: str, silent: str, calls: str) -> Course:
    """A course of one figure."""
    return Course({name: alarms}, {name: calm}, silent, calls)


UP: Final = 'up{job="fapiao"}'
ANSWERS: Final = 'fapiao_answers_total{endpoint="issuing.issue",status="%s"}'
SCANS: Final = 'fapiao_answers_total{endpoint="pages.scan",status="%s"}'
PAPERS: Final = 'fapiao_answers_total{endpoint="paper_page.judge",status="%s"}'
UNREADY: Final = 'fapiao_answers_total{endpoint="operations.readyz",status="503"}'
FULL: Final = 'fapiao_turned_away_total{reason="bodies_full"}'
BUCKET: Final = 'fapiao_answer_seconds_bucket{endpoint="issuing.issue",le="%s"}'
COURSES: Final = {
    "FapiaoDown": one(UP, "1 0x20", "1x20", "1m", "2m"),
    "FapiaoNotReady": one("fapiao_ready", "1 0x20", "1x20", "1m", "2m"),
    "FapiaoPromiseInDanger": one("fapiao_pending_oldest_seconds", "30 31x9", "30x9", "30s", "1m"),
    "FapiaoPendingGrows": one("fapiao_pending", "1000+10x40", "2000x40", "5m", "7m"),
    "FapiaoActsWait": Course(
        {"fapiao_pending_acts": "3x9", "fapiao_pending_acts_oldest_seconds": "60 61x9"},
        {"fapiao_pending_acts": "3x9", "fapiao_pending_acts_oldest_seconds": "60x9"},
        "1m",
        "2m",
    ),
    "FapiaoNotPublished": one("fapiao_unpublished_oldest_seconds", "30 31x9", "30x9", "1m", "2m"),
    "FapiaoWitnessAway": Course(
        {"fapiao_witnesses": "3x40", "fapiao_witnesses_cosigned": "3 2x40"},
        {"fapiao_witnesses": "3x40", "fapiao_witnesses_cosigned": "3x40"},
        "10m",
        "11m",
    ),
    "FapiaoIssuesFail": Course(
        {ANSWERS % "2xx": "0+98x40", ANSWERS % "503": "0+2x40"},
        # strangers' papers are refused a thousand times as often as somebody issues
        {ANSWERS % "2xx": "0+99x40", ANSWERS % "503": "0+1x40", PAPERS % "503": "0+9999x40"},
        "1m",
        "3m",
    ),
    "FapiaoChecksFail": Course(
        {SCANS % "2xx": "0+94x40", SCANS % "5xx": "0+6x40"},
        {SCANS % "2xx": "0+95x40", SCANS % "5xx": "0+5x40", PAPERS % "503": "0+9999x40"},
        "2m",
        "4m",
    ),
    "FapiaoBroken": Course(
        {PAPERS % "2xx": "0+94x40", PAPERS % "5xx": "0+6x40"},
        {PAPERS % "2xx": "0+95x40", PAPERS % "5xx": "0+5x40", PAPERS % "503": "0+9999x40"},
        "2m",
        "4m",
    ),
    # the very first one of an endpoint counts; 503 is not broken
    "FapiaoServerErrors": Course(
        {ANSWERS % "5xx": "0 0 1x20"}, {ANSWERS % "5xx": "0x20", UNREADY: "0 0 1x20"}, "30s", "1m"
    ),
    # /readyz says 503 whenever FapiaoNotReady calls
    "FapiaoBusy": Course(
        {PAPERS % "503": "0+9x80"},
        {PAPERS % "503": "0+2x80", UNREADY: "0+9x80"},
        "9m",
        "25m",
        labels={"endpoint": "paper_page.judge"},
    ),
    "FapiaoManyRefused": Course(
        {ANSWERS % "4xx": "0+700x60", ANSWERS % "2xx": "0+600x60"},
        {ANSWERS % "4xx": "0+700x60", ANSWERS % "2xx": "0+800x60"},
        "15m",
        "20m",
    ),
    "FapiaoTurnedAway": Course(
        {FULL: "0+1x60"}, {FULL: "0 1x60"}, "9m", "12m", labels={"reason": "bodies_full"}
    ),
    "FapiaoSlowIssuing": Course(
        {BUCKET % "1": "0+97x40", BUCKET % "2": "0+100x40", BUCKET % "+Inf": "0+100x40"},
        {BUCKET % "1": "0+100x40", BUCKET % "2": "0+100x40", BUCKET % "+Inf": "0+100x40"},
        "5m",
        "6m",
    ),
    "FapiaoWorkerSilent": one("fapiao_worker_age_seconds", "1 -1x9", "30x9", "1m", "2m"),
    "FapiaoTotalsLeft": one("fapiao_totals_left", "0 1x20", "0x20", "5m", "6m"),
    "FapiaoClock": one("fapiao_clock_believed", "1 0x9", "1x9", "30s", "1m"),
    "FapiaoLogBehind": one("fapiao_log_behind", "0 1x9", "0x9", "30s", "1m"),
    "FapiaoWebProcessesMissing": one("fapiao_web_missing", "0 1x20", "0x20", "2m", "3m"),
    "FapiaoIssuerMissing": one("fapiao_issuing_process", "1 0x20", "1x20", "1m", "2m"),
    "FapiaoDiskLow": one("fapiao_free_bytes", "1e9 999999999x9", "1e9x9", "1m", "2m"),
    "FapiaoFeedsMany": Course(
        {"fapiao_feeds": "801x40", "fapiao_web_processes": "2x40"},
        {"fapiao_feeds": "800x40", "fapiao_web_processes": "2x40"},
        "9m",
        "11m",
    ),
    "FapiaoReportsUnread": one(
        "fapiao_reports_new", "1x300", "1x90 0 1x200", "47h", "49h"
    )._replace(every="10m"),
}


def scenes(name: str, course: Course) -> Iterator[dict[str, Any]]:
    """A course that alarms and one that does not, as promtool reads them."""
    rule = next(rule for rule in RULES if rule["alert"] == name)
    summary = rule["annotations"]["summary"]
    for key, value in course.labels.items():
        summary = summary.replace(f"{{{{ $labels.{key} }}}}", value)
    labels = {**course.labels, **rule["labels"]}
    labels |= {"job": "fapiao"} if UP in course.figures else {}
    told = [{"exp_labels": labels, "exp_annotations": {"summary": summary}}]
    for figures, calls in ((course.figures, told), (course.calm, [])):
        expected = [(course.silent, []), (course.calls, calls)]
        yield {
            "interval": course.every,
            "input_series": [{"series": k, "values": v} for k, v in figures.items()],
            "alert_rule_test": [
                {"eval_time": at, "alertname": name, "exp_alerts": alerts}
                for at, alerts in expected
            ],
        }


def test_each_rule_calls_when_it_must_and_not_before(tmp_path: Path) -> None:
    assert [rule["alert"] for rule in RULES] == list(COURSES)
    gone = next(scenes("FapiaoDown", COURSES["FapiaoDown"]))
    gone["input_series"] = []  # a target that is scraped no more calls from the beginning
    gone["alert_rule_test"] = gone["alert_rule_test"][1:]
    files = []
    for every in ("30s", "10m"):
        tests = [scene for name in COURSES for scene in scenes(name, COURSES[name])]
        tests = [scene for scene in [*tests, gone] if scene["interval"] == every]
        told = {"rule_files": [str(SHIPPED)], "evaluation_interval": every, "tests": tests}
        file = tmp_path / f"{every}.yml"
        file.write_text(yaml.safe_dump(told))
        files.append(str(file))
    assert promtool("test", "rules", *files).count("SUCCESS") == 2
