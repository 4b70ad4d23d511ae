"""Counting scans that did not fit, whatever door they come by; what ``/metrics`` has of help."""

from collections.abc import Callable
from contextlib import suppress

from chain.commitment import parse_password_area
from chain.errors import UnavailableError
from invoice_service.api.parts import Parts
from invoice_service.services.help.ports import STATES
from invoice_service.services.help.scans import ScanCounts

Gauges = dict[str, tuple[str, int | float]]


def count_scans(parts: Parts) -> ScanCounts:
    """Count every check that finds no invoice as a slip says it; call ``flush`` at the end."""

    def whose(hash_: str) -> int | None:
        invoice = parts.store.invoice(parse_password_area(hash_))
        return None if invoice is None else invoice.merchant_id

    scans = ScanCounts(parts.help_store, whose, lambda: int(parts.clock().timestamp()))
    parts.verifier.watch(scans.note)
    return scans


def help_gauges(parts: Parts) -> Callable[[], Gauges]:
    """How many reports there are, by state; nothing where that cannot be read."""

    def read() -> Gauges:
        with suppress(UnavailableError):
            counts = parts.reports.store.counts()
            return {
                f"fapiao_reports_{state}": (f"Reports of slips that are {state}", counts[state])
                for state in STATES
            }
        return {}

    return read
