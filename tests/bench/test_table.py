"""The table says honestly what was reached."""

import json
from pathlib import Path

import pytest

from bench.machine import describe
from bench.run import Failure
from bench.table import Limit, Measure, Result, figure, print_table, to_json

FAST = Measure("issuing", "issues", 3000, "/s", aim=2500, limits=(Limit("raw", 6000),))
SLOW = Measure("reports", "a report", 51, "ms", aim=50, less_is_better=True)
PLAIN = Measure("disk", "bytes", 1485.2, "B")


@pytest.mark.parametrize(("measure", "met"), [(FAST, True), (SLOW, False), (PLAIN, None)])
def test_an_aim_is_met_or_not_in_the_right_direction(measure: Measure, met: bool | None) -> None:
    assert measure.met is met


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1234567, "1,234,567"), (99.95, "100"), (12.34, "12.3"), (0.0421, "0.0421")],
)
def test_figures_have_three_digits(value: float, text: str) -> None:
    assert figure(value) == text


def test_the_table_names_the_aims_that_were_missed_and_a_busy_machine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failure = Failure("the step", "TimeoutError: [the service]", {"web.log": "[why it did]"})
    print_table(Result(describe(tmp_path), [FAST, SLOW, PLAIN], 1.0, 0.4, [failure]))
    shown = " ".join(capsys.readouterr().out.split())
    assert "aims not reached: a report" in shown
    assert "other programs took 40%" in shown
    assert "raw: 6,000" in shown
    assert "0.50" in shown
    assert "failed: the step: TimeoutError: [the service]" in shown
    assert "web.log" in shown
    assert "[why it did]" in shown


def test_programs_get_the_same_as_json(tmp_path: Path) -> None:
    failures = [Failure("the step", "TimeoutError", {"web.log": "why"})]
    found = json.loads(to_json(Result(describe(tmp_path), [FAST, SLOW], 1.0, 0.0, failures)))
    assert found["failures"][0] == {
        "step": "the step",
        "error": "TimeoutError",
        "logs": {"web.log": "why"},
    }
    assert [row["met"] for row in found["measures"]] == [True, False]
    assert found["machine"]["cores"] >= 1
