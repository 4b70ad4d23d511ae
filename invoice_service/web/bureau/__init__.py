"""The bureau's pages: the city at a glance, reports, merchants, the trail, who works here.

A page extends ``bureau/frame.html``, whose navigation shows what the reader's role has the power
for (``navigation.ROOMS``), and begins with ``gate.official(power)``.
"""

from typing import Final, Protocol

from flask import Blueprint

from invoice_service.domain.application import OPEN
from invoice_service.services.admission.ports import ApplicationStore, QuotaRequestStore
from invoice_service.services.anchoring.totals import Blocks
from invoice_service.services.figure_desk import FigureDesk
from invoice_service.services.help.desk import ReportDesk
from invoice_service.services.help.ports import ScanStore
from invoice_service.services.people.lookups import Lookups
from invoice_service.web.bureau.contract import PAGES
from invoice_service.web.bureau.figures import Figures
from invoice_service.web.bureau.figures import Store as TotalsStore
from invoice_service.web.bureau.lookups import LookupsPage
from invoice_service.web.bureau.merchants import MerchantPages
from invoice_service.web.bureau.merchants import Store as MerchantStore
from invoice_service.web.bureau.navigation import rooms_of
from invoice_service.web.bureau.overview import Overview, Waiting
from invoice_service.web.bureau.people import BureauPeople
from invoice_service.web.bureau.reports_file import ReportsFile
from invoice_service.web.bureau.taking import Taking, files
from invoice_service.web.bureau.totals import TotalsPages
from invoice_service.web.bureau.trail import TrailPage
from invoice_service.web.bureau.views import Views, ViewStore
from invoice_service.web.ground.catalogs import N_
from invoice_service.web.people.gate import Gate

__all__ = ["PAGES", "blueprints"]

_COUNTED: Final = 500  # of requests; there are never that many


class Store(MerchantStore, ViewStore, ApplicationStore, QuotaRequestStore, Protocol):
    """The store, as far as the bureau's pages use it."""

    @property
    def totals(self) -> TotalsStore: ...


class Instance(Protocol):
    """An open instance, as far as the bureau needs it."""

    @property
    def store(self) -> Store: ...
    @property
    def log(self) -> Blocks: ...
    @property
    def reports(self) -> ReportDesk: ...
    @property
    def help_store(self) -> ScanStore: ...
    @property
    def lookups(self) -> Lookups: ...
    @property
    def figures(self) -> FigureDesk: ...


def blueprints(gate: Gate, instance: Instance) -> tuple[Blueprint, ...]:
    """All routes below ``/bureau``; they go behind the same gate as all pages of people."""
    store, clock = instance.store, gate.door.desk.clock
    figures = Figures(store.totals, instance.log)
    taking = Taking(gate, store.totals, instance.log)

    overview = Overview(gate, figures, clock, _waiting(instance)).blueprint()
    overview.add_app_template_global(rooms_of)
    overview.add_app_template_global(files, "files_of")
    return (
        overview,
        TotalsPages(gate, figures, Views(store), instance.figures, taking).blueprint(),
        MerchantPages(
            gate, store, figures, instance.help_store, instance.lookups, taking, clock
        ).blueprint(),
        TrailPage(gate, store, taking).blueprint(),
        LookupsPage(gate, instance.lookups.store, store, taking, clock).blueprint(),
        BureauPeople(gate, taking).blueprint(),
        ReportsFile(gate, instance.reports.store, taking).blueprint(),
    )


def _waiting(instance: Instance) -> tuple[Waiting, ...]:
    """What may wait for an official."""
    store = instance.store

    def applications() -> int:
        found = store.application_counts()
        return sum(found[state] for state in OPEN)

    return (
        Waiting(N_("applications"), "admission_desk.all", "applications", applications),
        Waiting(
            N_("requests for quota"),
            "quota_desk.queue",
            "applications",
            lambda: len(store.quota_requests(None, "open", 0, _COUNTED)),
        ),
        Waiting(
            N_("new reports of slips"),
            "reports_page.all",
            "reports",
            lambda: instance.reports.store.counts()["new"],
        ),
    )
