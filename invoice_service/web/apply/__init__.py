"""Applying to be admitted, and following what becomes of it; the public notice."""

from typing import Protocol

from flask import Blueprint

from invoice_service.services.admission.office import Admission
from invoice_service.services.anchoring.totals import Blocks
from invoice_service.services.people.lookups import Lookups
from invoice_service.web.apply.contract import OPERATIONS, WORDS
from invoice_service.web.apply.officials import BureauPages
from invoice_service.web.apply.owner import Accounts, OwnerPages
from invoice_service.web.apply.pages import ApplyPages
from invoice_service.web.bureau.taking import Heights, Taking
from invoice_service.web.help.report_page import Told
from invoice_service.web.people.gate import Gate

__all__ = ["OPERATIONS", "WORDS", "blueprint", "signed_in"]


def blueprint(desks: Admission, gate: Gate, told: Told, public_url: str) -> Blueprint:
    """What anybody sees."""
    return ApplyPages(desks, told, gate.site, public_url).blueprint()


class Store(Accounts, Protocol):
    """Who may issue how much, and which block the totals have come to."""

    @property
    def totals(self) -> Heights: ...


def signed_in(
    gate: Gate, desks: Admission, store: Store, lookups: Lookups, log: Blocks
) -> tuple[Blueprint, ...]:
    """What officials and owners see, behind the gate."""
    desk = BureauPages(gate, desks, store, lookups, Taking(gate, store.totals, log))
    return (
        desk.blueprint(),
        desk.quota_blueprint(),
        OwnerPages(gate, desks.quotas, store).blueprint(),
    )
