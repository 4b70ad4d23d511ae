"""Whether a log still stands by all that a verifier was shown of it; it is asked for its tree."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from chain.audit.evidence import fork_evidence
from chain.audit.fetch import FolderSource, HttpSource, LogSource
from chain.audit.proven import ProvenTree
from chain.errors import UnavailableError
from chain.proof.memory import ForkedError, Seen
from chain.signing.checkpoint import open_checkpoint
from chain.signing.keys import TrustedKeys
from chain.tree import merkle


def check_continues(source: LogSource, keys: TrustedKeys, seen: Sequence[Seen]) -> Seen:
    """Return the log's newest checkpoint, once its tree is seen to contain all those ``seen``.

    Raises ForkedError ``log_forked``; UnavailableError ``log_behind`` when the source has less
    than was seen, and what it raises; VerificationError as ``ProvenTree`` and
    ``open_checkpoint``; MalformedError.
    """
    note = source.checkpoint()
    newest = open_checkpoint(note, keys)
    largest = max((checkpoint.size for checkpoint, _ in seen), default=0)
    if newest.size < largest:
        detail = f"it shows {newest.size} entries there, and {largest} were seen"
        raise UnavailableError("log_behind", detail)
    tree = ProvenTree(newest, source)
    for checkpoint, signed in seen:
        if checkpoint.size and merkle.root(tree, checkpoint.size) != checkpoint.root:
            evidence = fork_evidence(signed, note, tree, keys)
            raise ForkedError(checkpoint.size, (signed, note), evidence)
    return newest, note


def ask_log(where: str, keys: TrustedKeys, seen: Sequence[Seen]) -> Seen:
    """``check_continues`` of the log at a URL, or in a folder: a mirror's, or its own.

    Raises MalformedError ``log_url``, too.
    """
    if "://" not in where:
        return check_continues(FolderSource(Path(where)), keys, seen)
    with closing(HttpSource(where)) as source:
        return check_continues(source, keys, seen)
