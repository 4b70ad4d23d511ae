"""Password area and anchor: fixed values, and one spelling."""

from collections.abc import Callable

import pytest

from chain.canonical import encode
from chain.commitment import (
    GROUPS,
    act_digest,
    anchor,
    anchors,
    check_code,
    closing_digest,
    document_digest,
    group_digest,
    parse_password_area,
    password_area,
)
from chain.errors import MalformedError
from chain.hashing import Digest, sha256

SALT = bytes(range(16))
DIGEST = sha256(b"a document")
AREA = "01" + DIGEST.hex()


@pytest.mark.parametrize("group", GROUPS)
def test_group_digest_is_as_the_format_says(group: str) -> None:
    content = encode({"name": "张三"})
    expected = sha256(b"fapiao/v1/" + group.encode() + b"\n" + SALT + content)
    assert group_digest(group, SALT, content) == expected


def test_document_digest_is_as_the_format_says() -> None:
    face, buyer, lines = (sha256(name.encode()) for name in GROUPS)
    expected = sha256(b"fapiao/v1/invoice\n" + face + buyer + lines)
    assert document_digest(face, buyer, lines) == expected
    assert document_digest(buyer, face, lines) != expected


def test_anchor_is_as_the_format_says() -> None:
    assert anchor(DIGEST) == sha256(b"fapiao/v1/anchor\n" + DIGEST)
    assert anchor(DIGEST).hex() not in password_area(DIGEST)


def test_many_anchors_are_the_same_as_one_by_one() -> None:
    digests = [sha256(b"%d" % n) for n in range(5)]
    assert anchors(digests) == [anchor(digest) for digest in digests]
    assert anchors([]) == []


def test_closing_is_as_the_format_says() -> None:
    assert closing_digest(SALT, b"{}") == sha256(b"fapiao/v1/closing\n" + SALT + b"{}")


def test_act_is_as_the_format_says() -> None:
    assert act_digest(SALT, b"{}") == sha256(b"fapiao/v1/act\n" + SALT + b"{}")


@pytest.mark.parametrize("length", [0, 15, 17, 32])
def test_a_salt_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(MalformedError, match=r"^salt_length\b"):
        group_digest("face", bytes(length), b"{}")
    with pytest.raises(MalformedError, match=r"^salt_length\b"):
        closing_digest(bytes(length), b"{}")
    with pytest.raises(MalformedError, match=r"^salt_length\b"):
        act_digest(bytes(length), b"{}")


@pytest.mark.parametrize("group", ["", "Face", "face\n", "invoice", "anchor"])
def test_an_unknown_group_is_refused(group: str) -> None:
    with pytest.raises(MalformedError) as caught:
        group_digest(group, SALT, b"{}")
    assert caught.value.code == "group_unknown"


def test_digests_of_another_length_are_refused() -> None:
    short = Digest(bytes(31))
    calls: list[Callable[[], object]] = [
        lambda: document_digest(short, DIGEST, DIGEST),
        lambda: document_digest(DIGEST, short, DIGEST),
        lambda: document_digest(DIGEST, DIGEST, short),
        lambda: password_area(short),
        lambda: anchor(short),
        lambda: anchors([DIGEST, short]),
        lambda: check_code(short),
    ]
    for call in calls:
        with pytest.raises(MalformedError) as caught:
            call()
        assert caught.value.code == "digest_length"


def test_password_area() -> None:
    assert password_area(DIGEST) == AREA
    assert len(AREA) == 66
    assert parse_password_area(AREA) == DIGEST
    assert check_code(DIGEST) == AREA[-5:]


@pytest.mark.parametrize(
    "text",
    [
        "",
        AREA[:-1],
        AREA + "0",
        AREA.upper(),
        "02" + AREA[2:],
        "1" + AREA[1:],
        " " + AREA[1:],
        AREA[:-1] + "\n",
        AREA + "\n",
        AREA[:-1] + "g",
        "\uff10\uff11" + AREA[2:],
        AREA[:-1] + "\ud800",
    ],
)
def test_a_password_area_has_one_spelling(text: str) -> None:
    with pytest.raises(MalformedError) as caught:
        parse_password_area(text)
    assert caught.value.code == "password_area"
