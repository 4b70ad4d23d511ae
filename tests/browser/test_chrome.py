"""What steers the browser: it waits for nothing for ever."""

import pytest

from tests.browser import chrome as steering
from tests.browser.chrome import Chrome, Pipe, page


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
