"""aics-tlog, by somebody else, walks our whole log; its command checks it as a user's would."""

import json
from itertools import islice
from pathlib import Path

import pytest

from tests.chain.served import serve
from tests.scale import share
from tests.strangers.bent import few_bends, forked
from tests.strangers.homes import asked, home, refused, run, told
from tests.strangers.logs import EVEN, SIZES, Grown, Web
from tests.strangers.test_go import FILES

pytestmark = pytest.mark.slow
SCRIPT = "aics_audit.py"


@pytest.mark.parametrize("size", [*SIZES, EVEN])
def test_it_walks_every_tile_and_every_bundle(
    size: int, logs: dict[int, Grown], served: Web
) -> None:
    order: dict[str, object] = {"url": served.url(size), "key": logs[size].key.text()}
    found = told(home("aics"), SCRIPT, order)
    assert found["size"] == size
    assert found["bundles"] == -(-size // 256)
    assert found["tiles"] + found["bundles"] == FILES[size]


@pytest.mark.scaled
@pytest.mark.parametrize("size", [257, 70_000])
def test_it_refuses_a_bent_log(size: int, logs: dict[int, Grown]) -> None:
    with serve(logs[size].folder) as static:
        order: dict[str, object] = {"url": static.url, "key": logs[size].key.text()}
        for what, bent in islice(few_bends(logs[size]), 0, None, share(1, 2)):
            static.bent = dict(bent)
            error = refused(home("aics"), SCRIPT, order)
            assert "aics_tlog" in error or "ValueError" in error, (what, error)
        static.bent = {}
        told(home("aics"), SCRIPT, order)


def test_its_command_checks_checkpoint_entry_and_growth(
    logs: dict[int, Grown], served: Web, tmp_path: Path
) -> None:
    """As somebody would follow us from day to day with nothing but the key."""
    program = home("aics") / "bin" / "aics-tlog"
    key = tmp_path / "log.vkey"
    key.write_text(f"{logs[2].key.text()}\n")
    seen = tmp_path / "seen.note"
    for older, size in ((None, 2), (2, 257), (257, 70_000)):
        source = ("--tiles", served.url(size), "--vkey-file", key)
        verdict = asked(program, "verify-checkpoint", *source)
        assert verdict["ok"], verdict
        for index in {0, size - 1}:
            entry = tmp_path / "entry.json"
            proof = ("--index", index, "--entry-out", entry)
            assert asked(program, "verify-inclusion", *source, *proof)["ok"]
            assert entry.read_bytes()
        grown = (*source, "--save-checkpoint", seen)
        if older is not None:
            assert asked(program, "verify-consistency", *grown, "--old-checkpoint", seen)["ok"]
        else:
            asked(program, "verify-checkpoint", *grown)
        assert seen.read_bytes() == logs[size].note.read_bytes()


def test_its_command_refuses_what_does_not_continue(
    logs: dict[int, Grown], served: Web, tmp_path: Path
) -> None:
    program = home("aics") / "bin" / "aics-tlog"
    key = tmp_path / "log.vkey"
    key.write_text(f"{logs[257].key.text()}\n")
    source = ("--tiles", served.url(257), "--vkey-file", key)
    fork = tmp_path / "fork.note"
    fork.write_bytes(forked(logs[257], 255))
    for old, holds in ((logs[255].note, True), (fork, False), (logs[70_000].note, False)):
        done = run(program, "verify-consistency", *source, "--old-checkpoint", old)
        assert (done.returncode == 0) == holds, done
        assert f'"ok": {json.dumps(holds)}' in done.stdout
