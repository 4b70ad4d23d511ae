"""A program that is missing skips a test where people work, and fails it in CI."""

import shutil

import pytest

from tests.outside import need


def test_what_is_there_is_found_under_any_of_its_names() -> None:
    assert need("sh") == shutil.which("sh")
    assert need("no-such-program", "sh") == shutil.which("sh")


def test_what_is_missing_skips_a_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(pytest.skip.Exception, match="apt-get install zbar-tools"):
        need("zbarimg")


def test_what_is_missing_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(pytest.fail.Exception, match="apt-get install chromium"):
        need("chromium", "chromium-browser")
