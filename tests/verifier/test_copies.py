"""Two copies of a log compared by the page's code: what it says is so, its evidence proves it."""

import json
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from chain.audit.evidence import Fork, verify_evidence
from chain.commitment import anchor, parse_password_area
from chain.signing.checkpoint import Checkpoint, sign_checkpoint
from chain.signing.note import SignerKey
from tests.chain.histories import ORIGIN, SIGNER, History
from tests.chain.trees import flip, leaves
from tests.outside import need
from tests.vectors.memory_cases import files

RUNNER: Final = Path(__file__).with_name("copies.mjs")
SECONDS: Final = 120
LOG: Final = History(leaves(700))
FORK: Final = LOG.fork(100)
KEY: Final = SIGNER.verifier.text()
AREA: Final = "01" + "3f" * 32


def run(folder: Path, *cases: dict[str, Any], **logs: dict[str, str]) -> list[dict[str, Any]]:
    given = folder / "cases.json"
    given.write_text(json.dumps({"logs": logs, "cases": cases}))
    done = subprocess.run(
        [need("node"), RUNNER, given], capture_output=True, text=True, timeout=SECONDS
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def case(*copies: tuple[bytes, str | None], key: str = KEY, others: tuple[str, ...] = ()) -> Any:  # noqa: ANN401 # JSON
    given = [{"note": note.decode(), "log": log} for note, log in copies]
    return {"key": key, "copies": given, "others": others}


def shown(log: History, size: int) -> dict[str, str]:
    """The files of a log that has grown to a size."""
    return files(History(log.leaves[:size], *log.signers))


@pytest.mark.parametrize(("small", "large"), [(1, 2), (100, 300), (256, 512), (299, 300), (5, 700)])
def test_copies_that_continue_each_other_agree(tmp_path: Path, small: int, large: int) -> None:
    notes = LOG.note(small), LOG.note(large)
    pairs = [((notes[0], None), (notes[1], "log")), ((notes[1], "log"), (notes[0], "log"))]
    asked = [case(*pair) for pair in pairs]
    # only the smaller one's address is known, or only ours; either has grown since
    asked += [case((notes[0], "grown"), (notes[1], None))]
    asked += [case((notes[0], None), (notes[1], None), others=("grown",))]
    found = run(tmp_path, *asked, log=shown(LOG, large), grown=shown(LOG, 700))
    hashes = len(LOG.proof(small, large))
    assert found == [{"kind": "continues", "hashes": hashes}] * 4


def test_the_same_and_the_empty_agree(tmp_path: Path) -> None:
    empty = LOG.note(0)
    same = case((LOG.note(9), None), (LOG.note(9), None))
    begun = case((LOG.note(9), None), (empty, None))
    found = run(tmp_path, same, begun, case((empty, None), (empty, None)))
    assert [one["kind"] for one in found] == ["same", "begun", "same"]


@pytest.mark.parametrize(
    ("one", "other", "tree"),
    [
        (LOG.note(300), FORK.note(300), None),
        (FORK.note(300), LOG.note(300), None),
        (FORK.note(200), LOG.note(700), "log"),
        (LOG.note(101), FORK.note(700), "fork"),
    ],
)
def test_a_fork_is_named_with_evidence_that_proves_it(
    tmp_path: Path, one: bytes, other: bytes, tree: str | None
) -> None:
    logs = {"log": files(LOG), "fork": files(FORK)}
    for pair in ((one, None), (other, tree)), ((other, tree), (one, None)):
        [found] = run(tmp_path, case(*pair), **logs)
        assert found["code"] == "log_forked"
        proved = verify_evidence(found["evidence"].encode(), SIGNER.verifier)
        assert isinstance(proved, Fork)
        assert proved.origin == ORIGIN


def test_what_agrees_before_the_fork_is_no_fork(tmp_path: Path) -> None:
    [found] = run(tmp_path, case((LOG.note(100), None), (FORK.note(700), "fork")), fork=files(FORK))
    assert found["kind"] == "continues"


def test_a_broken_mirror_is_no_fork(tmp_path: Path) -> None:
    """Whatever its files say, they do not lead to the root that the log signed."""
    good = shown(LOG, 300)
    pair = (LOG.note(100), None), (LOG.note(300), "bad")
    for path in sorted(good):
        if not path.startswith("tile/0"):
            continue
        less = {name: data for name, data in good.items() if name != path}
        [found] = run(tmp_path, case(*pair), bad=less)
        assert found["code"] == "tile_missing", path
        [found] = run(tmp_path, case(*pair), bad={**good, path: files(FORK)["tile/0/001"]})
        assert found["code"] in ("tile_damaged", "file_too_long"), path
        [found] = run(tmp_path, case(*pair, others=("good",)), bad=less, good=good)
        assert found["kind"] == "continues"
    [found] = run(tmp_path, case((LOG.note(100), None), (LOG.note(300), None)))
    assert found["code"] == "tree_missing"


def test_a_checkpoint_that_the_log_did_not_sign_is_refused_by_its_place(tmp_path: Path) -> None:
    good, text = LOG.note(300), LOG.note(100).decode()
    stranger = SignerKey(ORIGIN, bytes([7]) * 32)
    bent = text.replace("\n100\n", "\n101\n").encode()
    root = flip(LOG.checkpoint(100).root, 3)
    forged = sign_checkpoint(Checkpoint(ORIGIN, 100, root), stranger)
    other = History(LOG.leaves, SignerKey("other.example/log", bytes([8]) * 32)).note(100)
    cases = [bent, forged, other, b"", text[:-2].encode(), b"x\n\n"]
    found = run(tmp_path, *(case((good, None), (note, None)) for note in cases))
    codes = ["signature", "signature_missing", "signature_missing", "note", "note", "note"]
    assert [(one["code"], one["copy"]) for one in found] == [(code, 2) for code in codes]


def test_a_password_area_becomes_its_anchor(tmp_path: Path) -> None:
    pieces = f"{AREA[:20]} {AREA[20:40]}\n{AREA[40:]}"
    texts = [
        AREA,
        AREA.upper(),
        pieces,
        f"https://x/verify/scan?hash={AREA}&bill_num=1",
        f"01,10,{AREA},",
    ]
    nothing = ["", "12", AREA[2:], AREA + "0", "a" + AREA, "01" + "g" * 64]
    found = run(tmp_path, *({"text": text} for text in [*texts, *nothing]))
    expected = {"area": AREA, "anchor": anchor(parse_password_area(AREA)).hex()}
    assert found == [expected] * len(texts) + [{"area": None, "anchor": None}] * len(nothing)
