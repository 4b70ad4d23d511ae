"""A checkpoint with many lines under it: strangers find the one they know among the others."""

import time
from collections.abc import Callable

import pytest

from chain.signing.checkpoint import sign_checkpoint
from chain.signing.cosignature import Cosigner, add_signatures
from chain.signing.note import SignerKey
from tests.chain.served import serve
from tests.strangers.homes import asked, home, reader, told
from tests.strangers.logs import Grown

pytestmark = pytest.mark.slow
SIZE = 257


def many_lines(log: Grown, turn: int) -> tuple[bytes, list[str]]:
    """Signed by two keys of the log, as while one follows the other, and by three witnesses."""
    old = SignerKey.parse((log.data / "keys" / "log.key").read_text().strip())
    new = SignerKey(old.name, bytes(range(32)))
    witnesses = [Cosigner(SignerKey(f"witness.example/w{n}", bytes([n]) * 32)) for n in (1, 2, 3)]
    note = sign_checkpoint(log.checkpoint, *((old, new) if turn else (new, old)))
    now = int(time.time())
    lines = [one.cosign(log.checkpoint.to_text(), now) for one in witnesses]
    return add_signatures(note, lines), [old.verifier.text(), new.verifier.text()]


def with_go(url: str, key: str) -> int:
    size: int = asked(reader(), "-key", key, url)["size"]
    return size


def with_scales(url: str, key: str) -> int:
    order: dict[str, object] = {"url": url, "key": key, "entries": [0], "old": []}
    size: int = told(home("tlog-scales"), "scales.py", order)["size"]
    return size


def with_aics(url: str, key: str) -> int:
    size: int = told(home("aics"), "aics_audit.py", {"url": url, "key": key})["size"]
    return size


@pytest.mark.parametrize("turn", [0, 1])
@pytest.mark.parametrize("read", [with_go, with_scales, with_aics])
def test_each_key_opens_it(
    read: Callable[[str, str], int], turn: int, logs: dict[int, Grown]
) -> None:
    note, keys = many_lines(logs[SIZE], turn)
    assert note.count("\u2014 ".encode()) == 5
    with serve(logs[SIZE].folder) as static:
        static.bent = {"checkpoint": note}
        for key in keys:
            assert read(static.url, key) == SIZE


def test_each_key_opens_it_in_rust(logs: dict[int, Grown]) -> None:
    note, keys = many_lines(logs[SIZE], 0)
    for key in keys:
        order: dict[str, object] = {"key": key, "note": note.decode(), "entries": [], "old": []}
        assert told(home("metamorphic-log"), "metamorphic.py", order)["size"] == SIZE


def test_aics_counts_our_witnesses(logs: dict[int, Grown]) -> None:
    """Their policy of three witnesses, over the lines that our cosigner makes."""
    log = logs[SIZE]
    note, [key, _] = many_lines(log, 1)
    names = [f"witness.example/w{n}" for n in (1, 2, 3)]
    vkeys = [
        Cosigner(SignerKey(name, bytes([n]) * 32)).verifier.text()
        for n, name in enumerate(names, 1)
    ]
    witnesses = [option for vkey in vkeys for option in ("--witness-key", vkey)]
    with serve(log.folder) as static:
        static.bent = {"checkpoint": note}
        source = ("--tiles", static.url, "--log-key", key)
        program = home("aics") / "bin" / "aics-tlog"
        found = asked(program, "verify-checkpoint", *source, *witnesses, "--quorum", 3)
    assert found["ok"]
