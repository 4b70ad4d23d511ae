"""A client for which every answer must be one that ``/openapi.json`` describes."""

import json
from functools import cache
from typing import Any, Final
from weakref import WeakKeyDictionary

from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from tests.api.routes import template

JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"
MOVED: Final = 308
NOT_MODIFIED: Final = 304
OUR_FAULT: Final = 500

_documents: WeakKeyDictionary[Flask, dict[str, Any]] = WeakKeyDictionary()


class DescribedClient(FlaskClient):
    """Looks at each answer before the test does."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:  # noqa: ANN401 # as Flask has it
        answer = super().open(*args, **kwargs)
        operation = operation_of(self.application, answer)
        if operation is not None:
            check(document(self.application), operation, answer)
        return answer


def document(app: Flask) -> dict[str, Any]:
    """What the application says of itself."""
    if app not in _documents:
        _documents[app] = _parsed(FlaskClient(app).get("/openapi.json").data)
    return _documents[app]


@cache
def _parsed(text: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found


def operation_of(app: Flask, answer: TestResponse) -> dict[str, Any] | None:
    """The description of what was asked; None where there is nothing to ask."""
    asked = answer.request
    if answer.status_code == MOVED:
        return None  # another spelling of an address
    try:
        rule, _ = app.url_map.bind("").match(asked.path, asked.method, return_rule=True)
    except HTTPException:
        return None
    described: dict[str, Any] = document(app)["paths"].get(template(rule), {})
    found: dict[str, Any] | None = described.get(asked.method.lower())
    return found


def check(whole: dict[str, Any], operation: dict[str, Any], answer: TestResponse) -> None:
    """The status, the type, the code and the shape are among those described."""
    told = operation["responses"].get(str(answer.status_code))
    assert told is not None, (operation["operationId"], answer.status_code, answer.text)
    if answer.status_code == NOT_MODIFIED:
        return
    kind = answer.content_type.partition(";")[0]
    assert kind in told["content"], (operation["operationId"], kind)
    if kind == PROBLEM:
        check_code(told, answer)
    if kind in (JSON, PROBLEM):
        validate(whole, told["content"][kind]["schema"], json.loads(answer.data))


def check_code(told: dict[str, Any], answer: TestResponse) -> None:
    """The code is one of those listed; 500 is whatever nobody foresaw."""
    code = answer.get_json()["code"]
    listed = f"- `{code}`:" in told["description"]
    assert listed or answer.status_code == OUR_FAULT, (answer.request.path, code)


def validate(whole: dict[str, Any], schema: dict[str, Any], value: object) -> None:
    """``value`` is as ``schema`` says, which may point into the ``whole`` document."""
    Draft202012Validator({**schema, "components": whole["components"]}).validate(value)
