"""A headless Chromium, steered over a pipe by its DevTools protocol; no driver to install."""

import base64
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.patience import PATIENCE, growing

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-pipe"),
)

# The protocol speaks on descriptors 3 and 4; a shell moves ours there.
MOVE = 'exec "$0" "${@:3}" 3<&"$1" 4>&"$2"'


def program() -> str | None:
    """Where Chromium is, if it is installed."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


FIRST = 8.0
"""Seconds after which a setting is said again the first time."""

SETTING = ("Emulation.", "Network.set", "Network.emulate")


class SilenceError(AssertionError):
    """What is waited for is not said."""


class Pipe:
    """What is said to a browser and by it: answers, and events of all its pages."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._to = to_browser
        self._from = from_browser
        self._rest = b""
        self._number = 0
        self.pages: dict[str, Chrome] = {}

    def ask(self, method: str, session: str | None = None, **parameters: object) -> dict[str, Any]:
        """The answer to a command, for the browser or for the page of a ``session``.

        One that sets how a page is looked at is said again where no answer comes: what is said
        while a page gives way to another may be heard by neither, and twice is as once.
        """
        message: dict[str, object] = {"method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        ends = time.monotonic() + 2 * PATIENCE  # a page that waits in vain says so itself before
        asked = {self._say(message)}
        for seconds in growing(FIRST) if method.startswith(SETTING) else ():
            with suppress(SilenceError):
                return self._answer(asked, time.monotonic() + seconds)
            asked.add(self._say(message))
        return self._answer(asked, ends)

    def _say(self, message: dict[str, object]) -> int:
        self._number += 1
        os.write(self._to, json.dumps({"id": self._number, **message}).encode() + b"\0")
        return self._number

    def _answer(self, asked: set[int], end: float) -> dict[str, Any]:
        while True:
            answer = self._read(end)
            if answer.get("id") in asked:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result
            self._note(answer)

    def listen(self, end: float) -> None:
        """Take the next event, or fail when it is past the ``end``, by the monotonic clock."""
        self._note(self._read(end))

    def _note(self, event: dict[str, Any]) -> None:
        page = self.pages.get(event.get("sessionId", ""))
        if page is not None:
            page.note(event.get("method"), event.get("params", {}))

    def _read(self, end: float) -> dict[str, Any]:
        """The next message; a page that asks for news by itself is never silent, so all ends."""
        left = max(0, end - time.monotonic())
        if not left:
            raise SilenceError("the browser says other things, and not what is waited for")
        while b"\0" not in self._rest:
            if not select.select([self._from], [], [], left)[0]:
                raise SilenceError("the browser says nothing")
            data = os.read(self._from, 1 << 20)
            assert data, "the browser ended"
            self._rest += data
        message, _, self._rest = self._rest.partition(b"\0")
        event: dict[str, Any] = json.loads(message)
        return event


class Chrome:
    """One page, in a profile of its own; every complaint that it caused is kept."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._loaded = False
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self._profile = pipe.ask("Target.createBrowserContext")["browserContextId"]
        about = {"url": "about:blank", "browserContextId": self._profile}
        target = pipe.ask("Target.createTarget", **about)["targetId"]
        attached = pipe.ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        pipe.pages[self._session] = self
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._ask(f"{domain}.enable")
        self.speak("zh-CN")

    def close(self) -> None:
        """Forget the page with all that it kept."""
        del self._pipe.pages[self._session]
        self._pipe.ask("Target.disposeBrowserContext", browserContextId=self._profile)

    def window(self, width: int, height: int, *, phone: bool) -> None:
        """Look at pages through a window of this size."""
        self._ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=phone,
        )

    def dark(self, *, on: bool) -> None:
        """Prefer dark pages, or light ones."""
        preferred = {"name": "prefers-color-scheme", "value": "dark" if on else "light"}
        self._ask("Emulation.setEmulatedMedia", features=[preferred])

    def speak(self, tag: str) -> None:
        """Ask for pages in this language, as the browser of somebody who reads it."""
        self._ask("Network.setExtraHTTPHeaders", headers={"Accept-Language": tag})

    def script(self, *, on: bool) -> None:
        """Allow or forbid pages to run scripts."""
        self._ask("Emulation.setScriptExecutionDisabled", value=not on)

    def downloads(self, folder: Path) -> None:
        """Let what pages offer be saved in a folder."""
        where = {"browserContextId": self._profile, "downloadPath": str(folder)}
        self._pipe.ask("Browser.setDownloadBehavior", behavior="allow", **where)

    def before_pages(self, script: str) -> str:
        """Run a script in every page that is opened from now on, before its own; its name."""
        added = self._ask("Page.addScriptToEvaluateOnNewDocument", source=script)
        name: str = added["identifier"]
        return name

    def not_before_pages(self, name: str) -> None:
        """Do so no longer."""
        self._ask("Page.removeScriptToEvaluateOnNewDocument", identifier=name)

    def open(self, url: str) -> None:
        """Go to an address and wait until the page has loaded."""
        self.complaints.clear()
        self.requests.clear()
        self._loaded = False
        self._ask("Page.navigate", url=url)
        self.wait()

    def wait(self) -> None:
        """Wait for the load that is under way."""
        end = time.monotonic() + PATIENCE
        while not self._loaded:
            self._pipe.listen(end)
        self._loaded = False

    def evaluate(self, expression: str) -> Any:  # noqa: ANN401 # whatever JavaScript gives
        """The value of an expression in the page, once it is there."""
        answer = self._ask(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def holds(self, expression: str) -> bool:
        """Whether an expression is true in the page; not while it gives way to another one."""
        try:
            return bool(self.evaluate(expression))
        except AssertionError:
            return False

    def slow(self, *, latency_ms: int, bits: int, processor: int) -> None:
        """Be a phone: each answer later, so many bits a second, a processor as much slower."""
        down = {"latency": latency_ms, "downloadThroughput": bits / 8, "uploadThroughput": bits / 8}
        self._ask("Network.emulateNetworkConditions", offline=False, **down)
        self._ask("Emulation.setCPUThrottlingRate", rate=processor)

    def count_work(self) -> None:
        """Count from now on how often functions of scripts are called."""
        self._ask("Profiler.enable")
        self._ask("Profiler.startPreciseCoverage", callCount=True, detailed=False)

    def work(self) -> int:
        """How often they were, which no machine's speed changes; and count no longer."""
        scripts = self._ask("Profiler.takePreciseCoverage")["result"]
        self._ask("Profiler.disable")
        functions = (function for script in scripts for function in script["functions"])
        return sum(function["ranges"][0]["count"] for function in functions)

    def forget(self, base: str) -> None:
        """Have seen nothing of a site: all that its pages keep goes, as with a new profile."""
        self._ask("Storage.clearDataForOrigin", origin=base, storageTypes="all")

    def forget_files(self) -> None:
        """Keep no file from before; a page and its workers still share what comes next."""
        self._ask("Network.clearBrowserCache")

    def click(self, x: float, y: float) -> None:
        """Click, or tap, as a person would."""
        self._loaded = False
        for kind in ("mousePressed", "mouseReleased"):
            self._ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def choose(self, field: str, *files: Path) -> None:
        """Give files to a file field, as if they had been chosen."""
        found = self._ask("Runtime.evaluate", expression=f"document.querySelector({field!r})")
        place = found["result"]["objectId"]
        self._ask("DOM.setFileInputFiles", files=list(map(str, files)), objectId=place)

    def device(self) -> None:
        """Have a device that makes passkeys, and whose person is there and known to it."""
        self._ask("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
        }
        self._ask("WebAuthn.addVirtualAuthenticator", options=options)

    def offline(self, *, on: bool) -> None:
        """Take the page's network away, or give it back."""
        conditions = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        self._ask("Network.emulateNetworkConditions", offline=on, **conditions)

    def picture(self, *, whole: bool = False) -> bytes:
        """What is seen, as PNG; the ``whole`` page with what is further down."""
        parts: dict[str, object] = {"format": "png"}
        if whole:
            size = self._ask("Page.getLayoutMetrics")["cssContentSize"]
            parts |= {"captureBeyondViewport": True, "clip": {**size, "scale": 1}}
        return base64.b64decode(self._ask("Page.captureScreenshot", **parts)["data"])

    def _ask(self, method: str, **parameters: object) -> dict[str, Any]:
        return self._pipe.ask(method, self._session, **parameters)

    def note(self, method: str | None, parameters: dict[str, Any]) -> None:
        """Keep what an event of this page tells."""
        if method == "Page.loadEventFired":
            self._loaded = True
        elif method == "Log.entryAdded":
            self.complaints.append(parameters["entry"]["text"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(str(parameters["exceptionDetails"]))
        elif method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])


@contextmanager
def running(profile: Path, *flags: str) -> Iterator[Pipe]:
    """A browser; ended for good afterwards."""
    found = program()
    assert found
    their_input, to_browser = os.pipe()
    from_browser, their_output = os.pipe()
    fds = (their_input, their_output)
    process = subprocess.Popen(
        ["bash", "-c", MOVE, found, *map(str, fds), *FLAGS, *flags, f"--user-data-dir={profile}"],
        pass_fds=fds,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    for descriptor in fds:
        os.close(descriptor)
    try:
        yield Pipe(to_browser, from_browser)
    finally:
        _end(process)
        os.close(to_browser)
        os.close(from_browser)


@contextmanager
def page(pipe: Pipe) -> Iterator[Chrome]:
    """A page that has seen nothing yet, of a browser that runs."""
    chrome = Chrome(pipe)
    try:
        yield chrome
    finally:
        chrome.close()


@contextmanager
def browser(profile: Path, *flags: str) -> Iterator[Chrome]:
    """A fresh browser with its own ``profile`` folder and one page."""
    with running(profile, *flags) as pipe:
        yield Chrome(pipe)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the browser with all its helpers: they are one process group."""
    deadline = time.monotonic() + PATIENCE
    with suppress(ProcessLookupError):
        os.killpg(process.pid, 15)
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, 9)
    process.wait()
