"""The description that must not lie."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.api.described import document
from tests.api.desk import Desk
from tests.api.routes import OURS, routes, template

API_PAGE = Path(__file__).parents[2] / "docs" / "api.md"
EVERY_METHOD = {*OURS, "PATCH"}


def calls_of(desk: Desk) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(method, path, description) of every call."""
    for path, calls in document(desk.app)["paths"].items():
        for method, call in calls.items():
            yield method, path, call


def test_it_is_valid_openapi(desk: Desk) -> None:
    answer = desk.client.get("/openapi.json")
    assert answer.content_type == "application/json"
    OpenAPIV31SpecValidator(answer.get_json()).validate()


def test_every_route_is_described_and_nothing_else_is(desk: Desk) -> None:
    assert {(method, path) for method, path, _ in calls_of(desk)} == routes(desk.app)


def test_every_path_parameter_is_described(desk: Desk) -> None:
    for _, path, call in calls_of(desk):
        named = {p["name"] for p in call["parameters"] if p["in"] == "path"}
        assert named == set(re.findall(r"{([a-z]+)}", path)), path


def test_every_route_is_in_the_documentation(desk: Desk) -> None:
    text = API_PAGE.read_text(encoding="utf-8")
    for method, path in routes(desk.app):
        documented = path.replace("{merchant}", "{id}").replace("/log/tile/{tile}", "/log/tile/<L>")
        stem = documented.removesuffix("/qr.png")
        assert stem in text, f"{method} {path}"


def test_every_field_is_described(desk: Desk) -> None:
    schemas = document(desk.app)["components"]["schemas"]
    missing = [
        f"{name}.{field}"
        for name, schema in schemas.items()
        for field, described in schema.get("properties", {}).items()
        if not described.get("description")
    ]
    assert not missing


def test_every_number_that_is_sent_has_bounds(desk: Desk) -> None:
    """No database takes all that JSON can say: what is asked for has a least and a most."""
    described = document(desk.app)
    loose = {
        found
        for method, path, call in calls_of(desk)
        for shape in call.get("requestBody", {}).get("content", {}).values()
        for found in numbers(described, shape.get("schema", {}), f"{method} {path}")
    }
    assert loose == {
        "post /v1/verifications/total_amount"
    }  # read as the text it is, whatever it says


def numbers(described: dict[str, Any], schema: Any, where: str) -> Iterator[str]:  # noqa: ANN401 # JSON
    """Where a schema lets in any whole number."""
    if isinstance(schema, list):
        for one in schema:
            yield from numbers(described, one, where)
    elif isinstance(schema, dict):
        if name := schema.get("$ref", "").rpartition("/")[2]:
            yield from numbers(described, described["components"]["schemas"][name], where)
        if schema.get("type") == "integer" and not {"minimum", "maximum"} <= schema.keys():
            yield where
        for field, one in schema.get("properties", {}).items():
            yield from numbers(described, one, f"{where}/{field}")
        for word in ("anyOf", "oneOf", "items", "prefixItems"):
            yield from numbers(described, schema.get(word), where)


def test_no_answer_is_left_to_a_default(desk: Desk) -> None:
    for method, path, call in calls_of(desk):
        assert all(re.fullmatch("[1-5][0-9][0-9]", status) for status in call["responses"]), path
        assert {"200", "201", "303"} & set(call["responses"]), (method, path)


def test_an_address_without_a_method_says_so(desk: Desk) -> None:
    """Also where another address with a parameter would match: nothing is taken for a value."""
    for rule in desk.app.url_map.iter_rules():
        if rule.arguments:
            continue
        own = {
            method
            for other in desk.app.url_map.iter_rules()
            if str(other) == str(rule)
            for method in other.methods or ()
        }
        for method in EVERY_METHOD - own:
            answer = desk.client.open(str(rule), method=method)
            assert answer.status_code == 405, (method, template(rule))
            assert set(answer.headers["Allow"].split(", ")) == own, template(rule)
