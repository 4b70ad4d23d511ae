"""Who is told on a command line to have signed: keys as text or in files, and key statements."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from chain.errors import MalformedError, UnavailableError
from chain.signing.keys import TrustedKeys
from chain.signing.note import VerifierKey
from chain.signing.policy import MAX_POLICY_BYTES, Policy, parse_policy
from chain.signing.statement import MAX_STATEMENT, KeyStatement, follow

_LONGEST_PATH: Final = 1024


def read_trusted(texts: Sequence[str]) -> TrustedKeys:
    """Each text is a key, or a file: of keys, of which the first line counts, or a key statement.

    Statements may come in any order, and are believed as ``statement.follow`` says. Raises
    MalformedError ``key_text`` without any key, UnavailableError ``key_unreadable``, and the
    errors of ``VerifierKey.parse`` and ``follow``.
    """
    keys: list[VerifierKey] = []
    notes: dict[bytes, int] = {}
    for text in texts:
        data = _read(text)
        first = data.partition(b"\n")[0]
        # Every key has a plus, and no name has one: a statement begins with the log's name.
        if data.count(b"\n") > 1 and b"+" not in first:
            notes[data] = KeyStatement.parse(data).number
        else:
            keys.append(VerifierKey.parse(first.decode(errors="replace").strip()))
    if not keys:
        raise MalformedError("key_text", "a key statement is believed only beside a key: name one")
    if len(set(keys)) == 1 and not notes:
        return keys[0]
    return follow(keys, sorted(notes, key=notes.__getitem__))


def read_policy(path: Path) -> Policy:
    """Read a policy file; MalformedError ``policy``, UnavailableError ``policy_unreadable``."""
    try:
        with path.open("rb") as file:
            return parse_policy(file.read(MAX_POLICY_BYTES + 1))
    except OSError as error:
        raise UnavailableError(
            "policy_unreadable", f"cannot read {path}: {error.strerror}"
        ) from error


def refuse_missing(text: str) -> None:
    """MalformedError ``key_text`` for what is no key, and looks like a file's name."""
    if "+" not in text and ("/" in text or "\\" in text):  # every key has a plus
        raise MalformedError("key_text", f"no such file, and no key: {text}")


def _read(text: str) -> bytes:
    """The content of the file of that name, if there is one, else the text itself."""
    path = Path(text)
    try:
        if len(text) >= _LONGEST_PATH or not path.is_file():
            refuse_missing(text)
            return text.encode(errors="replace")
        with path.open("rb") as file:
            return file.read(MAX_STATEMENT + 1)
    except OSError as error:
        raise UnavailableError("key_unreadable", f"cannot read {text}: {error.strerror}") from error
