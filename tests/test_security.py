"""docs/security.md says what is so: each requirement once, each test it names is there.

And some of what it says, looked at here, since no other test is about all of it at once.
"""

import re
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from invoice_service.services.people.passwords import make_hash, matches
from scripts.sbom import bill
from tests.api.desk import Desk

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ROW: Final = re.compile(r"^\| (\d+\.\d+\.\d+) \| (\S+) \| (.+?) \| ?(.*?) ?\|$", re.MULTILINE)
ROWS: Final = ROW.findall(PAGE)
NAMED: Final = re.compile(r"`(tests/[a-z_/]+\.py)::(test_[a-z0-9_]+)`")
WORDS: Final = ("yes", "built", "part", "no", "none")
LEVEL_2: Final = 259
"""What the list of ASVS 4.0.3 marks for level 2; requirements that it deleted have no mark."""

ARGON: Final = re.compile(r"\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$")
MAKES_CODE: Final = re.compile(
    r"(?<![\w.])(?:eval|exec|__import__)\(|os\.system\(|shell=True|pickle\.|marshal\.|yaml\."
)
MAKES_MARKUP: Final = re.compile(
    r"\beval\(|\bnew Function\(|\.innerHTML\b|\.outerHTML\b|insertAdjacentHTML|document\.write"
)


def test_every_requirement_stands_once() -> None:
    numbers = [number for number, *_ in ROWS]
    assert len(numbers) == len(set(numbers)) == LEVEL_2
    assert numbers == sorted(numbers, key=lambda one: [*map(int, one.split("."))])


def test_every_test_that_is_named_is_there() -> None:
    for number, word, said, named in ROWS:
        tests = NAMED.findall(named)
        assert word in WORDS, number
        assert said, number
        assert bool(tests) == (word == "yes") or word == "part", number
        assert len(tests) == named.count("::"), number
        for file, name in tests:
            source = (ROOT / file).read_text(encoding="utf-8")
            assert re.search(rf"^ *(?:async )?def {name}\(", source, re.MULTILINE), (number, name)


def test_the_sum_is_that_of_the_rows() -> None:
    counted = Counter(word for _, word, *_ in ROWS)
    for word in WORDS:
        assert f"| {word} | {counted[word]} |" in PAGE, (word, counted[word])


def test_a_password_is_kept_by_argon2id_with_a_salt_of_its_own() -> None:
    # In a process of its own: in those of tests it costs less.
    makes = f"from {make_hash.__module__} import make_hash as make; "
    makes += "print(make('seven ducks cross a river'), make('seven ducks cross a river'))"
    made = subprocess.run([sys.executable, "-c", makes], capture_output=True, text=True, check=True)
    kept = made.stdout.split()
    assert len({*kept}) == 2
    for one in kept:
        assert ARGON.match(one)
        assert matches(one, "seven ducks cross a river")
        assert not matches(one, "seven ducks cross a rive")
    longest = "seven duck " * 11
    assert not matches(make_hash(longest), f"{longest}s")
    assert not matches(make_hash(longest), longest * 20)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with Desk(tmp_path_factory.mktemp("desk")) as desk:
        desk.issue()
        desk.anchor()
        yield desk


def plain_addresses(desk: Desk) -> list[str]:
    """Everything that can be asked for without a parameter."""
    rules = desk.app.url_map.iter_rules()
    return sorted(
        {rule.rule for rule in rules if not rule.arguments and "GET" in (rule.methods or ())}
    )


def test_every_answer_says_its_type_and_is_not_sniffed(desk: Desk) -> None:
    addresses = plain_addresses(desk)
    assert len(addresses) > 50
    for path in addresses:
        for accept in ("text/html", "application/json"):
            answer = desk.client.get(path, headers={"Accept": accept})
            assert answer.headers["X-Content-Type-Options"] == "nosniff", path
            assert answer.headers["Referrer-Policy"] == "no-referrer", path
            if answer.status_code != 204 and answer.data:
                assert answer.mimetype, path
            if (answer.mimetype or "").startswith("text/"):
                assert answer.content_type.endswith("charset=utf-8"), path


def test_no_page_may_run_what_is_not_ours_or_be_framed(desk: Desk) -> None:
    pages = 0
    for path in plain_addresses(desk):
        answer = desk.client.get(path, headers={"Accept": "text/html"})
        if answer.mimetype != "text/html" or answer.status_code in (301, 302, 303, 308):
            continue
        pages += 1
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy, path
        assert "unsafe" not in policy, path
        assert "frame-ancestors 'none'" in policy, path
        may = dict(re.findall(r"([a-z-]+)=(\S+?)(?:, |$)", answer.headers["Permissions-Policy"]))
        asked = {name for name, whom in may.items() if whom != "()"}
        assert asked == {"camera", "usb", "serial"}, path
        assert {"microphone", "geolocation", "payment"} <= set(may), path
    assert pages > 15


def test_other_sites_may_read_the_public_log_alone(desk: Desk) -> None:
    for path in plain_addresses(desk):
        answer = desk.client.get(path, headers={"Origin": "https://elsewhere.example"})
        open_to_all = "Access-Control-Allow-Origin" in answer.headers
        assert open_to_all == (
            path.startswith(("/log/", "/explorer/")) and answer.mimetype != "text/html"
        ), path
        assert "Access-Control-Allow-Credentials" not in answer.headers


PASSES_OVER: Final = re.compile(
    r"CERT_NONE|check_hostname\s*=\s*False|verify(?:_ssl)?\s*=\s*False|_create_unverified"
    r"|cert_reqs|debug\s*=\s*True|use_(?:debugger|reloader)|TESTING"
)


def test_nothing_passes_over_certificates_or_runs_as_for_developers(desk: Desk) -> None:
    for folder in ("chain", "invoice_service", "workers"):
        for file in (ROOT / folder).rglob("*.py"):
            assert PASSES_OVER.findall(file.read_text(encoding="utf-8")) == [], file
    assert (desk.app.debug, desk.app.testing) == (False, False)


def test_programs_that_keep_passwords_know_what_each_field_is_for() -> None:
    """And nothing listens for pasting."""
    kinds = {"current-password", "new-password", "off"}
    for file in (ROOT / "invoice_service" / "web" / "templates").rglob("*.html"):
        for field in re.findall(r"<input[^>]*type=\"password\"[^>]*>", file.read_text("utf-8")):
            (kind,) = re.findall(r'autocomplete="([a-z-]+)"', field)
            assert kind in kinds, (file, field)
    for script in (ROOT / "static").rglob("*.js"):
        if "vendor" not in script.parts and "password" in script.read_text("utf-8"):
            assert "paste" not in script.read_text("utf-8"), script


def test_no_text_becomes_code() -> None:
    for folder in ("chain", "invoice_service", "workers"):
        for file in (ROOT / folder).rglob("*.py"):
            found = MAKES_CODE.findall(file.read_text(encoding="utf-8"))
            assert found == [], file
    for file in (ROOT / "static").rglob("*.js"):
        if "vendor" not in file.parts:
            assert MAKES_MARKUP.findall(file.read_text(encoding="utf-8")) == [], file
    for file in (ROOT / "invoice_service" / "web" / "templates").rglob("*.html"):
        assert "| safe" not in file.read_text(encoding="utf-8"), file


SECRET: Final = re.compile(
    r"PRIVATE\+KEY\+[^+\s]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]{40}|-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|\bfk_[A-Za-z0-9_-]{43}\b"
)
"""A key of a log or a witness, one of others, one of a caller."""


def test_no_secret_is_in_the_source() -> None:
    folders = ("chain", "invoice_service", "workers", "static", "scripts", "deploy", "docs")
    shown = "examples.json"  # of calls, to an instance that is gone
    for file in [path for folder in folders for path in (ROOT / folder).rglob("*.*")]:
        if file.suffix not in {".pyc", ".png", ".jpg"} and file.is_file() and file.name != shown:
            assert not SECRET.search(file.read_text(encoding="utf-8", errors="replace")), file
    assert SECRET.search("fk_" + "A" * 43)
    assert SECRET.search(f"PRIVATE+KEY+a.test/log+12345678+{'A' * 44}")


CALLS_OUT: Final = re.compile(
    r"^\s*(?:import|from) (?:urllib3|http\.client|smtplib|requests|httpx|urllib\.request)\b"
    r"|^from chain\.exchange import|create_connection\(",
    re.MULTILINE,
)
CALLERS: Final = {
    "chain/exchange.py": "whom those below name: one exchange, with its deadline",
    "chain/audit/fetch.py": "a log that a mirror or an auditor names",
    "chain/witness/client.py": "witnesses of the policy",
    "chain/witness/post.py": "the same",
    "invoice_service/commands/remote.py": "the service at --url",
    "invoice_service/commands/serve.py": "the one that it has started",
    "invoice_service/processes/print_bridge.py": "the printer at --printer",
    "invoice_service/services/mailing/post.py": "the server in [mail]",
    "invoice_service/services/people/oidc.py": "the provider in [oidc]",
}
"""Who opens connections to elsewhere, and to whom: to what settings and commands name, alone."""


def test_who_calls_out_is_known() -> None:
    found = {
        file.relative_to(ROOT).as_posix()
        for folder in ("chain", "invoice_service", "workers")
        for file in (ROOT / folder).rglob("*.py")
        if CALLS_OUT.search(file.read_text(encoding="utf-8"))
    }
    assert found == set(CALLERS)


def test_who_is_outside_has_its_line_in_what_is_trusted() -> None:
    told = (ROOT / "docs" / "trust.md").read_text(encoding="utf-8").lower()
    for outside in ("witness", "mirror", "wallet", "payment notice", "mail server", "provider"):
        assert outside in told, outside


def section(page: str, title: str) -> str:
    """What stands below a title, up to the next one."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return text.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_every_table_and_place_has_its_level(desk: Desk) -> None:
    rows = re.findall(r"^\| \w+ \| (.+?) \| .+? \|$", section("security.md", "Kinds of data"), re.M)
    told = [name for row in rows for name in re.findall(r"`([a-z_./]+)`", row)]
    assert len(told) == len(set(told))
    desk.instance.help_store.counts()  # opens it
    found = {"tries"}  # of whoever signs in, in run/
    for file in desk.config.data_dir.rglob("*.db"):
        with closing(sqlite3.connect(file)) as connection:
            names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            found |= {name for (name,) in names if "sqlite_" not in name}
    assert found == {name for name in told if not re.search("[./]", name)}
    places = re.findall(r"^\| `([a-z.]+/?)`", section("operations.md", "Files"), re.MULTILINE)
    kept = {name for name in places if not name.endswith(".db")}
    assert kept == {name for name in told if re.search("[./]", name)}


def test_whom_nothing_can_be_looked_up_for_is_not_let_in(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault where it is asked who somebody is lets nobody in, to no call."""

    def fails(*_: object, **__: object) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(desk.instance.store, "key", fails)
    for rule in desk.app.url_map.iter_rules():
        if not rule.rule.startswith("/v1/") or rule.arguments:
            continue
        for method in {"GET", "POST", "PUT", "DELETE"} & (rule.methods or set()):
            for key in (desk.auth(), desk.official()):
                answer = desk.client.open(rule.rule, method=method, headers=key)
                assert answer.status_code >= 400, (method, rule.rule)


def test_the_bill_of_materials_has_all_that_is_locked_and_vendored() -> None:
    """CycloneDX's own validator (cyclonedx-python-lib 11) took it once; here, that it is whole."""
    found = bill()
    assert (found["bomFormat"], found["specVersion"]) == ("CycloneDX", "1.6")
    named = {one["purl"]: one for one in found["components"]}
    assert len(named) == len(found["components"])
    locked = (ROOT / "requirements" / "run.txt").read_text(encoding="utf-8")
    packages = re.findall(r"^([a-z0-9._-]+)==(\S+)", locked, re.MULTILINE)
    hashes = [one for part in named.values() for one in part.get("hashes", ())]
    assert len(packages) > 50
    assert len(hashes) == locked.count("--hash=")
    assert {f"pkg:pypi/{name}@{version}" for name, version in packages} <= set(named)
    folders = [one for one in (ROOT / "static" / "vendor").iterdir() if one.is_dir()]
    assert len(named) == len(packages) + len(folders)
    assert "pkg:npm/%40noble/ed25519@" in " ".join(named)
