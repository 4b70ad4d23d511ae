"""A small town for the tests: merchants who issue, real databases, a real log, a clock to set."""

import random
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from chain.commitment import anchor
from chain.errors import Problem
from chain.log.database import SqliteLogStore
from chain.log.log import Log
from chain.signing.note import SignerKey
from chain.tree.tiles import TileFolder
from invoice_service.domain.acts import By, LoggedAct
from invoice_service.domain.clock import MAX_BACKWARDS
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
from invoice_service.domain.tax import TaxRates
from invoice_service.services.anchoring.anchor import Anchored, Anchoring, anchor_pending
from invoice_service.services.checking.audit import InstanceAudit, Progress, audit_instance
from invoice_service.storage.sqlite import SqliteStore
from tests.storage.fresh import fresh_store

ORIGIN = "town.example/log"
RATES = TaxRates(["0", "0.03", "0.06", "0.13"])
YEARS = 2**40
"""Seconds by which a town's clock may leap: its people have no time to wait for midnight."""

NOON = datetime(2018, 8, 10, 4, tzinfo=UTC)
"""2018-08-10 12:00 in Shenzhen."""

WHOLE = ReversalRequest(reason=Reason.SALES_RETURN)
TEN_FEN = ReversalRequest(reason=Reason.SALES_DISCOUNT, amount=10)

_MERCHANTS = (
    ("91440300708461136T", "旋转餐厅", "6210", "440303"),
    ("9144030071526726XG", "停车场", "544", "440304"),
    ("914403001922038216", "咖啡馆", "6232", "440305"),
)


class NoActs:
    """No act waits."""

    def last_logged_act(self) -> int:
        return 0

    def logged_acts(self, after: int, limit: int) -> list[LoggedAct]:
        del after, limit
        return []


class Town:
    """One folder with everything in it; opening it again finds what was there."""

    def __init__(
        self,
        folder: Path,
        *,
        seed: int = 1,
        max_block: int = 1_000,
        max_backwards: int = MAX_BACKWARDS,
        acts: bool = False,
        bound: bool = False,
    ) -> None:
        """``max_backwards`` are seconds, as in config.toml.

        Without ``acts`` the worker is one of before: acts wait for the log, and only invoices and
        closings get there, so that places are those of invoices alone; without ``bound`` no act
        binds the trail.
        """
        self.folder = folder
        self.now = NOON
        self.random = random.Random(seed)
        fresh_store(folder / "invoices.db")
        self.store = SqliteStore(
            folder / "invoices.db",
            Scheme(max_forwards=YEARS, max_backwards=max_backwards),
            taken=lambda: self.log.taken(),
            sealed=lambda: self.log_store.last_sealed(),
        )
        self.log_store = SqliteLogStore(folder / "log.db")
        (folder / "log").mkdir(exist_ok=True)
        self.tiles = TileFolder(folder / "log")
        self.log = Log(ORIGIN, self.log_store, self.tiles, folder / "log")
        self.signer = SignerKey.generate(ORIGIN, random.Random(0).randbytes)
        self.anchoring = Anchoring(
            invoices=self.store,
            acts=self.store if acts else NoActs(),
            totals=self.store.totals,
            log=self.log,
            signers=lambda: nullcontext((self.signer,)),
            clock=lambda: self.now,
            randbytes=self.random.randbytes,
            max_block=max_block,
            known=self.store.known_times,
            note=self.store.note_clock,
            bind=self.store.bind_trail if bound else lambda _: None,
            max_forwards=YEARS,
            fold=self.store.fold,
        )
        self.merchants = [account.merchant for account in self.store.accounts(0, 100)]
        self.tills = [""]
        """Whose orders they are, in turn; "" for orders that name none."""

    def settle_in(self) -> None:
        """Publish the empty log, as a new instance does, and admit the merchants."""
        self.log.publish(self.signer)
        for tax_id, name, industry, district in _MERCHANTS:
            request = MerchantRequest(
                tax_id=tax_id, name=name, industry=industry, district=district
            )
            account = self.store.add_merchant(request, By("machine:town", self._unix()))
            self.merchants.append(account.merchant)

    def issue(self, count: int, *, merchant: int | None = None) -> list[Issued]:
        """Issue invoices with one to three lines; of one merchant, or of all in turn."""
        drafts = [self._draft(i if merchant is None else merchant) for i in range(count)]
        return self.hand_in(drafts)

    def sell(self, *bodies: dict[str, Any]) -> list[Issued]:
        """Issue what these requests of the first merchant ask for."""
        requests = [parse_request(msgspec.json.encode(body)) for body in bodies]
        salts = self.random.randbytes
        seller = self.merchants[0]
        return self.hand_in(
            [prepare(one, seller, salts=salts(48), rates=RATES, new_key=salts) for one in requests]
        )

    def reverse(self, issued: Issued, asked: ReversalRequest = WHOLE) -> Issued:
        """Reverse a blue invoice: as a whole, or what is ``asked``."""
        blue = self.store.invoice_at(issued.seq)
        assert isinstance(blue, StoredInvoice)
        salts = self.random.randbytes(48)
        return self.hand_in([prepare_red(blue, asked, salts=salts, new_key=self.random.randbytes)])[
            0
        ]

    def hand_in(self, drafts: Sequence[Prepared]) -> list[Issued]:
        """Have the store issue these; all of them must be."""
        answers = self.store.issue(drafts, self._unix)
        return [_issued(answer) for answer in answers]

    def anchor(self) -> Anchored:
        """Run the anchoring service once."""
        return anchor_pending(self.anchoring)

    def audit(self, progress: Progress | None = None) -> InstanceAudit:
        """Derive everything again; AuditError for the first thing that is wrong."""
        return audit_instance(
            self.log_store,
            self.folder / "log",
            self.signer.verifier,
            self.store,
            self.store.totals,
            self.store,
            self.store,
            self.store,
            progress,
        )

    def pass_days(self, days: float) -> None:
        """Set the clock, forwards or back."""
        self.now += timedelta(days=days)

    def anchored(self) -> list[int]:
        """Return the place in the log of every invoice, in the order of issue."""
        places = []
        for row in self.store.invoices_after(0, 1_000_000):
            place = self.log.find(anchor(row.digest))
            assert place is not None
            places.append(place)
        return places

    def close(self) -> None:
        """Close the databases."""
        self.store.close()
        self.log_store.close()

    def _draft(self, number: int) -> Prepared:
        merchant: Merchant = self.merchants[number % len(self.merchants)]
        lines = [
            {
                "name": "*餐饮服务*餐费",
                "unit_price": self.random.randrange(1, 100_000),
                "tax_rate": self.random.choice(RATES.texts),
            }
            for _ in range(self.random.randrange(1, 4))
        ]
        order_id = f"{self.random.randrange(10**12):012}"
        till = self.tills[number % len(self.tills)]
        told = {"till": till} if till else {}
        body = msgspec.json.encode({"order_id": order_id, "lines": lines, **told})
        salts = self.random.randbytes(48)
        return prepare(
            parse_request(body), merchant, salts=salts, rates=RATES, new_key=self.random.randbytes
        )

    def _unix(self) -> int:
        return int(self.now.timestamp())


def _issued(answer: Issued | Problem) -> Issued:
    assert isinstance(answer, Issued), answer
    return answer
