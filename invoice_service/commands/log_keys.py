"""The public keys that commands are told, or find in this machine's instance or at a service."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from chain.errors import MalformedError
from chain.proof.promise import promise_keys
from chain.signing.keys import TrustedKeys
from chain.signing.note import VerifierKey
from chain.signing.policy import NO_WITNESSES, Policy
from chain.signing.statement import follow
from chain.signing.trusted import read_policy, read_trusted, refuse_missing
from invoice_service.commands.remote import Remote
from invoice_service.commands.session import Session

KEY_HELP: Final = (
    "The log's public key, or a file with it; again for others of its keys and key statements."
)
_LONGEST_PATH: Final = 1024


def read_key(text: str, line: int = 0) -> VerifierKey:
    """A key as text, or that line of a file, as GET /log/key answers it.

    Raises MalformedError ``key_text``.
    """
    path = Path(text)
    if len(text) < _LONGEST_PATH and path.is_file():
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
        if line >= len(lines):
            raise MalformedError("key_text", f"{path} has no line {line + 1} with a key")
        text = lines[line]
    else:
        refuse_missing(text)
    return VerifierKey.parse(text.strip())


def log_keys_or_own(session: Session, texts: Sequence[str]) -> TrustedKeys:
    """The log's keys as told, else those of this machine's instance."""
    return keys_told(texts) or _own(session)[0]


def keys_told(texts: Sequence[str]) -> TrustedKeys | None:
    """The log's keys as ``--key`` tells them, if it does."""
    return read_trusted(texts) if texts else None


def policy_told(path: Path | None) -> Policy:
    """Whose cosignatures ``--policy`` asks for; without it, nobody's."""
    return NO_WITNESSES if path is None else read_policy(path)


def promise_key_or_own(
    session: Session, text: str | None, log_keys: Sequence[str]
) -> VerifierKey | None:
    """The promise key as told, else the instance's; None when only the log's key was told."""
    if text is not None:
        return read_key(text)
    return None if log_keys else _own(session)[1]


def promise_keys_of(
    session: Session, text: str | None, log_keys: Sequence[str], remote: Remote | None
) -> tuple[VerifierKey, ...]:
    """The promise keys: as told, as the log's statements that were told name them, or whose we ask.

    MalformedError ``promise_key_missing``.
    """
    if text is not None:
        return (read_key(text),)
    told = keys_told(log_keys)
    if told is None:
        told = _own(session)[0] if remote is None else log_keys_of(remote)
    return promise_keys(told)


def log_keys_of(remote: Remote) -> TrustedKeys:
    """What a service says of its own keys: it is believed as far as the service is."""
    key = VerifierKey.parse(remote.get("/log/key").decode().partition("\n")[0])
    return follow([key], [remote.get("/log/keys")])


def _own(session: Session) -> tuple[TrustedKeys, VerifierKey]:
    instance = session.instance()
    try:
        return instance.log_keys, instance.promise_key
    finally:
        instance.close()
