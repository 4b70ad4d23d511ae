"""What those who run the service are answered."""

from typing import Final

from invoice_service.openapi.operation import JSON, TEXT, Operation, Words, says
from invoice_service.services.health import Readiness

WORDS: Final[Words] = {
    "Readiness.instance": says("Names the instance"),
    "Readiness.ready": says("Whether it can answer"),
}

OPERATIONS: Final = (
    Operation(
        "get",
        "/healthz",
        "alive",
        "operations",
        "Does the process live",
        "It does",
        ((JSON, "object"),),
        free=True,
        strict=False,
    ),
    Operation(
        "get",
        "/readyz",
        "ready",
        "operations",
        "Can the service answer; 503 if it cannot",
        "What was found; more of it for this machine or the operations token",
        ((JSON, Readiness),),
        statuses=(200, 503),
        strict=False,
    ),
    Operation(
        "get",
        "/metrics",
        "metrics",
        "operations",
        "Numbers for Prometheus",
        "Of all web processes together",
        ((TEXT, "string"),),
        codes=("operations_only",),
        strict=False,
    ),
    Operation(
        "get",
        "/openapi.json",
        "description",
        "operations",
        "This document",
        "OpenAPI 3.1",
        ((JSON, "object"),),
        strict=False,
    ),
)
