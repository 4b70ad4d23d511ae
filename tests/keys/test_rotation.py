"""Rotating the log's key: what is true after each command, and after a kill at any write of it."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from chain.audit.audit import audit_log
from chain.errors import Problem, RefusedError, VerificationError
from chain.log.database import SqliteLogStore
from chain.signing.checkpoint import open_checkpoint
from chain.signing.keys import LogKeys
from chain.signing.note import SIGNATURE_SIZE, VerifierKey, parse_note
from chain.signing.statement import KeyStatement, follow
from invoice_service.config import Config, load
from invoice_service.keys.rotation import Rotation
from invoice_service.services.anchoring.anchor import anchor_pending
from invoice_service.wiring import Instance, init_instance, open_instance
from tests.chain.books import drafts_from
from tests.scale import every

NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)


class Office:
    """An instance that is opened anew for each step, as another process would."""

    def __init__(self, folder: Path) -> None:
        environ = {
            "FAPIAO_SERVICE_DATA_DIR": str(folder / "main"),
            "FAPIAO_SERVICE_PUBLIC_URL": "http://rotation.test",
        }
        self.config: Config = load(None, environ)
        init_instance(self.config, clock=lambda: NOON).close()
        self.first = self.keys().signing[0]

    @contextmanager
    def instance(self) -> Iterator[Instance]:
        """The instance, as a process that starts now sees it."""
        opened = open_instance(self.config, clock=lambda: NOON)
        try:
            yield opened
        finally:
            opened.close()

    def keys(self) -> LogKeys:
        """What whoever pinned the first key makes of all statements."""
        with self.instance() as instance:
            notes = instance.keys.notes()
        first = KeyStatement.parse(notes[0]).keys.signing[0]
        return follow([first], notes)

    def do(self, command: Callable[[Rotation], KeyStatement]) -> KeyStatement:
        """Run one command of rotation."""
        with self.instance() as instance:
            return command(instance.rotation())

    def grow(self) -> None:
        """Seal one more block and publish it, as the worker does."""
        with self.instance() as instance:
            grow(instance)

    def published(self) -> bytes:
        """The file that everybody reads."""
        return (self.config.log_dir / "checkpoint").read_bytes()

    def signers(self) -> set[bytes]:
        """The ids of the keys that signed what is published."""
        lines = parse_note(self.published()).signatures
        return {one.key_id for one in lines if len(one.payload) == SIGNATURE_SIZE}

    def files(self) -> set[str]:
        """The names of the files with keys."""
        return {path.name for path in self.config.keys_dir.iterdir() if path.is_file()}

    def audit(self) -> None:
        """The whole history holds."""
        with self.instance() as instance:
            audit_log(instance.log_store, self.config.log_dir, instance.log_keys)


def grow(instance: Instance) -> None:
    """Seal one more block and publish it, with what this process has opened."""
    head = instance.log.head()
    moment = NOON + timedelta(seconds=head.height)
    instance.log.sequence(head, drafts_from(head.size, 2), sealed_at=moment, cursor=0)
    anchor_pending(instance.anchoring())


def start(rotation: Rotation) -> KeyStatement:
    return rotation.start()


def finish(rotation: Rotation) -> KeyStatement:
    return rotation.finish()


def stolen(key: VerifierKey) -> Callable[[Rotation], KeyStatement]:
    """Revoke that key."""
    return lambda rotation: rotation.revoke(key.key_id.hex())


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """An instance with one block."""
    office = Office(tmp_path)
    office.grow()
    return office


PLAIN = {"log.key", "log.vkey", "people.key", "promise.key", "promise.vkey"}


def test_a_rotation_from_end_to_end(office: Office) -> None:
    assert office.do(start).number == 2
    old, new = office.keys().signing
    assert old == office.first
    assert office.files() == {*PLAIN, "log.next.key", "log.next.vkey"}
    assert office.signers() == {old.key_id}  # nobody has published since
    office.grow()
    assert office.signers() == {old.key_id, new.key_id}
    overlap = open_checkpoint(office.published(), old)
    said = office.do(finish)
    assert said.number == 3
    assert office.files() == PLAIN
    assert office.keys().signing == (new,)
    [_, retired] = office.keys().keys
    assert retired.verifier == old
    assert retired.last is not None
    assert (retired.last.size, retired.last.root) == (overlap.size, overlap.root)
    office.grow()
    assert office.signers() == {new.key_id}
    with pytest.raises(VerificationError):
        open_checkpoint(office.published(), old)
    assert open_checkpoint(office.published(), office.keys()).size == 9
    assert (office.config.keys_dir / "log.vkey").read_text() == f"{new.text()}\n"
    assert new.text().encode() not in (office.config.keys_dir / "log.key").read_bytes()
    office.audit()


def test_each_command_again_changes_nothing(office: Office) -> None:
    assert office.do(start) == office.do(start)
    office.grow()
    assert office.do(finish) == office.do(finish)
    [new] = office.keys().signing
    assert office.do(stolen(office.first)) == office.do(stolen(office.first))
    assert office.keys().signing == (new,)
    assert office.do(stolen(new)).number == 5
    assert office.do(stolen(new)).number == 5
    assert office.do(finish).number == 5
    office.grow()
    office.audit()


def test_the_overlap_ends_only_when_both_have_signed(office: Office) -> None:
    with pytest.raises(RefusedError) as none:
        office.do(finish)
    assert none.value.code == "no_rotation"
    office.do(start)
    with pytest.raises(RefusedError) as early:
        office.do(finish)
    assert early.value.code == "rotation_not_seen"
    with office.instance() as instance:  # no new block is needed: the worker adds its line
        anchor_pending(instance.anchoring())
    assert office.do(finish).number == 3


def test_a_second_and_a_third_rotation(office: Office) -> None:
    for number in (3, 5, 7):
        office.do(start)
        office.grow()
        assert office.do(finish).number == number
        office.grow()
        office.audit()
    assert len(office.keys().keys) == 4
    with office.instance() as instance:
        newest = instance.log_key
        assert follow([newest], instance.keys.notes()) == office.keys()


def test_a_stolen_key_counts_for_nothing_and_publishing_goes_on(office: Office) -> None:
    before = office.published()
    said = office.do(stolen(office.first))
    [new] = said.keys.signing
    assert [key.revoked for key in said.keys.keys] == [False, True]
    assert office.files() == PLAIN
    assert open_checkpoint(office.published(), office.keys())  # before any worker has run
    with pytest.raises(VerificationError) as caught:
        open_checkpoint(before, office.keys())
    assert caught.value.code == "key_revoked"
    office.grow()
    assert office.signers() == {new.key_id}
    office.audit()


@pytest.mark.parametrize("which", [0, 1])
def test_one_of_two_that_sign_is_stolen(office: Office, which: int) -> None:
    """The other one goes on alone; no third key is made."""
    office.do(start)
    pair = office.keys().signing
    office.do(stolen(pair[which]))
    assert office.keys().signing == (pair[1 - which],)
    assert office.files() == PLAIN
    assert open_checkpoint(office.published(), office.keys())
    office.grow()
    assert office.signers() == {pair[1 - which].key_id}
    office.audit()


def test_a_retired_key_is_stolen_later(office: Office) -> None:
    office.do(start)
    office.grow()
    office.do(finish)
    office.grow()
    [new] = office.keys().signing
    office.do(stolen(office.first))
    assert office.keys().signing == (new,)
    assert [key.revoked for key in office.keys().keys] == [False, True]
    assert open_checkpoint(office.published(), office.keys())
    office.audit()


def test_a_key_that_is_not_the_log_s(office: Office) -> None:
    for name in ("00000000", "", "log.key", office.first.key_id.hex().upper() + "x"):
        with pytest.raises(Problem) as caught:
            office.do(lambda rotation, name=name: rotation.revoke(name))  # type: ignore[misc]
        assert caught.value.code == "no_log_key"
    assert office.keys().verifiers == (office.first,)


def test_a_checkpoint_that_is_not_of_our_blocks_is_not_signed_again(office: Office) -> None:
    """Whoever had the key may have had the database, too."""
    with office.instance() as instance:
        rotation = instance.rotation()

        class Forged(SqliteLogStore):
            def block_of_size(self, size: int) -> Any:  # noqa: ANN401 # a block
                return None

        rotation.store.__class__ = Forged
        with pytest.raises(VerificationError) as caught:
            rotation.revoke(office.first.key_id.hex())
    assert caught.value.code == "root_mismatch"
    assert [key.revoked for key in office.keys().keys] == [False]


class Killed(BaseException):
    """As if the process ended here."""


class Killing:
    """Counts what reaches the disk, and ends the process at one of them: before it, or after."""

    def __init__(self, patch: pytest.MonkeyPatch, at: int, *, after: bool) -> None:
        self.count, self._at, self._after = 0, at, after
        for name in ("fsync", "fchmod", "fdopen"):
            patch.setattr(f"chain.durable.os.{name}", self._wrap(getattr(os, name)))
        for name in ("rename", "unlink"):
            patch.setattr(Path, name, self._wrap(getattr(Path, name)))
        add = SqliteLogStore.add_signatures
        patch.setattr(SqliteLogStore, "add_signatures", self._wrap(add))

    def _wrap(self, real: Any) -> Any:  # noqa: ANN401 # any function of the system
        def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
            self.count += 1
            if self.count == self._at and not self._after:
                raise Killed
            found = real(*args, **kwargs)
            if self.count == self._at:
                raise Killed
            return found

        return call


def killed_everywhere(office: Office, tmp_path: Path, command: Callable[[Rotation], Any]) -> int:
    """Kill the command at every write in turn, each time on a copy; returns how many there were."""
    kept = tmp_path / "kept"
    shutil.copytree(office.config.data_dir, kept)
    for points in every(3, count()):
        at, after = 1 + points // 2, bool(points % 2)
        shutil.rmtree(office.config.data_dir)
        shutil.copytree(kept, office.config.data_dir)
        with pytest.MonkeyPatch.context() as patch:
            Killing(patch, at, after=after)
            try:
                office.do(command)
            except Killed:
                pass
            else:
                return points
        check_after_kill(office, command)
    raise AssertionError("there is always a next one")


def check_after_kill(office: Office, command: Callable[[Rotation], Any]) -> None:
    """What is published counts, publishing goes on, and the same command finishes."""
    said = office.keys()
    open_checkpoint(office.published(), said)
    office.grow()
    assert office.signers() == {key.key_id for key in said.signing}
    open_checkpoint(office.published(), office.keys())
    first = office.do(command)
    assert office.do(command) == first
    open_checkpoint(office.published(), office.keys())
    with office.instance() as instance:
        instance.check_keys()
        secrets = instance.log_signers()
        assert tuple(one.verifier for one in secrets) == first.keys.signing
    assert ("log.next.key" in office.files()) == (len(first.keys.signing) == 2)
    assert ("log.next.vkey" in office.files()) == (len(first.keys.signing) == 2)
    assert not [name for name in office.files() if name.endswith(".tmp") and ".key." in name]
    office.grow()
    office.audit()


@pytest.mark.slow
@pytest.mark.scaled
def test_killed_anywhere_the_start_is_finished_by_itself(office: Office, tmp_path: Path) -> None:
    assert killed_everywhere(office, tmp_path, start) > 20
    assert len(office.keys().signing) == 2


@pytest.mark.slow
@pytest.mark.scaled
def test_killed_anywhere_the_end_is_finished_by_itself(office: Office, tmp_path: Path) -> None:
    office.do(start)
    office.grow()
    assert killed_everywhere(office, tmp_path, finish) > 20
    assert len(office.keys().signing) == 1


@pytest.mark.slow
@pytest.mark.scaled
def test_killed_anywhere_a_theft_is_answered_by_the_same_command(
    office: Office, tmp_path: Path
) -> None:
    """However often it is killed, one key is revoked and one new one made."""
    assert killed_everywhere(office, tmp_path, stolen(office.first)) > 40
    assert [key.revoked for key in office.keys().keys] == [False, True]


@pytest.mark.slow
@pytest.mark.scaled
def test_killed_anywhere_also_in_an_overlap(office: Office, tmp_path: Path) -> None:
    office.do(start)
    office.grow()
    assert killed_everywhere(office, tmp_path, stolen(office.keys().signing[0])) > 20
    assert len(office.keys().keys) == 2
