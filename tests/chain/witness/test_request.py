"""Requests to cosign have one spelling: the specification's."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.errors import MalformedError
from chain.hashing import ZERO, Digest
from chain.tree.merkle import MAX_SIZE
from chain.witness.judge import MAX_PROOF_LINES, Request
from tests.chain.histories import history

HASH = base64.b64encode(ZERO).decode()
NOTE = history(1).note(1).decode()


@given(
    st.integers(0, MAX_SIZE),
    st.lists(st.binary(min_size=32, max_size=32).map(Digest), max_size=MAX_PROOF_LINES),
    st.binary(max_size=100),
)
def test_requests_are_read_as_they_are_written(old: int, proof: list[Digest], note: bytes) -> None:
    request = Request(old, tuple(proof), note)
    assert Request.parse(request.to_bytes()) == request


def test_the_largest_size_is_read() -> None:
    assert Request.parse(f"old {MAX_SIZE}\n\n{NOTE}".encode()).old_size == MAX_SIZE


def test_the_request_of_the_specification() -> None:
    body = (
        "old 20852014\n"
        "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n"
        "jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n"
        "5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n"
        "/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n"
        "\n"
        "example.com/behind-the-sofa\n"
        "20852163\n"
        "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
        "\n"
        "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhc"
        "yv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    ).encode()
    request = Request.parse(body)
    assert request.old_size == 20852014
    assert [base64.b64encode(one)[:4] for one in request.proof] == [
        b"PlRN",
        b"jrJZ",
        b"5+pK",
        b"/6WV",
    ]
    assert request.note.startswith(b"example.com/behind-the-sofa\n20852163\n")
    assert request.to_bytes() == body


@pytest.mark.parametrize(
    "body",
    [
        "",
        "old 0",
        "old 0\n",
        f"old 0\n{NOTE}",  # its first empty line stands inside the checkpoint
        f"\nold 0\n\n{NOTE}",
        f"old\n\n{NOTE}",
        f"old \n\n{NOTE}",
        f"Old 0\n\n{NOTE}",
        f"old  0\n\n{NOTE}",
        f"old 0 \n\n{NOTE}",
        f"old 00\n\n{NOTE}",
        f"old 01\n\n{NOTE}",
        f"old +1\n\n{NOTE}",
        f"old -1\n\n{NOTE}",
        f"old 1_0\n\n{NOTE}",
        f"old 0x1\n\n{NOTE}",
        f"old １\n\n{NOTE}",
        f"old {MAX_SIZE + 1}\n\n{NOTE}",
        f"old {10**30}\n\n{NOTE}",
        f"old 0\r\n\r\n{NOTE}",
        f"old 0\n{HASH}{HASH}\n\n{NOTE}",
        f"old 0\n{HASH} \n\n{NOTE}",
        f"old 0\n{HASH[:-1]}\n\n{NOTE}",
        f"old 0\n{HASH[:-2]}B=\n\n{NOTE}",  # bits that no byte holds
        f"old 0\n{HASH[:-4]}\n\n{NOTE}",
        f"old 0\n{'é' * 44}\n\n{NOTE}",
        f"old 0\nold 1\n\n{NOTE}",
        "old 0\n" + f"{HASH}\n" * 64 + f"\n{NOTE}",
    ],
)
def test_other_spellings_are_refused(body: str) -> None:
    with pytest.raises(MalformedError) as refusal:
        Request.parse(body.encode())
    assert refusal.value.code == "witness_request"


@given(st.binary(max_size=300))
def test_any_bytes_are_a_request_or_refused(body: bytes) -> None:
    for given_bytes in (body, b"old 0\n" + body, b"old 0\n\n" + body):
        try:
            request = Request.parse(given_bytes)
        except MalformedError:
            continue
        assert request.to_bytes() == given_bytes
