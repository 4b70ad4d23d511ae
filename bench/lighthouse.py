"""What Lighthouse says of customers' and officials' pages, as on its usual slow phone.

Lighthouse 12 is a program of others for Node: it is fetched into ``build/lighthouse`` on first use.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Final

from bench.run import Run
from bench.table import Measure
from invoice_service.services.people.sessions import Visit
from tests.browser.chrome import program
from tests.browser.city import settle
from tests.browser.site import Site, filled
from tests.front.stage import stage
from tests.web.people.visitors import SESSION, Bureau

VERSION: Final = "12.8.2"
"""13 wants a later Node than Debian's."""

PAGES: Final = (
    *("authentic", "reversed", "mismatch", "landing", "list", "file", "claim", "problems"),
    *("why", "report"),
)
OFFICIAL: Final = {
    "bureau": "/bureau/",
    "totals": "/bureau/totals?by=merchant&compare=before",
    "merchants": "/bureau/merchants",
    "explorer": "/explorer/",
}
"""Pages of the bureau, as an administrator has them, and the log for everybody."""

SUBJECTS: Final = {
    "performance": "performance",
    "accessibility": "accessibility",
    "best-practices": "best practices",
}
AIM: Final = 95.0
RUNS: Final = 3
HOME: Final = Path(__file__).parents[1] / "build" / "lighthouse"
FLAGS: Final = "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage"


def lighthouse_scores(run: Run) -> list[Measure]:
    """The worst page of each subject, medians of some runs, and each page below the aim.

    OSError without Node, Chromium or the program itself.
    """
    look = _program()
    measures: list[Measure] = []
    speeds: list[float] = []
    with _served(run.place("lighthouse")) as site:
        headers = _signed_in(site)
        for name in (*PAGES, *OFFICIAL):
            with run.step(f"Lighthouse: {name}"):
                url = site.base + OFFICIAL[name] if name in OFFICIAL else site.pages[name]
                rounds = [_scores(look, url, run.folder, headers) for _ in range(RUNS)]
                speeds += [found["machine"] for found in rounds]
                for subject, words in SUBJECTS.items():
                    score = median(found[subject] for found in rounds)
                    measures.append(
                        Measure("Lighthouse", f"{words}: {name}", score, "of 100", aim=AIM)
                    )
    # A quick desk has 1,500 and more; where it is far below, points of performance say little.
    return [*measures, Measure("Lighthouse", "its own index of the machine", median(speeds), "")]


@contextmanager
def _served(folder: Path) -> Iterator[Site]:
    """Pages of every kind, behind the server that the service has."""
    with Bureau(folder) as desk, stage(desk.app, threads=8) as (host, port):
        desk.clock.now = datetime.now(tz=UTC)  # as of just now, by the browser's clock as well
        yield filled(desk, f"http://{host}:{port}", folder)


def _signed_in(site: Site) -> dict[str, str]:
    """What a browser sends in which an administrator has signed in; customers' pages ignore it."""
    assert isinstance(site.desk, Bureau)
    settle(site.desk)
    person = site.desk.person("chen", "administrator")
    sessions = site.desk.instance.people.sessions
    return {"Cookie": f"{SESSION}={sessions.open(person, 'strong', Visit('', ''), 'totp')}"}


def _scores(look: Path, url: str, folder: Path, headers: dict[str, str]) -> dict[str, float]:
    """Points of one run, of 100; and under ``machine`` how quick Lighthouse finds this one."""
    report = folder / "report.json"
    sent = f"--extra-headers={json.dumps(headers)}" if "/bureau/" in url else "--quiet"
    subprocess.run(
        [
            *(str(look), url, "--quiet", sent, "--output=json", f"--output-path={report}"),
            *(f"--only-categories={','.join(SUBJECTS)}", f"--chrome-flags={FLAGS}"),
        ],
        env={**os.environ, "CHROME_PATH": program() or ""},
        check=True,
        capture_output=True,
    )
    said = json.loads(report.read_bytes())
    if said["finalDisplayedUrl"].partition("?")[0] != url.partition("?")[0]:
        raise OSError(f"{url} led to {said['finalDisplayedUrl']}")
    points = {name: 100 * said["categories"][name]["score"] for name in SUBJECTS}
    return {**points, "machine": said["environment"]["benchmarkIndex"]}


def _program() -> Path:
    """Where Lighthouse is; fetched when it is not there."""
    if program() is None:
        raise OSError("there is no Chromium")
    found = HOME / "node_modules" / ".bin" / "lighthouse"
    if not found.exists():
        npm = shutil.which("npm")
        if npm is None:
            raise OSError("there is no npm to fetch Lighthouse with")
        HOME.mkdir(parents=True, exist_ok=True)
        quiet = ("--no-audit", "--no-fund", "--ignore-scripts")
        fetch = [npm, "install", *quiet, "--prefix", str(HOME), f"lighthouse@{VERSION}"]
        subprocess.run(fetch, check=True)
    return found
