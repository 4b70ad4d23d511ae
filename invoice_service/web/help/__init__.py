"""Help: a wrong slip is reported, officials see it, and why all of this can be believed."""

from typing import Any, Protocol

from flask import Blueprint

from chain.signing.note import VerifierKey
from chain.signing.policy import Policy
from invoice_service.config import Config
from invoice_service.services.checking.verify import Verifier
from invoice_service.services.help.desk import ReportDesk
from invoice_service.web.help.officials import OfficialPages
from invoice_service.web.help.report_page import ReportPages, Told
from invoice_service.web.help.why_page import why_blueprint
from invoice_service.web.people.gate import Gate

__all__ = ["blueprints", "officials"]


class Instance(Protocol):
    """An open instance, as far as help needs it."""

    @property
    def config(self) -> Config: ...
    @property
    def reports(self) -> ReportDesk: ...
    @property
    def verifier(self) -> Verifier: ...
    @property
    def policy(self) -> Policy: ...
    @property
    def log_key(self) -> VerifierKey: ...


def blueprints(instance: Instance, gate: Gate, told: Told) -> tuple[Blueprint, ...]:
    """What anybody sees."""

    def trusted() -> dict[str, Any]:
        return {"key": instance.log_key.text(), "witnesses": len(instance.policy.witnesses)}

    look, public_url = instance.verifier.look, instance.config.service.public_url
    pages = ReportPages(instance.reports, look, told, gate.site, public_url)
    return pages.blueprint(), why_blueprint(trusted)


def officials(instance: Instance, gate: Gate) -> Blueprint:
    """What officials see, behind the gate."""
    return OfficialPages(gate, instance.reports).blueprint()
