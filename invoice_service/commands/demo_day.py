"""One day of a restaurant, from the outside: what ``fapiao demo`` does once the service is up.

Everything goes through HTTP with the keys that a merchant and an official would have; proofs are
checked with the log's public key alone.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
from rich.console import Console
from rich.markup import escape

from chain.durable import write_file
from chain.errors import ConflictError, Problem, VerificationError
from chain.proof.file import parse_proof
from chain.proof.verify import verify_proof
from chain.signing.note import VerifierKey
from invoice_service.commands.remote import Remote
from invoice_service.commands.report import print_report
from invoice_service.domain.merchant import MerchantRequest
from invoice_service.domain.money import Fen, format_yuan
from invoice_service.domain.qrtext import scan_url
from invoice_service.files.samples import read_sample_year

DAY: Final = "2015-11-27"  # the busiest of the sample: 115 orders
AT_ONCE: Final = 8
ANCHOR_SECONDS: Final = 60.0
RESTAURANT: Final = MerchantRequest(
    tax_id="91440300618810208N",
    name="深圳旋转餐厅有限公司",
    industry="6210",
    district="440303",
    address_phone="深圳市罗湖区人民南路 0755-82180000",
    bank_account="中国银行深圳分行 4000020180810",
    drawer="陈开票",
    payee="李收银",
    reviewer="黄复核",
)


class Invoice(msgspec.Struct):
    """Of the answer to an issue, what the day needs."""

    hash: str
    number: str
    total: Fen
    promise: str


class Day:
    """The story's steps, in their order; each prints itself with its time, and raises a Problem."""

    def __init__(self, url: str, official_key: str, folder: Path, console: Console) -> None:
        self.url = url
        self.official_key = official_key
        self.merchant_key = ""
        self.invoices: list[Invoice] = []
        self._folder = folder
        self._console = console
        self._official = Remote(url, official_key)
        self._number = 0

    def run(self) -> None:
        """All of it."""
        orders = orders_of(DAY)
        with self.step("onboard the restaurant (official's key)") as say:
            say(self._onboard())
        with self.step(f"issue its {len(orders)} orders of {DAY}, {AT_ONCE} at a time") as say:
            say(self._issue(orders))
        with self.step("wait until the worker has anchored them") as say:
            say(self._wait())
        with self.step("fetch each proof file and verify it offline") as say:
            say(self._verify())
        with self.step("bend a proof, and forge a slip: both must fail") as say:
            say(self._forge())
        with self.step("compare the official's totals with the orders, to the fen") as say:
            report, said = self._compare(orders)
            say(said)
        print_report(report)

    @contextmanager
    def step(self, title: str) -> Iterator[Callable[[str], None]]:
        """Print a step when it begins and what it came to when it has held."""
        self._number += 1
        began = time.monotonic()
        said: list[str] = []
        self._console.print(f"[cyan]{self._number}[/] {escape(title)} …", end="", highlight=False)
        try:
            yield said.append
        except BaseException:
            self._console.print(" [red]✗[/]")
            raise
        seconds = time.monotonic() - began
        self._console.print(
            f" [green]✓[/] {escape(said[0])} [dim]{seconds:.2f} s[/]", highlight=False
        )

    def _onboard(self) -> str:
        merchant = msgspec.json.decode(
            self._official.post("/v1/merchants", msgspec.json.encode(RESTAURANT))
        )
        key = self._official.post(f"/v1/merchants/{merchant['id']}/keys", b'{"label":"till"}')
        self.merchant_key = msgspec.json.decode(key)["key"]
        return f"{RESTAURANT.name}, {RESTAURANT.tax_id}"

    def _issue(self, orders: dict[str, bytes]) -> str:
        till = Remote(self.url, self.merchant_key)
        times: list[float] = []

        def sell(body: bytes) -> Invoice:
            began = time.monotonic()
            invoice = msgspec.json.decode(till.post("/v1/invoices", body), type=Invoice)
            times.append(time.monotonic() - began)
            return invoice

        with ThreadPoolExecutor(AT_ONCE) as tills:
            self.invoices = list(tills.map(sell, orders.values()))
        if len({invoice.number for invoice in self.invoices}) != len(orders):
            raise VerificationError("numbers_repeat", "two orders got one number")
        times.sort()
        middle, slow = times[len(times) // 2], times[int(len(times) * 0.99)]
        return f"p50 {middle * 1000:.0f} ms, p99 {slow * 1000:.0f} ms, each on disk when answered;"

    def _wait(self) -> str:
        merchant = Remote(self.url, self.merchant_key)
        deadline = time.monotonic() + ANCHOR_SECONDS
        for invoice in self.invoices:
            while not _has_proof(merchant, invoice.hash):
                if time.monotonic() > deadline:
                    raise VerificationError("not_anchored", f"{invoice.number} is not in the log")
                time.sleep(0.1)
        size = self._official.get("/log/checkpoint").decode().splitlines()[1]
        return f"the log has {size} entries;"

    def _verify(self) -> str:
        key = VerifierKey.parse(self._official.get("/log/key").decode().splitlines()[0])
        write_file(self._folder / "log.vkey", f"{key.text()}\n".encode())
        merchant = Remote(self.url, self.merchant_key)
        spent = 0.0
        for invoice in self.invoices:
            data = merchant.get(f"/v1/invoices/{invoice.hash}/proof")
            write_file(self._proof_path(invoice), data)
            began = time.monotonic()
            evidence = verify_proof(parse_proof(data), key)
            spent += time.monotonic() - began
            if evidence.hash != invoice.hash or evidence.hidden:
                raise VerificationError("proof_of_another", f"{invoice.number}: another invoice")
        each = spent / len(self.invoices) * 1000
        return f"{len(self.invoices)} of {len(self.invoices)} hold, {each:.1f} ms each;"

    def _forge(self) -> str:
        invoice = self.invoices[0]
        key = VerifierKey.parse((self._folder / "log.vkey").read_text().strip())
        data = self._proof_path(invoice).read_bytes()
        bent = data.replace(f'"total":{invoice.total}'.encode(), b'"total":1')
        try:
            verify_proof(parse_proof(bent), key)
        except Problem as problem:
            refusal = problem.code
        else:
            raise VerificationError("bent_proof_held", "a changed total was not noticed")
        asked = {"qr": scan_url(self.url, invoice.hash, invoice.number, invoice.total + 100)}
        verdict = self._official.get_json("/v1/verifications", asked)["verdict"]
        if verdict != "mismatch":
            raise VerificationError("forged_slip_held", f"a forged slip is {verdict}")
        return f"{refusal}; {verdict};"

    def _compare(self, orders: dict[str, bytes]) -> tuple[dict[str, Any], str]:
        count, total = len(orders), sum(map(order_total, orders.values()))
        report = self._report(count)
        gross = report["gross"]
        if (gross["count"], gross["total"]) != (count, str(total)):  # sums are decimal strings
            raise VerificationError(
                "totals_differ", f"{count} orders, {total} fen; the report says {gross}"
            )
        return report, f"¥{format_yuan(total)} = ¥{format_yuan(int(gross['total']))};"

    def _report(self, count: int) -> dict[str, Any]:
        """The totals by rate, once those of the last block have been added up."""
        deadline = time.monotonic() + ANCHOR_SECONDS
        while True:
            report: dict[str, Any] = self._official.get_json("/v1/reports/totals", {"by": "rate"})
            if report["gross"]["count"] >= count or time.monotonic() > deadline:
                return report
            time.sleep(0.1)

    def _proof_path(self, invoice: Invoice) -> Path:
        return self._folder / "proofs" / f"{invoice.number}.fapiao.json"


def orders_of(day: str) -> dict[str, bytes]:
    """The sample's orders of a day: request bodies by order."""
    return {
        record.order_id: record.body for record in read_sample_year() if day.encode() in record.body
    }


def order_total(body: bytes) -> Fen:
    """What the guest paid, straight from the order."""
    return sum(line["unit_price"] for line in msgspec.json.decode(body)["lines"])


def _has_proof(remote: Remote, hash_: str) -> bool:
    try:
        remote.get(f"/v1/invoices/{hash_}/proof")
    except ConflictError:  # not in the log, or not published, yet
        return False
    return True
