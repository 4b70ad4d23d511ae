"""The whole service from its wheels, in a fresh environment, run in a folder that holds nothing."""

import os
import re
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from stat import S_IMODE
from urllib.parse import urljoin

import pytest
import urllib3

from invoice_service.processes.supervise import free_port
from tests.journeys.service import kill_all
from tests.patience import PATIENCE, wait_until

IMPORT = re.compile(
    r"""(?:^|\})\s*(?:import|export)?[^"';]*from\s*["'](\.[^"']+)["']""", re.MULTILINE
)


@pytest.fixture(scope="module")
def fapiao(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command, installed with both wheels; dependencies are those of our own environment."""
    home = tmp_path_factory.mktemp("home")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)
    python = str(home / "bin/python")
    pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check"]
    wheel_files = wheels.glob("*.whl")
    subprocess.run(
        [*pip, "--quiet", "install", "--no-index", "--no-deps", *wheel_files], check=True
    )
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = subprocess.run([python, "-c", where], capture_output=True, text=True, check=True)
    # Only the folder's packages: what an editable install says there is not read again.
    (Path(packages.stdout.strip()) / "others.pth").write_text(sysconfig.get_path("purelib"))
    return home / "bin/fapiao"


@pytest.fixture
def url(fapiao: Path, tmp_path: Path) -> Iterator[str]:
    """A service that runs from the wheel, and ends with status 0."""
    url = f"http://127.0.0.1:{free_port('127.0.0.1')}"
    settings = tmp_path / "mine.toml"
    settings.write_text(
        f'[service]\npublic_url = "{url}"\n[web]\nworkers = 1\nport = {url.rpartition(":")[2]}\n'
    )
    others = {name: text for name, text in os.environ.items() if not name.startswith("FAPIAO_")}
    others.pop("PYTHONPATH", None)
    environ = others | {"FAPIAO_CONFIG": str(settings)}
    (tmp_path / "var/main/output").mkdir(parents=True)  # as an older release made it
    (tmp_path / "var/main/output/web.log").touch(mode=0o644)
    subprocess.run([fapiao, "init", "--yes"], cwd=tmp_path, env=environ, check=True)
    try:
        with (tmp_path / "said").open("wb") as said:
            serving = subprocess.Popen(
                [fapiao, "serve"], cwd=tmp_path, env=environ, stdout=said, stderr=said
            )
        wait_until(lambda: "ready: " in (tmp_path / "said").read_text(), "the service is ready")
        yield url
        serving.send_signal(signal.SIGTERM)
        assert serving.wait(timeout=PATIENCE) == 0
    finally:
        kill_all(settings)


def get(url: str) -> "urllib3.BaseHTTPResponse":
    """What is there; it must be."""
    answer = urllib3.request("GET", url, timeout=PATIENCE)
    assert answer.status == 200, url
    return answer


def scripts_below(url: str, seen: dict[str, str]) -> dict[str, str]:
    """A script's text and that of everything that it loads, by their addresses."""
    if url not in seen:
        answer = get(url)
        assert "javascript" in answer.headers["Content-Type"]
        seen[url] = answer.data.decode()
        for other in IMPORT.findall(seen[url]):
            scripts_below(urljoin(url, other), seen)
    return seen


@pytest.mark.slow
def test_pages_have_their_style_and_the_file_check_all_its_scripts(
    url: str, tmp_path: Path
) -> None:
    styles = re.findall(r'rel="stylesheet" href="([^"]+)"', get(f"{url}/").data.decode())
    assert styles
    for style in styles:
        assert "text/css" in get(urljoin(url, style)).headers["Content-Type"]
    page = get(f"{url}/verify/file").data.decode()
    (script,) = re.findall(r'<script type="module" src="([^"]+)"', page)
    loaded = scripts_below(urljoin(url, script), {})
    names = {one.partition("/static/")[2] for one in loaded}
    assert {"verify/verify.js", "verify/ed25519.js", "vendor/noble-ed25519/index.js"} <= names
    for folder, most in (("", 0o750), ("output", 0o750), ("run", 0o700), ("keys", 0o700)):
        assert S_IMODE((tmp_path / "var/main" / folder).stat().st_mode) & ~most == 0, folder
    logs = list((tmp_path / "var/main/output").iterdir())
    assert {"supervisor.log", "web.log", "worker.log"} <= {path.name for path in logs}
    for path in logs:
        assert S_IMODE(path.stat().st_mode) & ~0o640 == 0, path
