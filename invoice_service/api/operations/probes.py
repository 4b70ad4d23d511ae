"""For those who run the service: does it live, is it ready, how much has it done."""

from collections.abc import Callable, Mapping

from flask import Blueprint, Response, request

from invoice_service.api.answers import JSON, json_answer, json_bytes, raw_answer
from invoice_service.api.operations.gate import Gate
from invoice_service.api.operations.metrics import Exposition, Meter
from invoice_service.services.health import Health, Readiness

ENDPOINTS = ("operations.healthz", "operations.readyz", "operations.metrics", "operations.openapi")

Gauge = tuple[str, int | float]


def blueprint(
    health: Callable[[], Health],
    meter: Meter,
    description: Callable[[], Mapping[str, object]],
    gate: Gate,
    more: Callable[[], Mapping[str, Gauge]] = dict,
) -> Blueprint:
    """``description`` makes the OpenAPI document, ``gate`` says whom the state concerns.

    ``more`` are further gauges, of other rooms.
    """
    blueprint = Blueprint("operations", __name__)
    exposition = Exposition(meter, lambda: {**gauges(health()), **more()})

    @blueprint.get("/healthz")
    def healthz() -> Response:
        return json_answer({"alive": True})  # touches nothing: a slow disk must not restart us

    @blueprint.get("/readyz")
    def readyz() -> Response:
        found = health()
        shown = found if gate.is_open() else Readiness(instance=found.instance, ready=found.ready)
        return json_answer(shown, 200 if found.ready else 503)

    @blueprint.get("/metrics")
    def metrics() -> Response:
        gate.check()
        text, kind = exposition.render(request.headers.get("Accept", ""))
        return raw_answer(text, kind)

    @blueprint.get("/openapi.json")
    def openapi() -> Response:
        return raw_answer(json_bytes(description()), JSON, cache="public, max-age=300")

    return blueprint


def gauges(found: Health) -> dict[str, Gauge]:
    """The state of the store and the log, the same from whichever process is asked."""
    codes = {finding.code for finding in (*found.problems, *found.warnings)}
    return {
        "fapiao_ready": ("1 when the service can answer", int(found.ready)),
        "fapiao_issuing_process": (
            "1 when the issuing process answers",
            int(found.issuing_process),
        ),
        "fapiao_issued": ("Invoices issued since the beginning", found.issued),
        "fapiao_pending": ("Invoices that wait for the log", found.pending),
        "fapiao_pending_oldest_seconds": ("Age of the oldest of them", found.oldest_pending),
        "fapiao_pending_acts": ("Decisions of officials that wait for the log", found.pending_acts),
        "fapiao_pending_acts_oldest_seconds": (
            "Age of the oldest of them",
            found.oldest_pending_act,
        ),
        "fapiao_log_entries": ("Entries in the log, published or not", found.log_size),
        "fapiao_published_entries": ("Entries under the newest checkpoint", found.published_size),
        "fapiao_unpublished_oldest_seconds": (
            "How long the oldest unpublished block has waited",
            found.oldest_unpublished,
        ),
        "fapiao_witnesses": ("Witnesses of the log's policy", found.witnesses),
        "fapiao_witnesses_cosigned": (
            "Of them, those that have cosigned the newest checkpoint",
            found.cosigned,
        ),
        "fapiao_worker_age_seconds": (
            "How long ago a run of the worker did all that it had to; -1 for never",
            found.worker_age,
        ),
        "fapiao_totals_left": ("1 when totals or closings fail", int("totals_left" in codes)),
        "fapiao_log_behind": ("1 when nothing new is promised", int("log_behind" in codes)),
        "fapiao_clock_believed": (
            "0 when the clock stops issuing",
            int(not codes & {"clock_ahead", "clock_behind"}),
        ),
        "fapiao_web_processes": ("Web processes that live", found.web_processes),
        "fapiao_web_missing": (
            "1 when a web process has died and is not back",
            int("web_missing" in codes),
        ),
        "fapiao_free_bytes": ("Free space where the data is", found.free_bytes),
    }
