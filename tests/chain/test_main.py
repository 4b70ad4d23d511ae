"""``python -m chain verify``: says yes or no, loads this package alone, prints nothing strange."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from chain.commitment import anchor, password_area
from chain.hashing import sha256
from chain.proof.promise import sign_group
from chain.signing.keys import LogKey, LogKeys
from chain.signing.note import SignerKey
from chain.signing.statement import KeyStatement
from tests.chain.books import NOON, ORIGIN, SIGNER
from tests.chain.forged import with_everything
from tests.patience import PATIENCE

KEY = SIGNER.verifier
EVERYTHING = with_everything().to_bytes()


def _run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own; it prints which modules it loaded, last."""
    program = (
        "import runpy, sys\n"
        "try: runpy.run_module('chain', run_name='__main__', alter_sys=True)\n"
        "finally: print('LOADED', *sorted({name.split('.')[0] for name in sys.modules}))\n"
    )
    root = Path(__file__).resolve().parents[2]
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
        cwd=root,
        env={**os.environ, "LC_ALL": "C"},
    )


@pytest.fixture
def proof_file(tmp_path: Path) -> Path:
    """A good proof on disk."""
    path = tmp_path / "12345678.fapiao.json"
    path.write_bytes(with_everything().to_bytes())
    return path


def test_the_command_says_yes_and_needs_only_this_package(proof_file: Path) -> None:
    result = _run("verify", proof_file, "--key", KEY.text())
    assert result.returncode == 0, result.stderr
    assert "PROVED\n" in result.stdout
    assert "7. the state map as of that seal says this of the document: yes" in result.stdout
    assert "block 3, sealed 2026-11-21T04:00:00Z" in result.stdout
    assert "reimbursement locked" in result.stdout
    loaded = set(result.stdout.rpartition("LOADED ")[2].split())
    assert "chain" in loaded
    foreign = {"invoice_service", "workers", "sqlite_utils", "sqlite3", "flask", "celery", "socket"}
    assert not loaded & foreign


def test_the_command_prints_for_programs(proof_file: Path) -> None:
    result = _run("verify", proof_file, "--key", KEY.text(), "--json")
    answer = json.loads(result.stdout.splitlines()[0])
    assert answer["proved"] is True
    assert answer["hash"] == json.loads(EVERYTHING)["hash"]
    assert answer["sealed_at"] == "2026-11-21T04:00:00Z"
    assert [step["number"] for step in answer["steps"]] == [1, 2, 3, 4, 5, 6, 7]


def test_the_command_says_no_and_where(proof_file: Path) -> None:
    proof_file.write_bytes(EVERYTHING.replace(b'"reimbursement":"locked"', b'"pledge":"pledged"'))
    result = _run("verify", proof_file, "--key", KEY.text())
    assert result.returncode == 1
    assert "NOT PROVED at step 7" in result.stdout
    answer = json.loads(
        _run("verify", proof_file, "--key", KEY.text(), "--json").stdout.split("\n")[0]
    )
    assert answer == {
        "proved": False,
        "code": "state_root",
        "detail": "the state proof leads to another root",
        "step": 7,
    }


@pytest.mark.parametrize("content", [b"", b"\x1b[2J", b'{"\\u001b[2J":1}', b"x" * 2_000_000])
def test_what_is_no_proof_was_not_judged(proof_file: Path, content: bytes) -> None:
    proof_file.write_bytes(content)
    result = _run("verify", proof_file, "--key", KEY.text())
    assert result.returncode == 2
    assert "PROVED" not in result.stdout
    assert result.stderr.startswith("no proof file, or a damaged one: ")
    assert "\x1b" not in result.stderr


def test_the_command_refuses_another_key(proof_file: Path) -> None:
    other = SignerKey(ORIGIN, bytes(32)).verifier.text()
    assert _run("verify", proof_file, "--key", other).returncode == 1


def test_the_command_says_when_it_cannot_even_look(proof_file: Path) -> None:
    assert _run("verify", proof_file.parent / "nothing", "--key", KEY.text()).returncode == 2
    assert _run("verify", proof_file).returncode == 2
    assert _run().returncode == 2


class TestPromises:
    """The same command reads what an issue was answered with."""

    SIGNER = SignerKey(f"{ORIGIN}/promise", bytes(range(1, 33)))
    DOCUMENTS = (sha256(b"an invoice"), sha256(b"another"))
    TIMES = (NOON, NOON + timedelta(minutes=1))

    @pytest.fixture
    def promise(self, tmp_path: Path) -> Path:
        """A promise on disk."""
        path = tmp_path / "promise.txt"
        texts = sign_group(self.SIGNER, self.DOCUMENTS, *self.TIMES, Random(1).randbytes)
        path.write_bytes(texts[0].encode())
        return path

    def test_with_the_promise_key(self, promise: Path) -> None:
        result = _run("verify", promise, "--key", self.SIGNER.verifier.text())
        assert result.returncode == 0, result.stderr
        assert result.stdout.startswith("PROMISED\n")
        assert password_area(self.DOCUMENTS[0]) in result.stdout
        assert "in the log by 2026-11-21T04:01:00Z\n" in result.stdout

    def test_with_the_log_s_key_and_its_statements(self, promise: Path) -> None:
        statement = promise.with_name("keys.note")
        keys = LogKeys(ORIGIN, (LogKey(KEY),), (self.SIGNER.verifier,))
        statement.write_bytes(KeyStatement(1, keys).sign(SIGNER))
        result = _run("verify", promise, "--key", KEY.text(), "--key", statement, "--json")
        answer = json.loads(result.stdout.splitlines()[0])
        assert answer["promised"] is True
        assert answer["version"] == 2
        assert answer["hash"] == password_area(self.DOCUMENTS[0])
        assert answer["anchor"] == anchor(self.DOCUMENTS[0]).hex()
        assert (answer["given"], answer["deadline"]) == (
            "2026-11-21T04:00:00Z",
            "2026-11-21T04:01:00Z",
        )

    def test_one_that_was_not_saved_as_it_was_given_is_named(self, promise: Path) -> None:
        promise.write_bytes(b"\n" + promise.read_bytes())
        result = _run("verify", promise, "--key", self.SIGNER.verifier.text())
        assert result.returncode == 2
        assert "promise_malformed" in result.stderr
        assert "fapiao audit --promise" in result.stderr

    def test_what_does_not_hold_is_a_no(self, promise: Path) -> None:
        text = promise.read_text("utf-8")
        key = self.SIGNER.verifier.text()
        for bent in (text.replace("index 0", "index 1"), text.replace("04:01", "04:02")):
            promise.write_text(bent, "utf-8")
            result = _run("verify", promise, "--key", key)
            assert result.returncode == 1
            assert "NOT PROVED" in result.stdout
        promise.write_text(text, "utf-8")
        other = SignerKey(self.SIGNER.name, bytes(32)).verifier.text()
        assert _run("verify", promise, "--key", other).returncode == 1

    def test_what_cannot_be_judged(self, promise: Path) -> None:
        result = _run("verify", promise, "--key", KEY.text())
        assert (result.returncode, "promise_key_missing" in result.stderr) == (2, True)
        key = self.SIGNER.verifier.text()
        assert _run("verify", promise, "--key", key, "--log", promise.parent).returncode == 2
        promise.write_text(promise.read_text("utf-8").replace("index", "inbox"), "utf-8")
        result = _run("verify", promise, "--key", key)
        assert (result.returncode, "promise_malformed" in result.stderr) == (2, True)


def test_a_witness_is_made_by_the_same_package_alone(tmp_path: Path) -> None:
    done = _run("witness", "init", "--name", "w.example", "--log", KEY.text(), tmp_path / "w")
    assert done.stdout.startswith("w.example+")
    assert "usage: python -m chain witness init " in _run("witness", "init").stderr
    assert "invoice_service" not in done.stdout
    assert (tmp_path / "w" / "witness.key").stat().st_mode & 0o777 == 0o600
