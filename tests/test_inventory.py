"""Whether a data folder is one whole instance, also one from before there were marks."""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from chain.errors import Problem
from invoice_service.config import Config, Log, Service
from invoice_service.inventory import UNFINISHED
from invoice_service.services.anchoring.anchor import anchor_pending
from invoice_service.wiring import Instance, init_instance, open_instance
from tests.cli.conftest import empty as empty
from tests.cli.conftest import made_town as made_town
from tests.cli.conftest import town as town
from tests.cli.town import Town

GUARD = "meta_no_delete"


def config_at(folder: Path) -> Config:
    """Settings of an instance in ``folder``."""
    return Config(service=Service(data_dir=str(folder), public_url="http://a.example"))


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A new instance."""
    config = config_at(tmp_path / "data")
    init_instance(config).close()
    return config


def code_of(call: Callable[[], Instance]) -> str:
    """The error of opening or making an instance."""
    with pytest.raises(Problem) as caught:
        call()
    return caught.value.code


def opening(config: Config) -> str:
    """The error of opening; making it must say the same, for nothing is made beside it."""
    code = code_of(lambda: open_instance(config))
    assert code_of(lambda: init_instance(config)) == code
    return code


def unmark(data: Path) -> None:
    """Make the databases what they were before they knew whose they are."""
    with closing(sqlite3.connect(data / "log.db", isolation_level=None)) as log:
        query = "SELECT sql FROM sqlite_master WHERE name = ?"
        (guard,) = log.execute(query, (GUARD,)).fetchone()
        log.execute(f"DROP TRIGGER {GUARD}")
        log.execute("DELETE FROM meta WHERE name <> 'origin'")
        log.execute(guard)
    with closing(sqlite3.connect(data / "invoices.db", isolation_level=None)) as invoices:
        invoices.execute("DROP TABLE instance")
        invoices.execute("DELETE FROM _sqlite_migrations WHERE name = 'whose'")


def marks(config: Config) -> tuple[str | None, str | None]:
    """What the databases say of whose they are."""
    with closing(open_instance(config)) as instance:
        return instance.log_store.instance(), instance.store.instance()


def test_both_databases_know_whose_they_are(config: Config) -> None:
    with closing(open_instance(config)) as instance:
        mark = instance.keys.mark()
    assert marks(config) == (mark, mark)


def test_an_instance_from_before_there_were_marks_is_opened_and_marked(config: Config) -> None:
    before = marks(config)
    unmark(config.data_dir)
    assert marks(config) == before


def test_unmarked_parts_of_two_instances_are_told_apart_by_signature(
    config: Config, tmp_path: Path
) -> None:
    other = config_at(tmp_path / "other")
    init_instance(other).close()
    for one in (config, other):
        unmark(one.data_dir)
    shutil.copy2(other.log_db, config.log_db)
    assert opening(config) == "instance_mixed"


def test_unmarked_invoices_of_another_instance_are_told_apart_by_the_log(
    town: Town, tmp_path: Path
) -> None:
    town.sell(2)
    town.run("anchor")
    data, mine = town.folder / "var/main", tmp_path / "mine"
    data.rename(mine)
    town.run("init")
    town.admit()
    town.sell(2)
    shutil.copy2(data / "invoices.db", mine / "invoices.db")
    shutil.rmtree(data)
    mine.rename(data)
    unmark(data)
    assert "instance_mixed" in town.refusal("anchor", status=3)


def test_keys_from_before_a_rotation_sign_nothing(town: Town) -> None:
    data = town.folder / "var/main"
    older = town.folder / "keys"
    town.run("anchor")
    shutil.copytree(data / "keys", older)
    town.run("keys", "rotate-log")
    town.run("anchor")
    town.run("keys", "rotate-log", "--finish")
    town.sell(1)
    town.run("anchor")
    shutil.rmtree(data / "keys")
    shutil.copytree(older, data / "keys")
    assert "keys/statements/2.note, keys/statements/3.note" in town.refusal("anchor", status=3)
    unmark(data)  # where nobody remembers what was stated
    unmarked = town.refusal("anchor", status=3)
    assert "instance_mixed" in unmarked


def test_a_blank_database_in_the_place_of_one_is_never_filled(config: Config) -> None:
    for path in (config.invoices_db, config.log_db):
        kept = path.read_bytes()
        path.unlink()
        with closing(sqlite3.connect(path)) as blank:
            blank.execute("CREATE TABLE other (id INTEGER)")
        assert opening(config) == "instance_mixed", path
        path.write_bytes(b"")
        assert opening(config) == "instance_incomplete", path
        path.write_bytes(kept)
    open_instance(config).close()


def test_a_promise_key_of_another_instance_is_not_used(config: Config, tmp_path: Path) -> None:
    other = config_at(tmp_path / "other")
    init_instance(other).close()
    shutil.copy2(other.keys_dir / "promise.key", config.keys_dir / "promise.key")
    with closing(open_instance(config)) as instance, pytest.raises(Problem, match="promise"):
        instance.check_keys()


def test_an_interrupted_init_is_not_gone_on_with_beside_invoices(town: Town) -> None:
    town.sell(1)
    data = town.folder / "var/main"
    shutil.rmtree(data / "keys")
    (data / UNFINISHED).touch()
    assert "init_unfinished" in town.refusal("anchor", status=3)
    assert "instance_mixed" in town.refusal("init", status=3)
    assert not (data / "keys/log.key").exists()


def test_several_inits_at_once_make_one_instance(tmp_path: Path) -> None:
    environ = {"FAPIAO_SERVICE_DATA_DIR": str(tmp_path / "data"), "PATH": ""}
    command = [sys.executable, "-m", "invoice_service.cli", "init", "--json"]
    started = [
        subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    said = [process.communicate() for process in started]
    assert sorted(process.returncode for process in started) == [0, 1, 1, 1], said
    assert sum(b"already_initialised" in err for _, err in said) == 3


def test_another_name_in_the_settings_is_refused_with_the_remedy(config: Config) -> None:
    moved = Config(service=Service(data_dir=str(config.data_dir), public_url="http://b.example"))
    with pytest.raises(Problem) as caught:
        open_instance(moved)
    assert caught.value.code == "origin_differs"
    assert 'set log.origin = "a.example/log"' in caught.value.detail
    open_instance(Config(service=moved.service, log=Log(origin="a.example/log"))).close()


def test_what_was_anchored_under_an_older_version_goes_on(config: Config) -> None:
    unmark(config.data_dir)
    with closing(open_instance(config)) as instance:
        assert anchor_pending(instance.anchoring()).published == 0


def test_lost_tiles_are_rebuilt_or_named_before_anything_is_published(town: Town) -> None:
    town.sell(300)
    town.run("anchor")
    log = town.folder / "var/main/log"
    paths = [log / "tile/0/000", log / "tile/entries/000"]
    before = [path.read_bytes() for path in paths]
    for path in paths:
        path.unlink()
    town.run("anchor")
    assert [path.read_bytes() for path in paths] == before
    with closing(sqlite3.connect(town.folder / "var/main/log.db")) as base, base:
        (trigger,) = base.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'entries'"
            " AND sql LIKE '%UPDATE%'"
        ).fetchone()
        base.execute(f"DROP TRIGGER {trigger}")
        base.execute("UPDATE entries SET entry = x'00' WHERE idx = 7")
    paths[1].unlink()
    signed = (log / "checkpoint").read_bytes()
    for command in ("anchor", "serve"):
        said = town.refusal(command, status=3)
        assert "instance_incomplete" in said
        assert "log/tile/entries/000" in said
    assert (log / "checkpoint").read_bytes() == signed
