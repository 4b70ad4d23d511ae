"""Programs from outside Python that tests need: a missing one fails in CI, skips elsewhere."""

import os
import shutil

import pytest

PACKAGES = {
    "chromium": "chromium",
    "strace": "strace",
    "wrk": "wrk",
    "zbarimg": "zbar-tools",
}


def need(program: str) -> str:
    """Return the path of ``program``; a missing one skips the test, or fails it where CI=true."""
    path = shutil.which(program)
    if path is not None:
        return path
    reason = f"needs {program}: apt-get install {PACKAGES.get(program, program)}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
