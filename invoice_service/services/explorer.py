"""What everybody may see of the log: blocks, entries, closings, witnesses, keys.

Only what the published checkpoint covers is shown, and nothing that the log's own files do not
say to whoever copies them. Every view costs a bounded number of reads by key; none walks the log.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import msgspec

from chain.block import Block, Located
from chain.entry import closing_key, format_time, parse_day
from chain.errors import MalformedError, NotFoundError, VerificationError
from chain.hashing import Digest, leaf_hash
from chain.proof.tlogproof import TlogProof
from chain.signing.checkpoint import Checkpoint
from chain.signing.keys import LogKey, LogKeys
from chain.signing.note import Signature, VerifierKey
from chain.signing.policy import Policy
from invoice_service.services.anchoring.close import next_day
from invoice_service.services.anchoring.totals import sealing_day

BLOCKS_A_PAGE: Final = 50
ENTRIES_A_PAGE: Final = 100
DAYS_A_PAGE: Final = 31
STATEMENTS_A_PAGE: Final = 20


class ExplorerLog(Protocol):
    """What is read of the log; each call is a look-up by key."""

    def latest_checkpoint(self) -> tuple[Checkpoint, bytes]:
        """The published checkpoint and its note; NotFoundError ``no_checkpoint``."""
        ...

    def locate(self, key: bytes) -> Located | None:
        """The entry with that key, and where."""
        ...

    def entry(self, index: int) -> bytes:
        """One entry's bytes; NotFoundError ``no_entry``."""
        ...

    def block(self, height: int) -> Block:
        """The block of that height; NotFoundError ``no_block``."""
        ...

    def block_of(self, index: int) -> Block:
        """The block in which that entry stands."""
        ...

    def blocks(self, after: int = 0, limit: int = 100) -> list[Block]:
        """Blocks above a height, in order."""
        ...

    def inclusion(self, index: int, size: int, published: int = 0) -> list[Digest]:
        """The path from an entry to the root of a published size, or of one below it."""
        ...


class SignatureStore(Protocol):
    """What witnesses have said of the log's checkpoints."""

    def signed_size(self, name: str, key_id: bytes) -> int:
        """The largest size to which this key's signature was added, else 0."""
        ...

    def signatures(self, size: int) -> list[Signature]:
        """The signatures added to the checkpoint of that size."""
        ...


class Statements(Protocol):
    """What the log says of its keys."""

    def keys(self) -> LogKeys:
        """The keys of the newest statement."""
        ...

    def numbers(self) -> list[int]:
        """The numbers of all statements, in order."""
        ...

    def note(self, number: int) -> bytes:
        """A statement; NotFoundError ``no_statement``."""
        ...


class WitnessSeen(msgspec.Struct, kw_only=True):
    """One of the policy's witnesses; ``cosigned_at`` in UTC, null for never."""

    name: str
    key: str
    size: int
    cosigned_at: str | None
    newest: bool


class LogOverview(msgspec.Struct, kw_only=True):
    """The log as of its newest checkpoint."""

    origin: str
    size: int
    root: str
    blocks: int
    sealed_at: str | None
    checkpoint: str
    witnesses: list[WitnessSeen]
    quorum_met: bool
    keys: list[str]
    promise_key: str
    statements: int
    last_closed: str | None


class ExploredBlock(msgspec.Struct, kw_only=True):
    """A published block, in the words of ``/log/blocks``."""

    height: int
    first: int
    count: int
    seal_index: int
    seal: str
    size: int
    root: str
    sealed_at: str


class ExploredBlocks(msgspec.Struct, kw_only=True):
    """Blocks, the newest first; ``next`` is the ``before`` of the page that follows."""

    size: int
    height: int
    blocks: list[ExploredBlock]
    next: int | None


class EntryLine(msgspec.Struct, kw_only=True):
    """An entry in a list: its kind, and what it commits to (an anchor, a day, a commitment)."""

    index: int
    kind: str
    names: str


class BlockView(msgspec.Struct, kw_only=True):
    """One block with a page of its entries; ``next`` is the ``from`` of the page that follows."""

    block: ExploredBlock
    entries: list[EntryLine]
    next: int | None


class InclusionView(msgspec.Struct, kw_only=True):
    """The path from an entry to the root after its own block: true for ever."""

    size: int
    root: str
    path: list[str]


class EntryView(msgspec.Struct, kw_only=True):
    """One entry: its exact bytes as text, and where it stands."""

    index: int
    kind: str
    entry: str
    leaf: str
    block: int
    inclusion: InclusionView


class ClosingView(msgspec.Struct, kw_only=True):
    """A day: the commitment to its totals, or ``open`` while no entry commits to any."""

    day: str
    state: str
    index: int | None = None
    block: int | None = None
    through: int | None = None
    commitment: str | None = None


class ClosingsView(msgspec.Struct, kw_only=True):
    """Days, the newest first; ``next`` is the ``before`` of the page that follows."""

    closings: list[ClosingView]
    next: str | None


class StatedKey(msgspec.Struct, kw_only=True):
    """A key as the newest statement has it; ``size`` is the last that a retired one counts for."""

    state: str
    key: str
    size: int | None = None


class StatementView(msgspec.Struct, kw_only=True):
    """A signed statement of the log's keys."""

    number: int
    note: str


class KeysView(msgspec.Struct, kw_only=True):
    """The keys now, and statements, the newest first."""

    origin: str
    keys: list[StatedKey]
    statements: list[StatementView]
    next: int | None


@dataclass(frozen=True, slots=True)
class Explorer:
    """Views of one log for everybody."""

    log: ExplorerLog
    signed: SignatureStore
    keys: Statements
    policy: Policy

    def overview(self) -> LogOverview:
        """The log as of its newest checkpoint; an empty one before the first."""
        known, found = self.keys.keys(), self._published()
        size = 0 if found is None else found[0].size
        last = self.log.block_of(size - 1) if size else None
        witnesses = [self._seen(key, size) for key in self.policy.witnesses]
        newest = [
            key for key, seen in zip(self.policy.witnesses, witnesses, strict=True) if seen.newest
        ]
        return LogOverview(
            origin=known.origin,
            size=size,
            root="" if found is None else found[0].root.hex(),
            blocks=0 if last is None else last.height,
            sealed_at=None if last is None else format_time(last.sealed_at),
            checkpoint="" if found is None else found[1].decode(),
            witnesses=witnesses,
            quorum_met=self.policy.met_by(newest),
            keys=[key.text() for key in known.signing],
            promise_key=known.promise[-1].text() if known.promise else "",
            statements=len(self.keys.numbers()),
            last_closed=None if last is None else self._last_closed(last, size),
        )

    def blocks(self, before: int | None) -> ExploredBlocks:
        """A page of blocks below ``before``, or the newest."""
        height, size = self._end()
        top = height if before is None else min(before - 1, height)
        after = max(top - BLOCKS_A_PAGE, 0)
        found = self.log.blocks(after, top - after) if top > after else []
        return ExploredBlocks(
            size=size,
            height=height,
            blocks=[shown(block) for block in reversed(found)],
            next=after + 1 if after else None,
        )

    def block(self, height: int, start: int | None = None) -> BlockView:
        """A block with its entries from index ``start`` on.

        NotFoundError ``no_block``; ``no_entry`` for a start outside.
        """
        block = self._block(height)
        first = block.first if start is None else start
        if not block.first <= first <= block.seal_index:
            raise NotFoundError(
                "no_entry", f"block {height} has entries {block.first} to {block.seal_index}"
            )
        end = min(first + ENTRIES_A_PAGE, block.size)
        lines = [line(index, self.log.entry(index)) for index in range(first, end)]
        return BlockView(block=shown(block), entries=lines, next=end if end < block.size else None)

    def entry(self, index: int) -> EntryView:
        """One entry; NotFoundError ``no_entry``."""
        data, block = self._entry(index), self.log.block_of(index)
        path = self.log.inclusion(index, block.size, self._end()[1])
        return EntryView(
            index=index,
            kind=line(index, data).kind,
            entry=data.decode(),
            leaf=leaf_hash(data).hex(),
            block=block.height,
            inclusion=InclusionView(
                size=block.size, root=block.root.hex(), path=[one.hex() for one in path]
            ),
        )

    def proof(self, index: int) -> bytes:
        """C2SP tlog-proof of an entry under the newest checkpoint; NotFoundError ``no_entry``."""
        data = self._entry(index)
        checkpoint, note = self.log.latest_checkpoint()
        path = self.log.inclusion(index, checkpoint.size)
        return TlogProof(index, tuple(path), note, data).to_bytes()

    def closings(self, before: str | None) -> ClosingsView:
        """A page of days of sealing before ``before``, the newest first, closed or not."""
        size = self._end()[1]
        if not size:
            return ClosingsView(closings=[], next=None)
        first, last = self._days(size)
        day = last if before is None or before > last else next_day(max(before, first), -1)
        found: list[ClosingView] = []
        while day >= first and len(found) < DAYS_A_PAGE:
            found.append(self._closing(day, size))
            day = next_day(day, -1)
        return ClosingsView(closings=found, next=found[-1].day if day >= first and found else None)

    def closing(self, day: str) -> ClosingView:
        """The closing of a day; NotFoundError ``no_closing``."""
        size = self._end()[1]
        try:
            found = self._closing(parse_day(day), size)
        except MalformedError:
            raise NotFoundError("no_closing", "a day is written YYYY-MM-DD") from None
        if found.index is None:
            raise NotFoundError("no_closing", f"no published entry closes {day}")
        return found

    def known_keys(self, before: int | None) -> KeysView:
        """The keys, and a page of statements below ``before``, the newest first."""
        known, numbers = self.keys.keys(), self.keys.numbers()
        below = [number for number in numbers if before is None or number < before]
        page = below[-STATEMENTS_A_PAGE:]
        statements = [
            StatementView(number=number, note=self.keys.note(number).decode())
            for number in reversed(page)
        ]
        return KeysView(
            origin=known.origin,
            keys=_stated(known),
            statements=statements,
            next=page[0] if len(below) > len(page) else None,
        )

    def as_of(self, height: int | None) -> Block | None:
        """The block of that height, or the newest; None before the first. NotFoundError
        ``no_block``.
        """
        if height is None:
            height = self._end()[0]
            return self.log.block(height) if height else None
        return self._block(height)

    def find(self, key: bytes) -> int | None:
        """The index of the published entry with that key."""
        found = self.log.locate(key)
        return None if found is None or found.index >= self._end()[1] else found.index

    def has_block(self, height: int) -> bool:
        """Whether a block of that height is published."""
        return 0 < height <= self._end()[0]

    def has_entry(self, index: int) -> bool:
        """Whether an entry of that index is published."""
        return 0 <= index < self._end()[1]

    def _published(self) -> tuple[Checkpoint, bytes] | None:
        try:
            return self.log.latest_checkpoint()
        except NotFoundError:
            return None

    def _end(self) -> tuple[int, int]:
        """The height of the last published block, and the log's size after it."""
        found = self._published()
        size = 0 if found is None else found[0].size
        return (self.log.block_of(size - 1).height if size else 0), size

    def _seen(self, key: VerifierKey, size: int) -> WitnessSeen:
        signed = self.signed.signed_size(key.name, key.key_id)
        mine = [
            one.timestamp
            for one in (self.signed.signatures(signed) if signed else ())
            if (one.name, one.key_id) == (key.name, key.key_id)
        ]
        return WitnessSeen(
            name=key.name,
            key=key.text(),
            size=signed,
            cosigned_at=_moment(mine[0]) if mine else None,
            newest=bool(size) and signed >= size,
        )

    def _block(self, height: int) -> Block:
        if not self.has_block(height):
            raise NotFoundError("no_block", f"block {height} is not published")
        return self.log.block(height)

    def _entry(self, index: int) -> bytes:
        if not self.has_entry(index):
            raise NotFoundError("no_entry", f"entry {index} is not published")
        return self.log.entry(index)

    def _days(self, size: int) -> tuple[str, str]:
        """The first and the last day of sealing."""
        last = self.log.block_of(size - 1)
        return sealing_day(self.log.block(1).sealed_at), sealing_day(last.sealed_at)

    def _closing(self, day: str, size: int) -> ClosingView:
        found = self.log.locate(closing_key(day))
        if found is None or found.index >= size:
            return ClosingView(day=day, state="open")
        said = fields_of(found.entry)
        return ClosingView(
            day=day,
            state="closed",
            index=found.index,
            block=self.log.block_of(found.index).height,
            through=said.get("through"),
            commitment=said.get("totals"),
        )

    def _last_closed(self, last: Block, size: int) -> str | None:
        """The newest closed day among the last few: more are open only when closing is broken."""
        day = sealing_day(last.sealed_at)
        for _ in range(DAYS_A_PAGE):
            if self._closing(day, size).index is not None:
                return day
            day = next_day(day, -1)
        return None


def shown(block: Block) -> ExploredBlock:
    """A block as it is shown; digests in hex."""
    return ExploredBlock(
        height=block.height,
        first=block.first,
        count=block.count,
        seal_index=block.seal_index,
        seal=block.seal.hex(),
        size=block.size,
        root=block.root.hex(),
        sealed_at=format_time(block.sealed_at),
    )


_NAMES: Final = ("anchor", "day", "act")
"""What an entry is known by, by its field; the first that it has."""

_fields: Final = msgspec.json.Decoder(dict[str, Any])


def line(index: int, data: bytes) -> EntryLine:
    """An entry in a list; a kind that is not known here is shown by its own name."""
    said = fields_of(data)
    names = next((str(said[name]) for name in _NAMES if name in said), "")
    return EntryLine(index=index, kind=said["kind"], names=names)


def fields_of(data: bytes) -> Mapping[str, Any]:
    """An entry's fields, of whatever kind; VerificationError ``store_damaged``."""
    try:
        found = _fields.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        found = {}
    if not isinstance(found.get("kind"), str):
        raise VerificationError("store_damaged", "an entry is not an object with a kind")
    return found


def _stated(known: LogKeys) -> list[StatedKey]:
    promises = [StatedKey(state="promise", key=key.text()) for key in known.promise]
    wallets = [StatedKey(state="wallet", key=key.text()) for key in known.wallet]
    stolen = [StatedKey(state="wallet-revoked", key=key.text()) for key in known.wallet_revoked]
    return [*map(_log_key, known.keys), *promises, *wallets, *stolen]


def _log_key(key: LogKey) -> StatedKey:
    state = "revoked" if key.revoked else "log" if key.last is None else "retired"
    size = None if key.last is None or key.revoked else key.last.size
    return StatedKey(state=state, key=key.verifier.text(), size=size)


def _moment(seconds: int | None) -> str | None:
    """A witness's time in UTC; None for none that a calendar has."""
    try:
        return None if seconds is None else format_time(datetime.fromtimestamp(seconds, UTC))
    except (OverflowError, ValueError, OSError):
        return None
