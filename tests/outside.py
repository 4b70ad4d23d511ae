"""Programs from outside Python that tests need: a missing one fails in CI, skips elsewhere."""

import os
import shutil
from typing import NoReturn

import pytest

PACKAGES = {
    "chromium": "chromium",
    "nginx": "nginx-light",
    "pdffonts": "poppler-utils",
    "pdfsig": "poppler-utils",
    "pdftoppm": "poppler-utils",
    "pdftotext": "poppler-utils",
    "qpdf": "qpdf",
    "strace": "strace",
    "systemd-analyze": "systemd",
    "wrk": "wrk",
    "zbarimg": "zbar-tools",
}

LARGE = {"soffice": "libreoffice-calc"}
"""Programs that CI does without, for what they take: a missing one skips everywhere."""

NEEDS = "needs "
"""How the reason of such a skip begins."""


def need(program: str, *other_names: str) -> str:
    """Return the path of ``program``; a missing one skips, or fails in CI unless LARGE."""
    path = next(filter(None, map(shutil.which, (program, *other_names))), None)
    if path is None and program in LARGE:
        pytest.skip(f"{NEEDS}{program}: apt-get install {LARGE[program]}")
    if path is None:
        missing(f"{NEEDS}{program}: apt-get install {PACKAGES.get(program, program)}")
    return path


def missing(reason: str) -> NoReturn:
    """Skip the test, or fail it where CI=true: there everything has to be installed."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
