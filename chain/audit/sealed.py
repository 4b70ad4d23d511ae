"""Walking along a log from its entries alone: seals chain the blocks, entries make the states."""

from chain.audit.finding import AuditError
from chain.entry import Entry, SealEntry, parse_entry
from chain.errors import ConflictError, MalformedError, VerificationError
from chain.hashing import ZERO, Digest
from chain.log.state_rules import changes_state, state_changes
from chain.tree.statemap import StateMap
from chain.tree.states import EMPTY_MAP


class SealChain:
    """Is fed every entry of a log in order; AuditError for the first that cannot stand there.

    Memory grows with the changes of states, not with entries.
    """

    def __init__(self) -> None:
        self.size = 0
        self.last: SealEntry | None = None
        self._seal = ZERO
        self._first = 0
        self._nodes = _Nodes()
        self._states = EMPTY_MAP
        self._changing: list[Entry] = []

    @property
    def height(self) -> int:
        """The last sealed block's; 0 when there is none."""
        return 0 if self.last is None else self.last.height

    def add(self, data: bytes, leaf: Digest) -> Entry:
        """Take the next entry, whose leaf hash is ``leaf``; return it."""
        try:
            entry = parse_entry(data)
        except MalformedError as problem:
            expected = "a canonical entry"
            raise AuditError("entry", self.size, expected, str(problem)) from problem
        if isinstance(entry, SealEntry):
            self._check(entry)
            self.last, self._seal, self._first = entry, leaf, self.size + 1
        elif changes_state(entry):
            self._changing.append(entry)
        self.size += 1
        return entry

    def finish(self) -> None:
        """Check that the log ends with a seal, as every published one does."""
        if self._first != self.size:
            raise AuditError("entry", self.size - 1, "a seal at the log's end", "another entry")

    def _check(self, seal: SealEntry) -> None:
        height = self.height + 1
        expected = {
            "height": height,
            "previous": self._seal.hex(),
            "first": self._first,
            "count": self.size - self._first,
            "states": self._derive(height).hex(),
        }
        for name, value in expected.items():
            found = getattr(seal, name)
            if found != value:
                raise AuditError("seal", height, f"{name} {value}", f"{name} {found}")
        # One spelling, so that text sorts as time does.
        if self.last is not None and seal.sealed_at < self.last.sealed_at:
            expected_time = f"sealed_at from {self.last.sealed_at} on"
            raise AuditError("seal", height, expected_time, seal.sealed_at)

    def _derive(self, height: int) -> Digest:
        states = StateMap(self._nodes, self._states)
        try:
            self._states = states.update(state_changes(self._changing, states.get))
        except (ConflictError, VerificationError) as problem:
            raise AuditError("seal", height, "states that follow", str(problem)) from problem
        self._nodes.kept.update(states.added)
        self._changing = []
        return self._states


class _Nodes:
    """The state map's nodes, in memory."""

    def __init__(self) -> None:
        self.kept: dict[Digest, bytes] = {}

    def state_node(self, digest: Digest) -> bytes | None:
        return self.kept.get(digest)
