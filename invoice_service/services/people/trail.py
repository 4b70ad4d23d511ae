"""The trail: writing an act that was refused, and reading what was done."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol

import msgspec

from chain.errors import ConflictError, NotFoundError, RefusedError
from chain.hashing import Digest
from invoice_service.domain.acts import Act, ActType, By, Recorded, act_by


class ActFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which acts to list; None leaves a condition out. Unix seconds, ``until`` excluded."""

    subject: str | None = None
    actor: str | None = None
    type: str | None = None
    since: int | None = None
    until: int | None = None


class Head(NamedTuple):
    """The newest act's place and hash; 0 and ZERO when there is none."""

    seq: int
    hash: Digest


class RefusalRow(msgspec.Struct, frozen=True):
    """How often one was refused within an hour; times in unix seconds."""

    id: int
    hour: int
    code: str
    who: str
    origin: str
    count: int
    first_at: int
    last_at: int


class MerchantStanding(NamedTuple):
    """A merchant's row, and ``after`` of the newest act of each kind about it."""

    id: int
    status: str
    quota: int | None
    suspension: Any
    allowance: Any
    admission: Any


class KeyStanding(NamedTuple):
    """A key's row, and ``after`` of the acts that made and last revoked it."""

    id: int
    role: str
    merchant_id: int | None
    revoked_at: int | None
    creation: Any
    revocation: Any


class ActStore(Protocol):
    """Where acts are kept."""

    def record(self, act: Act) -> int:
        """Append an act by itself; returns its place."""
        ...


class TrailReader(Protocol):
    """Reading the trail."""

    def acts(self, wanted: ActFilter, after: int, limit: int) -> list[Recorded]:
        """Matching acts with ``seq`` above ``after``, in order, ``limit`` at most."""
        ...

    def refusals(
        self, since: int | None, until: int | None, after: int, limit: int
    ) -> list[RefusalRow]:
        """Counts of the hours from ``since`` to before ``until``, above the row ``after``."""
        ...


@contextmanager
def refusals_recorded(store: ActStore, by: By, type_: ActType, subject: str) -> Iterator[None]:
    """What is refused within becomes an act of its own, and is raised.

    A request that cannot be read is no act, and one that meets a database that cannot be used
    has no place to stand.
    """
    try:
        yield
    except (ConflictError, NotFoundError, RefusedError) as problem:
        store.record(act_by(by, type_, subject, outcome="refused", code=problem.code))
        raise
