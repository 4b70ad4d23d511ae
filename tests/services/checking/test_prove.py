"""Proof files: checked with the verifier that knows no store."""

from typing import NoReturn

import pytest

from chain.commitment import GROUPS, parse_password_area
from chain.errors import ConflictError, MalformedError, NotFoundError, UnavailableError
from chain.hashing import sha256
from chain.proof.file import parse_proof
from chain.proof.verify import Evidence, verify_proof
from invoice_service.domain.invoice import Issued
from invoice_service.services.checking.prove import ALL_GROUPS, FACE_ONLY, build
from tests.services.town import Town
from tests.storage.shop import tamper


def prove(town: Town, issued: Issued, shown: frozenset[str] = ALL_GROUPS) -> Evidence:
    """Build the proof file and check it from its bytes."""
    data = build(town.store, town.log, parse_password_area(issued.hash), shown)
    return verify_proof(parse_proof(data), town.signer.verifier)


def test_every_invoice_of_several_blocks_proves(town: Town) -> None:
    issued = []
    for size in (1, 2, 300, 3):
        issued += town.issue(size)
        town.anchor()
    red = town.reverse(issued[0])
    town.anchor()
    for invoice in [*issued[:5], *issued[-5:], red]:
        evidence = prove(town, invoice)
        assert (evidence.hash, evidence.hidden) == (invoice.hash, ())
        face = evidence.shown["face"]
        assert isinstance(face, dict)
        assert (face["number"], face["total"]) == (invoice.number, invoice.total)
    assert prove(town, red).reversal == "full"


@pytest.mark.parametrize(
    "shown", [frozenset(), FACE_ONLY, frozenset({"face", "lines"}), ALL_GROUPS]
)
def test_hidden_groups_are_digests(town: Town, shown: frozenset[str]) -> None:
    (issued,) = town.issue(1)
    town.anchor()
    evidence = prove(town, issued, shown)
    assert set(evidence.shown) == shown
    assert set(evidence.hidden) == set(GROUPS) - shown
    stored = town.store.invoice_at(1)
    assert stored is not None
    data = build(town.store, town.log, parse_password_area(issued.hash), shown)
    for group, salt in zip(GROUPS, (0, 16, 32), strict=True):
        there = stored.salts[salt : salt + 16].hex().encode() in data
        assert there == (group in shown)


def test_what_is_not_there_yet_or_at_all(town: Town) -> None:
    (issued,) = town.issue(1)
    digest = parse_password_area(issued.hash)
    with pytest.raises(ConflictError) as waiting:
        build(town.store, town.log, digest)
    assert waiting.value.code == "not_in_log"
    town.anchor()
    with pytest.raises(NotFoundError) as unknown:
        build(town.store, town.log, sha256(b"nothing"))
    assert unknown.value.code == "invoice_unknown"
    with pytest.raises(MalformedError) as strange:
        build(town.store, town.log, digest, frozenset({"colour"}))
    assert strange.value.code == "group_unknown"


def test_a_damaged_row_is_not_proved(town: Town) -> None:
    (issued,) = town.issue(1)
    town.anchor()
    tamper(town.folder, "UPDATE invoices SET buyer = CAST('{}' AS BLOB)")
    with pytest.raises(UnavailableError) as caught:
        prove(town, issued)
    assert caught.value.code == "record_damaged"


def test_a_damaged_tile_is_not_proved_with(town: Town) -> None:
    (issued,) = town.issue(3)[:1]
    town.anchor()
    for tile in (town.folder / "log" / "tile" / "0").rglob("*"):
        if tile.is_file():
            tile.write_bytes(bytes(31))
    town.close()
    again = Town(town.folder)
    with pytest.raises(UnavailableError) as caught:
        prove(again, issued)
    assert caught.value.code == "record_damaged"


def test_a_busy_log_is_busy_not_damaged(town: Town) -> None:
    (issued,) = town.issue(1)
    town.anchor()
    busy = UnavailableError("database_busy", "the log's database is busy")

    def refuse(*_: object) -> NoReturn:
        raise busy

    for reading in ("block_of", "entry", "inclusion", "latest_checkpoint"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(town.log, reading, refuse)
            with pytest.raises(UnavailableError) as caught:
                prove(town, issued)
        assert caught.value is busy
