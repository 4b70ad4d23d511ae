"""Vendored libraries are their packages' own files; the verifier reaches nothing else.

Only where a package imports another by its name, which browsers do not know, that became a path.
"""

import re

import pytest

from chain.hashing import sha256
from invoice_service.app import STATIC

VENDOR = STATIC / "vendor"
PACKAGES = {
    "noble-curves": {
        "LICENSE": "4f221aee6e072336700c408c68ab3b96a3fc09f6aebe6f48f1bd99e5ef13faec",
        "abstract/fft.js": "a4b2ff7ca33f4acc85d61f0e83ec3303c3f6b38ecc19b20d0f6462d820e518cf",
        "abstract/modular.js": "9ced3aa10598277a735e54f7b61d88e929d565da884ba5385f9006ebb3b6aab2",
        "utils.js": "be9ff86aef76419376e4d66cf01a134f3117f1f8dd62d81f1b79100145503367",
    },
    "noble-ed25519": {
        "LICENSE": "394c2e6e5552e5dba202bee6390b9d6aa2754d657f5b9869e83b3d265a315501",
        "index.js": "a4f631d1876b5d9e43a86cd71194ca27b5e1451edf4ba4db9a418f40a475569a",
    },
    "noble-hashes": {
        "LICENSE": "4f221aee6e072336700c408c68ab3b96a3fc09f6aebe6f48f1bd99e5ef13faec",
        "_md.js": "60cf3010fda89e3e4d3f0e7ff1ce249e9c467f34b4fd41b6fd6101d9f69be763",
        "_u64.js": "b09da8c07fe8187c07649494cdb7cd0bcf13df90b506a9473d19e4d5f8c2e102",
        "sha2.js": "471746bba6ec4c6238ca41358d1d3b40b6ff31cf3363f0b4d550c649c1a8e83b",
        "sha3.js": "9a81e1edb24eae27b335533220167609cfb58008c5690e140ce478acdc669f32",
        "utils.js": "037ad49adb78168b6b699598fd33f85f7877456b1d28b4d032e2a1a16807947c",
    },
    "noble-post-quantum": {
        "LICENSE": "0dea4b70b40ca57e3cfe30186e3dbd245147fe4d83ac566e92e70203aac59034",
        "_crystals.js": "f8a50221e4d2e7e849e8e4f7443ecff2f722581aef592c907ed57a5480c72885",
        "ml-dsa.js": "7c64e733930b115b72bd0585731d8202f1caa819e081cc1e682a19d1fcbcfbda",
        "utils.js": "01e9046ea3e45fe7569d3ae2881515d0a9446882d602255ab7627915aa0fd2af",
    },
    "swagger-ui": {
        "LICENSE": "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30",
        "NOTICE": "0d20d1adef18aee3f40dd258172155521ce702ac445cb5f7b7d60ed32dad2fb2",
        "swagger-ui-bundle.js": "e6a898692f2d768e807c3ba4626068a69a2c5dd960dd6c76f3e4d3a3de180af2",
        "swagger-ui-bundle.js.LICENSE.txt": (
            "37eb6e7e59aed57b2c1acf076574b818ea07b74265717e0bd67b59e0baf9abbb"
        ),
        "swagger-ui.css": "5ed08757e53da3e026d6cbecc61fe5d43585c9560b302d534ad56692519a273d",
    },
}
FILES = {
    f"{package}/{name}": digest
    for package, files in PACKAGES.items()
    for name, digest in files.items()
}


def test_every_vendored_file_is_known() -> None:
    found = {path.relative_to(VENDOR).as_posix() for path in VENDOR.rglob("*") if path.is_file()}
    assert found == {*FILES, "README.md"}


@pytest.mark.parametrize("name", FILES)
def test_a_vendored_file_is_unchanged(name: str) -> None:
    text = (VENDOR / name).read_text("utf-8")
    named = re.sub(r"^(import .* from ')(?:\.\./)+noble-", r"\1@noble/", text, flags=re.MULTILINE)
    assert sha256(named.encode()).hex() == FILES[name]


def test_modules_import_only_what_is_served_with_them() -> None:
    """No address of another host, and nothing that is loaded later: the network may be gone."""
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
        assert not re.search(r"\bimport\(|importScripts|\beval\(|new Function", code), module.name
