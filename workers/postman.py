"""Has letters sent by a process apart, one at a time.

A mail server may be slow, and is a stranger: it holds up no block, and whoever speaks with it has
neither the log's keys nor their passphrase.
"""

import logging
import os
import subprocess
import sys
from typing import Final

from invoice_service.keys.secrets import PASSPHRASE

logger = logging.getLogger(__name__)

COMMAND: Final = (sys.executable, "-P", "-m", "workers.post")
_UNTOLD: Final = (PASSPHRASE, f"{PASSPHRASE}_FILE")


class Postman:
    """Starts it, unless it is under way; it ends by itself."""

    def __init__(self, command: tuple[str, ...] = COMMAND) -> None:
        self._command = command
        self._under_way: subprocess.Popen[bytes] | None = None

    def ring(self) -> bool:
        """Whether one was started."""
        if self._under_way is not None:
            status = self._under_way.poll()
            if status is None:
                return False
            if status:
                logger.error("sending letters ended with status %d, to be tried again", status)
            self._under_way = None
        told = {name: text for name, text in os.environ.items() if name not in _UNTOLD}
        self._under_way = subprocess.Popen(
            self._command, env=told, stdin=subprocess.DEVNULL, close_fds=True
        )
        return True

    def wait(self, timeout: float) -> None:
        """Until the one that is under way has ended."""
        if self._under_way is not None:
            self._under_way.wait(timeout)
