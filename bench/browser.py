"""The page's verifier in a real browser, with its server gone."""

import json
from dataclasses import dataclass
from pathlib import Path

from bench.service import Site
from bench.timing import Rate, summary
from chain.commitment import parse_password_area
from invoice_service.app import STATIC
from invoice_service.services.checking.prove import build
from invoice_service.wiring import open_instance
from tests.browser.chrome import browser, program
from tests.browser.files import serving

RUNS = 100

# Each run gives the moments at which the steps were done: first the start, last the end.
MEASURE = """(async (file, key, runs) => {
  const { verifyProof } = await import("/verify/verify.js");
  window.measure = async () => {
    const found = [];
    for (let run = 0; run < runs; run += 1) {
      const moments = [performance.now()];
      await verifyProof(new TextEncoder().encode(file), key, () => moments.push(performance.now()));
      found.push(moments.map((moment) => moment / 1000));
    }
    return found;
  };
})(%s, %s, %d)"""
STEPS = (
    *("0 read file and key, 1 groups", "2 entry", "3 signature", "4 inclusion", "5 seal"),
    *("6 newest", "7 state"),
)


@dataclass(frozen=True, slots=True)
class BrowserCheck:
    """Over ``RUNS`` checks of one file: seconds of all, of the first, and of each step.

    Steps are means: a page's clock ticks in tenths of a millisecond.
    """

    verify: Rate
    first: float
    steps: dict[str, float]


def browser_check(site: Site, folder: Path) -> BrowserCheck | None:
    """Check a proof file of the site in Chromium; None where there is none."""
    if program() is None:
        return None
    file, key = _proof(site)
    with browser(folder / "profile") as chrome:
        with serving(STATIC) as base:
            chrome.open(f"{base}/package.json")
            chrome.evaluate(MEASURE % (json.dumps(file), json.dumps(key), RUNS))
        moments: list[list[float]] = chrome.evaluate("measure()")
    whole = [run[-1] - run[0] for run in moments]
    steps = {
        name: sum(run[number + 1] - run[number] for run in moments) / RUNS
        for number, name in enumerate(STEPS)
    }
    return BrowserCheck(summary(whole, sum(whole)), whole[0], steps)


def _proof(site: Site) -> tuple[str, str]:
    """The proof file of the site's first invoice, and the log's key."""
    instance = open_instance(site.config)
    invoice = instance.store.invoice_at(1)
    assert invoice is not None
    file = build(instance.store, instance.log, parse_password_area(invoice.hash))
    key = instance.log_key.text()
    instance.close()
    return file.decode(), key
