"""Errors carry a code for programs and a sentence for people, and survive a process border."""

import pickle

import pytest

from chain.errors import (
    ConflictError,
    MalformedError,
    NotFoundError,
    Problem,
    RefusedError,
    UnavailableError,
    VerificationError,
)

KINDS = [
    MalformedError,
    VerificationError,
    ConflictError,
    RefusedError,
    NotFoundError,
    UnavailableError,
]


@pytest.mark.parametrize("kind", KINDS)
def test_attributes(kind: type[Problem]) -> None:
    error = kind("some_code", "What happened.", pointer="/lines/0", expected=3)
    assert (error.code, error.detail, error.pointer) == ("some_code", "What happened.", "/lines/0")
    assert error.extra == {"expected": 3}
    assert error.args == ("some_code", "What happened.")
    assert str(error) == "some_code at /lines/0: What happened."
    assert str(kind("some_code", "What happened.")) == "some_code: What happened."


@pytest.mark.parametrize("kind", KINDS)
def test_pickling_keeps_everything(kind: type[Problem]) -> None:
    error = kind("some_code", "What happened.", pointer="/a", path="tile/0/000")
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own bytes
    assert type(copy) is kind
    assert vars(copy) == vars(error)


def test_no_kind_is_another() -> None:
    for kind in KINDS:
        assert [other for other in KINDS if issubclass(kind, other)] == [kind]
