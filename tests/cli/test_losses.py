"""An instance from which something is missing: every command works, or names what is missing.

Nothing that exists is signed, numbered or stated anew because something else was lost.
"""

import io
import json
import os
import shutil
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing, redirect_stdout
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from invoice_service.cli import run
from tests.cli.town import TAX_ID, Town

COMMANDS: tuple[tuple[str, ...], ...] = (
    ("init",),
    ("init", "--if-missing"),
    ("serve",),
    ("merchants", "list"),
    ("merchants", "quota", TAX_ID, "100"),
    ("keys", "list", "--official"),
    ("keys", "create", "--official"),
    ("keys", "log"),
    ("keys", "rotate-log"),
    ("keys", "rotate-log", "--finish"),
    ("issue", "orders.csv", "--merchant", TAX_ID),
    ("anchor",),
    ("verify", "{hash}"),
    ("proof", "{hash}", "--output", "proof.json"),
    ("report",),
    ("audit",),
    ("export", "invoices"),
    ("export", "log"),
)
WORKS = {"already_initialised", "port_in_use", "no_rotation", "rotation_not_seen"}
"""Codes of commands that have looked at a whole instance, and have nothing to do."""

PASSING = ("run", "output", "broker")
"""What every run makes anew."""


def is_kept(path: str) -> bool:
    """Whether a file of the data folder must outlive a loss elsewhere."""
    return path.split("/")[0] not in PASSING and not path.endswith(("-wal", "-shm", "-turn"))


FILES = (
    *("invoices.db", "log.db", "keys", "keys/log.key", "keys/log.next.key", "keys/log.next.vkey"),
    *(
        "keys/people.key",
        "keys/log.vkey",
        "keys/promise.key",
        "keys/promise.vkey",
        "keys/statements",
    ),
    *("keys/statements", "keys/statements/1.note", "keys/statements/2.note", "log", "log/tile"),
    "log/checkpoint",
    *("log/tile/0", "log/tile/0/000.p", "log/tile/0/000.p/5", "log/tile/entries"),
    *("log/tile/entries/000.p", "log/tile/entries/000.p/5", "broker", "run"),
)
HALVES = ("invoices.db", "log.db", "keys", "log")
GOES_ON_WITHOUT = {
    "run",
    "broker",
    "keys/people.key",
    *(name for name in FILES if name.endswith(".vkey") or name.startswith("log/tile")),
}
"""What is made again from the rest, or at every start, or missed only by whoever signs in."""


class Instance:
    """An instance, and what the commands say about it."""

    def __init__(self, town: Town, hash_: str) -> None:
        self.town = town
        self.data = town.folder / "var/main"
        self.hash = hash_

    def answers(self) -> Iterator[tuple[tuple[str, ...], int, str]]:
        """Each command, its exit status, and what it printed."""
        for command in COMMANDS:
            status, out, err = self.town.tried(*(word.format(hash=self.hash) for word in command))
            code = err.removeprefix("error: ").partition(":")[0]
            yield command, 0 if code in WORKS else status, out + err

    def refused_by_all(self) -> set[str]:
        """The errors of all commands, none of which may work or change anything."""
        before = files(self.data)
        found = set()
        for command, status, said in self.answers():
            assert status == 3, (command, status, said)
            found.add(said)
        assert files(self.data) == before
        return found


def files(data: Path) -> dict[str, bytes]:
    """Every file that is kept, by its place below ``data``."""
    found = {str(path.relative_to(data)): path for path in data.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if is_kept(name)}


TABLES = (
    ("invoices.db", "invoices", "seq"),
    ("log.db", "entries", "idx"),
    ("log.db", "checkpoints", "size"),
    ("log.db", "blocks", "height"),
)


def history(data: Path) -> dict[str, list[Any]]:
    """What was numbered and signed, in order."""
    found = {}
    for file, table, order in TABLES:
        with closing(sqlite3.connect(data / file)) as connection:
            query = f"SELECT * FROM {table} ORDER BY {order}"
            found[table] = connection.execute(query).fetchall()
    return found


def remove(path: Path) -> None:
    """A file, or a folder with all in it."""
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def made(place: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Make an instance in ``place``; returns the hash of its first invoice.

    Invoices in the log and pending, in the middle of a rotation of the log's key.
    """
    for name in [name for name in os.environ if name.startswith("FAPIAO_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(place)
    (place / "config.toml").write_text('[service]\npublic_url = "https://fapiao.test"\n')
    header = "order_id,time,item,quantity,unit_price,tax_rate"
    for name, count in (("orders.csv", 3), ("more.csv", 5)):
        rows = [f"o{n},2026-11-28,*餐饮服务*餐费,1,113.00,0.06" for n in range(1, count + 1)]
        (place / name).write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    merchant = ("--tax-id", TAX_ID, "--name", "餐厅", "--industry", "6210", "--district", "440303")
    with redirect_stdout(io.StringIO()):
        for command in (
            ("init",),
            ("merchants", "add", *merchant),
            ("issue", "orders.csv", "--merchant", TAX_ID),
            ("anchor",),
            ("keys", "rotate-log"),
            ("issue", "more.csv", "--merchant", TAX_ID),
        ):
            assert run(command) == 0, command
    (place / "var/main/run").mkdir(exist_ok=True)
    first = (place / "orders.csv.results.ndjson").read_text(encoding="utf-8").splitlines()[0]
    hash_: str = json.loads(first)["hash"]
    return hash_


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, str]:
    """Two instances of one name, each with the hash of its first invoice."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        places = [tmp_path_factory.mktemp(name) for name in ("mine", "other")]
        return {place: made(place, monkeypatch) for place in places}


@pytest.fixture
def whole(
    empty: Town, pristine: dict[Path, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Instance]:
    """A copy of the first of them."""
    mine = next(iter(pristine))
    shutil.copytree(mine, empty.folder, dirs_exist_ok=True)
    with socket.create_server(("127.0.0.1", 0)) as listener:  # `serve` gets as far as this port
        monkeypatch.setenv("FAPIAO_WEB_PORT", str(listener.getsockname()[1]))
        yield Instance(empty, pristine[mine])


def test_everything_works_while_nothing_is_missing(whole: Instance) -> None:
    for command, status, said in whole.answers():
        assert status == 0, (command, said)


def test_these_are_all_the_files_and_folders(whole: Instance) -> None:
    found = {str(path.relative_to(whole.data)) for path in whole.data.rglob("*")}
    assert {name for name in found if is_kept(name)} | {"broker", "run"} == set(FILES)


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_each_file_and_folder_in_turn(whole: Instance, name: str) -> None:
    before, signed = files(whole.data), history(whole.data)
    remove(whole.data / name)
    left = files(whole.data)
    refused = 0
    for command, status, said in whole.answers():
        assert status in {0, 3} or command == ("audit",), (command, status, said)
        if status:
            refused += 1
            assert name in said or Path(name).name in said, (command, said)
    assert bool(refused) != (name in GOES_ON_WITHOUT)
    after = files(whole.data)
    fixed = [one for one in left if one.startswith("keys/")]
    assert {one: after[one] for one in fixed} == {one: left[one] for one in fixed}
    if refused < len(COMMANDS):
        # Those that work go on from what there was.
        assert {one for one in after if one.startswith("keys/")} <= set(before)
        for table, found in history(whole.data).items():
            assert found[: len(signed[table])] == signed[table], table
    else:
        assert after == left


@pytest.mark.slow
@pytest.mark.parametrize("kept", list(product((True, False), repeat=len(HALVES)))[1:-1], ids=str)
def test_every_part_of_it_alone_and_with_others(whole: Instance, kept: tuple[bool, ...]) -> None:
    gone = [name for name, stays in zip(HALVES, kept, strict=True) if not stays]
    for name in gone:
        remove(whole.data / name)
    for said in whole.refused_by_all():
        assert "instance_incomplete" in said
        for name in gone:
            assert name in said


def test_without_its_keys_the_sentence_says_what_to_do(whole: Instance) -> None:
    remove(whole.data / "keys")
    said = whole.town.refusal("init", "--if-missing", status=3)
    assert "the keys of this instance are missing: put keys/ back" in said


@pytest.mark.slow
@pytest.mark.parametrize("mine", list(product((True, False), repeat=len(HALVES)))[1:-1], ids=str)
def test_parts_of_two_instances_are_never_taken_for_one(
    whole: Instance, pristine: dict[Path, str], mine: tuple[bool, ...]
) -> None:
    other = list(pristine)[1] / "var/main"
    for name, stays in zip(HALVES, mine, strict=True):
        if not stays:
            remove(whole.data / name)
            copy = shutil.copytree if (other / name).is_dir() else shutil.copy2
            copy(other / name, whole.data / name)
    before = files(whole.data)
    for command, status, said in whole.answers():
        if command != ("audit",):  # which says what is wrong, with 1
            assert status == 3, (command, status, said)
        assert status, said
    assert files(whole.data) == before
