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
    "promtool": "prometheus",
    "qpdf": "qpdf",
    "soffice": "libreoffice-calc",
    "strace": "strace",
    "systemd-analyze": "systemd",
    "wrk": "wrk",
    "zbarimg": "zbar-tools",
}

NEEDS = "needs "
"""How the reason of such a skip begins."""


def need(program: str, *other_names: str) -> str:
    """Return the path of ``program``; a missing one skips, or fails in CI."""
    path = next(filter(None, map(shutil.which, (program, *other_names))), None)
    if path is None:
        missing(f"{NEEDS}{program}: apt-get install {PACKAGES.get(program, program)}")
    return path


def missing(reason: str) -> NoReturn:
    """Skip the test, or fail it where CI=true: there everything has to be installed."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
