"""Reading a request, each part by itself."""

import pytest
from flask import Flask

from chain.errors import MalformedError
from invoice_service.api.requests import (
    MAX_WAIT,
    Preferences,
    body,
    media_type,
    preferences,
    query,
)

APP = Flask(__name__)


def test_a_body_is_read_up_to_its_limit_and_no_further() -> None:
    with APP.test_request_context(method="POST", data=b"x" * 10):
        assert body(10) == b"x" * 10
    for environ in ({}, {"CONTENT_LENGTH": "", "wsgi.input_terminated": True}):
        with APP.test_request_context(
            method="POST", data=b"x" * 11, environ_overrides=environ
        ) as context:
            with pytest.raises(MalformedError) as refused:
                body(10)
            assert refused.value.code == "body_too_large"
            # At most one byte more than the limit was taken in.
            left = context.request.environ["wsgi.input"].read()
            assert len(left) == (0 if environ else 11)


@pytest.mark.parametrize("length", ["-1", "ten", "1e3"])
def test_a_length_that_is_none_is_refused(length: str) -> None:
    overrides = {"CONTENT_LENGTH": length}
    with (
        APP.test_request_context(method="POST", environ_overrides=overrides),
        pytest.raises(MalformedError),
    ):
        body(10)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", Preferences()),
        ("wait=5", Preferences(5)),
        ("WAIT = 5", Preferences(5)),
        ("wait=0", Preferences(0)),
        ("wait=9999", Preferences(MAX_WAIT)),
        ("wait=" + "9" * 5000, Preferences(MAX_WAIT)),
        ("wait=" + "0" * 5000 + "7", Preferences(7)),
        ('wait="2", return="minimal"', Preferences(2, minimal=True)),
        *(('wait="2', Preferences()), ("wait=-2", Preferences()), ("wait=", Preferences())),
        ("return=minimal", Preferences(minimal=True)),
        ("return=representation", Preferences()),
        ("respond-async, wait=3; return=minimal", Preferences(3, minimal=True)),
        ("await=5", Preferences()),
    ],
)
def test_preferences(header: str, expected: Preferences) -> None:
    with APP.test_request_context(headers={"Prefer": header} if header else {}):
        assert preferences() == expected


def test_a_query_is_decoded_once() -> None:
    with APP.test_request_context("/?a=%2B5&b=1+2&c="):
        assert query("a", "b", "c") == {"a": "+5", "b": "1 2", "c": ""}
    with APP.test_request_context("/?a=%252B5"):
        assert query("a") == {"a": "%2B5"}


@pytest.mark.parametrize(
    "declared",
    [
        *("application/json", "Application/JSON", "application/json;charset=UTF-8;"),
        "application/json; odata=verbose; charset=utf-8",
        'application/json; charset="utf-8"; profile="a; charset=gbk"',
        r'application/json; profile="a\"; charset=gbk; b"',
        *("application/json ; Charset = utf8", "application/json;", "application/json;;;"),
        *("application/json; charset=us-ascii", "application/json; charset", "application/json;=;"),
    ],
)
def test_parameters_of_a_media_type_are_read_one_by_one(declared: str) -> None:
    with APP.test_request_context(method="POST", headers={"Content-Type": declared}):
        assert media_type("text/csv", "application/json") == "application/json"


@pytest.mark.parametrize(
    "declared",
    [
        *("", "text/html", "application/jsonp", "application/json, text/csv", "json"),
        *("application/json; charset=gbk", 'application/json; odata=x; CHARSET="GB18030"'),
        *("application/json; charset=utf-16", "application/json; charset=utf-8; charset=gbk"),
        "application/json; charset=gbk; charset=utf-8",
    ],
)
def test_another_type_or_charset_is_refused_also_beside_ours(declared: str) -> None:
    with (
        APP.test_request_context(method="POST", headers={"Content-Type": declared}),
        pytest.raises(MalformedError) as refused,
    ):
        media_type("text/csv", "application/json")
    assert refused.value.code == "unsupported_media_type"
