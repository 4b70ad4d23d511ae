"""Proof files: canonical bytes only, every form checked, nothing but MalformedError gets out."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from chain.commitment import password_area
from chain.errors import ConflictError, MalformedError
from chain.hashing import ZERO, Digest, sha256
from chain.proof.file import MAX_PROOF_BYTES, HiddenGroup, Proof, build_proof, parse_proof
from chain.tree.states import StateLeaf, StateProof
from tests.chain.books import Books, digest_of, prove_one, shown
from tests.chain.forged import Forge

Json = Any  # whatever the json module gives

GOOD = Forge().proof()
FILE = GOOD.to_bytes()
LEAF = StateProof(StateLeaf(sha256(b"other"), {"reversal": "full"}), (ZERO, sha256(b"x")))


def _write(content: Json) -> bytes:
    """Canonical bytes by the reference, so that only the form can be at fault."""
    return rfc8785.dumps(content)


def test_the_file_has_the_form_of_the_format() -> None:
    content = json.loads(FILE)
    assert content == {
        "version": 1,
        "hash": password_area(GOOD.document),
        "groups": {
            "face": {"salt": b"face".ljust(16).hex(), "document": {"code": "144032609110"}},
            "buyer": {"salt": b"buyer".ljust(16).hex(), "document": {}},
            "lines": {"salt": b"lines".ljust(16).hex(), "document": [{"name": "*food*"}]},
        },
        "entry": json.loads(GOOD.placed.entry),
        "index": 5,
        "path": [step.hex() for step in GOOD.placed.path],
        "checkpoint": GOOD.checkpoint.decode(),
        "seal": {
            "entry": json.loads(GOOD.seal.entry),
            "index": 10,
            "path": [step.hex() for step in GOOD.seal.path],
        },
        "state": {"siblings": []},
    }
    assert _write(content) == FILE


@pytest.mark.parametrize(
    "proof",
    [
        GOOD,
        replace(GOOD, groups={**GOOD.groups, "buyer": HiddenGroup(sha256(b"hidden"))}),
        replace(GOOD, state=LEAF),
    ],
    ids=["shown", "hidden", "leaf"],
)
def test_reads_what_it_writes(proof: Proof) -> None:
    assert parse_proof(proof.to_bytes()) == proof
    assert _write(json.loads(proof.to_bytes())) == proof.to_bytes()


def test_a_proof_is_built_from_a_log(tmp_path: Path) -> None:
    proof = prove_one(tmp_path)
    assert parse_proof(proof.to_bytes()) == proof
    assert proof.placed.index == 7
    assert proof.seal.index == 14


def test_what_is_not_published_cannot_be_proved_yet(tmp_path: Path) -> None:
    books = Books(tmp_path)
    books.grow(3)
    books.add(2)
    with pytest.raises(ConflictError, match=r"^not_published\b"):
        build_proof(books.log, 4, digest_of(shown()), shown())


def test_what_cannot_be_read_is_not_written() -> None:
    for proof in (
        replace(GOOD, placed=replace(GOOD.placed, path=(Digest(b"short"),))),
        replace(GOOD, placed=replace(GOOD.placed, entry=b"{}x")),
        replace(GOOD, placed=replace(GOOD.placed, index=-1)),
        replace(GOOD, groups={**GOOD.groups, "lines": GOOD.groups["face"]}),
    ):
        with pytest.raises(MalformedError):
            proof.to_bytes()


def _path(content: Json, *steps: str | int) -> Json:
    for step in steps:
        content = content[step]
    return content


def _set(*steps: str | int, value: object) -> Callable[[Json], None]:
    def change(content: Json) -> None:
        _path(content, *steps[:-1])[steps[-1]] = value

    return change


def _drop(*steps: str | int) -> Callable[[Json], None]:
    def change(content: Json) -> None:
        del _path(content, *steps[:-1])[steps[-1]]

    return change


DIGEST = "0" * 64
WRONG: list[tuple[Callable[[Json], None], str]] = [
    (_set("version", value=2), "proof_version"),
    (_set("version", value=0), "proof_version"),
    (_set("version", value="1"), "proof_malformed"),
    (_set("version", value=True), "proof_malformed"),
    (_set("hash", value=DIGEST), "password_area"),
    (_set("hash", value="02" + DIGEST), "password_area"),
    (_set("hash", value="01" + DIGEST.replace("0", "A")), "password_area"),
    (_set("hash", value=1), "proof_malformed"),
    (_set("groups", "seller", value={"digest": DIGEST}), "proof_malformed"),
    (_set("groups", "face", value={}), "proof_malformed"),
    (_set("groups", "face", "digest", value=DIGEST), "proof_malformed"),
    (_set("groups", "face", "extra", value=1), "proof_malformed"),
    (_drop("groups", "face", "salt"), "proof_malformed"),
    (_drop("groups", "face", "document"), "proof_malformed"),
    (_set("groups", "face", value={"digest": DIGEST, "salt": "0" * 32}), "proof_malformed"),
    (_set("groups", "face", value={"digest": DIGEST, "document": {}}), "proof_malformed"),
    (_set("groups", "face", value={"digest": DIGEST[:-1]}), "proof_malformed"),
    (_set("groups", "face", "salt", value="0" * 31), "proof_malformed"),
    (_set("groups", "face", "salt", value="0" * 34), "proof_malformed"),
    (_set("groups", "face", "salt", value="A" * 32), "proof_malformed"),
    (_set("groups", "face", "document", value=[]), "proof_malformed"),
    (_set("groups", "face", "document", value="x"), "proof_malformed"),
    (_set("groups", "buyer", "document", value=1), "proof_malformed"),
    (_set("groups", "lines", "document", value={}), "proof_malformed"),
    (_set("index", value=-1), "proof_malformed"),
    (_set("index", value="5"), "proof_malformed"),
    (_set("path", value=DIGEST), "proof_malformed"),
    (_set("path", 0, value=DIGEST[:-1]), "proof_malformed"),
    (_set("path", 0, value=DIGEST[:-1] + "G"), "proof_malformed"),
    (_set("path", 0, value=DIGEST[:-1] + "\n"), "proof_malformed"),
    (_set("checkpoint", value=[]), "proof_malformed"),
    (_set("seal", value=[]), "proof_malformed"),
    (_set("seal", "extra", value=1), "proof_malformed"),
    (_set("state", value=[]), "proof_malformed"),
    (_set("state", "leaf", value={"key": DIGEST}), "proof_malformed"),
    (_set("state", "leaf", value={"key": DIGEST, "value": []}), "proof_malformed"),
    (_set("state", "leaf", value={"key": "", "value": {}}), "proof_malformed"),
    (_set("state", "leaf", value={"key": DIGEST, "value": {"reversal": 1}}), "proof_malformed"),
    (_set("state", "leaf", value=None), "not_canonical"),
    (_set("state", "siblings", value=[1]), "proof_malformed"),
    (_set("extra", value=1), "proof_malformed"),
    *[
        (_drop(*steps), "proof_malformed")
        for steps in [
            *[(name,) for name in json.loads(FILE)],
            *[("groups", name) for name in ("face", "buyer", "lines")],
            *[("seal", name) for name in ("entry", "index", "path")],
            ("state", "siblings"),
        ]
    ],
]


@pytest.mark.parametrize("name", ["face", "buyer", "lines"])
def test_a_group_that_is_neither_shown_nor_hidden_is_pointed_at(name: str) -> None:
    content = json.loads(FILE)
    content["groups"][name] = {"salt": "0" * 32}
    with pytest.raises(MalformedError) as refused:
        parse_proof(_write(content))
    assert (refused.value.code, refused.value.pointer) == ("proof_malformed", f"/groups/{name}")


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_every_form_is_checked(number: int) -> None:
    change, code = WRONG[number]
    content = json.loads(FILE)
    change(content)
    with pytest.raises(MalformedError) as refused:
        parse_proof(_write(content))
    assert refused.value.code == code


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"1",
        b"\xef\xbb\xbf" + FILE,
        FILE + b"\n",
        FILE[:-1],
        FILE.replace(b":", b": ", 1),
        FILE.replace(b'"version":1', b'"version":1,"version":1'),
        FILE.replace(b'"version":1', b'"version":1.0'),
        FILE.replace(b'"index":5', b'"index":05'),
        FILE.replace(b"*food*", b"*f\\u006fod*"),
        FILE.replace(b"*food*", b"*f\xffod*"),
        FILE.replace(b"*food*", b"*f\\ud800od*"),
        b"[" * 100_000,
        json.dumps(json.loads(FILE), indent=1).encode(),
    ],
    ids=range(16),
)
def test_only_canonical_bytes_are_read(data: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_proof(data)


def test_a_file_that_is_too_long_is_not_even_parsed() -> None:
    for size, code in ((MAX_PROOF_BYTES + 1, "proof_too_long"), (MAX_PROOF_BYTES, "not_json")):
        with pytest.raises(MalformedError) as refused:
            parse_proof(b"x" * size)
        assert refused.value.code == code


@given(st.binary(max_size=500))
def test_arbitrary_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_proof(data)


@given(st.data())
def test_one_changed_byte_is_another_proof_or_refused(data: st.DataObject) -> None:
    bent = bytearray(FILE)
    place = data.draw(st.integers(0, len(bent) - 1))
    bent[place] = data.draw(st.integers(0, 255))
    with suppress(MalformedError):
        assert parse_proof(bytes(bent)).to_bytes() == bytes(bent)
