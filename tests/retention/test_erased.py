"""The list of the erased: no copy of before brings anybody back."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from chain.commitment import parse_password_area
from chain.errors import UnavailableError
from invoice_service.domain.acts import By
from invoice_service.retention.erased import HEAD, ErasedList
from invoice_service.services.checking.audit_trail import audit_trail
from invoice_service.wiring import open_instance
from tests.api.desk import Desk

NAME = "欧阳娜娜"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Desk]:
    """A shop whose settings say where its backups are."""
    (tmp_path / "backups").mkdir()
    with Desk(tmp_path, FAPIAO_RETENTION_BACKUPS=str(tmp_path / "backups")) as desk:
        yield desk


def sold(desk: Desk, order_id: str = "T1") -> str:
    return str(desk.issue(order_id, buyer={"name": NAME})["hash"])


def erase(desk: Desk, hash_: str) -> None:
    digest = parse_password_area(hash_)
    desk.instance.keeping.erase_buyer(digest, None, By("key:1", 1_795_000_000))


def names(desk: Desk, hashes: list[str]) -> list[str]:
    """Whose they are, as the store has it."""
    found = [desk.instance.store.invoice(parse_password_area(hash_)) for hash_ in hashes]
    return [NAME if NAME.encode() in one.buyer else "" for one in found if one is not None]


def groups(place: Path) -> set[str]:
    return set(place.read_text().splitlines()[1:])


def put_back(desk: Desk, copy: Path) -> None:
    """An older database in the place of the newer one, opened as whoever starts does."""
    desk.instance.close()
    for path in desk.config.data_dir.glob("invoices.db*"):
        path.unlink()
    shutil.copy2(copy, desk.config.invoices_db)
    desk.instance = open_instance(desk.config, clock=desk.clock)


def copied(desk: Desk, folder: Path) -> Path:
    """The database as it is now, whole in one file."""
    desk.instance.store.connections.empty_log()
    return Path(shutil.copy2(desk.config.invoices_db, folder / "older.db"))


def test_an_older_copy_is_put_right_when_it_is_opened(shop: Desk, tmp_path: Path) -> None:
    hashes = [sold(shop, "T1"), sold(shop, "T2")]
    shop.issue("T3")
    copy = copied(shop, tmp_path)
    erase(shop, hashes[0])
    own, beside = shop.config.data_dir / "erased.list", tmp_path / "backups/erased.list"
    assert own.read_bytes() == beside.read_bytes()
    assert len(groups(own)) == 1
    own.unlink()  # the disk that was lost
    put_back(shop, copy)
    assert names(shop, hashes) == ["", NAME]
    assert audit_trail(shop.instance.store).erased == 1
    assert own.read_bytes() == beside.read_bytes()


def test_a_crash_before_the_list_is_made_good_by_the_next_start(shop: Desk) -> None:
    hash_ = sold(shop)
    store = shop.instance.store
    found = store.invoice(parse_password_area(hash_))
    assert found is not None
    store.erase_buyer(found.seq, f"invoice:{found.code}-{found.number}", By("key:1", 1_795_000_000))
    place = shop.config.data_dir / "erased.list"
    assert not place.exists()
    shop.instance.close()
    shop.instance = open_instance(shop.config, clock=shop.clock)
    assert len(groups(place)) == 1
    assert shop.instance.store.waiting_erasures() == []


def test_a_list_that_came_from_elsewhere_is_obeyed_not_taken_for_known(
    shop: Desk, tmp_path: Path
) -> None:
    """Names that appear beside the backups stay to be erased, though somebody erases meanwhile."""
    first, second = sold(shop, "T1"), sold(shop, "T2")
    copy = copied(shop, tmp_path)
    erase(shop, first)
    beside = tmp_path / "backups/erased.list"
    kept = beside.read_bytes()
    put_back(shop, copy)
    for place in (beside, shop.config.data_dir / "erased.list"):
        place.unlink()
    shop.instance.close()
    shutil.copy2(copy, shop.config.invoices_db)
    shop.instance = open_instance(shop.config, clock=shop.clock)
    assert names(shop, [first, second]) == [NAME, NAME]
    beside.write_bytes(kept)
    erase(shop, second)
    shop.instance.keeping.hold()
    assert names(shop, [first, second]) == ["", ""]


def test_backups_that_are_away_keep_nobody_waiting(shop: Desk, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "backups")
    erase(shop, sold(shop))
    assert not (tmp_path / "backups").exists()
    (tmp_path / "backups").mkdir()
    shop.instance.keeping.hold()
    assert not (tmp_path / "backups/erased.list").exists()  # nothing has changed
    erase(shop, sold(shop, "T2"))
    assert len(groups(tmp_path / "backups/erased.list")) == 2


@pytest.mark.parametrize(
    "bad", [b"names\n", HEAD + b"00\n", HEAD + b"0" * 64, HEAD + b"G" * 64 + b"\n"]
)
def test_a_damaged_list_is_refused_not_passed_over(tmp_path: Path, bad: bytes) -> None:
    place = tmp_path / "erased.list"
    place.write_bytes(bad)
    found = ErasedList([place], tmp_path / "lock")
    with pytest.raises(UnavailableError) as caught:
        found.groups()
    assert caught.value.code == "erased_list_unusable"


def test_two_at_once_lose_nobody(tmp_path: Path) -> None:
    place = tmp_path / "erased.list"
    one, other = (ErasedList([place], tmp_path / "lock") for _ in range(2))
    one.add({b"a" * 32})
    mark = other.add({b"b" * 32})
    assert one.groups() == {b"a" * 32, b"b" * 32}
    assert one.mark() == mark
