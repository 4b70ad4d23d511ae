"""The press: few at a time, what is kept and for how long, and what ends alone."""

import subprocess
import sys
import threading

import msgspec
import pytest

from chain.errors import UnavailableError
from invoice_service.documents.paper import typeset
from invoice_service.documents.paper.job import Job
from invoice_service.documents.paper.press import KEPT_SECONDS, Press, printed
from tests.documents.paper.printing import FACE, face, job
from tests.domain.samples import issued, order
from tests.patience import returns

ONE = job([face(issued(order()), FACE)], '{"as of": 1}')
LATER = msgspec.structs.replace(ONE, attached=[])
PENDING = job([face(issued(order()), FACE, None)])


class Counting:
    """Makes a file of so many bytes, and counts."""

    def __init__(self, size: int = 10) -> None:
        self.made = 0
        self.size = size

    def __call__(self, _: Job) -> bytes:
        self.made += 1
        return b"%d" % self.made + bytes(self.size - 1)


def test_the_same_page_is_made_once_and_anew_after_a_while() -> None:
    make, now = Counting(), [0.0]
    press = Press(make, clock=lambda: now[0])
    first = press.print(ONE, keep=True)
    assert press.print(LATER, keep=True) == first  # the page is the same, whatever was sealed since
    assert press.print(PENDING, keep=True) != first
    now[0] = KEPT_SECONDS + 1
    assert press.print(ONE, keep=True) != first


def test_what_is_not_to_be_kept_is_made_each_time() -> None:
    make = Counting()
    press = Press(make)
    assert len({press.print(ONE, keep=False) for _ in range(3)}) == 3


def test_the_oldest_gives_way() -> None:
    make = Counting(60)
    press = Press(make, kept_bytes=100)
    press.print(ONE, keep=True)
    press.print(PENDING, keep=True)
    press.print(PENDING, keep=True)
    assert make.made == 2
    press.print(ONE, keep=True)
    assert make.made == 3


def test_one_is_at_work_one_waits_and_the_third_is_turned_away() -> None:
    begun, go = threading.Semaphore(0), threading.Event()

    def slow(_: Job) -> bytes:
        begun.release()
        go.wait()
        return b"x"

    press = Press(slow)
    places = [
        threading.Thread(target=press.print, args=(ONE,), kwargs={"keep": False}) for _ in "ab"
    ]
    places[0].start()
    returns(begun.acquire)
    places[1].start()
    while press._turns._places._value:  # until the second one waits
        threading.Event().wait(0.01)
    with pytest.raises(UnavailableError) as refused:
        press.print(ONE, keep=False)
    assert refused.value.code == "paper_busy"
    go.set()
    for thread in places:
        thread.join()
    assert press.print(ONE, keep=False) == b"x"


def test_a_printer_that_takes_too_much_ends_alone() -> None:
    """Of processor time and of memory; whoever asked learns that nothing came."""
    broken = msgspec.structs.replace(ONE, made=10**18)
    with pytest.raises(UnavailableError) as refused:
        printed(broken)
    assert refused.value.code == "paper_failed"
    module = "invoice_service.documents.paper.typeset"
    for bound in ("SECONDS = 1; t.typeset = lambda job: [1 for _ in iter(int, 1)]",
                  "typeset = lambda job: bytes(t.MEMORY)"):  # fmt: skip
        program = f"import {module} as t; t.{bound}; t.main()"
        done = subprocess.run(
            [sys.executable, "-c", program],
            input=msgspec.json.encode(ONE),
            capture_output=True,
            check=False,
        )
        assert done.returncode != 0
        assert done.stdout == b""
    assert typeset.MEMORY <= 1 << 30
