"""The alert rules that are shipped speak of what ``/metrics`` tells, and of nothing else."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml  # type: ignore[import-untyped]

from invoice_service.api.operations.metrics import CLASSES
from invoice_service.config import load
from tests.api.desk import Desk

SHIPPED: Final = Path(__file__).parents[2] / "deploy" / "alerts.yml"
OPERATIONS: Final = Path(__file__).parents[2] / "docs" / "operations.md"
OURS: Final = re.compile(r"\bfapiao_[a-z_]+")
LABEL: Final = re.compile(r'\b(endpoint|status)="([^"]*)"')
SAMPLE: Final = re.compile(r"^(fapiao_[a-z_]+)", re.MULTILINE)


def rules() -> Iterator[dict[str, Any]]:
    for group in yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))["groups"]:
        yield from group["rules"]


RULES: Final = list(rules())


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[set[str], set[str]]]:
    """(names of samples, endpoints that are counted) of a service that has been used."""
    with Desk(tmp_path_factory.mktemp("desk")) as desk:
        desk.issue()
        yield set(SAMPLE.findall(desk.client.get("/metrics").text)), set(desk.app.view_functions)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_a_rule_asks_for_what_there_is(
    rule: dict[str, Any], told: tuple[set[str], set[str]]
) -> None:
    names, endpoints = told
    assert set(OURS.findall(rule["expr"])) <= names
    for label, value in LABEL.findall(rule["expr"]):
        assert value in (endpoints if label == "endpoint" else CLASSES)
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
    most = f"fapiao_feeds > {config.limits.feeds * 4 // 5} * fapiao_web_processes"
    assert by_name["FapiaoFeedsMany"] == most


def test_prometheus_takes_them() -> None:
    """Where its own tool is at hand; it comes with a whole server, which CI need not have."""
    promtool = shutil.which("promtool")
    if promtool is None:
        assert yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))["groups"]
        return
    done = subprocess.run(
        [promtool, "check", "rules", SHIPPED], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert f"{len(RULES)} rules found" in done.stdout
