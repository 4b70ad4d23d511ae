"""The scan page on a slow phone: until the verdict is seen, and until the phone has checked it.

A browser whose line and processor are slowed down as Lighthouse slows them down for a phone, with
nothing kept from before each time. It slows down the page alone: the time for which the worker
beside it checks is counted so many times, too.
"""

from pathlib import Path
from statistics import median
from typing import Final

from bench.table import Measure
from tests.browser.chrome import browser, program
from tests.browser.lying import between, look

RUNS: Final = 5
LATENCY_MS: Final = 150
BITS: Final = 1_600_000
SLOWER: Final = 4
VERDICT_MS: Final = 1000.0
CHECK_MS: Final = 3000.0

SEEN: Final = """(() => {
    const paints = performance.getEntriesByName("first-contentful-paint");
    const checked = performance.getEntriesByName("fapiao-checked");
    const files = [...performance.getEntriesByType("navigation"),
                   ...performance.getEntriesByType("resource")];
    return [paints[0].startTime, checked[0].startTime + (SLOWER - 1) * checked[0].detail,
            files.reduce((sum, one) => sum + one.transferSize, 0)];
})()""".replace("SLOWER", str(SLOWER))


def scan_page(folder: Path) -> list[Measure]:
    """Medians of some scans of an authentic slip; [] without a browser."""
    if program() is None:
        return []
    with between(folder / "service") as site, browser(folder / "profile") as chrome:
        chrome.window(390, 844, phone=True)
        invoice = site.desk.issue("B1")
        site.desk.anchor()
        chrome.slow(latency_ms=LATENCY_MS, bits=BITS, processor=SLOWER)
        runs = []
        for _ in range(RUNS):
            chrome.open(f"{site.base}/problems")
            chrome.evaluate("localStorage.clear()")
            chrome.forget_files()
            site.asked.clear()
            assert look(chrome, site, site.address(invoice), forget=False) == "confirmed"
            runs.append([*chrome.evaluate(SEEN), len(site.asked)])
    verdict, checked, size, files = (median(run[place] for run in runs) for place in range(4))
    note = f"median of {RUNS}: {BITS / 1e6} Mb/s, {LATENCY_MS} ms, processor {SLOWER} times slower"
    return [
        Measure(
            "scan", "verdict seen", verdict, "ms", aim=VERDICT_MS, less_is_better=True, note=note
        ),
        Measure("scan", "checked by the phone", checked, "ms", aim=CHECK_MS, less_is_better=True),
        Measure("scan", "the page's own files", size / 1000, "kB", note=f"of {files:.0f} files"),
    ]
