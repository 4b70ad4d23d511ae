"""Kombu's filesystem transport, made to survive what happens to folders.

Measured with kombu 5.7: a worker ends for good ("Unrecoverable error") when the folder is deleted,
when it meets a message that a kill or a full disk has cut short, and when the file that lists
exchanges was cut short; beat cannot send until somebody makes the folder again. Here the folder is
made again when it is missing, messages appear whole or not at all, unreadable ones are dropped (the
next tick sends another), and no file lists exchanges: Celery sends to its one queue by name.
"""

import logging
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from queue import Empty
from typing import Any, Final

from kombu.exceptions import ChannelError
from kombu.transport import filesystem
from kombu.utils import json

logger = logging.getLogger(__name__)

_ASIDE: Final = ".aside"
_to_json: Final[Callable[[object], str]] = json.dumps
_from_json: Final[Callable[[bytes], Any]] = json.loads


class Channel(filesystem.Channel):
    """A folder of messages, one file each: ``<time>_<uuid>.<queue>.msg``."""

    supports_fanout = False  # and so nothing is kept about exchanges
    do_restore = False  # what a worker had taken when it ended, the next tick asks for again

    def _folder(self) -> Path:
        return Path(self.data_folder_in)

    def _put(  # type: ignore[override]  # kombu's own two disagree on the names
        self, queue: str, payload: dict[str, Any], **_: object
    ) -> None:
        name = f"{time.time_ns():020}_{uuid.uuid4()}.{queue}.msg"
        aside = self._folder() / f"{name}{_ASIDE}"
        try:
            self._folder().mkdir(parents=True, exist_ok=True)
            # Not synced to disk: a message that a power cut takes is sent again a second later.
            aside.write_text(_to_json(payload), encoding="utf-8")
            aside.rename(self._folder() / name)
        except OSError as error:
            with suppress(OSError):
                aside.unlink()
            raise ChannelError(f"cannot add a message: {error}") from error

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:  # noqa: ARG002 # as kombu calls it
        for path in sorted(self._messages(queue)):
            try:
                data = path.read_bytes()
                path.unlink()
            except FileNotFoundError:
                continue  # another worker has taken it
            message = self._read(data)
            if message is not None:
                return message
            logger.warning("dropped a message that cannot be read: %s", path.name)
        raise Empty

    def _read(self, data: bytes) -> dict[str, Any] | None:
        """Return the message; None unless it is a task in the form in which Celery sends it.

        Celery ends when it meets one of most other forms.
        """
        try:
            message: dict[str, Any] = _from_json(data)
            make: Callable[..., Any] = self.Message
            task = make(message, channel=self, accept={"application/json"})
            args, kwargs, _ = task.decode()
            whole = isinstance(task.headers["task"], str) and isinstance(task.headers["id"], str)
        except Exception:  # noqa: BLE001 # a stranger's bytes may break any of the decoders
            return None
        return message if whole and isinstance(args, list) and isinstance(kwargs, dict) else None

    def _size(self, queue: str) -> int:
        return sum(1 for _ in self._messages(queue))

    def _purge(self, queue: str) -> int:
        found = list(self._messages(queue))
        for path in found:
            path.unlink(missing_ok=True)
        return len(found)

    def _messages(self, queue: str) -> Iterator[Path]:
        try:
            paths = list(self._folder().iterdir())
        except OSError:
            return  # no folder, no messages; whoever sends one makes it, or says why not
        for path in paths:
            if path.name.partition(".")[2] == f"{queue}.msg":
                yield path


class Transport(filesystem.Transport):
    """Kombu's filesystem transport with the channel above."""

    Channel = Channel
