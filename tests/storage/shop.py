"""A shop with a store of its own, for the tests of stores and of the issuing process."""

import fcntl
import random
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from chain.commitment import parse_password_area
from chain.errors import Problem
from invoice_service.domain.clock import Running
from invoice_service.domain.invoice import (
    Issued,
    Prepared,
    StoredInvoice,
    parse_request,
    prepare,
)
from invoice_service.domain.lifecycle import Reason
from invoice_service.domain.merchant import Merchant, MerchantRequest
from invoice_service.domain.numbering import Scheme
from invoice_service.domain.red import prepare_red
from invoice_service.domain.request import ReversalRequest
from invoice_service.storage.sqlite import SqliteStore
from tests.domain.samples import BY, NOON, RATES, order
from tests.storage.fresh import fresh_store

TAX_IDS = ("91440300708461136T", "9144030071526726XG", "914403001922038216")
FILE = "invoices.db"


def request(index: int = 0, *, quota: int | None = None) -> MerchantRequest:
    """The sample merchant of that index."""
    return MerchantRequest(
        tax_id=TAX_IDS[index],
        name=f"旋转餐厅{index}",
        industry="6210",
        district="440303",
        quota=quota,
    )


class Shop:
    """One merchant in front of a store; ``now`` is the clock, in unix seconds.

    ``sealed`` is when its log sealed last, ``taken`` what that has taken; the machine is
    ``running``, or nobody counts for how long.
    """

    def __init__(
        self,
        folder: Path,
        *,
        quota: int | None = None,
        scheme: Scheme | None = None,
        busy_seconds: float = 5.0,
        seed: int = 1,
    ) -> None:
        self.folder = folder
        fresh_store(folder / FILE)
        self.now = NOON
        self.sealed = self.taken = 0
        self.running: Running | None = None
        self.store = SqliteStore(
            folder / FILE,
            scheme,
            busy_seconds=busy_seconds,
            taken=lambda: self.taken,
            sealed=lambda: self.sealed,
            running=lambda: self.running,
        )
        self.random = random.Random(seed)
        known = self.store.account_by_tax_id(TAX_IDS[0])
        self.merchant = (known or self.store.add_merchant(request(quota=quota), BY)).merchant

    def clock(self) -> int:
        """The time of the next transaction."""
        return self.now

    def draft(
        self,
        order_id: str,
        *,
        merchant: Merchant | None = None,
        key_id: int = 0,
        idempotency_key: str = "",
        **changes: object,
    ) -> Prepared:
        """A blue invoice for this order, with fresh salts; ``changes`` go into the request."""
        body = msgspec.json.encode(order(order_id=order_id, **changes))
        return prepare(
            parse_request(body),
            merchant or self.merchant,
            salts=self.random.randbytes(48),
            rates=RATES,
            key_id=key_id,
            idempotency_key=idempotency_key,
            new_key=self.random.randbytes,
        )

    def red(
        self, blue: Issued, asked: ReversalRequest | None = None, *, idempotency_key: str = ""
    ) -> Prepared:
        """The red invoice over ``blue``, with fresh salts; over the whole unless ``asked``."""
        stored = self.store.invoice(parse_password_area(blue.hash))
        assert stored is not None
        return self.red_over(stored, asked, idempotency_key=idempotency_key)

    def red_over(
        self,
        stored: StoredInvoice,
        asked: ReversalRequest | None = None,
        *,
        idempotency_key: str = "",
    ) -> Prepared:
        """The red invoice over one that was read back, with fresh salts."""
        return prepare_red(
            stored,
            asked or ReversalRequest(reason=Reason.SALES_RETURN),
            salts=self.random.randbytes(48),
            idempotency_key=idempotency_key,
            new_key=self.random.randbytes,
        )

    def hand_in(self, *drafts: Prepared) -> list[Issued | Problem]:
        """All of these in one transaction."""
        return self.store.issue(drafts, self.clock)

    def issue(self, draft: Prepared) -> Issued:
        """One that must be issued."""
        answer = self.hand_in(draft)[0]
        assert isinstance(answer, Issued), answer
        return answer

    def refused(self, draft: Prepared) -> str:
        """The code with which one is refused."""
        return codes(self.hand_in(draft))[0]

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401 # what SQL takes
        """Look into the file behind the store's back."""
        with self.store.connections.reading() as connection:
            return connection.execute(query, values).fetchall()


def codes(answers: Sequence[Issued | Problem]) -> list[str]:
    """What became of each: "issued", "replayed", or the code of its refusal."""
    return [_code(answer) for answer in answers]


def _code(answer: Issued | Problem) -> str:
    if isinstance(answer, Problem):
        return answer.code
    return "replayed" if answer.replayed else "issued"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the write lock from outside, as a backup tool might."""
    with closing(sqlite3.connect(folder / FILE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def somebody_queues(folder: Path) -> bool:
    """Whether a writer holds the first place in the queue for the database."""
    with (folder / f"{FILE}-turn").open("rb") as turnstile, suppress(BlockingIOError):
        fcntl.flock(turnstile, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    return True


def tamper(folder: Path, statement: str) -> None:
    """Change what is stored, triggers out of the way."""
    with closing(sqlite3.connect(folder / FILE)) as other:
        for (name,) in other.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'"):
            other.execute(f"DROP TRIGGER {name}")
        other.execute(statement)
        other.commit()
