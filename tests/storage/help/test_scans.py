"""Counts of scans: by invoice and day, as many rows a day as there is room for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from invoice_service.services.help.ports import OTHERS, UNKNOWN, Counted, Scans
from invoice_service.storage.help import HelpStore, scans
from tests.storage.help.test_reports import BOUNDS, DAY, NOW

FIRST, SECOND = "2026-11-21", "2026-11-22"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[HelpStore]:
    found = HelpStore(tmp_path / "help", BOUNDS)
    yield found
    found.close()


def test_they_add_up_over_days_with_the_most_first(store: HelpStore) -> None:
    store.count_scans([Counted(FIRST, "a", 1, 2), Counted(FIRST, UNKNOWN, 0, 5)])
    store.count_scans([Counted(FIRST, "a", 1, 1), Counted(SECOND, "b", 2, 9)])
    store.count_scans([Counted(SECOND, "a", 1, 1)])
    assert store.scans(FIRST, SECOND, 9) == [
        Scans("b", 2, 9, SECOND, SECOND),
        Scans("a", 1, 4, FIRST, SECOND),
    ]
    assert store.scans(FIRST, FIRST, 9) == [Scans("a", 1, 3, FIRST, FIRST)]
    assert store.scans(FIRST, SECOND, 1) == [Scans("b", 2, 9, SECOND, SECOND)]
    assert store.scans(FIRST, SECOND, 9, merchant=1) == [Scans("a", 1, 4, FIRST, SECOND)]
    assert store.scans_of(UNKNOWN, FIRST, SECOND) == 5
    assert store.scans_of("a", SECOND, SECOND) == 1


def test_a_day_has_a_bounded_number_of_rows(
    store: HelpStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scans, "ROWS_A_DAY", 3)
    many = [Counted(FIRST, f"invoice {number}", 1, 1) for number in range(10)]
    store.count_scans(many)
    store.count_scans([*many, Counted(SECOND, "x", 1, 1)])
    assert len(store.scans(FIRST, FIRST, 99)) == 3
    assert {one.count for one in store.scans(FIRST, FIRST, 99)} == {2}
    assert store.scans_of(OTHERS, FIRST, SECOND) == 14
    assert store.scans(SECOND, SECOND, 9) == [Scans("x", 1, 1, SECOND, SECOND)]


def test_old_days_go(store: HelpStore) -> None:
    store.count_scans([Counted(FIRST, "a", 1, 1), Counted(SECOND, "a", 1, 1)])
    store.tidy(NOW + 21 * DAY)
    assert store.scans(FIRST, SECOND, 9) == [Scans("a", 1, 1, SECOND, SECOND)]
