"""What every test begins with, and what a run of the tests says at its end.

FAPIAO_HYPOTHESIS=mutants takes fewer examples, the same each time, and shows the first that fails.
"""

import itertools
import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Final

import pytest
from argon2 import PasswordHasher
from hypothesis import HealthCheck, Phase, settings

from invoice_service.services.people import passwords
from tests.forks import end_forks_with_us
from tests.outside import NEEDS
from tests.sharing import (
    LeftOpen,
    collect_no_garbage,
    deal,
    keep_temporary_files_in_memory,
)

_HOMES: Final = itertools.count()
_LEFT_OPEN: Final = LeftOpen()

keep_temporary_files_in_memory()
end_forks_with_us()

# No time decides a test: a machine that does ten things beside is slow for no fault of ours.
settings.register_profile("patient", deadline=None)
settings.register_profile(
    "mutants",
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=25,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
settings.load_profile(os.environ.get("FAPIAO_HYPOTHESIS", "patient"))


@pytest.fixture(autouse=True)
def remembers_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Verifiers remember what they have seen: of nobody's real logs here, and of no other test."""
    home: Path = tmp_path_factory.getbasetemp() / f"state-{next(_HOMES)}"
    monkeypatch.setenv("XDG_STATE_HOME", str(home))


@pytest.fixture(autouse=True, scope="session")
def hashes_passwords_lightly() -> Iterator[None]:
    """What guards a real password costs 30 ms each time, and tests sign in by the thousand."""
    with pytest.MonkeyPatch.context() as patch:
        light = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        patch.setattr(passwords, "_hasher", light)
        yield


class _TellsFailuresAtOnce:
    """Prints each failure when it comes: a run that is cut off must not keep them to itself."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        if report.failed and terminal is not None:
            terminal.ensure_newline()
            terminal.line(f"{report.when} of {report.nodeid} failed", red=True)
            terminal.line(report.longreprtext)


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # of several that share the tests, one tells
        config.pluginmanager.register(_TellsFailuresAtOnce(config))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for tests, and for nothing else."""
    with collect_no_garbage():
        return (yield)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """Let no test meet what others have left open."""
    _LEFT_OPEN.collect()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest: nobody who shares the tests is left alone with it."""
    items[:] = deal(items, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the programs without which tests were skipped: a green run must not hide them."""
    reasons: dict[str, int] = {}
    for report in terminalreporter.stats.get("skipped", ()):
        reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
        _, needs, wanted = reason.partition(NEEDS)
        if needs:
            reasons[wanted] = reasons.get(wanted, 0) + 1
    if reasons:
        terminalreporter.section("not run, for want of a program")
    for wanted, count in sorted(reasons.items()):
        terminalreporter.line(f"{count:5} tests need {wanted}")
