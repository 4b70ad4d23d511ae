"""Strangers look for tiles where we put them, also where no log of ours will ever get."""

import pytest

from chain.tree.tiles import TileId
from tests.strangers.homes import home, reader, run, told

pytestmark = pytest.mark.slow

NUMBERS = [0, 1, 67, 255, 256, 999, 1000, 1001, 9_999, 67_000, 999_999, 10**6, 1_234_067, 10**9 + 1]
TILES = [
    (level, n, width) for level in (-1, 0, 1, 9, 63) for n in NUMBERS for width in (1, 112, 256)
]
OURS = [TileId(None if level < 0 else level, n, width).path() for level, n, width in TILES]


def test_the_example_of_tlog_tiles() -> None:
    assert TileId(0, 1_234_067).path() == "tile/0/x001/x234/067"


def test_go_spells_them_as_we_do() -> None:
    lines = "".join(f"{level} {n} {width}\n" for level, n, width in TILES)
    assert run(reader(), "-paths", stdin=lines).stdout.splitlines() == OURS


@pytest.mark.parametrize("name", ["tlog-scales", "aics"])
def test_others_spell_them_as_we_do(name: str) -> None:
    assert told(home(name), "paths.py", {"tiles": TILES}) == OURS
