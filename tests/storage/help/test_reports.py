"""Reports are kept within bounds, and what is erased is in no file any more."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from invoice_service.services.help.ports import Sent
from invoice_service.storage.help import Bounds, HelpStore
from tests.api.desk import START

NOW = int(START.timestamp())
DAY = 86_400
BOUNDS = Bounds(reports=5, picture_bytes=1000, days=10, contact_days=5, scan_days=20)
SECRET = "13800001111"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[HelpStore]:
    with_bounds = HelpStore(tmp_path / "help", BOUNDS)
    yield with_bounds
    with_bounds.close()


def add(store: HelpStore, number: int, *pictures: int, at: int = NOW, contact: str = "") -> None:
    """Report ``number``, with pictures of these sizes."""
    sent = Sent(said=f"slip {number}", contact=contact)
    data = [bytes([number]) * size for size in pictures]
    assert store.add_report(bytes([number]) * 32, sent, data, at)


def kept(store: HelpStore) -> dict[int, int]:
    """How many pictures each report has that is there."""
    return {one.id: len(one.pictures) for one in store.reports(None, 0, 99)}


def files(tmp_path: Path) -> set[str]:
    return {path.name for path in (tmp_path / "help" / "pictures").iterdir()}


def test_nothing_is_made_before_there_is_something_to_keep(
    store: HelpStore, tmp_path: Path
) -> None:
    store.tidy(NOW)
    assert not (tmp_path / "help").exists()
    add(store, 1, 10)
    assert (tmp_path / "help").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "help" / "help.db").stat().st_mode & 0o777 == 0o600
    assert store.picture(1, 1) == b"\x01" * 10
    assert store.picture(1, 2) is store.picture(2, 1) is None


def test_where_there_are_too_many_the_oldest_go_closed_ones_first(
    store: HelpStore, tmp_path: Path
) -> None:
    for number in range(1, 6):
        add(store, number, 1)
    store.judge(3, "closed", "", NOW)
    add(store, 6)
    assert set(kept(store)) == {1, 2, 4, 5, 6}
    add(store, 7)
    assert set(kept(store)) == {2, 4, 5, 6, 7}
    assert files(tmp_path) == {"2-1.jpg", "4-1.jpg", "5-1.jpg"}
    assert store.counts() == {"new": 5, "seen": 0, "closed": 0}


def test_pictures_take_a_bounded_room_and_the_report_stays(
    store: HelpStore, tmp_path: Path
) -> None:
    add(store, 1, 300, 300)
    add(store, 2, 300)
    add(store, 3, 200)
    assert kept(store) == {1: 0, 2: 1, 3: 1}
    assert files(tmp_path) == {"2-1.jpg", "3-1.jpg"}
    store.judge(3, "closed", "", NOW)
    add(store, 4, 900)
    assert kept(store) == {1: 0, 2: 0, 3: 0, 4: 1}
    add(store, 5, 2000)  # what has just come stays, whatever it takes
    assert kept(store)[5] == 1


def test_what_a_crash_left_behind_goes_with_the_next_report(
    store: HelpStore, tmp_path: Path
) -> None:
    add(store, 1, 10)
    pictures = tmp_path / "help" / "pictures"
    for name in ("9-1.jpg", "1-2.jpg", ".1-1.jpg.x.tmp"):
        (pictures / name).write_bytes(b"x")
    add(store, 2)
    assert files(tmp_path) == {"1-1.jpg"}


@pytest.mark.parametrize("way", ["contact", "all", "days", "report"])
def test_what_is_erased_is_in_no_file(store: HelpStore, tmp_path: Path, way: str) -> None:
    add(store, 1, 10, contact=SECRET)
    assert any(SECRET.encode() in path.read_bytes() for path in (tmp_path / "help").glob("help*"))
    if way == "days":
        store.tidy(NOW + 6 * DAY)
        assert store.report(1) is not None
    elif way == "report":
        store.tidy(NOW + 11 * DAY)
        assert store.report(1) is None
        assert files(tmp_path) == set()
    else:
        store.erase(1, "contact" if way == "contact" else "all")
        assert files(tmp_path) == ({"1-1.jpg"} if way == "contact" else set())
    for path in (tmp_path / "help").glob("help*"):
        assert SECRET.encode() not in path.read_bytes(), path


def test_two_processes_make_it_once(tmp_path: Path) -> None:
    one, other = (HelpStore(tmp_path / "help", BOUNDS) for _ in range(2))
    add(one, 1)
    add(other, 2)
    assert set(kept(one)) == set(kept(other)) == {1, 2}
    assert not other.add_report(bytes([1]) * 32, Sent(said=""), [b"x"], NOW)
    one.close()
    other.close()


def test_it_is_read_by_state_and_in_pages(store: HelpStore) -> None:
    for number in range(1, 5):
        add(store, number)
    store.judge(2, "seen", "", NOW)
    assert [one.id for one in store.reports("new", 0, 2)] == [1, 3]
    assert [one.id for one in store.reports("new", 3, 2)] == [4]
    assert [one.id for one in store.reports("seen", 0, 9)] == [2]
