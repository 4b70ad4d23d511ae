"""A pytest plugin that tries every mutant in one session: each in a fork, fastest tests first.

Collecting takes seconds and most mutants die in milliseconds, so it is done once. First every
test runs unchanged, in a fork too, to see how long it takes and which functions it calls.
"""

import json
import os
import resource
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from mutmut.core import MutmutCallStack
from mutmut.state import state

_MAIN = "tests/chain/test_main.py"
TESTS = [
    *("tests/chain", "tests/vectors", "tests/contracts/test_log_store.py"),
    *("tests/contracts/test_log_store_sqlite.py", "tests/witness/test_http.py"),
    *("tests/witness/test_statuses.py", "-m", "not slow", "-q", "--capture=sys"),
    *("-p", "no:cacheprovider"),
    # It counts what the interpreter has loaded; here that is the tool as well.
    *("--deselect", f"{_MAIN}::test_the_command_says_yes_and_needs_only_this_package"),
]  # fmt: skip
ACTIVE = "MUTANT_UNDER_TEST"
_UNCHANGED = "stats"  # mutmut's word for: none, but note what is called
KILLED, STANDING, SLOW, UNTESTED = "killed", "standing", "too slow", "no test"

sys.setrecursionlimit(20_000)  # each call goes through three frames of the tool

# Which function calls which is of no interest here, and threads that note it crash Python 3.11.
MutmutCallStack.get = staticmethod(lambda: (None, 0))  # type: ignore[method-assign]
MutmutCallStack.set = staticmethod(lambda _value: None)  # type: ignore[method-assign,assignment]
MutmutCallStack.reset = staticmethod(lambda _token: None)  # type: ignore[method-assign,assignment]


@dataclass
class _Run:
    """What the present fork has seen: failures, seconds of each test, tests of each function."""

    failed: bool = False
    seconds: dict[str, float] = field(default_factory=dict)
    callers: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


_run = _Run()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Notice a failure, and how long the test took."""
    _run.failed |= report.failed
    if report.failed and os.environ[ACTIVE] == _UNCHANGED:
        print(report.nodeid, report.longreprtext, file=sys.stderr)
    _run.seconds[report.nodeid] = _run.seconds.get(report.nodeid, 0.0) + report.duration


def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Notice which functions the test has called."""
    for name in state()._stats:  # filled by mutmut's trampolines
        _run.callers[name].append(item.nodeid)
    state()._stats.clear()


def pytest_runtestloop(session: pytest.Session) -> bool:
    """Try the mutants instead of running the tests."""
    path = Path("mutants.json")
    mutants = json.loads(path.read_text())
    seconds, callers = _measure(session)
    items = {item.nodeid: item for item in session.items}
    children: dict[int, _Child] = {}
    todo = [mutant for mutant in mutants if not mutant["verdict"]]
    for number, mutant in enumerate(todo, start=1):
        names = sorted(callers.get(_function(mutant["id"]), []), key=lambda name: seconds[name])
        if not names:
            mutant["verdict"] = UNTESTED
            continue
        while len(children) >= int(os.environ["FAPIAO_MUTANTS_JOBS"]):
            _reap(children)
        child = _Child(mutant, sum(seconds[name] for name in names))
        child.start([items[name] for name in names])
        children[child.pid] = child
        if number % 100 == 0:
            print(f"{time.strftime('%H:%M:%S')} {number}/{len(todo)}", file=sys.stderr, flush=True)
            path.write_text(json.dumps(mutants, ensure_ascii=False))
    while children:
        _reap(children)
    path.write_text(json.dumps(mutants, ensure_ascii=False))
    return True


def _measure(session: pytest.Session) -> tuple[dict[str, float], dict[str, list[str]]]:
    """Run every test unchanged, in a fork: all must pass."""
    path = Path("measured.json")
    pid = os.fork()
    if not pid:
        os.environ[ACTIVE] = _UNCHANGED
        _run_items(session.items)
        path.write_text(json.dumps([_run.seconds, _run.callers]))
        os._exit(int(_run.failed))
    if os.waitpid(pid, 0)[1]:
        raise pytest.UsageError("the tests fail without any mutant")
    seconds, callers = json.loads(path.read_text())
    return seconds, callers


def _function(mutant: str) -> str:
    return mutant.rpartition("__mutmut_")[0]


def _run_items(items: Iterable[pytest.Item]) -> None:
    """Run tests until one fails."""
    ordered = list(items)
    for item, following in zip(ordered, [*ordered[1:], None], strict=True):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if _run.failed:
            return


@dataclass
class _Child:
    """A fork in which one mutant is active; ``cost`` is what its tests take without it."""

    mutant: dict[str, str]
    cost: float
    pid: int = 0
    folder: TemporaryDirectory[str] = field(default_factory=TemporaryDirectory)
    deadline: float = 0.0

    def start(self, items: list[pytest.Item]) -> None:
        """Fork, run the tests there, and end with status 1 at the first failure."""
        self.deadline = time.monotonic() + 60 + 20 * self.cost
        self.pid = os.fork()
        if self.pid:
            return
        os.setsid()  # so that what the tests started can be ended with them
        limit = int(10 + 5 * self.cost)
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 1))
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        os.environ[ACTIVE] = self.mutant["id"]
        os.environ["PYTEST_DEBUG_TEMPROOT"] = self.folder.name
        try:
            _run_items(items)
        except BaseException:  # noqa: BLE001  # whatever it is, the mutant did not pass
            os._exit(1)
        os._exit(int(_run.failed))

    def end(self, status: int) -> None:
        """Take the verdict from the status, and clean up."""
        code = os.waitstatus_to_exitcode(status)
        verdict = {0: STANDING, -signal.SIGXCPU: SLOW, -signal.SIGKILL: SLOW}
        self.mutant["verdict"] = verdict.get(code, KILLED)
        self.stop()
        self.folder.cleanup()

    def stop(self) -> None:
        """End whatever still runs in the fork's session."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return


def _reap(children: dict[int, _Child]) -> None:
    """Take the verdicts of those that have ended; wait a little where none has."""
    for child in _ended(children):
        del children[child.pid]
    time.sleep(0.002)


def _ended(children: dict[int, _Child]) -> Iterator[_Child]:
    for child in list(children.values()):
        pid, status = os.waitpid(child.pid, os.WNOHANG)
        if pid:
            child.end(status)
            yield child
        elif time.monotonic() > child.deadline:
            child.stop()
