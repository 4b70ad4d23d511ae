"""The folder as a broker: messages whole or not at all, and no trouble that ends a worker."""

import json
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from kombu.connection import Connection
from kombu.exceptions import ChannelError

from tests.patience import PATIENCE
from workers.folder import Transport


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where messages are; nobody has made it yet."""
    return tmp_path / "data" / "broker"


class Box:
    """A queue as Celery uses it: a connection, and what one does with its channel."""

    def __init__(self, folder: Path) -> None:
        options = {
            "data_folder_in": str(folder),
            "data_folder_out": str(folder),
            "polling_interval": 0.01,
        }
        connect: Any = Connection
        self.connection = connect(
            "filesystem://localhost", transport=Transport, transport_options=options
        )
        self.channel: Any = self.connection.default_channel

    def send(self, word: str, queue: str = "q", **changes: object) -> None:
        """Put a task with one argument where it is taken from."""
        message = self.channel.prepare_message(
            json.dumps([[word], {}, {}]).encode(),
            content_type="application/json",
            content_encoding="utf-8",
            headers={"task": "say", "id": word},
        )
        self.channel.basic_publish({**message, **changes}, exchange="", routing_key=queue)

    def take(self, queue: str = "q") -> str | None:
        """Take the next task and return its argument; None when there is none."""
        message = self.channel.basic_get(queue, no_ack=True)
        return None if message is None else str(message.decode()[0][0])

    def size(self, queue: str = "q") -> int:
        """Count the messages that wait."""
        return int(self.channel.queue_declare(queue, passive=True).message_count)


@pytest.fixture
def box(folder: Path) -> Iterator[Box]:
    """A queue in the folder."""
    box = Box(folder)
    yield box
    box.connection.release()


def test_messages_come_out_in_the_order_in_which_they_went_in(box: Box) -> None:
    for word in ("one", "two", "three"):
        box.send(word)
    assert [box.take() for _ in range(4)] == ["one", "two", "three", None]


def test_a_message_is_taken_once(box: Box, folder: Path) -> None:
    other = Box(folder)
    for number in range(20):
        box.send(str(number))
    taken = [each.take() for _ in range(10) for each in (box, other)]
    other.connection.release()
    assert sorted(taken, key=lambda word: int(word or -1)) == [str(n) for n in range(20)]
    assert list(folder.iterdir()) == []


def test_queues_are_apart(box: Box) -> None:
    box.send("mine", "mine")
    box.send("yours", "not.mine")
    assert box.size("mine") == 1
    assert box.take("mine") == "mine"
    assert box.take("mine") is None
    assert box.take("not.mine") == "yours"


def test_a_folder_that_is_not_there_is_an_empty_queue(box: Box) -> None:
    assert box.take() is None
    assert box.size() == 0
    assert box.channel.queue_purge("q") == 0


def test_a_folder_that_is_not_there_is_made(box: Box, folder: Path) -> None:
    box.send("first")
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    box.send("second")
    assert box.take() == "second"


def test_draining_survives_the_folder(box: Box, folder: Path) -> None:
    """What a worker does all day; kombu's own transport raises FileNotFoundError here."""
    got: list[str] = []
    box.channel.basic_consume(
        "q", no_ack=True, callback=lambda m: got.append(m.body), consumer_tag="t"
    )
    connection = box.channel.connection
    with pytest.raises(TimeoutError):
        connection.drain_events(connection, timeout=0.05)
    box.send("here again")
    connection.drain_events(connection, timeout=PATIENCE)
    assert len(got) == 1


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"null",
        b"[]",
        b'"text"',
        b"7",
        b"{}",
        b'{"body": "x", "properties": {}}',
        b'{"body": "a", "properties": {"delivery_tag": "1", "body_encoding": "base64"}}',
        b'{"body": 7, "properties": {"delivery_tag": "1", "body_encoding": "base64"}}',
        b'{"body": "x", "properties": "y"}',
        b'{"body": "W10=", "properties": {"delivery_tag": "1", "body_encoding": "base64"}}',
    ],
)
def test_what_is_no_message_is_dropped_and_the_next_is_read(
    box: Box, folder: Path, data: bytes
) -> None:
    """A kill or a full disk cuts a message short; a stranger may put anything here."""
    folder.mkdir(parents=True)
    (folder / "00_bad.q.msg").write_bytes(data)
    box.send("good")
    assert box.take() == "good"
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"content-type": "application/x-python-serialize"},
        {"content-type": "text/plain"},
        {"body": "{}"},
        {"body": "[[], {}]"},
        {"body": "[{}, [], {}]"},
        {"body": "not JSON"},
        {"headers": {}},
        {"headers": {"task": 7, "id": "1"}},
        {"headers": {"task": "say"}},
        {"headers": []},
    ],
)
def test_what_is_no_task_is_dropped(box: Box, changes: dict[str, Any]) -> None:
    """Celery 5.7 ends when it meets some of these."""
    box.send("bad", **changes)
    box.send("good")
    assert box.take() == "good"


@pytest.mark.parametrize("cut", range(0, 200, 13))
def test_a_message_cut_anywhere_is_dropped(box: Box, folder: Path, cut: int) -> None:
    box.send("whole")
    (path,) = folder.iterdir()
    path.write_bytes(path.read_bytes()[:cut])
    assert box.take() is None


def test_half_a_message_is_never_seen(
    box: Box, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between writing and naming: the message is not there, and nothing trips over it."""

    class Killed(BaseException):
        pass

    def kill(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", kill)
        with pytest.raises(Killed):
            box.send("half")
    assert len(list(folder.iterdir())) == 1
    assert box.take() is None
    assert box.size() == 0
    box.send("whole")
    assert box.take() == "whole"


def test_a_folder_that_cannot_be_made_is_the_channels_error(tmp_path: Path) -> None:
    """Celery logs it and goes on; beat tries again a second later."""
    (tmp_path / "data").write_text("a file where a folder should be")
    box = Box(tmp_path / "data" / "broker")
    with pytest.raises(ChannelError):
        box.send("lost")
    box.connection.release()


def test_a_disk_that_is_full_leaves_no_rubbish(
    box: Box, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", full)
        with pytest.raises(ChannelError, match="No space"):
            box.send("lost")
    assert list(folder.iterdir()) == []


def test_a_stranger_queue_file_is_left_alone(box: Box, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "README").write_text("put here by somebody")
    assert box.take() is None
    assert (folder / "README").exists()


def test_purging_empties_one_queue(box: Box) -> None:
    for queue in ("a", "a", "b"):
        box.send("x", queue)
    assert box.channel.queue_purge("a") == 2
    assert (box.take("a"), box.take("b")) == (None, "x")


def test_declaring_a_queue_writes_no_file_of_exchanges(
    box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kombu keeps one, and a worker that finds it cut short does not start."""
    monkeypatch.chdir(tmp_path)  # that is where kombu would put it
    box.channel.exchange_declare("tasks", "direct")
    box.channel.queue_declare("q")
    box.channel.queue_bind("q", "tasks", "q")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_nothing_there_is_empty_as_kombu_says_it(box: Box) -> None:
    with pytest.raises(Empty):
        box.channel._get("q")


def test_a_message_is_one_json_document(box: Box, folder: Path) -> None:
    box.send("发票")
    (path,) = folder.iterdir()
    found: dict[str, Any] = json.loads(path.read_bytes())
    assert {"body", "headers", "properties"} <= found.keys()
