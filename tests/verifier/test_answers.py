"""What a phone makes of answers, beside what is said of the same cases in Python."""

import json
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from chain.errors import Problem
from invoice_service.domain.qrtext import QrText, claim_in_query
from tests.domain.bent import EXAMPLE, bent, several
from tests.outside import need
from tests.vectors.answer_cases import answers
from tests.vectors.make import path_of

HERE = Path(__file__).parent
SECONDS = 120


def _run(script: str, cases: Path) -> list[Any]:
    done = subprocess.run(
        [need("node"), HERE / script, cases], capture_output=True, text=True, timeout=SECONDS
    )
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout)
    return found


def test_the_phone_agrees_on_every_shared_case() -> None:
    cases = json.loads(path_of("answers").read_text("utf-8"))
    for case, found in zip(cases, _run("answers.mjs", path_of("answers")), strict=True):
        assert found == case["expected"], case["name"]


def test_each_outcome_stands_among_the_cases_and_names_are_all_different() -> None:
    cases = answers()
    assert len({case["name"] for case in cases}) == len(cases)
    said = {(case["expected"]["kind"], case["expected"]["why"]) for case in cases}
    assert {kind for kind, _ in said} == {"differs", "late", "ahead", "confirmed", "asof"}
    assert {why for kind, why in said if kind == "asof"} == {
        *("old", "clock", "unread", "other_key", "damaged", "not_compared"),
        *("other_log", "stranger"),
    }


def test_green_is_only_what_fits_in_every_respect() -> None:
    """By the cases' own names: whatever says that something is wrong is never confirmed."""
    confirmed = {case["name"] for case in answers() if case["expected"]["kind"] == "confirmed"}
    assert confirmed == {
        "fits, as of now",
        *("a proved sum once more", "now, and cosigned by a stranger"),
        "the net amount of the code",
        "a slip that does not match",
        "a red invoice",
        *(f"signed {age} s ago" for age in (-600, 0, 600)),
        "an old seal, cosigned now",
        "39 of 40 seen, compared: True",
        "40 of 40 seen, compared: False",
        *("authentic, none by the log", "authentic just now, none", "authentic by nothing, none"),
        *("partly_reversed, part by the log", "partly_reversed just now, part"),
        "partly_reversed by nothing, part",
        *("reversed, full by the log", "reversed just now, full", "reversed by nothing, full"),
        "a part, and what is left",
        "a red invoice that is not in the log yet",
    }


def _addresses() -> dict[str, str]:
    """Queries of scan pages: as printed, as programs bend them, and pasted."""
    found = {"printed": EXAMPLE.partition("?")[2], "nothing": "", "hash alone": "hash=01"}
    for name, text in bent(EXAMPLE).items():
        found[f"pasted: {name}"] = urlencode({"text": text})
        found[f"opened: {name}"] = quote(text.partition("?")[2].partition("#")[0], safe="&=%;?")
    for name, text in several(EXAMPLE, EXAMPLE.replace("=01", "=01f")[:-1]).items():
        found[f"several: {name}"] = urlencode({"text": text})
    hash_ = "01" + "ab" * 32
    commas = f"01,10,144032609110,00000007,91440300708461136T,469.91,20261121,{hash_}"
    return found | {"commas": urlencode({"text": commas})}


def _claimed(query: str) -> QrText | None:
    try:
        return claim_in_query(query)
    except Problem:
        return None


def test_a_phone_reads_an_address_as_the_service_does_or_not_at_all(tmp_path: Path) -> None:
    addresses = _addresses()
    file = tmp_path / "queries.json"
    file.write_text(json.dumps(list(addresses.values())))
    read = 0
    for name, query, found in zip(
        addresses, addresses.values(), _run("claims.mjs", file), strict=True
    ):
        said = _claimed(query)
        if found is None or said is None:
            continue
        read += 1
        assert found["hash"] == said.hash, name
        for member in ("number", "total", "amount"):
            assert found[member] in (None, getattr(said, member)), (name, member)
    assert read > len(addresses) / 2


@pytest.mark.parametrize("name", ["printed", "commas"])
def test_the_usual_addresses_are_read_whole(tmp_path: Path, name: str) -> None:
    query = _addresses()[name]
    file = tmp_path / "queries.json"
    file.write_text(json.dumps([query]))
    [found], said = _run("claims.mjs", file), _claimed(query)
    assert said is not None
    assert found == {m: getattr(said, m) for m in ("hash", "number", "total", "amount")}
