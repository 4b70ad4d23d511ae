"""The result: measures, their aims and the machine's limits beside them, as a table or JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from rich.console import Console
from rich.table import Table

from bench.machine import Machine
from bench.run import Failure

QUIET = 0.05


@dataclass(frozen=True, slots=True)
class Limit:
    """What the machine does of one step when it does nothing else, in the measure's unit."""

    step: str
    value: float


@dataclass(frozen=True, slots=True)
class Measure:
    """One line: what was reached, what was aimed at, and what bounds it.

    ``less_is_better`` turns the comparison with the aim round (times, sizes).
    """

    group: str
    name: str
    value: float
    unit: str
    aim: float | None = None
    less_is_better: bool = False
    limits: Sequence[Limit] = field(default=())
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the aim was reached; None where there is none."""
        if self.aim is None:
            return None
        return self.value <= self.aim if self.less_is_better else self.value >= self.aim


def figure(value: float) -> str:
    """Write a number with three significant digits and thousands separators."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 1e-3 else f"{value:.2g}"


@dataclass(frozen=True, slots=True)
class Result:
    """What a run has come to; ``busy`` is the share of the processors that others took."""

    machine: Machine
    measures: Sequence[Measure]
    seconds: float
    busy: float
    failures: Sequence[Failure] = field(default=())


def print_table(result: Result) -> None:
    """Print everything for a person to read."""
    console = Console()
    if console.width < 100 and not console.is_terminal:
        console = Console(width=120)  # piped into a file: no terminal says how wide
    console.print(_describe(result.machine))
    console.print(_table(result))
    if result.busy > QUIET:
        console.print(
            f"[red]other programs took {result.busy:.0%} of the processors meanwhile:"
            " rates are too low, and ratios less sure[/]"
        )
    missed = [measure.name for measure in result.measures if measure.met is False]
    console.print(f"aims not reached: {', '.join(missed)}" if missed else "every aim reached")
    for failure in result.failures:
        _print_failure(console, failure)


def _print_failure(console: Console, failure: Failure) -> None:
    console.print(f"[red]failed:[/] {failure.step}: ", end="")
    console.print(failure.error, markup=False, highlight=False)
    for name, end in failure.logs.items():
        console.rule(name, align="left")
        console.print(end, markup=False, highlight=False)


def _table(result: Result) -> Table:
    table = Table(title=f"measured in one run of {result.seconds:.0f} s", title_justify="left")
    for heading in ("what", "reached", "aim", "machine's own limit for the step", "share"):
        table.add_column(heading, justify="right" if heading in {"reached", "aim"} else "left")
    group = ""
    for measure in result.measures:
        if group and measure.group != group:
            table.add_section()
        group = measure.group
        _add(table, measure)
    return table


def _add(table: Table, measure: Measure) -> None:
    mark = {True: " [green]yes[/]", False: " [red]no[/]", None: ""}[measure.met]
    aim = "" if measure.aim is None else f"{figure(measure.aim)}{mark}"
    name = f"{measure.name}\n[dim]{measure.note}[/]" if measure.note else measure.name
    table.add_row(
        name,
        f"{figure(measure.value)} {measure.unit}",
        aim,
        "\n".join(f"{limit.step}: {figure(limit.value)}" for limit in measure.limits),
        "\n".join(f"{measure.value / limit.value:.2f}" for limit in measure.limits),
    )


def _describe(machine: Machine) -> str:
    packages = ", ".join(f"{name} {number}" for name, number in machine.packages.items())
    return (
        f"{machine.cores} cores of {machine.cpu}, {machine.memory_gib} GiB, Linux"
        f" {machine.kernel}, {machine.file_system}; Python {machine.python}, SQLite"
        f" {machine.sqlite}, {packages}"
    )


def to_json(result: Result) -> str:
    """Return everything for a program to read."""
    rows = [asdict(measure) | {"met": measure.met} for measure in result.measures]
    about = {
        "machine": asdict(result.machine),
        "seconds": result.seconds,
        "others_busy": result.busy,
        "failures": [asdict(failure) for failure in result.failures],
    }
    return json.dumps(about | {"measures": rows}, indent=2)
