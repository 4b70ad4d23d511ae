"""``fapiao mirror``, and what mirrors are for: evidence against a log that lies."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from chain.commitment import parse_password_area, password_area
from chain.entry import format_time
from chain.hashing import sha256
from chain.proof.promise import sign_group
from chain.signing.note import SignerKey, sign_note
from invoice_service.config import load
from invoice_service.wiring import open_instance
from tests.chain.books import ORIGIN, SIGNER, Books
from tests.chain.served import Served, go_another_way, roll_back, serve
from tests.cli.town import Town
from tests.witness.inside import cosigner, serving

KEY = SIGNER.verifier.text()


@pytest.fixture
def books(empty: Town) -> Books:
    """A log that is not this machine's."""
    (empty.folder / "log").mkdir()
    books = Books(empty.folder / "log")
    books.grow(3, 300)
    return books


@pytest.fixture
def served(books: Books) -> Iterator[Served]:
    """The same, behind a web server."""
    with serve(books.log_folder) as served:
        yield served


def test_a_mirror_follows_a_log(empty: Town, books: Books, served: Served) -> None:
    said = empty.asked("mirror", served.url, "copy", "--key", KEY)
    assert (said["before"], said["size"], said["blocks"]) == (0, 305, 2)
    books.grow(5)
    assert "6 of them new" in empty.run("mirror", served.url, "copy", "--key", KEY)
    assert empty.asked("audit", "--mirror", "copy", "--key", KEY)["clean"]
    served.bent["checkpoint"] = 503
    assert "log_status" in empty.refusal("mirror", served.url, "copy", "--key", KEY, status=3)


def test_the_mirror_of_an_instance(town: Town) -> None:
    town.sell(3)
    town.run("anchor")
    key = town.asked("keys", "log")["log_key"]
    (town.folder / "key.txt").write_text(f"{key}\nother\n")
    [log] = town.folder.glob("var/*/log")
    with serve(log) as served:
        assert town.asked("mirror", served.url, "copy", "--key", "key.txt")["size"] == 5
    assert "clean" in town.run("audit", "--mirror", "copy")
    assert "clean" in town.run("audit")


def test_a_fork_from_two_mirrors_to_evidence(empty: Town, books: Books) -> None:
    fork = roll_back(books, empty.folder / "fork")
    books = Books(books.folder)
    books.grow(4)
    go_another_way(fork, 9)
    for name, log in (("one", books), ("two", fork)):
        with serve(log.log_folder) as served:
            empty.run("mirror", served.url, name, "--key", KEY)
    both = ("audit", "--mirror", "one", "--mirror", "two", "--key", KEY)
    said = empty.asked(*both, status=1)
    assert (said["proved"], said["evidence"]) == ("fork", "evidence.json")
    assert "PROVED, forked" in empty.run("verify", "evidence.json", "--key", KEY)
    bent = json.loads(Path("evidence.json").read_bytes())
    bent["prefix"]["root"] = "00" * 32
    Path("bent.json").write_text(json.dumps(bent, separators=(",", ":"), ensure_ascii=False))
    assert "root_mismatch" in empty.refusal("verify", "bent.json", "--key", KEY)
    with serve(fork.log_folder) as served:
        refusal = empty.refusal("mirror", served.url, "one", "--key", KEY)
    assert "log_forked" in refusal
    [kept] = Path("one/refused").glob("*.evidence.json")
    assert str(kept) in refusal
    assert empty.asked("verify", str(kept), "--key", KEY)["proved"] == "fork"


def test_a_damaged_mirror_is_named(empty: Town, books: Books, served: Served) -> None:
    empty.run("mirror", served.url, "copy", "--key", KEY)
    Path("copy/tile/entries/000").write_bytes(b"")
    audit = ("audit", "--mirror", "copy", "--key", KEY)
    assert "tile_damaged" in empty.refusal(*audit)


@pytest.mark.parametrize("version", [1, 2])
def test_a_promise_that_nobody_kept(
    empty: Town, books: Books, served: Served, version: int
) -> None:
    empty.run("mirror", served.url, "copy", "--key", KEY)
    promiser = SignerKey(f"{ORIGIN}/promise", bytes(range(1, 33)))
    given = datetime(2026, 11, 21, 3, tzinfo=UTC)
    for name, deadline in (("old", given + timedelta(minutes=1)), ("new", given.replace(2036))):
        Path(f"{name}.note").write_text(_nobodys(promiser, version, given, deadline))
    keys = ("--key", KEY, "--promise-key", promiser.verifier.text(), "--mirror", "copy")
    said = empty.asked("audit", "--promise", "old.note", *keys, "--out", "late.json", status=1)
    assert (said["proved"], said["evidence"]) == ("broken_promise", "late.json")
    assert "broken promise" in empty.run("verify", "late.json", *keys)
    assert "mirror_missing" in empty.refusal("verify", "late.json", "--key", KEY, status=3)
    assert "promise_not_due" in empty.refusal("audit", "--promise", "new.note", *keys, status=3)
    assert not Path("evidence.json").exists()


def _nobodys(promiser: SignerKey, version: int, given: datetime, deadline: datetime) -> str:
    """A promise of an invoice that never was."""
    document = parse_password_area("01" + "ab" * 32)
    if version == 2:
        return sign_group(promiser, [document], given, deadline, Random(1).randbytes)[0]
    lines = (promiser.name, password_area(document), format_time(given), format_time(deadline))
    return sign_note("".join(f"{line}\n" for line in lines), promiser).decode()


def test_a_promise_that_a_log_standing_still_has_broken(
    empty: Town, books: Books, served: Served, tmp_path: Path
) -> None:
    """Nothing in the log says what the time is; a witness who sees it again does."""
    empty.run("mirror", served.url, "copy", "--key", KEY)
    promiser = SignerKey(f"{ORIGIN}/promise", bytes(range(1, 33)))
    text = f"{promiser.name}\n01{'ab' * 32}\n2026-11-22T03:00:00Z\n2026-11-22T03:01:00Z\n"
    Path("promise.note").write_bytes(sign_note(text, promiser))
    keys = ("--key", KEY, "--promise-key", promiser.verifier.text(), "--mirror", "copy")
    audit = ("audit", "--promise", "promise.note", *keys)
    assert "promise_not_due" in empty.refusal(*audit, status=3)
    witness = cosigner(1)
    asked = (*audit, "--policy", "policy")
    with serving(tmp_path / "w1", witness, logs=[SIGNER.verifier]) as server:
        Path("policy").write_text(f"witness w {witness.verifier.text()} {server.url}\nquorum w\n")
        said = empty.asked(*asked, status=1)
        assert (said["proved"], said["by"]) == ("broken_promise", witness.verifier.name)
        seen = ("verify", "evidence.json", *keys, "--witness", witness.verifier.text())
        assert empty.asked(*seen)["proved"] == "broken_promise"
        assert "promise_not_due" in empty.refusal(*seen[:-2], status=3)
        Path("evidence.json").unlink()
        books.grow(5)
        empty.run("mirror", served.url, "newer", "--key", KEY)
        newer = [*asked[: asked.index("copy")], "newer", *asked[asked.index("copy") + 1 :]]
        assert empty.asked(*newer, status=1)["proved"] == "broken_promise"
        Path("evidence.json").unlink()
        assert "log_has_grown" in empty.refusal(*asked)  # the first copy is behind by now
    assert "witnesses_away" in empty.refusal(*asked, status=3)
    assert not Path("evidence.json").exists()


def test_a_promise_that_was_kept(town: Town) -> None:
    [invoice] = town.sell(1)
    town.run("anchor")
    [log] = town.folder.glob("var/*/log")
    Path("promise.note").write_text(_promise(town, invoice["hash"]))
    arguments = ("audit", "--promise", "promise.note", "--mirror", str(log))
    assert town.asked(*arguments) == {"kept": True, "block": 1}
    assert town.run(*arguments).startswith("kept: ")


def _promise(town: Town, hash_: str) -> str:
    """What the answer to an issue carries."""
    instance = open_instance(load(town.folder / "config.toml", {}))
    now = datetime.now(UTC).replace(microsecond=0)
    documents = [sha256(b"another"), parse_password_area(hash_)]
    deadline = now + timedelta(minutes=1)
    texts = sign_group(instance.promise_signer(), documents, now, deadline, instance.randbytes)
    instance.close()
    return texts[1]


def test_a_promise_is_read(town: Town) -> None:
    [invoice] = town.sell(1)
    Path("promise.txt").write_text(_promise(town, invoice["hash"]))
    said = town.asked("verify", "promise.txt")
    assert (said["promised"], said["hash"], said["version"]) == (True, invoice["hash"], 2)
    assert "by its deadline the invoice will be in the log" in town.run("verify", "promise.txt")
    keys = load(town.folder / "config.toml", {}).keys_dir
    told = ("--key", str(keys / "log.vkey"), "--key", str(keys / "statements/1.note"))
    assert town.asked("verify", "promise.txt", *told) == said
    other = SignerKey(f"{said['origin']}/promise", bytes(32)).verifier.text()
    refused = town.refusal("verify", "promise.txt", "--promise-key", other)
    assert "signature_missing" in refused
    unknown = town.refusal("verify", "promise.txt", "--key", KEY, status=2)
    assert "promise_key_missing" in unknown
    town.refusal("verify", "promise.txt", "--policy", "config.toml", status=2)
    Path("promise.txt").write_text(Path("promise.txt").read_text().replace("index", "inbox"))
    assert "promise_malformed" in town.refusal("verify", "promise.txt", status=2)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--promise", "config.toml", "--key", KEY),
        ("--promise", "config.toml", "--mirror", ".", "--mirror", ".", "--key", KEY),
    ],
)
def test_a_promise_needs_one_mirror(empty: Town, arguments: tuple[str, ...]) -> None:
    empty.refusal("audit", *arguments, status=2)


def test_with_anothers_log_key_the_promise_key_is_asked_for(empty: Town) -> None:
    arguments = ("audit", "--promise", "config.toml", "--mirror", ".", "--key", KEY)
    assert "key_text" in empty.refusal(*arguments, status=2)
