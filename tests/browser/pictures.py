"""Pictures of pages: ``python -m tests.browser.pictures`` writes the README's two anew.

With a folder, every page goes into it, on a phone, a tablet and a desk, by day and by night, in
both languages: to be looked at. Names leave the others out: of pages, or of walks
(``tests.browser.working``).
"""

import sys
import tempfile
from itertools import product
from pathlib import Path

from tests.browser.chrome import Chrome, browser
from tests.browser.city import walk_city
from tests.browser.site import Site, served
from tests.browser.test_access import NAMES, show
from tests.browser.working import WALKS

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
PHONE = (390, 844)
ALL = {**WALKS, "city": walk_city}
WINDOWS = {"phone": PHONE, "tablet": (820, 1180), "desk": (1280, 900)}


def take(chrome: Chrome, site: Site) -> None:
    """What a customer sees after a scan, and what her browser says of the proof file."""
    chrome.window(*PHONE, phone=True)
    for page, file in (("authentic", "scan.png"), ("proved", "file.png")):
        show(chrome, site, page)
        (FOLDER / file).write_bytes(chrome.picture())


def take_all(chrome: Chrome, site: Site, folder: Path, names: list[str]) -> None:
    """Every page in every way."""
    folder.mkdir(parents=True, exist_ok=True)
    ways = product(names, WINDOWS, ("light", "dark"), ("zh", "en"))
    for name, window, ground, tag in ways:
        chrome.window(*WINDOWS[window], phone=window == "phone")
        chrome.dark(on=ground == "dark")
        chrome.speak(tag)
        show(chrome, site, name)
        file = f"{name.replace(' ', '-')}-{window}-{ground}-{tag}.png"
        (folder / file).write_bytes(chrome.picture(whole=True))


def take_walk(chrome: Chrome, home: Path, folder: Path, walk: str) -> None:
    """Every page of a walk in every way; one walk for each language."""
    folder.mkdir(parents=True, exist_ok=True)
    for tag in ("zh", "en"):
        chrome.speak(tag)
        chrome.window(*PHONE, phone=True)
        for name in ALL[walk](chrome, home / f"{walk}-{tag}"):
            for window, ground in product(WINDOWS, ("light", "dark")):
                chrome.window(*WINDOWS[window], phone=window == "phone")
                chrome.dark(on=ground == "dark")
                file = f"{name.replace(' ', '-')}-{window}-{ground}-{tag}.png"
                (folder / file).write_bytes(chrome.picture(whole=True))


def main(folder: str = "", *names: str) -> None:
    """Take them in an instance of their own."""
    walks = [name for name in names if name in ALL]
    if walks:
        with tempfile.TemporaryDirectory() as home, browser(Path(home) / "profile") as chrome:
            for walk in walks:
                take_walk(chrome, Path(home), Path(folder), walk)
        return
    with (
        tempfile.TemporaryDirectory() as home,
        served(Path(home) / "site") as site,
        browser(Path(home) / "profile") as chrome,
    ):
        if folder:
            take_all(chrome, site, Path(folder), [*names] or NAMES)
        else:
            take(chrome, site)


if __name__ == "__main__":
    main(*sys.argv[1:])
