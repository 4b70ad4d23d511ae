"""Each example in the description is valid by its own schema, and works."""

from collections.abc import Iterator
from typing import Any

import pytest

from invoice_service.openapi.document import recorded
from scripts import examples
from tests.api.described import document, validate
from tests.api.desk import Desk


@pytest.fixture(scope="module")
def answered() -> Iterator[dict[str, Any]]:
    """Every call made again, on an instance of its own."""
    with examples.fresh() as recorder:
        yield recorder.all()


def form(value: object) -> object:
    """The members and types of a JSON value, without what it says."""
    if isinstance(value, dict):
        return {name: form(item) for name, item in value.items()}
    if isinstance(value, list):
        return [form(item) for item in value[:1]]
    return type(value).__name__


def shown(desk: Desk) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """(where, schema, example) of all bodies and parameters."""
    for path, calls in document(desk.app)["paths"].items():
        for call in calls.values():
            bodies = [call.get("requestBody", {}), *call["responses"].values()]
            for content in (c for body in bodies for c in body.get("content", {}).values()):
                if "example" in content:
                    yield path, content["schema"], content["example"]
            for parameter in call["parameters"]:
                if "example" in parameter:
                    yield path, parameter["schema"], parameter["example"]


def test_every_call_has_an_example(desk: Desk) -> None:
    named = {
        call["operationId"]
        for calls in document(desk.app)["paths"].values()
        for call in calls.values()
    }
    assert named == set(recorded()), "record them: python -m scripts.examples"


def test_every_example_is_as_its_schema_says(desk: Desk) -> None:
    found = list(shown(desk))
    assert len(found) > 100
    for path, schema, example in found:
        try:
            validate(document(desk.app), schema, example)
        except Exception as error:
            error.add_note(path)
            raise


def test_every_body_that_is_json_has_an_example(desk: Desk) -> None:
    for path, calls in document(desk.app)["paths"].items():
        for call in calls.values():
            bodies = {"request": call.get("requestBody", {}), **call["responses"]}
            for name, body in bodies.items():
                content = body.get("content", {}).get("application/json")
                fresh = name in {"request", "201"} or (name == "200" and path != "/openapi.json")
                if content and fresh and not ("201" in bodies and name == "200"):
                    assert "example" in content, (call["operationId"], name)


def test_the_service_still_answers_like_that(answered: dict[str, Any]) -> None:
    """Values may move, members may not; ``python -m scripts.examples`` records them anew."""
    assert form(answered) == form(recorded())
