"""Removing partial tiles looks at what has become full since, and at nothing older."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chain.tree.tiles import TileFolder
from tests.chain.tree.tiled import write
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


def test_what_another_worker_has_removed_meanwhile_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, listing = TileFolder(tmp_path), Path.iterdir
    for old, new in ((0, 10), (10, 20), (20, 300)):
        folder.write_range(old, new, LEAVES[old:new], ENTRIES[old:new])

    def with_one_that_goes(path: Path) -> Iterator[Path]:
        yield path / "1"
        yield from listing(path)

    monkeypatch.setattr(Path, "iterdir", with_one_that_goes)
    folder.drop_partials(20, 300)
    assert not (tmp_path / "tile/0/000.p").exists()
    assert not (tmp_path / "tile/entries/000.p").exists()


def test_dropping_twice_and_what_another_left_is_no_error(tmp_path: Path) -> None:
    folder = TileFolder(tmp_path)
    write(folder, 10, 300)
    (tmp_path / "tile/0/000.p/.10.crashed.tmp").write_bytes(b"half")
    (tmp_path / "tile/entries/000.p/not-ours").mkdir()
    folder.drop_partials(10, 300)
    folder.drop_partials(10, 300)
    assert not (tmp_path / "tile/0/000.p").exists()
    assert (tmp_path / "tile/entries/000.p/not-ours").exists()
