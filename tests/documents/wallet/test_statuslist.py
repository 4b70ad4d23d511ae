"""Status lists: what they say, how large they are, and what is refused."""

import random
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chain.block import Row
from chain.commitment import anchor
from chain.entry import Reversal, anchor_entry
from chain.errors import MalformedError, NotFoundError, VerificationError
from chain.hashing import Digest, sha256
from chain.signing.es256 import WalletSigner
from invoice_service.documents.wallet import lists
from invoice_service.documents.wallet.credential import read_state, verify_credential
from invoice_service.documents.wallet.lists import StatusLists, find_list
from invoice_service.documents.wallet.sdjwt import Claims, parse_jws, sign, to_base64url
from invoice_service.documents.wallet.statuslist import (
    LENGTH,
    LIFE,
    MAX_LIST,
    SIZE,
    TTL,
    AsOf,
    Place,
    Status,
    is_taken_back,
    make_list,
    read_status,
)
from tests.documents.wallet.purse import ISSUER, KEYS, LATER, OTHER, WALLET, Purse
from tests.domain.samples import NOON

URI = Place(0, 0).address(ISSUER)
AS_OF = AsOf(NOON, 7)


def listed(**taken: Reversal) -> str:
    """A list in which these places (`at5`) were taken back."""
    statuses = bytearray(SIZE)
    for name, how in taken.items():
        assert is_taken_back(statuses, int(name[2:]), how)
    return make_list(bytes(statuses), ISSUER, 0, AS_OF, WALLET)


def code_of(text: str, now: int = LATER, uri: str = URI, keys: Any = KEYS) -> str:  # noqa: ANN401
    try:
        read_status(text, uri, 0, keys, now)
    except (MalformedError, VerificationError) as problem:
        return problem.code
    return "ok"


def test_each_place_has_what_was_set_and_no_other() -> None:
    text = listed(at0="full", at5="part", at6="full", at131071="part")
    said = {index: read_status(text, URI, index, KEYS, LATER).state for index in range(9)}
    assert said == {index: {0: "full", 5: "part", 6: "full"}.get(index, "") for index in range(9)}
    assert read_status(text, URI, LENGTH - 1, KEYS, LATER) == Status("part", AS_OF)


def test_what_was_taken_back_whole_stays_so() -> None:
    statuses = bytearray(SIZE)
    assert is_taken_back(statuses, 9, "part")
    assert not is_taken_back(statuses, 9, "part")
    assert is_taken_back(statuses, 9, "full")
    assert not is_taken_back(statuses, 9, "part")
    assert not is_taken_back(statuses, 9, "full")


def test_a_list_of_a_busy_shop_is_small_and_any_list_is_read() -> None:
    draw = random.Random(17)
    statuses = bytearray(SIZE)
    for index in draw.sample(range(LENGTH), LENGTH // 25):  # four of a hundred are taken back
        is_taken_back(statuses, index, draw.choice(["part", "full"]))
    assert len(make_list(bytes(statuses), ISSUER, 0, AS_OF, WALLET)) < 24_000
    assert len(make_list(bytes(SIZE), ISSUER, 0, AS_OF, WALLET)) < 600
    worst = make_list(draw.randbytes(SIZE), ISSUER, 0, AS_OF, WALLET)
    assert len(worst) < MAX_LIST
    assert code_of(worst) in ("ok", "status_list")  # two of its four values have a meaning


def test_what_is_no_list_of_ours_is_refused() -> None:
    good = listed(at0="full")
    assert code_of(good) == "ok"
    claims = parse_jws(good).claims
    header: Claims = {**parse_jws(good).header}

    def bent(by: WalletSigner = WALLET, head: Claims | None = None, **more: Any) -> str:  # noqa: ANN401
        return code_of(sign({**header, **(head or {})}, {**claims, **more}, by))

    def packed(data: bytes, bits: int = 2) -> dict[str, object]:
        return {"bits": bits, "lst": to_base64url(data)}

    assert bent() == "ok"
    assert bent(head={"typ": "jwt"}) == "status_list"
    assert bent(head={"alg": "none"}) == "status_list"
    assert bent(by=OTHER) == "signature"
    assert bent(head={"kid": OTHER.verifier.key_id.hex()}, by=OTHER) == "signature_missing"
    assert bent(sub=Place(1, 0).address(ISSUER)) == "status_other"
    assert bent(exp=LATER) == "status_expired"
    assert bent(exp=True) == "status_expired"
    assert bent(iat=LATER + 3600) == "status_expired"
    for lst in (
        packed(zlib.compress(bytes(SIZE + 1))),
        packed(zlib.compress(bytes(SIZE - 1))),
        packed(zlib.compress(bytes(64 << 20), 9)),  # a bomb
        packed(zlib.compress(bytes(SIZE)) + b"x"),
        packed(zlib.compress(bytes(SIZE))[:-1]),
        packed(b"nonsense"),
        packed(zlib.compress(b"\x02" + bytes(SIZE - 1))),  # SUSPENDED: nothing here is
        packed(zlib.compress(bytes(SIZE)), bits=1),
        "",
    ):
        assert bent(status_list=lst) == "status_list", lst
    assert code_of(good[:-3]) in ("signature", "status_list")
    assert code_of("x" * (MAX_LIST + 1)) == "status_list"
    assert code_of(good, now=NOON + LIFE) == "status_expired"
    stolen = replace(KEYS, wallet=(OTHER.verifier,), wallet_revoked=(WALLET.verifier,))
    assert code_of(good, keys=stolen) == "key_revoked"


def test_a_credential_names_the_list_and_place_of_its_receipt() -> None:
    purse = Purse(4)
    text = purse.credential(2)
    found = verify_credential(text, KEYS, LATER)
    assert (found.status, found.place) == (URI, 2)
    assert found.claims["status"] == {"status_list": {"idx": 2, "uri": URI}}
    assert read_state(found, listed(at2="part"), KEYS, LATER).state == "part"
    assert read_state(found, listed(at1="full"), KEYS, LATER).state == ""
    other = make_list(bytes(SIZE), ISSUER, 1, AS_OF, WALLET)
    with pytest.raises(VerificationError) as caught:
        read_state(found, other, KEYS, LATER)
    assert caught.value.code == "status_other"


class FakeLog:
    """Rows of a log that is as long as it is said to be published."""

    def __init__(self) -> None:
        self.entries: list[bytes] = []
        self.keys: dict[bytes, int] = {}

    def sell(self, name: str) -> Digest:
        """An invoice's entry."""
        own = anchor(sha256(name.encode()))
        self._add(own, anchor_entry("invoice", own))
        return own

    def take_back(self, blue: Digest, how: Reversal) -> None:
        """A red invoice's."""
        own = anchor(sha256(b"red %d" % len(self.entries)))
        self._add(own, anchor_entry("invoice", own, reverses=blue, reversal=how))

    def _add(self, key: Digest, entry: bytes) -> None:
        self.keys[key] = len(self.entries)
        self.entries.append(entry)

    def size(self) -> int:
        """So much is published."""
        return len(self.entries)

    def rows(self, first: int, end: int) -> Iterator[Row]:
        for index in range(first, min(end, len(self.entries))):
            yield Row(index, self.entries[index], None)

    def find(self, key: bytes) -> int | None:
        return self.keys.get(key)


@pytest.fixture
def log() -> FakeLog:
    return FakeLog()


def kept(
    folder: Path, log: FakeLog, by: WalletSigner = WALLET, issuer: str = ISSUER
) -> StatusLists:
    return StatusLists(folder, log, log.size, lambda: by, issuer)


def state(folder: Path, index: int, now: int = LATER) -> str:
    """What the list says that is there."""
    place = Place.of(index)
    text = find_list(folder, place.number)
    return read_status(text, place.address(ISSUER), place.at, KEYS, now).state


def test_lists_follow_the_log(tmp_path: Path, log: FakeLog) -> None:
    with pytest.raises(NotFoundError):
        find_list(tmp_path, 0)
    blue = [log.sell(str(number)) for number in range(4)]
    kept_ = kept(tmp_path, log)
    assert kept_.step(NOON) == 2  # the log's, and the one that its next entries will be in
    assert [state(tmp_path, index) for index in range(4)] == [""] * 4
    assert kept_.step(NOON + 60) == 0  # nothing new: nothing is signed
    log.take_back(blue[1], "part")
    log.take_back(blue[3], "full")
    assert kept_.step(NOON + 120) == 1
    assert [state(tmp_path, index) for index in range(4)] == ["", "part", "", "full"]
    log.take_back(blue[1], "full")
    assert kept(tmp_path, log).step(NOON + 180) == 1  # another process
    assert state(tmp_path, 1) == "full"
    assert kept_.step(NOON + LIFE) == 2  # before they are over
    assert state(tmp_path, 1, NOON + LIFE + TTL) == "full"


def test_lists_are_made_anew_from_the_log_whatever_is_missing(tmp_path: Path, log: FakeLog) -> None:
    blue = [log.sell(str(number)) for number in range(3)]
    log.take_back(blue[0], "full")
    kept_ = kept(tmp_path, log)
    kept_.step(NOON)
    for name in ("0.bits", "state.json", "1.bits"):
        (tmp_path / name).unlink()
        kept_.step(NOON + 60)
        assert state(tmp_path, 0) == "full", name
    (tmp_path / "0.bits").write_bytes(b"torn")
    kept_.step(NOON + 120)
    assert state(tmp_path, 0) == "full"
    (tmp_path / "state.json").write_bytes(b"{")
    kept_.step(NOON + 180)
    assert state(tmp_path, 0) == "full"
    del log.entries[3:]  # an older copy of the log, put back
    kept_.step(NOON + 240)
    assert state(tmp_path, 0) == ""


def test_another_key_or_address_signs_all_of_them_anew(tmp_path: Path, log: FakeLog) -> None:
    log.take_back(log.sell("a"), "full")
    assert kept(tmp_path, log).step(NOON) == 2
    assert kept(tmp_path, log, by=OTHER).step(NOON + 60) == 2
    assert kept(tmp_path, log, issuer="https://other.example").step(NOON + 120) == 2
    assert kept(tmp_path, log).step(NOON + 180) == 2
    assert state(tmp_path, 0) == "full"


def test_a_long_log_is_read_in_parts_and_signed_at_its_end(
    tmp_path: Path, log: FakeLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list that lacks what is further on would say that it stands."""
    monkeypatch.setattr(lists, "AT_ONCE", 4)
    blue = [log.sell(str(number)) for number in range(3)]
    log.take_back(blue[0], "part")
    kept_ = kept(tmp_path, log)
    assert kept_.step(NOON) == 2
    log.take_back(blue[1], "full")
    for number in range(5):
        log.sell(f"more {number}")
    log.take_back(blue[0], "full")
    assert kept_.step(NOON + 60) == 0
    assert (state(tmp_path, 0), state(tmp_path, 1)) == ("part", "")  # as of before
    assert kept_.step(NOON + 120) == 2
    assert (state(tmp_path, 0), state(tmp_path, 1)) == ("full", "full")


def test_without_a_key_nothing_is_made(tmp_path: Path, log: FakeLog) -> None:
    def nobody() -> WalletSigner:
        raise NotFoundError("wallet_off", "no key")

    assert StatusLists(tmp_path / "none", log, log.size, nobody, ISSUER).step(NOON) == 0
    assert not (tmp_path / "none").exists()
