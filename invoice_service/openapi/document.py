"""The OpenAPI 3.1 description: paths from a table, shapes from the structs that are encoded."""

from collections.abc import Iterable
from importlib.metadata import version
from typing import Any, Final

import msgspec

from invoice_service.config import Config
from invoice_service.openapi.operation import Operation, Parameter, Shape

REFERENCE: Final = "#/components/schemas/{name}"


def describe_service(
    config: Config, operations: Iterable[Operation], problem: type[Any]
) -> dict[str, Any]:
    """The document, as ``/openapi.json`` answers it; ``problem`` is what errors look like."""
    structs = {problem}
    for operation in operations:
        shapes = (shape for _, shape in operation.body + operation.answers)
        structs.update(shape for shape in shapes if not isinstance(shape, str))
    _, schemas = msgspec.json.schema_components(sorted(structs, key=_name), ref_template=REFERENCE)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "fapiao",
            "version": version("fapiao"),
            "description": "E-invoices that anyone can check. Money is in fen (CNY 0.01).",
        },
        "servers": [{"url": config.service.public_url}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.tag],
        "security": [{}, {"key": []}] if operation.key == "optional" else _security(operation),
        "parameters": [_parameter(parameter) for parameter in operation.parameters],
        "responses": {
            **{str(status): _answer(operation) for status in operation.statuses},
            "default": {
                "description": "RFC 9457 problem",
                "content": {"application/problem+json": {"schema": _reference("ProblemBody")}},
            },
        },
    }
    if operation.body:
        described["requestBody"] = {
            "required": True,
            "content": {kind: {"schema": _schema(shape)} for kind, shape in operation.body},
        }
    return described


def _security(operation: Operation) -> list[dict[str, list[str]]]:
    return [{"key": []}] if operation.key else []


def _answer(operation: Operation) -> dict[str, Any]:
    return {
        "description": operation.answer,
        "content": {kind: {"schema": _schema(shape)} for kind, shape in operation.answers},
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.required or parameter.place == "path",
        "description": parameter.text,
        "schema": parameter.schema,
    }


def _schema(shape: Shape) -> dict[str, Any]:
    """A struct by its name, or ``string``, ``bytes``, ``object`` for what has no struct."""
    plain: dict[str, dict[str, Any]] = {
        "string": {"type": "string"},
        "bytes": {"type": "string", "contentMediaType": "application/octet-stream"},
        "object": {"type": "object"},
    }
    return plain[shape] if isinstance(shape, str) else _reference(_name(shape))


def _name(struct: type[Any]) -> str:
    return struct.__name__


def _reference(name: str) -> dict[str, Any]:
    return {"$ref": REFERENCE.format(name=name)}
