"""What steers the browser: it waits for nothing for ever."""

import os
import threading

import pytest

from tests.browser import chrome as steering
from tests.browser.chrome import Chrome, Pipe, SilenceError, page


def test_a_page_that_is_never_silent_is_not_waited_for_without_end(
    chrome: Chrome, monkeypatch: pytest.MonkeyPatch
) -> None:
    chrome.open("about:blank")
    chrome.evaluate("void setInterval(() => fetch('data:,x'), 5)")
    monkeypatch.setattr(steering, "PATIENCE", 0.2)
    with pytest.raises(AssertionError, match="the browser says"):
        chrome.wait()
    with pytest.raises(AssertionError, match="the browser says"):
        chrome.evaluate("new Promise(() => {})")


def test_pages_have_their_own_complaints_and_their_own_memory(chromium: Pipe) -> None:
    with page(chromium) as one, page(chromium) as other:
        one.open("about:blank")
        other.evaluate("void setTimeout(() => { throw Error('theirs') })")
        other.evaluate("new Promise(done => setTimeout(done, 50))")
        assert one.complaints == []
        assert len(other.complaints) == 1


def test_a_setting_that_is_not_heard_is_said_again_and_a_question_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As one that is said while a page gives way to another."""
    monkeypatch.setattr(steering, "FIRST", 0.1)
    (from_us, to_browser), (from_browser, to_us) = os.pipe(), os.pipe()
    said: list[bytes] = []

    def hear_the_second() -> None:
        while len(said) < 2:
            said.extend(os.read(from_us, 4096).split(b"\0")[:-1])
        os.write(to_us, b'{"id": 2, "result": {}}\0')

    browser = threading.Thread(target=hear_the_second)
    browser.start()
    pipe = Pipe(to_browser, from_browser)
    assert pipe.ask("Emulation.setScriptExecutionDisabled", value=True) == {}
    browser.join()
    assert len(said) == 2
    monkeypatch.setattr(steering, "PATIENCE", 0.2)
    with pytest.raises(SilenceError):
        pipe.ask("Runtime.evaluate", expression="1")
    assert os.read(from_us, 4096).count(b"\0") == 1
    for end in (from_us, to_browser, from_browser, to_us):
        os.close(end)
