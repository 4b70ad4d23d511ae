"""Issue and anchor with the real store, issuer, log and anchoring, on a clock of our own.

Usage: office FOLDER SALT STEPS..., where a step is ``issue:N`` (N invoices in one transaction,
the first of them reversed), ``anchor``, ``day`` (the clock moves on by a day) or ``erase:SEQ`` (the
buyer of that invoice is erased; every buyer is a person). The socket hears ``issued SEQ HASH
NUMBER`` of every invoice once its transaction has returned, and ``erased SEQ`` likewise.
"""

import os
import socket
import sys
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from chain.commitment import parse_password_area
from chain.durable import make_folder
from chain.errors import Problem
from chain.log.database import SqliteLogStore
from chain.log.log import Log
from chain.signing.note import SignerKey
from chain.tree.tiles import TileFolder
from invoice_service.config import Tax
from invoice_service.domain.acts import By
from invoice_service.domain.invoice import (
    Buyer,
    InvoiceRequest,
    Issued,
    LineRequest,
    Prepared,
    prepare,
)
from invoice_service.domain.lifecycle import Reason
from invoice_service.domain.merchant import Merchant, MerchantRequest
from invoice_service.domain.red import prepare_red
from invoice_service.domain.request import ReversalRequest
from invoice_service.domain.tax import TaxRates
from invoice_service.processes.issuer import DirectIssuer
from invoice_service.services.anchoring.anchor import Anchoring, anchor_pending
from invoice_service.services.people.erase import erase_buyer
from invoice_service.storage.sqlite import SqliteStore, create_store
from tests.power.programs.careless import forget

ORIGIN = "power.test/log"
SIGNER = SignerKey.generate(ORIGIN, Random(1).randbytes)
STARTED = datetime(2026, 7, 1, 3, tzinfo=UTC)
RATES = TaxRates(Tax().rates)
MERCHANT = MerchantRequest(
    tax_id="91440300708461136T", name="旋转餐厅", industry="621", district="440303"
)


@dataclass
class Office:
    """One instance below ``folder`` with a clock that only ``day`` and steps move."""

    folder: Path
    salt: str
    now: datetime = STARTED
    store: SqliteStore = field(init=False)
    log: Log = field(init=False)
    log_store: SqliteLogStore = field(init=False)

    def __post_init__(self) -> None:
        self.store = SqliteStore(self.folder / "invoices.db")
        self.log_store = SqliteLogStore(self.folder / "log.db")
        self.log = Log(ORIGIN, self.log_store, TileFolder(self.folder / "log"), self.folder / "log")
        self._rng = Random(self.salt)

    def merchant(self) -> Merchant:
        """Return the one merchant, admitting it first where there is none."""
        account = self.store.account(1) or self.store.add_merchant(MERCHANT, By("machine:power", 1))
        return account.merchant

    def issue(self, count: int) -> list[Issued]:
        """Issue ``count`` blue invoices and reverse one of them, in one transaction each."""
        merchant = self.merchant()
        first = self.store.last_seq() + 1
        orders = [f"{self.salt}-{first + n}" for n in range(count)]
        issued = self._issue([self._prepare(order, merchant) for order in orders])
        return issued + self._issue([self._reverse(issued[0])])

    def anchor(self) -> None:
        """Take everything pending into the log and publish it."""
        anchor_pending(self.anchoring())

    def anchoring(self) -> Anchoring:
        """Return what anchoring works with."""
        return Anchoring(
            invoices=self.store,
            acts=self.store,
            totals=self.store.totals,
            log=self.log,
            signers=lambda: nullcontext((SIGNER,)),
            clock=lambda: self.now,
            randbytes=self._rng.randbytes,
            max_block=10,
        )

    def erase(self, seq: int) -> None:
        """Erase the buyer of the invoice at ``seq``."""
        invoice = self.store.invoice_at(seq)
        assert invoice is not None
        digest = parse_password_area(invoice.hash)
        erase_buyer(self.store, digest, None, By("machine:power", int(self.now.timestamp())))

    def close(self) -> None:
        """Close the databases."""
        self.store.close()
        self.log_store.close()

    def _issue(self, batch: list[Prepared]) -> list[Issued]:
        self.now += timedelta(seconds=1)
        answers = DirectIssuer(self.store, lambda: int(self.now.timestamp())).issue(batch)
        for answer in answers:
            if isinstance(answer, Problem):
                raise answer
        return [answer for answer in answers if isinstance(answer, Issued)]

    def _prepare(self, order: str, merchant: Merchant) -> Prepared:
        lines = [LineRequest(name="*餐饮服务*餐费", unit_price=11300, tax_rate="0.06")]
        request = InvoiceRequest(order_id=order, buyer=Buyer(name=order), lines=lines)
        randbytes = self._rng.randbytes
        return prepare(request, merchant, salts=randbytes(48), rates=RATES, new_key=randbytes)

    def _reverse(self, blue: Issued) -> Prepared:
        stored = self.store.invoice_at(blue.seq)
        assert stored is not None
        asked, randbytes = ReversalRequest(reason=Reason.SALES_RETURN), self._rng.randbytes
        return prepare_red(stored, asked, randbytes(48), new_key=randbytes)


def found_office(folder: Path) -> None:
    """Make the databases, the merchant and the empty log's checkpoint below ``folder``."""
    make_folder(folder / "log")
    create_store(folder / "invoices.db")
    office = Office(folder, "founding")
    office.merchant()
    office.log.publish(SIGNER)
    office.close()


def main(folder: str, salt: str, *steps: str) -> None:
    """Do the steps; see the head of this file."""
    forget(os.environ.get("FORGET", ""))
    told, _listener = socket.socketpair()
    office = Office(Path(folder), salt)
    for step in steps:
        if step == "anchor":
            office.anchor()
        elif step == "day":
            office.now += timedelta(days=1)
        elif step.startswith("erase:"):
            office.erase(seq := int(step.removeprefix("erase:")))
            told.send(f"erased {seq}".encode())
        else:
            for issued in office.issue(int(step.removeprefix("issue:"))):
                told.send(f"issued {issued.seq} {issued.hash} {issued.number}".encode())
    office.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
