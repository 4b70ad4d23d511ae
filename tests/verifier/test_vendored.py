"""Vendored libraries are their packages' own files; the verifier reaches nothing else."""

import re

import pytest

from chain.hashing import sha256
from invoice_service.app import STATIC

VENDOR = STATIC / "vendor"
FILES = {
    "noble-ed25519/LICENSE": "394c2e6e5552e5dba202bee6390b9d6aa2754d657f5b9869e83b3d265a315501",
    "noble-ed25519/index.js": "a4f631d1876b5d9e43a86cd71194ca27b5e1451edf4ba4db9a418f40a475569a",
    "noble-hashes/LICENSE": "4f221aee6e072336700c408c68ab3b96a3fc09f6aebe6f48f1bd99e5ef13faec",
    "noble-hashes/_md.js": "60cf3010fda89e3e4d3f0e7ff1ce249e9c467f34b4fd41b6fd6101d9f69be763",
    "noble-hashes/_u64.js": "b09da8c07fe8187c07649494cdb7cd0bcf13df90b506a9473d19e4d5f8c2e102",
    "noble-hashes/sha2.js": "471746bba6ec4c6238ca41358d1d3b40b6ff31cf3363f0b4d550c649c1a8e83b",
    "noble-hashes/utils.js": "037ad49adb78168b6b699598fd33f85f7877456b1d28b4d032e2a1a16807947c",
}


def test_every_vendored_file_is_known() -> None:
    found = {path.relative_to(VENDOR).as_posix() for path in VENDOR.rglob("*") if path.is_file()}
    assert found == {*FILES, "README.md"}


@pytest.mark.parametrize("name", FILES)
def test_a_vendored_file_is_unchanged(name: str) -> None:
    assert sha256((VENDOR / name).read_bytes()).hex() == FILES[name]


def test_modules_import_only_what_is_served_with_them() -> None:
    """No address of another host, and nothing that is loaded later: the network may be gone."""
    modules = [*STATIC.glob("verify/*.js"), *VENDOR.rglob("*.js")]
    assert len(modules) > 10
    for module in modules:
        code = re.sub(r"/\*.*?\*/", "", module.read_text("utf-8"), flags=re.DOTALL)
        code = "\n".join(line for line in code.splitlines() if not line.lstrip().startswith("//"))
        for name in re.findall(r'^(?:import|export)\b[^;]*?\bfrom "([^"]+)"', code, re.MULTILINE):
            assert (module.parent / name).resolve().is_file(), f"{module.name} imports {name}"
        assert not re.search(r"\bimport\(|importScripts|\beval\(|new Function", code), module.name
