"""The OpenAPI 3.1 description: paths from what the doors say, shapes from the encoded structs."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from importlib.metadata import version
from importlib.resources import files
from typing import Any, Final

import msgspec

from invoice_service.openapi.operation import HTML, Operation, Parameter, Shape, Words
from invoice_service.openapi.texts import INTRODUCTION, TAGS, TITLE

REFERENCE: Final = "#/components/schemas/{name}"
PROBLEM: Final = "application/problem+json"
EXAMPLES: Final = "examples.json"
"""Recorded from the service itself by ``scripts/examples``."""
ETAG: Final = ("ETag", "What `If-None-Match` takes")


@dataclass(frozen=True)
class Doors:
    """What there is to describe: the calls of all doors, in the words of their codes and fields.

    ``refusals`` gives a code's problem as it is answered; ``problem`` is its struct.
    """

    operations: tuple[Operation, ...]
    words: Words
    problem: type[Any]
    refusals: Mapping[str, Mapping[str, Any]]


def describe_service(public_url: str, doors: Doors) -> dict[str, Any]:
    """The document, as ``/openapi.json`` answers it."""
    examples = recorded()
    paths: dict[str, dict[str, Any]] = {}
    for operation in doors.operations:
        example = examples.get(operation.name, {})
        paths.setdefault(operation.path, {})[operation.method] = _operation(
            operation, doors, example
        )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": TITLE,
            "version": version("fapiao"),
            "description": INTRODUCTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": public_url}],
        "tags": [{"name": tag.name, "description": f"{tag.zh} · {tag.en}"} for tag in TAGS],
        "paths": paths,
        "components": {
            "schemas": _schemas(doors),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def recorded() -> dict[str, Any]:
    """Examples by the operation's name: ``parameters``, ``request``, ``answers`` by status."""
    text = files("invoice_service.openapi").joinpath(EXAMPLES).read_bytes()
    found: dict[str, Any] = msgspec.json.decode(text)
    return found


def _schemas(doors: Doors) -> dict[str, Any]:
    structs = {doors.problem}
    for operation in doors.operations:
        shapes = (shape for _, shape in operation.body + operation.answers)
        structs.update(shape for shape in shapes if not isinstance(shape, str))
    _, schemas = msgspec.json.schema_components(sorted(structs, key=_name), ref_template=REFERENCE)
    for name, schema in schemas.items():
        schema.update(doors.words.get(name, {}))
        for field, described in schema.get("properties", {}).items():
            described.update(doors.words.get(f"{name}.{field}") or doors.words.get(field, {}))
            described.pop("default", None)  # what is not given is not there
    return schemas


def _operation(operation: Operation, doors: Doors, example: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.tag],
        "security": [{}, {"key": []}] if operation.key == "optional" else _security(operation),
        "parameters": [
            _parameter(parameter, example.get("parameters", {}))
            for parameter in operation.parameters
        ],
        "responses": {
            **_refusals(operation, doors),
            **{str(status): _answer(operation, status, example) for status in operation.statuses},
        },
    }
    if operation.kept:
        described["responses"]["304"] = {"description": "What `If-None-Match` names is still so"}
    if operation.body:
        sent = example.get("request", {})
        described["requestBody"] = {
            "required": not operation.bodiless,
            "content": {kind: _content(kind, shape, sent) for kind, shape in operation.body},
        }
    return described


def _security(operation: Operation) -> list[dict[str, list[str]]]:
    return [{"key": []}] if operation.key else []


def _answer(operation: Operation, status: int, example: dict[str, Any]) -> dict[str, Any]:
    answered = example.get("answers", {}).get(str(status), {})
    described: dict[str, Any] = {
        "description": operation.answer,
        "content": {kind: _content(kind, shape, answered) for kind, shape in operation.answers},
    }
    headers = (*operation.headers, *((ETAG,) if operation.kept else ()))
    if headers:
        described["headers"] = {
            name: {"description": text, "schema": {"type": "string"}} for name, text in headers
        }
    return described


def _content(kind: str, shape: Shape, examples: Mapping[str, Any]) -> dict[str, Any]:
    """One form of a body; of NDJSON, the shape and the example are those of one line."""
    content: dict[str, Any] = {"schema": _schema(shape)}
    if kind in examples:
        content["example"] = examples[kind]
    return content


def _refusals(operation: Operation, doors: Doors) -> dict[str, Any]:
    """The answers of each status that a refusal has, with their codes."""
    by_status: dict[int, list[str]] = {}
    for code in dict.fromkeys(operation.all_codes()):
        by_status.setdefault(doors.refusals[code]["status"], []).append(code)
    return {
        str(status): _refusal(operation, status, codes, doors)
        for status, codes in sorted(by_status.items())
    }


def _refusal(operation: Operation, status: int, codes: list[str], doors: Doors) -> dict[str, Any]:
    sentences = "\n".join(f"- `{code}`: {doors.refusals[code]['title']}" for code in codes)
    described: dict[str, Any] = {"description": f"{HTTPStatus(status).phrase}\n\n{sentences}"}
    if operation.errors == "page":
        described["content"] = {HTML: {"schema": {"type": "string"}}}
        return described
    schema: dict[str, Any] = {"$ref": REFERENCE.format(name=_name(doors.problem))}
    if status < HTTPStatus.INTERNAL_SERVER_ERROR:
        schema["properties"] = {"code": {"enum": codes}}
    described["content"] = {PROBLEM: {"schema": schema, "example": doors.refusals[codes[0]]}}
    if operation.errors == "either":
        described["content"][HTML] = {"schema": {"type": "string"}}
    described["headers"] = _problem_headers(status)
    return described


def _problem_headers(status: int) -> dict[str, Any]:
    headers = {
        HTTPStatus.UNAUTHORIZED: ("WWW-Authenticate", "How to send a key"),
        HTTPStatus.TOO_MANY_REQUESTS: ("Retry-After", "Seconds"),
        HTTPStatus.SERVICE_UNAVAILABLE: ("Retry-After", "Seconds"),
    }
    if status not in headers:
        return {}
    name, text = headers[HTTPStatus(status)]
    return {name: {"description": text, "schema": {"type": "string"}}}


def _parameter(parameter: Parameter, examples: Mapping[str, Any]) -> dict[str, Any]:
    described = {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.required or parameter.place == "path",
        "description": parameter.text,
        "schema": parameter.schema,
    }
    if parameter.name in examples:
        described["example"] = examples[parameter.name]
    return described


def _schema(shape: Shape) -> dict[str, Any]:
    """A struct by its name, or ``string``, ``bytes``, ``object`` for what has no struct."""
    plain: dict[str, dict[str, Any]] = {
        "string": {"type": "string"},
        "bytes": {"type": "string", "contentMediaType": "application/octet-stream"},
        "object": {"type": "object"},
    }
    return plain[shape] if isinstance(shape, str) else {"$ref": REFERENCE.format(name=_name(shape))}


def _name(struct: type[Any]) -> str:
    return struct.__name__
