"""What an entry does to the state map: the rules by which anyone derives it from the log alone.

One entry changes at most one key. What is not allowed here never gets into an honest log: it is
refused before it is sequenced, and an audit that meets it names it.
"""

from collections.abc import Callable, Iterable

from chain.entry import AnchorEntry, Entry, LockEntry
from chain.errors import ConflictError
from chain.hashing import Digest, digest_from_hex

Value = dict[str, str]


def state_changes(
    entries: Iterable[Entry], current: Callable[[Digest], Value | None]
) -> dict[Digest, Value | None]:
    """Return the new states (None: normal again) after ``entries``, in their order.

    ``current`` says what a key's state was before the first of them. Raises ConflictError:
    ``already_reversed``, ``reversed``, ``already_locked``, ``not_locked``.
    """
    changes: dict[Digest, Value | None] = {}
    for entry in entries:
        key = _subject(entry)
        if key is not None:
            before = changes[key] if key in changes else current(key)
            changes[key] = _after(entry, before or {}) or None
    return changes


def changes_state(entry: Entry) -> bool:
    """Whether the entry changes the state of some key."""
    return _subject(entry) is not None


def _subject(entry: Entry) -> Digest | None:
    """Return whose state the entry changes."""
    if isinstance(entry, AnchorEntry):
        return entry.reversed[0] if entry.reversed else None
    if isinstance(entry, LockEntry):
        return digest_from_hex(entry.anchor)
    return None


def _after(entry: Entry, before: Value) -> Value:
    if isinstance(entry, AnchorEntry) and entry.reversed:
        return _reverse(before, entry.reversed[1])
    if isinstance(entry, LockEntry):
        return _lock(before, entry.state)
    return before


def _reverse(before: Value, how_far: str) -> Value:
    """Normal or reversed in part -> reversed in part or in full; a lock stays as it is."""
    if before.get("reversal") == "full":
        raise ConflictError("already_reversed", "it has been reversed in full")
    return {**before, "reversal": how_far}


def _lock(before: Value, wanted: str) -> Value:
    """Normal -> locked -> closed for ever, or released; what is reversed in full is not locked."""
    held = before.get("reimbursement")
    if wanted == "locked":
        if before.get("reversal") == "full":
            raise ConflictError("reversed", "what has been reversed cannot be locked")
        if held is not None:
            raise ConflictError("already_locked", f"it is {held} already")
        return {**before, "reimbursement": "locked"}
    if held != "locked":
        raise ConflictError("not_locked", f"only what is locked can be {wanted}")
    rest = {name: said for name, said in before.items() if name != "reimbursement"}
    return rest if wanted == "released" else {**rest, "reimbursement": "closed"}
