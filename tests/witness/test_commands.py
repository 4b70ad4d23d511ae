"""The commands of a witness's operator, run as programs: they say what they did, or why not."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from chain.signing.checkpoint import open_checkpoint
from chain.signing.note import COSIGNATURE_V1, SignerKey, VerifierKey
from chain.signing.policy import parse_policy
from chain.witness.server import read_key
from tests.chain.histories import history
from tests.patience import PATIENCE
from tests.power.tracing import trace_run
from tests.witness.running import SERVER, WitnessProcess

LOG = history(20)
KEY = LOG.keys[0].text()
NAME = "witness.example/w1"


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    command = [sys.executable, *SERVER, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)


def failed(why: str, *arguments: str | Path) -> None:
    """The command fails, says why in one line, and nothing else."""
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, ""), done
    assert why in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A new witness."""
    done = run("init", tmp_path / "witness", "--name", NAME, "--log", KEY)
    assert done.returncode == 0, done
    return tmp_path / "witness"


def test_init_makes_a_key_that_only_its_owner_reads(folder: Path, tmp_path: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == [
        "cosigned",
        "logs.policy",
        "witness-mldsa.key",
        "witness-mldsa.vkey",
        "witness.db",
        "witness.key",
        "witness.vkey",
    ]
    assert (folder / "witness.key").stat().st_mode & 0o777 == 0o600
    signer = SignerKey.parse((folder / "witness.key").read_text().strip())
    key = VerifierKey.parse((folder / "witness.vkey").read_text().strip())
    assert key == VerifierKey(NAME, COSIGNATURE_V1, signer.verifier.public)
    assert parse_policy((folder / "logs.policy").read_bytes()).logs == LOG.keys
    assert list(tmp_path.iterdir()) == [folder]  # nothing is left beside it


def test_init_prints_no_secret(tmp_path: Path) -> None:
    done = run("init", tmp_path / "witness", "--name", NAME)
    key = (tmp_path / "witness" / "witness.vkey").read_text().strip()
    assert done.stdout.splitlines()[0] == key
    other = (tmp_path / "witness" / "witness-mldsa.vkey").read_text().strip()
    assert done.stdout.count(other) == 1  # 2,600 characters, once
    assert "PRIVATE" not in done.stdout


def test_keys_are_not_the_same_twice(tmp_path: Path) -> None:
    for name in ("a", "b"):
        run("init", tmp_path / name, "--name", NAME)
    keys = {(tmp_path / name / "witness.vkey").read_text() for name in ("a", "b")}
    assert len(keys) == 2


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--name", "with space"), "key_text"),
        (("--name", "a+b"), "key_text"),
        (("--name", NAME, "--log", "garbage"), "key_text"),
        (("--name", NAME, "--log", KEY, "--log", KEY), "policy"),
    ],
)
def test_init_refuses_what_cannot_be(tmp_path: Path, arguments: tuple[str, ...], why: str) -> None:
    failed(why, "init", tmp_path / "witness", *arguments)
    assert list(tmp_path.iterdir()) == []


def test_init_replaces_nothing(folder: Path) -> None:
    key = (folder / "witness.key").read_bytes()
    failed("witness_exists", "init", folder, "--name", NAME)
    assert (folder / "witness.key").read_bytes() == key
    empty = folder.parent / "empty"
    empty.mkdir()
    assert run("init", empty, "--name", NAME).returncode == 0
    file = folder.parent / "file"
    file.touch()
    failed("witness_exists", "init", file, "--name", NAME)


@pytest.mark.slow
@pytest.mark.parametrize("kill_at", range(1, 16, 2))
def test_an_interrupted_init_leaves_no_half_witness(tmp_path: Path, kill_at: int) -> None:
    folder = tmp_path / "witness"
    command = [sys.executable, *SERVER, "init", str(folder), "--name", NAME, "--log", KEY]
    try:
        trace_run(tmp_path / "trace", command, {}, kill_at=kill_at)
    except AssertionError:
        assert folder.exists()  # there are not so many writes: it came to its end
    if folder.exists():
        assert read_key(folder / "witness.key").name == NAME
    else:
        assert run("init", folder, "--name", NAME, "--log", KEY).returncode == 0
    witness = WitnessProcess(folder).start()
    witness.cosignature(LOG.request(0, 3))
    assert witness.end() == 0


def test_serve_does_not_start_without_its_memory(folder: Path) -> None:
    (folder / "witness.db").unlink()
    failed("witness_missing", "serve", folder, "--port", "0")


def test_serve_does_not_start_with_a_key_that_others_read(folder: Path) -> None:
    (folder / "witness.key").chmod(0o640)
    failed("key_exposed", "serve", folder, "--port", "0")


def test_serve_does_not_start_with_another_key(folder: Path, tmp_path: Path) -> None:
    run("init", tmp_path / "other", "--name", NAME)
    shutil.copy(tmp_path / "other" / "witness.key", folder / "witness.key")
    failed("witness_key_differs", "serve", folder, "--port", "0")


@pytest.mark.parametrize(
    ("file", "why"), [("witness.key", "key_unreadable"), ("logs.policy", "logs_unreadable")]
)
def test_serve_needs_its_files(folder: Path, file: str, why: str) -> None:
    (folder / file).unlink()
    failed(why, "serve", folder, "--port", "0")


def test_serve_does_not_start_with_half_a_list(folder: Path) -> None:
    (folder / "logs.policy").write_text(f"log {KEY}\nlog {KEY[:30]}")
    failed("policy", "serve", folder, "--port", "0")


def test_serve_is_alone(folder: Path) -> None:
    witness = WitnessProcess(folder).start()
    failed("witness_running", "serve", folder, "--port", "0")
    failed("in use", "serve", _other(folder), "--port", witness.url.rpartition(":")[2])
    assert witness.end() == 0


def _other(folder: Path) -> Path:
    run("init", folder.parent / "other", "--name", NAME)
    return folder.parent / "other"


def test_a_log_is_added_to_the_list(folder: Path) -> None:
    other = history(9, SignerKey("other.example/log", bytes(32)))
    witness = WitnessProcess(folder).start()
    assert witness.post(other.request(0, 3)).status == 404
    witness.end()
    with (folder / "logs.policy").open("a") as file:
        file.write(f"# since today\nlog {other.keys[0].text()} https://other.example/log\n")
    witness.start()
    witness.cosignature(other.request(0, 3))
    witness.cosignature(LOG.request(0, 3))
    assert witness.end() == 0


def test_status_tells_what_was_seen_and_what_did_not_fit(folder: Path) -> None:
    assert run("status", folder).stdout == ""
    witness = WitnessProcess(folder).start()
    witness.cosignature(LOG.request(0, 5))
    assert witness.post(LOG.fork(3).request(5, 5)).status == 422
    told = json.loads(run("status", folder, "--json").stdout)  # while it is running
    (seen,), (odd,) = told["seen"], told["inconsistent"]
    assert (seen["origin"], seen["size"]) == (LOG.origin, 5)
    assert open_checkpoint(seen["note"].encode(), LOG.keys[0]) == LOG.checkpoint(5)
    assert (odd["code"], odd["size"]) == ("root_differs", 5)
    # The two together prove it: the log's signature under two roots of one size.
    assert open_checkpoint(odd["note"].encode(), LOG.keys[0]) == LOG.fork(3).checkpoint(5)
    text = run("status", folder).stdout
    assert text.startswith(f"{LOG.origin}: size 5, cosigned 20")
    assert odd["note"] in text
    assert witness.end() == 0
    failed("witness_missing", "status", folder.parent / "nowhere")


def test_a_witness_with_an_older_database_says_so_and_goes_on(folder: Path) -> None:
    witness = WitnessProcess(folder).start()
    witness.cosignature(LOG.request(0, 5))
    witness.end()
    older = (folder / "witness.db").read_bytes()
    witness.start()
    witness.cosignature(LOG.request(5, 9))
    witness.end()
    (folder / "witness.db").write_bytes(older)
    lines: list[str] = []
    witness.start(told=lines)
    assert lines[0].startswith(f"{LOG.origin}: the database was behind; back at size 9")
    assert witness.post(LOG.fork(6).request(5, 12)).body == b"9\n"
    assert witness.post(LOG.fork(6).request(9, 12)).status == 422
    witness.cosignature(LOG.request(9, 12))
    assert witness.end() == 0


def test_without_a_command_it_says_what_there_is() -> None:
    done = run()
    assert done.returncode == 2
    for command in ("init", "serve", "status"):
        assert command in run("--help").stdout
