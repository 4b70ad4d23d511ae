"""What those who run the service are answered."""

from typing import Final

from invoice_service.openapi.operation import (
    JSON,
    TEXT,
    Operation,
)
from invoice_service.services.health import Readiness

OPERATIONS: Final = (
    Operation(
        "get",
        "/healthz",
        "alive",
        "operations",
        "Does the process live",
        "It does",
        ((JSON, "object"),),
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
    ),
    Operation(
        "get",
        "/metrics",
        "metrics",
        "operations",
        "Numbers for Prometheus",
        "Of all web processes together",
        ((TEXT, "string"),),
        statuses=(200, 403),
    ),
    Operation(
        "get",
        "/openapi.json",
        "description",
        "operations",
        "This document",
        "OpenAPI 3.1",
        ((JSON, "object"),),
    ),
)
