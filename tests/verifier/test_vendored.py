"""Vendored libraries are their packages' own files; the verifier reaches nothing else.

Only where a package imports another by its name, which browsers do not know, that became a path.
"""

import re
from pathlib import Path

import pytest

from chain.hashing import sha256
from invoice_service.app import STATIC
from invoice_service.web.ground.assets import assets_of

VENDOR = STATIC / "vendor"
CHECKS = Path(__file__).parents[1] / "browser" / "vendor"
"""What only tests load."""
DIGESTS = Path(__file__).with_name("vendored.sha256").read_text().splitlines()
FILES = {name: digest for digest, name in (line.split("  ") for line in DIGESTS)}


def test_every_vendored_file_is_known() -> None:
    found = [
        path.relative_to(folder).as_posix()
        for folder in (VENDOR, CHECKS)
        for path in folder.rglob("*")
        if path.is_file()
    ]
    assert sorted(found) == sorted([*FILES, "README.md"])


@pytest.mark.parametrize("name", FILES)
def test_a_vendored_file_is_unchanged(name: str) -> None:
    folder = CHECKS if (CHECKS / name).exists() else VENDOR
    text = (folder / name).read_text("utf-8")
    named = re.sub(r"^(import .* from ')(?:\.\./)+noble-", r"\1@noble/", text, flags=re.MULTILINE)
    assert sha256(named.encode()).hex() == FILES[name]


def test_modules_import_only_what_is_served_with_them() -> None:
    """No address of another host; nothing that the page loads later: the network may be gone."""
    of_page = assets_of(STATIC).modules("verify/page.js")
    modules = [*STATIC.glob("verify/*.js"), *VENDOR.glob("noble-*/**/*.js")]
    assert len(modules) > 10
    for module in modules:
        code = re.sub(r"/\*.*?\*/", "", module.read_text("utf-8"), flags=re.DOTALL)
        code = "\n".join(line for line in code.splitlines() if not line.lstrip().startswith("//"))
        for name in re.findall(
            r'^(?:import|export)\b[^;]*?\bfrom ["\']([^"\']+)["\']', code, re.MULTILINE
        ):
            assert (module.parent / name).resolve().is_file(), f"{module.name} imports {name}"
        code = re.sub(r"^ +eval\([^()]*\) {$", "", code, flags=re.MULTILINE)  # a method's name
        for name in re.findall(r'\bimport\("\./(\w+\.js)"\)', code):
            assert f"verify/{name}" in of_page
            code = code.replace(f'import("./{name}")', "")
        assert not re.search(r"\bimport\(|importScripts|\beval\(|new Function", code), module.name
