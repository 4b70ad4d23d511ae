"""A program that is missing skips a test where people work, and fails it in CI."""

import shutil
from pathlib import Path

import pytest

from tests.outside import need

pytest_plugins = ["pytester"]


def test_what_is_there_is_found_under_any_of_its_names() -> None:
    assert need("sh") == shutil.which("sh")
    assert need("no-such-program", "sh") == shutil.which("sh")


def test_what_is_missing_skips_a_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(pytest.skip.Exception, match="apt-get install zbar-tools"):
        need("zbarimg")


def test_a_run_names_what_it_lacks(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At its end, with how many tests each missing program has cost."""
    pytester.makeconftest((Path(__file__).parent / "conftest.py").read_text(encoding="utf-8"))
    pytester.makepyfile(
        """
        import pytest
        from tests.outside import missing

        @pytest.mark.parametrize("number", range(3))
        def test_one(number):
            missing("needs no-such-program: apt-get install it")

        def test_other():
            pytest.skip("of its own will")
        """
    )
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    done = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    done.stdout.fnmatch_lines(["*    3 tests need no-such-program: apt-get install it"])
    assert "of its own will" not in done.stdout.str()


def test_what_is_missing_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(pytest.fail.Exception, match="apt-get install chromium"):
        need("chromium", "chromium-browser")
