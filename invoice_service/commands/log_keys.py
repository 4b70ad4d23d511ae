"""The public keys that commands are told, or find in this machine's instance."""

from pathlib import Path
from typing import Final

from chain.errors import MalformedError
from chain.note import VerifierKey
from invoice_service.commands.session import Session

_LONGEST_PATH: Final = 1024


def read_key(text: str, line: int = 0) -> VerifierKey:
    """A key as text, or that line of a file, as GET /log/key answers it."""
    path = Path(text)
    if len(text) < _LONGEST_PATH and path.is_file():
        lines = path.read_text(encoding="utf-8").split("\n")
        if line >= len(lines):
            raise MalformedError("key_text", f"{path} has no line {line + 1} with a key")
        text = lines[line]
    return VerifierKey.parse(text.strip())


def log_key_or_own(session: Session, text: str | None) -> VerifierKey:
    """The log's key as told, else that of this machine's instance."""
    return _own(session)[0] if text is None else read_key(text)


def promise_key_or_own(
    session: Session, text: str | None, log_key: str | None
) -> VerifierKey | None:
    """The promise key as told, else the instance's; None when only the log's key was told."""
    if text is not None:
        return read_key(text)
    return None if log_key is not None else _own(session)[1]


def _own(session: Session) -> tuple[VerifierKey, VerifierKey]:
    instance = session.instance()
    try:
        return instance.log_key, instance.promise_key
    finally:
        instance.close()
