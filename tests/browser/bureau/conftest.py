"""What an official's journeys start from: one browser, which ends with the file."""

from tests.browser.till.conftest import chromium_browser

__all__ = ["chromium_browser"]
