"""pymerkle, by somebody else, comes to the roots that our checkpoints sign."""

import pymerkle
import pytest

from chain.tree.tiles import TileFolder
from tests.strangers.logs import EVEN, SIZES, Grown

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("size", [*SIZES[1:], EVEN])
def test_its_roots_are_ours(size: int, logs: dict[int, Grown]) -> None:
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for entry in TileFolder(logs[size].folder).entries(0, size):
        tree.append_entry(entry)
    assert tree.get_root() == logs[size].checkpoint.root
    for old in SIZES:
        if size != EVEN and 0 < old <= size:
            assert tree.get_root(old) == logs[old].checkpoint.root
