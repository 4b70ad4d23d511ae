"""The bureau's overview beside a city that sells: how long an official waits for the page.

A program issues at a steady pace; an official, signed in, loads the overview again and again. That
all figures of a page are of one block is shown by tests/web/bureau.
"""

import threading
import time
from pathlib import Path
from typing import Final

import urllib3

from bench.issuing import CountError
from bench.pace import paced_issues
from bench.service import Site, make_site, served
from bench.table import Measure
from bench.timing import percentile
from invoice_service.services.people.person import Whose
from invoice_service.services.people.sessions import Visit
from invoice_service.web.people.gate import SESSION, cookie_name
from invoice_service.wiring import open_instance

A_SECOND: Final = 500.0  # invoices
SECONDS: Final = 60.0
AIM_MS: Final = 1000.0
PAUSE: Final = 0.2  # seconds between two pages
_PASSWORD: Final = "seven ducks cross a river"  # noqa: S105 # of nobody


def overview(folder: Path, seconds: float, a_second: float = A_SECOND) -> list[Measure]:
    """Pages of the overview while invoices are issued for ``seconds``."""
    site = make_site(folder)
    cookie = _signed_in(site)
    with served(site):
        selling = _Selling(site, a_second, seconds)
        selling.start()
        pages: list[float] = []
        while selling.is_alive():
            pages.append(_page(site, cookie))
            time.sleep(PAUSE)
        selling.join()
    if selling.failure is not None:
        raise selling.failure
    note = f"{len(pages)} pages beside {a_second:.0f} invoices a second for {seconds:.0f} s"
    return [
        Measure("bureau", "the overview, median", percentile(pages, 0.5), "ms", note=note),
        Measure(
            "bureau",
            "the overview, 95 %",
            percentile(pages, 0.95),
            "ms",
            aim=AIM_MS,
            less_is_better=True,
        ),
        Measure("bureau", "an invoice meanwhile, p99", selling.p99 * 1000, "ms"),
    ]


def _signed_in(site: Site) -> str:
    """The cookie of an administrator who has shown a second factor."""
    instance = open_instance(site.config)
    try:
        people, by = instance.people, instance.operator()
        invited = people.staff.invite(Whose(None), "administrator", "陈", "chen", by)
        person = people.staff.accept(invited.token, _PASSWORD, Visit("", ""), by.at)
        token = people.sessions.open(person, "strong", Visit("", ""), "totp")
    finally:
        instance.close()
    return f"{cookie_name(site.url, SESSION)}={token}"


def _page(site: Site, cookie: str) -> float:
    """Milliseconds until all of the page is there."""
    before = time.perf_counter()
    answer = urllib3.request("GET", f"{site.url}/bureau/", headers={"Cookie": cookie})
    took = 1000 * (time.perf_counter() - before)
    if answer.status != 200 or b'data-chart="line"' not in answer.data:
        raise CountError(f"the overview was answered {answer.status}")
    return took


class _Selling(threading.Thread):
    """Issues at a pace; what went wrong is kept."""

    def __init__(self, site: Site, a_second: float, seconds: float) -> None:
        super().__init__()
        self._given = site, a_second, seconds
        self.failure: Exception | None = None
        self.p99 = 0.0

    def run(self) -> None:
        """Until all are issued."""
        try:
            self.p99 = paced_issues(*self._given).answered.p99
        except Exception as error:  # noqa: BLE001 # raised again by whoever waits
            self.failure = error
