"""Which parts of others the service runs: ``make sbom`` writes them as CycloneDX 1.6, JSON.

From the files that lock them: packages of Python with their digests (an installer takes no others),
and packages of npm whose files stand in ``static/vendor``. Run twice, it writes the same.
"""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

ROOT: Final = Path(__file__).parents[1]
LOCK: Final = ROOT / "requirements" / "run.txt"
VENDORED: Final = ROOT / "static" / "vendor" / "README.md"
_PACKAGE: Final = re.compile(r"^([a-z0-9._-]+)==([^ ]+)((?: --hash=sha256:[0-9a-f]{64})+)$")
_ROW: Final = re.compile(r"^\| `[a-z0-9-]+/` \| `([^`]+)` \| ([0-9.]+) \|", re.MULTILINE)


def components() -> Iterator[dict[str, Any]]:
    """Every part, by name; ValueError for a line of the lock that is none."""
    text = LOCK.read_text(encoding="utf-8").replace(" \\\n   ", "")
    for line in text.splitlines():
        found = _PACKAGE.match(line)
        if found is None:
            raise ValueError(f"this locks nothing: {line[:80]}")
        name, version, digests = found.groups()
        listed = re.findall(r"[0-9a-f]{64}", digests)
        yield _component(f"pkg:pypi/{name}@{version}", name, version) | {
            "hashes": [{"alg": "SHA-256", "content": digest} for digest in listed]
        }
    for name, version in sorted(_ROW.findall(VENDORED.read_text(encoding="utf-8"))):
        yield _component(f"pkg:npm/{quote(name, safe='/')}@{version}", name, version)


def bill() -> dict[str, Any]:
    """All of it, as the standard has it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    name, version = project["name"], project["version"]
    ours = _component(f"pkg:pypi/{name}@{version}", name, version) | {"type": "application"}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": ours},
        "components": list(components()),
    }


def _component(purl: str, name: str, version: str) -> dict[str, Any]:
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


if __name__ == "__main__":
    print(json.dumps(bill(), indent=1))
