"""Removing partial tiles looks at what has become full since, and at nothing older."""

from pathlib import Path

from chain.tiles import TileFolder
from tests.chain.trees import entries, leaves

ENTRIES = entries(1100)
LEAVES = leaves(1100)


def test_dropping_costs_what_has_grown_not_what_is_there(tmp_path: Path) -> None:
    folder, old = TileFolder(tmp_path), 0
    for new in (10, 300, 600, 1100):
        folder.write_range(old, new, LEAVES[old:new], ENTRIES[old:new])
        old = new
    folder.drop_partials(600, 1100)
    kept = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.p")}
    assert kept == {
        *("tile/0/000.p", "tile/0/001.p", "tile/0/004.p", "tile/1/000.p"),
        *("tile/entries/000.p", "tile/entries/001.p", "tile/entries/004.p"),
    }
    folder.drop_partials(0, 1100)
    kept = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.p")}
    assert kept == {"tile/0/004.p", "tile/1/000.p", "tile/entries/004.p"}
