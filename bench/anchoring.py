"""Without the web in between: issuing in bulk, anchoring, and what an invoice takes on disk."""

import time
from dataclasses import dataclass

from bench.service import BODY, Site
from bench.timing import per_second
from invoice_service.config import Config
from invoice_service.domain.tax import TaxRates
from invoice_service.processes.issuer import DirectIssuer
from invoice_service.services.anchoring.anchor import anchor_pending
from invoice_service.services.issuing.issue import IssuingDesk, issue_many
from invoice_service.wiring import open_instance


@dataclass(frozen=True, slots=True)
class Bulk:
    """Rates of one process over ``count`` invoices, and what one of them takes on disk.

    ``anchor_cpu`` is the processor time of an entry in seconds.
    """

    count: int
    issued: float
    anchored: float
    anchor_cpu: float
    bytes_each: dict[str, float]


def bulk(site: Site, invoices: int) -> Bulk:
    """Issue ``invoices`` into the store of a fresh site, then anchor them, each in one go."""
    instance = open_instance(site.config)
    desk = IssuingDesk(
        merchants=instance.store,
        issuer=DirectIssuer(instance.store, lambda: int(instance.clock().timestamp())),
        rates=TaxRates(site.config.tax.rates),
        randbytes=instance.randbytes,
    )
    bodies = [BODY.replace("ORDER", f"bulk-{n}").encode() for n in range(invoices)]

    def issue() -> None:
        for answer in issue_many(desk, site.merchant_id, bodies):
            if isinstance(answer, Exception):
                raise answer

    issued = per_second(invoices, issue)
    before = time.process_time()
    anchored = per_second(invoices, lambda: anchor_pending(instance.anchoring()))
    spent = (time.process_time() - before) / invoices
    instance.close()
    return Bulk(invoices, issued, anchored, spent, _bytes_each(site.config, invoices))


def _bytes_each(config: Config, invoices: int) -> dict[str, float]:
    """Bytes on disk by an invoice: its database, the log's, and the published files."""
    folders = {"invoices.db": config.invoices_db, "log.db": config.log_db}
    sizes = {name: float(path.stat().st_size) for name, path in folders.items()}
    sizes["tiles"] = float(
        sum(path.stat().st_size for path in config.log_dir.rglob("*") if path.is_file())
    )
    return {name: size / invoices for name, size in sizes.items()}
