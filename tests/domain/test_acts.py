"""Acts: what their chain of digests covers."""

from typing import Any

import msgspec
import pytest

from chain.hashing import ZERO, sha256
from invoice_service.domain.acts import Act, By, act_by, act_hash
from tests.domain.samples import BY, NOON

QUOTA = act_by(BY, "quota", "merchant:1", before={"quota": 5}, after={"quota": 7})


def test_the_digest_is_that_of_the_documented_bytes() -> None:
    """docs/formats.md, "Trail": what is not said is absent."""
    written = (
        b'{"actor":"machine:test","after":{"quota":7},"at":1533873600,"before":{"quota":5},'
        b'"outcome":"done","seq":3,"subject":"merchant:1","type":"quota"}'
    )
    assert act_hash(ZERO, 3, QUOTA) == sha256(b"fapiao/v1/trail\n" + bytes(32) + written)


@pytest.mark.parametrize(
    "change",
    [
        {"at": NOON + 1},
        {"actor": "machine:other"},
        {"origin": "192.0.2.1"},
        {"type": "suspension"},
        {"subject": "merchant:2"},
        {"outcome": "refused"},
        {"code": "merchant_unknown"},
        {"before": {}},
        {"after": {"quota": 8}},
        {"reason": "x"},
    ],
)
def test_the_digest_covers_every_member(change: dict[str, Any]) -> None:
    assert set(change) <= set(Act.__struct_fields__)
    assert act_hash(ZERO, 3, msgspec.structs.replace(QUOTA, **change)) != act_hash(ZERO, 3, QUOTA)


def test_the_digest_covers_the_place_and_what_came_before() -> None:
    assert act_hash(ZERO, 4, QUOTA) != act_hash(ZERO, 3, QUOTA)
    assert act_hash(sha256(b"other"), 3, QUOTA) != act_hash(ZERO, 3, QUOTA)


def test_an_act_is_of_whoever_did_it_from_where_he_was() -> None:
    act = act_by(By("key:7", NOON, "192.0.2.1"), "clock", "clock", reason="checked")
    assert (act.actor, act.at, act.origin, act.reason) == ("key:7", NOON, "192.0.2.1", "checked")
