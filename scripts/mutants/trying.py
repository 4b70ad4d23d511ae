"""A pytest plugin that tries every mutant in one session: each in a fork, fastest tests first.

Collecting takes seconds and most mutants die in milliseconds, so it is done once. First every
test runs unchanged, in a fork too, to see how long it takes and which functions it calls.
"""

import json
import os
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from mutmut.core import MutmutCallStack
from mutmut.state import state

_MAIN = "tests/chain/test_main.py"
TESTS = {
    "chain": [
        *("tests/chain", "tests/vectors", "tests/contracts/test_log_store.py"),
        *("tests/contracts/test_log_store_sqlite.py", "tests/contracts/test_seen_store.py"),
        *("tests/witness/test_http.py", "tests/witness/test_statuses.py"),
        # It counts what the interpreter has loaded; here that is the tool as well.
        *("--deselect", f"{_MAIN}::test_the_command_says_yes_and_needs_only_this_package"),
    ],
    "invoice_service": ["tests/domain"],
}
"""By the folder that is changed."""
OPTIONS = [
    *("-m", "not slow", "-q", "--capture=sys", "-p", "no:cacheprovider"),
    "--tb=native",  # the usual traceback reads the long files anew
]
ACTIVE = "MUTANT_UNDER_TEST"
_UNCHANGED = "stats"  # mutmut's word for: none, but note what is called
ENOUGH = 6.0
RELATED = {
    "log/publish": ("witness/test_cosigning", "log/test_pages"),
    "witness/cosigning": ("log/test_publish",),
    "audit/audit": ("audit/test_findings",),
    "audit/tiles": ("audit/test_audit",),
    "audit/sealed": ("audit/test_order",),
    "audit/proven": ("audit/test_mirror",),
    "log/database": ("contracts/test_log_store",),
    "witness/judge": ("witness/test_request",),
    "witness/database": ("contracts/test_seen_store",),
    "chain/__main__": ("chain/test_main",),
    "proof/promise": ("vectors/test_promises",),
    "signing/receipt": ("proof/test_receipt",),
}
"""Whose tests are a module's own as well."""

KILLED, STANDING, SLOW, UNTESTED = "killed", "standing", "too slow", "no test"
_AGAIN = 2
"""How many times as patient the second try is, of what a clock has ended: it may stand, or fall."""

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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep only the tests beside the modules that are tried, if that is asked for."""
    if not os.environ["FAPIAO_MUTANTS_NEAR"]:
        return
    mutants = json.loads(Path("mutants.json").read_text())
    todo = {Path(mutant["path"]) for mutant in mutants if not mutant["verdict"]}
    items[:] = [item for item in items if any(_is_near(item.nodeid, path) for path in todo)]


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
    for mutant in mutants:
        names = _worth_running(mutant, callers.get(_function(mutant["id"]), []), seconds)
        mutant["tests"] = [] if mutant["verdict"] else names
        mutant["verdict"] = mutant["verdict"] or ("" if names else UNTESTED)
    _try_all(path, mutants, items, seconds, patience=1)
    _try_all(path, mutants, items, seconds, patience=_AGAIN)
    for mutant in mutants:
        del mutant["tests"]
    _write(path, mutants)
    return True


def _try_all(
    path: Path,
    mutants: list[dict[str, Any]],
    items: Mapping[str, pytest.Item],
    seconds: dict[str, float],
    patience: int,
) -> None:
    """Try those without a verdict, and those that only a clock has ended."""
    todo = [mutant for mutant in mutants if mutant["verdict"] in {"", SLOW}]
    children: dict[int, _Child] = {}
    for number, mutant in enumerate(todo, start=1):
        while len(children) >= int(os.environ["FAPIAO_MUTANTS_JOBS"]):
            _reap(children)
        child = _Child(mutant)
        child.start([items[name] for name in mutant["tests"]], seconds, patience)
        children[child.pid] = child
        if number % 50 == 0:
            print(f"{time.strftime('%H:%M:%S')} {number}/{len(todo)}", file=sys.stderr, flush=True)
            _write(path, mutants)
    while children:
        _reap(children)


def _write(path: Path, mutants: list[dict[str, Any]]) -> None:
    aside = path.with_suffix(".part")
    aside.write_text(json.dumps(mutants, ensure_ascii=False))
    aside.replace(path)


def _worth_running(
    mutant: dict[str, str], callers: Iterable[str], seconds: dict[str, float]
) -> list[str]:
    """Return the tests that call the function: the module's own, and others for ENOUGH seconds.

    Who stands longer than that is taken to stand for ever, which may be wrong, and is safe.
    """
    path = Path(mutant["path"])
    own = [name for name in callers if _is_own(name, path.parent.name, path.stem)]
    others = sorted(set(callers) & seconds.keys() - set(own), key=seconds.__getitem__)
    chosen = sorted(set(own) & seconds.keys(), key=seconds.__getitem__)
    spent = 0.0
    for name in others:
        spent += seconds[name]
        if spent > ENOUGH:
            break
        chosen.append(name)
    return chosen


def _is_near(test: str, path: Path) -> bool:
    room = Path(test.partition("::")[0]).parent.name
    return room == path.parent.name or _is_own(test, path.parent.name, path.stem)


def _is_own(test: str, room: str, stem: str) -> bool:
    names = (f"{room}/test_{stem}", *RELATED.get(f"{room}/{stem}", ()))
    return any(name in test for name in names)


def _measure(session: pytest.Session) -> tuple[dict[str, float], dict[str, list[str]]]:
    """Run every test unchanged, in a fork, but those that were measured before: all must pass."""
    path = Path("measured.json")
    seconds, callers = json.loads(path.read_text()) if path.exists() else ({}, {})
    names = {item.nodeid for item in session.items}
    pid = os.fork()
    if not pid:
        os.environ[ACTIVE] = _UNCHANGED
        _run.seconds |= {name: spent for name, spent in seconds.items() if name in names}
        for function, known in callers.items():
            _run.callers[function] += [name for name in known if name in names]
        _run_items(item for item in session.items if item.nodeid not in seconds)
        path.write_text(json.dumps([_run.seconds, _run.callers]))
        os._exit(int(_run.failed))
    if os.waitpid(pid, 0)[1]:
        path.unlink(missing_ok=True)
        raise pytest.UsageError("the tests fail without any mutant")
    seconds, callers = json.loads(path.read_text())
    return seconds, callers


def _function(mutant: str) -> str:
    return mutant.rpartition("__mutmut_")[0]


def _run_items(
    items: Iterable[pytest.Item], seconds: dict[str, float] | None = None, patience: int = 1
) -> None:
    """Run tests until one fails; with ``seconds``, each has a limit, and ends the process there."""
    ordered = list(items)
    for item, following in zip_longest(ordered, ordered[1:]):
        if seconds is not None:
            # Threads that work until something is there take more of a processor on a busy machine.
            signal.setitimer(signal.ITIMER_PROF, patience**2 * (1 + 2 * seconds[item.nodeid]))
            limit = patience * (15 + 10 * seconds[item.nodeid])
            signal.setitimer(signal.ITIMER_REAL, limit)
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if _run.failed:
            return


@dataclass
class _Child:
    """A fork in which one mutant is active."""

    mutant: dict[str, Any]
    pid: int = 0
    folder: TemporaryDirectory[str] = field(default_factory=TemporaryDirectory)

    def start(self, items: list[pytest.Item], seconds: dict[str, float], patience: int) -> None:
        """Fork, run the tests there, and end with status 1 at the first failure."""
        self.pid = os.fork()
        if self.pid:
            return
        os.setsid()  # so that what the tests started can be ended with them
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        os.environ[ACTIVE] = self.mutant["id"]
        os.environ["PYTEST_DEBUG_TEMPROOT"] = self.folder.name
        try:
            _run_items(items, seconds, patience)
        except BaseException:  # noqa: BLE001  # whatever it is, the mutant did not pass
            os._exit(1)
        os._exit(int(_run.failed))

    def end(self, status: int) -> None:
        """Take the verdict from the status, and clean up."""
        code = os.waitstatus_to_exitcode(status)
        verdict = {0: STANDING, -signal.SIGPROF: SLOW, -signal.SIGALRM: SLOW}
        self.mutant["verdict"] = verdict.get(code, KILLED)
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)  # whatever the tests started
        self.folder.cleanup()


def _reap(children: dict[int, _Child]) -> None:
    """Wait until one of them has ended, and take its verdict."""
    pid, status = os.wait()
    children.pop(pid).end(status)
