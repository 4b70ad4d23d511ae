"""The Go checksum database's own tree code reads our log, through a small reader of ours in Go."""

import re
import subprocess
from pathlib import Path

import pytest

from chain.audit.fetch import HttpSource
from chain.audit.mirror import mirror_log
from tests.chain.served import serve
from tests.strangers.bent import all_files, bends, forked
from tests.strangers.homes import HERE, asked, home, reader, run
from tests.strangers.logs import EVEN, SIZES, Grown, Web

pytestmark = pytest.mark.slow

PROOFS = {0: 0, 2: 2, 255: 255, 256: 256, 257: 257, 65_536: 676, 70_000: 722}
FILES = {0: 0, 2: 2, 255: 2, 256: 3, 257: 5, 65_536: 514, 70_000: 551}
"""70,000: 274 bundles, and as tlog-tiles counts them 273 + 1, 1 + 1 and 1 tiles."""


def content(log: Grown, earlier: int) -> dict[str, object]:
    """What the reader says of a log in which it found nothing wrong."""
    return {
        "size": log.size,
        "root": log.root,
        "entries": log.size,
        "proofs": PROOFS[log.size],
        "trees": earlier,
        "files": FILES[log.size],
    }


@pytest.mark.parametrize("size", [*SIZES, EVEN])
def test_go_checks_the_whole_log(size: int, logs: dict[int, Grown], served: Web) -> None:
    """Signature, root, every entry, every file, proofs of entries and of every earlier tree."""
    earlier = [] if size == EVEN else [old for old in SIZES if old <= size]
    notes = [option for old in earlier for option in ("-old", logs[old].note)]
    found = asked(reader(), "-key", logs[size].key.text(), *notes, served.url(size))
    assert found == content(logs[size], len(earlier))


@pytest.mark.parametrize("size", [257, 70_000])
def test_go_checks_a_mirror_behind_any_web_server(
    size: int, logs: dict[int, Grown], served: Web, tmp_path: Path
) -> None:
    log = logs[size]
    source = HttpSource(served.url(size))
    mirror_log(source, tmp_path / "mirror", log.key)
    source.close()
    assert len(all_files(tmp_path / "mirror")) == FILES[size]  # and not one more
    with serve(tmp_path / "mirror") as static:
        assert asked(reader(), "-key", log.key.text(), static.url) == content(log, 0)


@pytest.mark.parametrize("size", [257, 70_000])
def test_go_refuses_a_bent_log(size: int, logs: dict[int, Grown]) -> None:
    log = logs[size]
    with serve(log.folder) as static:
        for what, bent in bends(log):
            static.bent = dict(bent)
            done = run(reader(), "-key", log.key.text(), static.url)
            assert (done.returncode, done.stdout) == (1, ""), what
            assert re.search("not|cannot|invalid|malformed|signature|tile", done.stderr), what
        static.bent = {}
        assert asked(reader(), "-key", log.key.text(), static.url) == content(log, 0)


def test_go_refuses_another_key_and_another_history(logs: dict[int, Grown], tmp_path: Path) -> None:
    log, other = logs[257], logs[EVEN]
    with serve(log.folder) as static:
        done = run(reader(), "-key", other.key.text(), static.url)
        assert done.returncode == 1
        assert "note has no verifiable signatures" in done.stderr
        done = run(reader(), "-key", log.key.text(), "-old", logs[70_000].note, static.url)
        assert done.returncode == 1
        assert "size 70000" in done.stderr
        for size in (2, 255, 256, 257):
            (tmp_path / "fork").write_bytes(forked(log, size))
            done = run(reader(), "-key", log.key.text(), "-old", tmp_path / "fork", static.url)
            assert done.returncode == 1
            assert f"size {size}: invalid transparency proof" in done.stderr


def test_the_reader_is_laid_out_as_go_wants_it() -> None:
    found = next((home("go") / "lib").glob("python3.*/site-packages/go/bin/gofmt"))
    done = subprocess.run(
        [found, "-l", *sorted((HERE / "go").glob("*.go"))],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == ""
