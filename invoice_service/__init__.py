"""The e-invoice service: issues invoices, anchors their hashes, answers for them."""

import os
import sys
from typing import Any, Final

# One thread: there is no linear algebra here, and its threads would stand beside each process.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

_LOADED: Final[dict[str, Any]] = sys.modules

# sqlite-utils loads numpy wherever it is installed: 0.13 s and 20 MB for each process and command,
# of which only rankings need it (``storage/ranking.py``). So it is loaded here, before anybody
# else does, as if numpy was not there.
if "numpy" not in _LOADED:
    _LOADED["numpy"] = None
    try:
        import sqlite_utils  # noqa: F401 # for what it does
    finally:
        del _LOADED["numpy"]
