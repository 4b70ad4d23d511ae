"""The e-invoice service: issues invoices, anchors their hashes, answers for them."""

import sys
from typing import Any, Final

_LOADED: Final[dict[str, Any]] = sys.modules

# Libraries that we use (sqlite-utils, openpyxl) load numpy wherever it is installed: 0.13 s and
# 20 MB for each process and command, of which only rankings need it (``storage/ranking.py``).
# For all others it is as if it was not there.
_LOADED.setdefault("numpy", None)
