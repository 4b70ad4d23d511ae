"""Print the paths that a stranger gives to tiles; which stranger, this interpreter decides.

The order, as JSON on standard input: ``tiles``, each level (-1 for entries), number and width.
"""

import importlib.util
import json
import sys

FULL = 256


def path(level: int, n: int, width: int) -> str:
    """As tlog-scales or as aics-tlog spells it."""
    if importlib.util.find_spec("tlog_scales") is not None:
        from tlog_scales import tiles  # type: ignore[import-not-found]

        return "/".join(tiles.tile_path(level, n, width % FULL))
    from aics_tlog import tiles as tlog  # type: ignore[import-not-found]

    partial = None if width == FULL else width
    if level < 0:
        return str(tlog.entry_bundle_path(n, partial))
    return str(tlog.tile_path(level, n, partial))


json.dump([path(*tile) for tile in json.load(sys.stdin)["tiles"]], sys.stdout)
