"""The order of a run, and where its files are put."""

import gc
import os
import tempfile
import weakref
from pathlib import Path

import pytest

from tests import sharing
from tests.patience import PATIENCE
from tests.sharing import (
    LONGEST,
    TESTS,
    LeftOpen,
    deal,
    has_room,
    keep_temporary_files_in_memory,
)

pytest_plugins = ["pytester"]


@pytest.mark.parametrize("name", LONGEST)
def test_what_takes_longest_is_there(name: str) -> None:
    assert (TESTS / name).is_file()


def test_the_longest_come_first_then_other_slow_ones_and_no_file_is_torn(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = "import pytest\ndef test_1(): pass\n@pytest.mark.slow\ndef test_2(): pass\n"
    pytester.makepyfile(test_a="def test_1(): pass", test_b=slow, test_c="def test_1(): pass")
    pytester.makeini("[pytest]\nmarkers = slow: takes long")
    monkeypatch.setattr(sharing, "TESTS", pytester.path)
    monkeypatch.setattr(sharing, "LONGEST", ("test_c.py",))
    items, _ = pytester.inline_genitems("-p", "no:cacheprovider")
    names = [item.nodeid for item in deal(items)]
    assert names == ["test_c.py::test_1", "test_b.py::test_1", "test_b.py::test_2", *names[3:]]
    assert names[3:] == ["test_a.py::test_1"]


def test_each_process_begins_with_its_share_of_what_takes_longest(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """xdist gives the first half of the list to one of two, the second to the other."""
    longest = [f"test_{name}.py" for name in "zyxw"]
    pytester.makepyfile(**{name[:-3]: "def test_1(): pass" for name in longest})
    pytester.makepyfile(test_a="\n".join(f"def test_{number}(): pass" for number in range(5)))
    monkeypatch.setattr(sharing, "TESTS", pytester.path)
    monkeypatch.setattr(sharing, "LONGEST", tuple(longest))
    items, _ = pytester.inline_genitems("-p", "no:cacheprovider")
    names = [item.nodeid.partition("::")[0] for item in deal(items, 2)]
    assert names[:2] == ["test_z.py", "test_w.py"]
    assert names[4:6] == ["test_y.py", "test_x.py"]
    assert sorted(names) == sorted(item.nodeid.partition("::")[0] for item in items)
    for hands in (3, 7, 50):
        assert {item.nodeid for item in deal(items, hands)} == {item.nodeid for item in items}


@pytest.mark.parametrize(
    ("said", "room", "expected"),
    [(None, 0, "memory"), (None, 1 << 60, None), ("/elsewhere", 0, "/elsewhere")],
)
def test_temporary_files_are_in_memory_where_there_is_room_and_nobody_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: str | None, room: int, expected: str
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(sharing, "IN_MEMORY", tmp_path)
    monkeypatch.setattr(sharing, "ROOM", room)
    monkeypatch.delenv("TMPDIR", raising=False)
    if said is not None:
        monkeypatch.setenv("TMPDIR", said)
    keep_temporary_files_in_memory()
    assert os.environ.get("TMPDIR") == (str(tmp_path) if expected == "memory" else expected)
    assert tempfile.tempdir == (str(tmp_path) if expected == "memory" else None)


def test_a_folder_that_is_not_there_has_no_room(tmp_path: Path) -> None:
    assert has_room(tmp_path, 0)
    assert not has_room(tmp_path / "nowhere", 0)


def test_a_process_of_tests_that_ends_is_missed_though_its_stopped_fork_holds_its_pipes(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makeconftest("from tests.forks import end_forks_with_us\nend_forks_with_us()\n")
    pytester.makepyfile("""
        import os, signal
        def test_ends():
            child = os.fork()
            if not child:
                os.kill(os.getpid(), signal.SIGSTOP)
            os.waitpid(child, os.WUNTRACED)
            os._exit(1)
        def test_comes_after():
            pass
    """)
    monkeypatch.setenv("PYTHONPATH", str(TESTS.parent))
    run = pytester.runpytest_subprocess("-n1", "-p", "no:cacheprovider", timeout=PATIENCE)
    run.assert_outcomes(passed=1, failed=1)
    run.stdout.fnmatch_lines("*crashed while running*test_ends*")


def test_what_tests_leave_open_is_closed_once_there_is_much_of_it(tmp_path: Path) -> None:
    class Left:
        def __init__(self) -> None:
            self.file = (tmp_path / "left").open("w")
            self.itself = self

    left = weakref.ref(Left())
    LeftOpen(1_000_000).collect()
    assert left() is not None
    with pytest.warns(ResourceWarning):
        LeftOpen(0).collect()
    assert left() is None


def test_what_stays_open_is_looked_through_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    looked: list[int] = []
    monkeypatch.setattr(gc, "collect", lambda: looked.append(1))
    left_open = LeftOpen(2)
    for _ in range(5):
        left_open.collect()
    assert len(looked) == 1
    with (tmp_path / "a").open("w"), (tmp_path / "b").open("w"), (tmp_path / "c").open("w"):
        left_open.collect()
        left_open.collect()
    assert len(looked) == 2


def test_tests_are_no_garbage_and_what_they_leave_is() -> None:
    assert gc.isenabled()
    assert gc.get_freeze_count() > 1_000
