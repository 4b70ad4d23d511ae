"""Whether a log contains what was seen of it: asked of a folder, and over HTTP."""

from pathlib import Path

import pytest

from chain.audit.continuity import ask_log
from chain.audit.evidence import Fork, verify_evidence
from chain.errors import NotFoundError, UnavailableError, VerificationError
from chain.proof.memory import ForkedError, Seen
from chain.signing.note import SignerKey
from chain.tree.tiles import TileFolder
from tests.chain.histories import SIGNER, History
from tests.chain.served import serve
from tests.chain.trees import entries, leaves

SIZE = 600
LOG = History(leaves(SIZE))
KEY = SIGNER.verifier


def seen(size: int, log: History = LOG) -> Seen:
    """A checkpoint of the log, and its note."""
    return log.checkpoint(size), log.note(size)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The log as it publishes itself."""
    TileFolder(tmp_path).write_range(0, SIZE, LOG.leaves, entries(SIZE))
    (tmp_path / "checkpoint").write_bytes(LOG.note(SIZE))
    return tmp_path


@pytest.mark.parametrize("sizes", [(), (0,), (1,), (256, 257), (SIZE,), (3, 599, SIZE)])
def test_a_log_contains_what_it_was(folder: Path, sizes: tuple[int, ...]) -> None:
    assert ask_log(str(folder), KEY, [seen(size) for size in sizes]) == seen(SIZE)
    with serve(folder) as served:
        assert ask_log(f"{served.url}", KEY, [seen(size) for size in sizes]) == seen(SIZE)


def test_a_log_of_nothing_contains_what_was_never_seen(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").write_bytes(LOG.note(0))
    assert ask_log(str(tmp_path), KEY, []) == seen(0)


@pytest.mark.parametrize("size", [1, 300, SIZE])
def test_a_log_that_forked_is_convicted(folder: Path, size: int) -> None:
    other = LOG.fork(size - 1)
    with pytest.raises(ForkedError, match=r"^log_forked\b") as caught:
        ask_log(str(folder), KEY, [seen(5), seen(size, other)])
    assert caught.value.extra == {"size": size}
    assert caught.value.notes == (other.note(size), LOG.note(SIZE))
    fork = verify_evidence(caught.value.evidence, KEY)
    assert isinstance(fork, Fork)
    assert {fork.one.size, fork.other.size} == {size, SIZE}


def test_a_copy_that_is_behind_says_nothing(folder: Path) -> None:
    longer = History(leaves(SIZE + 1))
    with pytest.raises(UnavailableError, match=r"^log_behind\b"):
        ask_log(str(folder), KEY, [seen(5), seen(SIZE + 1, longer)])


def test_a_log_that_is_damaged_or_not_there_says_nothing(folder: Path) -> None:
    with pytest.raises(NotFoundError, match=r"^file_missing\b"):
        ask_log(str(folder / "nowhere"), KEY, [seen(5)])
    with pytest.raises(VerificationError, match=r"^signature_missing\b"):
        ask_log(str(folder), SignerKey("other.example/log", bytes(32)).verifier, [seen(5)])
    (folder / "tile/0/000").write_bytes(bytes(8192))
    with pytest.raises(VerificationError, match=r"^tile_damaged\b"):
        ask_log(str(folder), KEY, [seen(5)])
