"""Which process is which, and what it takes, read from /proc."""

import os
import subprocess
import sys

from bench.processes import Process, Spent, cpu_spent, machine_cpu, own_cpu, tree
from tests.patience import wait_until

BUSY = (
    "import time\nend = time.process_time() + 0.2\nwhile time.process_time() < end: pass\ninput()"
)


def test_a_child_is_found_with_its_memory_and_its_time() -> None:
    before, everybody = tree(), machine_cpu()
    command = [sys.executable, "-c", BUSY, "-m", "invoice_service.cli", "issuer"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as child:
        wait_until(
            lambda: cpu_spent(before, tree()).get("issuing process", 0) >= 0.1, "it has computed"
        )
        (found,) = [process for process in tree() if process.id == child.pid]
        child.communicate(b"\n")
    assert found.name == "issuing process"
    assert found.cpu >= 0.1
    assert 0 < found.pss <= found.rss
    assert machine_cpu() > everybody
    assert own_cpu() > 0.1


def _process(number: int, cpu: float) -> Process:
    return Process(number, "web", 1.0, 1.0, cpu)


def test_time_is_counted_from_the_first_look_by_kind_of_process() -> None:
    before = [_process(1, 2.0)]
    assert cpu_spent(before, [_process(1, 2.5), _process(2, 0.25)]) == {"web": 0.75}


def test_what_a_process_spent_that_has_ended_stays_counted() -> None:
    spent = Spent()
    assert spent.seen([_process(1, 2.0), _process(2, 0.5)]) == 2.5
    assert spent.seen([_process(1, 3.0)]) == 3.5
    assert spent.seen([]) == 3.5


def test_processes_of_others_are_not_counted() -> None:
    assert os.getppid() not in {process.id for process in tree()}
