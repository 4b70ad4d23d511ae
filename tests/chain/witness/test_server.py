"""The witness as a program, in this process: what it makes, says and refuses, and how it ends."""

import http.client
import json
import locale
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from queue import Empty, SimpleQueue

import pytest

from chain.errors import ConflictError, MalformedError, RefusedError, UnavailableError
from chain.signing.cosignature import SubtreeCosigner
from chain.signing.note import COSIGNATURE_V1, ML_DSA_44, SignerKey, VerifierKey, parse_note
from chain.signing.policy import parse_policy
from chain.witness.database import WitnessStore
from chain.witness.server import (
    add_key,
    init,
    main,
    read_key,
    read_logs,
    read_ml_dsa_keys,
    serve,
    status,
)
from tests.chain.histories import history
from tests.patience import PATIENCE

LOG = history(12)
KEY = LOG.keys[0].text()
NAME = "witness.example/w1"
NOW = 1_800_000_000
AT = "2027-01-15T08:00:00Z"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A new witness, in a folder below one that is not there yet."""
    init(tmp_path / "deep" / "witness", NAME, [KEY])
    return tmp_path / "deep" / "witness"


class Told(SimpleQueue[str]):
    """Standard output, in lines that another thread waits for."""

    def write(self, text: str) -> int:
        self.put(text)
        return len(text)

    def flush(self) -> None:
        """Nothing waits here."""


Ask = Callable[[http.client.HTTPConnection], None]


@pytest.fixture
def handlers() -> Iterator[None]:
    """Put back what a signal did before."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def serving(
    folder: Path, monkeypatch: pytest.MonkeyPatch, number: int, ask: Ask = lambda _: None
) -> list[str]:
    """Serve until this signal, which follows once ``ask`` has asked; return what was said."""
    told, lines, wrong = Told(), list[str](), list[Exception]()

    def client() -> None:
        try:
            while " at http://" not in (line := told.get(timeout=PATIENCE)):
                lines.append(line)
            lines.append(line)
            where = line.rpartition("//")[2].strip()
            with closing(http.client.HTTPConnection(where, timeout=PATIENCE)) as connection:
                ask(connection)
        except (OSError, Empty) as error:
            wrong.append(error)
        finally:
            os.kill(os.getpid(), number)

    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", told)
        thread = threading.Thread(target=client)
        thread.start()
        serve(folder, ("127.0.0.1", 0), lambda: NOW)
        thread.join()
    assert not wrong
    return lines


def post(body: bytes, status: int) -> Ask:
    """Ask to cosign, and expect this status."""

    def ask(connection: http.client.HTTPConnection) -> None:
        connection.request("POST", "/w1/add-checkpoint", body)
        answer = connection.getresponse()
        answer.read()  # the connection serves the next one
        if answer.status != status:
            raise OSError(answer.status)

    return ask


def test_a_new_witness_is_whole_and_alone(folder: Path) -> None:
    assert sorted(path.name for path in folder.parent.iterdir()) == ["witness"]
    for name in ("witness.key", "witness-mldsa.key"):
        assert (folder / name).stat().st_mode & 0o777 == 0o600
    signer = read_key(folder / "witness.key")
    key = VerifierKey(NAME, COSIGNATURE_V1, signer.verifier.public)
    assert (folder / "witness.vkey").read_text() == f"{key.text()}\n"
    assert (folder / "logs.policy").read_text() == f"log {KEY}\nquorum none\n"
    assert read_logs(folder / "logs.policy") == LOG.keys
    with closing(WitnessStore(folder)) as store:
        assert store.claim(key) == []


def test_a_witness_has_an_ml_dsa_key_of_its_own_name(folder: Path) -> None:
    (other,) = read_ml_dsa_keys(folder)
    public = (folder / "witness-mldsa.vkey").read_text()
    assert public == f"{other.verifier.text()}\n"
    assert (other.verifier.name, other.verifier.kind) == (NAME, ML_DSA_44)
    assert SubtreeCosigner.parse(other.text()).verifier == other.verifier
    one, two = (other.cosign(LOG.checkpoint(3).to_text(), 9) for _ in range(2))
    assert one != two  # hedged, as FIPS 204 advises
    with pytest.raises(ConflictError, match=r"^key_exists\b"):
        add_key(folder)
    assert (folder / "witness-mldsa.vkey").read_text() == public


def test_a_witness_without_an_ml_dsa_key_is_given_one(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that was made before there were such keys; also after a crash in between."""
    (folder / "witness-mldsa.key").unlink()
    assert read_ml_dsa_keys(folder) == []
    old = (folder / "witness-mldsa.vkey").read_text()
    assert main(["add-key", str(folder)]) == 0
    (other,) = read_ml_dsa_keys(folder)
    assert other.verifier.text() != old.strip()
    assert (folder / "witness-mldsa.vkey").read_text() == f"{other.verifier.text()}\n"
    assert (folder / "witness-mldsa.key").stat().st_mode & 0o777 == 0o600
    head, *lines, last = capsys.readouterr().out.splitlines()
    assert head == "For a log's policy:"
    assert "".join(lines).count(other.verifier.text()) == 1  # 2,600 characters, once
    policy = parse_policy("".join(f"{line}\n" for line in [*lines, f"quorum {NAME}"]).encode())
    assert policy.witnesses[1] == other.verifier
    assert last == "It signs from the next start on."
    assert main(["add-key", str(folder)]) == 2
    assert capsys.readouterr().err.startswith("key_exists")


def test_an_ml_dsa_key_is_kept_as_the_other_one(folder: Path) -> None:
    path = folder / "witness-mldsa.key"
    path.chmod(0o640)
    with pytest.raises(RefusedError, match=r"^key_exposed\b"):
        read_ml_dsa_keys(folder)
    path.chmod(0o600)
    for text, code in (
        ((folder / "witness.key").read_text(), "key_type"),
        ("", "key_text"),
        (path.read_text()[:-6] + "\n", "key_text"),
        (path.read_text().replace("+KEY+", "+KEY+x", 1), "key_id"),
    ):
        path.write_text(text)
        with pytest.raises(MalformedError, match=rf"^{code}\b"):
            read_ml_dsa_keys(folder)


def test_a_witness_is_made_where_nothing_is(folder: Path, tmp_path: Path) -> None:
    empty, file = tmp_path / "empty", tmp_path / "file"
    empty.mkdir()
    file.write_text("")
    assert init(empty, NAME, []).name == NAME
    assert read_logs(empty / "logs.policy") == ()
    for taken in (folder, file):
        with pytest.raises(ConflictError, match=r"^witness_exists\b"):
            init(taken, NAME, [])


def test_a_witness_may_know_several_logs(tmp_path: Path) -> None:
    logs = tuple(SignerKey(f"{n}.example", bytes([n]) * 32).verifier for n in (1, 2))
    init(tmp_path / "witness", NAME, [key.text() for key in logs])
    assert read_logs(tmp_path / "witness" / "logs.policy") == logs


@pytest.mark.parametrize("logs", [["garbage"], [KEY, KEY]])
def test_a_list_of_logs_that_cannot_be(tmp_path: Path, logs: list[str]) -> None:
    with pytest.raises(MalformedError):
        init(tmp_path / "witness", NAME, logs)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", [0o640, 0o620, 0o610, 0o604, 0o602, 0o601])
def test_a_key_is_its_owners_alone(folder: Path, mode: int) -> None:
    (folder / "witness.key").chmod(mode)
    with pytest.raises(RefusedError, match=r"^key_exposed\b"):
        read_key(folder / "witness.key")
    (folder / "witness.key").chmod(0o700)
    assert read_key(folder / "witness.key").name == NAME


def test_a_key_file_holds_a_key_and_a_line_feed(folder: Path) -> None:
    path = folder / "witness.key"
    text = path.read_text()
    path.write_text(text.removesuffix("\n"))
    assert read_key(path) == SignerKey.parse(text[:-1])
    for wrong in (b"\n" + text.encode(), text.encode() + b"\n", b"\xff"):
        path.write_bytes(wrong)
        with pytest.raises(MalformedError, match=r"^key_text\b"):
            read_key(path)


def test_a_key_is_read_as_utf8_wherever_it_is(tmp_path: Path) -> None:
    key = SignerKey("\u8bc1.example", bytes(32))
    (tmp_path / "key").write_bytes(key.text().encode())
    (tmp_path / "key").chmod(0o600)
    before = locale.setlocale(locale.LC_CTYPE)
    locale.setlocale(locale.LC_CTYPE, "C")
    try:
        assert read_key(tmp_path / "key") == key
    finally:
        locale.setlocale(locale.LC_CTYPE, before)


def test_files_that_cannot_be_read_have_their_codes_and_reasons(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    with pytest.raises(UnavailableError, match=r"^key_unreadable\b.*No such file"):
        read_key(nowhere)
    with pytest.raises(UnavailableError, match=r"^logs_unreadable\b.*No such file"):
        read_logs(nowhere)


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_told_to_stop(
    folder: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    (said,) = serving(folder, monkeypatch, number, post(LOG.request(0, 5), 200))
    key = (folder / "witness.vkey").read_text().strip()
    assert said.startswith(f"witness {key}, logs known: 1, at http://127.0.0.1:")
    (seen,), odd = status(folder)
    assert (seen.checkpoint, seen.time, odd) == (LOG.checkpoint(5), NOW, [])
    with closing(WitnessStore(folder)) as store:  # the first has let go of it
        assert store.claim(VerifierKey.parse(key)) == []


@pytest.mark.usefixtures("handlers")
def test_it_signs_with_both_its_keys(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serving(folder, monkeypatch, signal.SIGTERM, post(LOG.request(0, 5), 200))
    other = VerifierKey.parse((folder / "witness-mldsa.vkey").read_text().strip())
    ((seen,), _) = status(folder)
    assert (other.name, other.key_id) in {(one.name, one.key_id) for one in seen.note.signatures}


def test_it_is_called_by_its_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([])
    assert capsys.readouterr().err.startswith("usage: python -m chain witness ")


@pytest.mark.usefixtures("handlers")
def test_what_the_database_had_lost_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = folder / "witness.db"
    older = database.read_bytes()
    serving(folder, monkeypatch, signal.SIGTERM, post(LOG.request(0, 9), 200))
    for path in folder.glob("witness.db-*"):
        path.unlink()
    database.write_bytes(older)
    lines = serving(folder, monkeypatch, signal.SIGTERM)
    assert lines[0].startswith(f"{LOG.origin}: the database was behind")
    assert lines[0].endswith(f"size 9, cosigned {AT}\n")


@pytest.mark.usefixtures("handlers")
def test_status_for_programs_and_for_people(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def ask(connection: http.client.HTTPConnection) -> None:
        post(LOG.request(0, 5), 200)(connection)
        post(LOG.fork(3).request(5, 5), 422)(connection)

    serving(folder, monkeypatch, signal.SIGTERM, ask)
    capsys.readouterr()
    assert main(["status", str(folder), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    (seen,), (odd,) = told["seen"], told["inconsistent"]
    assert set(told) == {"seen", "inconsistent"}
    assert (seen["origin"], seen["size"], seen["time"]) == (LOG.origin, 5, AT)
    assert (odd["origin"], odd["size"], odd["code"]) == (LOG.origin, 5, "root_differs")
    assert parse_note(seen["note"].encode()).text == LOG.checkpoint(5).to_text()
    assert parse_note(odd["note"].encode()).text == LOG.fork(3).checkpoint(5).to_text()
    assert (len(seen), len(odd)) == (4, 4)
    assert main(["status", str(folder)]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"{LOG.origin}: size 5, cosigned {AT}\n")
    assert f"(root_differs):\n{odd['note']}" in text


def test_init_says_the_keys_and_the_lines_for_a_policy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "witness"
    assert main(["init", str(folder), "--name", NAME, "--log", KEY]) == 0
    keys = [(folder / f"witness{kind}.vkey").read_text().strip() for kind in ("", "-mldsa")]
    first, head, *lines = capsys.readouterr().out.splitlines()
    assert (first, head) == (keys[0], "For a log's policy:")
    policy = parse_policy("".join(f"{line}\n" for line in [*lines, f"quorum {NAME}"]).encode())
    assert policy.witnesses == tuple(map(VerifierKey.parse, keys))
    assert [policy.met_by([key]) for key in policy.witnesses] == [True, True]
    assert not policy.met_by([])
    assert set(policy.urls.values()) == {"http://HOST:PORT"}
    assert read_logs(folder / "logs.policy") == LOG.keys
    assert main(["init", str(tmp_path / "none"), "--name", NAME]) == 0
    assert read_logs(tmp_path / "none" / "logs.policy") == ()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["init", "--name", NAME], "witness_exists"),
        (["init", "--name", "a b"], "key_text"),
        (["serve", "--host", "999.1.1.1"], "["),
    ],
)
def test_who_cannot_says_why_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], why: str
) -> None:
    assert main([arguments[0], str(folder), *arguments[1:]]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(why)
    assert told.err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "address"),
    [([], ("127.0.0.1", 8600)), (["--host", "::1", "--port", "0"], ("::1", 0))],
)
def test_where_it_listens(
    folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], address: tuple[str, int]
) -> None:
    asked: list[tuple[object, ...]] = []
    monkeypatch.setattr("chain.witness.server.serve", lambda *given: asked.append(given))
    assert main(["serve", str(folder), *arguments]) == 0
    ((where, listening, clock),) = asked
    assert (where, listening) == (folder, address)
    assert callable(clock)
    assert abs(clock() - time.time()) < 3600


@pytest.mark.parametrize("arguments", [[], ["init", "x"], ["serve"], ["status"], ["dance", "x"]])
def test_what_is_no_command(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
