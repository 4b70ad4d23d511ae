"""What a web process answers on its loop: which short ways there are, and what they are given."""

from asyncio import AbstractEventLoop

from invoice_service.api.answers import ALWAYS
from invoice_service.api.checking.hot import HotChecks
from invoice_service.api.invoices.hot import HotIssues
from invoice_service.api.invoices.issuing import IssuingCalls
from invoice_service.api.operations.metrics import Meter
from invoice_service.api.rates import Rates
from invoice_service.api.shortcuts import Route, Shortcuts, Toll
from invoice_service.processes.issuer import SOCKET, IssuerClient
from invoice_service.processes.issuing_line import IssuingLine
from invoice_service.services.people.kept import KeptSignIns
from invoice_service.wiring import Instance


def open_shortcuts(
    instance: Instance, rates: Rates, meter: Meter, loop: AbstractEventLoop
) -> Shortcuts:
    """Over an instance; what they answer is paid from ``rates`` and counted by ``meter``."""
    config = instance.config
    issues = HotIssues(
        IssuingCalls(instance),
        signed=KeptSignIns(instance.store, wall=lambda: instance.clock().timestamp()),
        asking=_issuing_line(instance, loop),
        toll=Toll("issuing.issue", rates.keys, meter.observe, ALWAYS),
        used=rates.used,
    )
    checks = HotChecks(
        instance.verifier.verify,
        Toll("verifications.one", rates.peers, meter.observe, ALWAYS),
    )
    routes: dict[tuple[str, str], Route] = {
        ("POST", "/v1/invoices"): issues,
        ("GET", "/v1/verifications"): checks,
    }
    return Shortcuts(routes, config.public_path)


def _issuing_line(instance: Instance, loop: AbstractEventLoop) -> IssuingLine:
    """Where it finds a process that hangs, the threads' client need not find out by itself."""
    issuer = instance.issuer
    silent = issuer.leave_alone if isinstance(issuer, IssuerClient) else (lambda: None)
    return IssuingLine(instance.config.run_dir / SOCKET, loop, silent=silent)
