"""Every checker of promises says the same of shared cases, and of every bent proof."""

import base64
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chain.entry import format_time
from chain.errors import Problem
from chain.proof.promise import open_promise, refuse_bent, refuse_within
from chain.signing.note import VerifierKey
from tests.outside import need
from tests.vectors.make import path_of
from tests.vectors.promise_cases import PROMISE, alone, group, resigned

ROOT = Path(__file__).parents[2]
RUNNER = ROOT / "tests/verifier/promise.mjs"
SCRIPT = ROOT / "docs/check_promise.py"
KEY = PROMISE.verifier.text()
CASES: dict[str, Any] = json.loads(path_of("promise").read_text("utf-8"))
GOOD: dict[str, dict[str, Any]] = CASES["good"]
BENT: dict[str, dict[str, str]] = CASES["bent"]
SAVED: dict[str, dict[str, str]] = CASES["saved"]
SECONDS = 300


def by_python(data: bytes, key: str = KEY) -> tuple[str, dict[str, Any] | None]:
    """The code, and what is said."""
    try:
        said = open_promise(data, VerifierKey.parse(key))
    except Problem as problem:
        return problem.code, None
    return "ok", {
        "version": said.version,
        "origin": said.origin,
        "hash": said.hash,
        "anchor": said.anchor.hex(),
        "given": format_time(said.given),
        "deadline": format_time(said.deadline),
    }


def saved_by_python(data: bytes) -> str:
    """The code with which a file is refused for how it was saved, or ""."""
    try:
        refuse_bent(data)
        refuse_within(data)
    except Problem as problem:
        return problem.code
    return ""


def by_browser(
    cases: list[dict[str, str]], folder: Path, *arguments: str
) -> list[tuple[str, dict[str, Any] | None]]:
    """The same, by the page's program under Node."""
    return [(one["code"], one["said"]) for one in _answers(cases, folder, *arguments)]


def _answers(cases: list[dict[str, str]], folder: Path, *arguments: str) -> list[dict[str, Any]]:
    file = folder / "cases.jsonl"
    file.write_text("".join(f"{json.dumps(case)}\n" for case in cases), "utf-8")
    done = subprocess.run(
        [need("node"), RUNNER, file, *arguments], capture_output=True, text=True, timeout=SECONDS
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def by_script(folder: Path, text: str, key: str = KEY) -> "subprocess.CompletedProcess[str]":
    """What the script of the documents says, run with Python alone."""
    file = folder / "promise.txt"
    file.write_bytes(text.encode())
    return subprocess.run(
        [sys.executable, "-I", "-S", SCRIPT, file, key],
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )


def test_python_reads_the_good_and_refuses_the_bent() -> None:
    for name, case in GOOD.items():
        said = {key: value for key, value in case.items() if key != "text"}
        assert by_python(case["text"].encode(), CASES["key"]) == ("ok", said), name
    for name, case in BENT.items():
        assert by_python(case["text"].encode())[0] == case["code"], name


@pytest.mark.parametrize("plain", [(), ("--plain",)], ids=["WebCrypto", "vendored"])
def test_the_page_says_the_same(tmp_path: Path, plain: tuple[str, ...]) -> None:
    every = {**GOOD, **BENT}
    cases = [{"key": CASES["key"], "text": case["text"]} for case in every.values()]
    found = dict(zip(every, by_browser(cases, tmp_path, *plain), strict=True))
    for name, case in GOOD.items():
        said = {key: value for key, value in case.items() if key != "text"}
        assert found[name] == ("ok", said), name
    assert {name: found[name][0] for name in BENT} == {n: case["code"] for n, case in BENT.items()}


def test_how_a_file_was_saved_is_named_by_both(tmp_path: Path) -> None:
    files = {name: base64.b64decode(case["base64"]) for name, case in SAVED.items()}
    files |= {name: case["text"].encode() for name, case in {**GOOD, **BENT}.items()}
    expected = {name: saved_by_python(data) for name, data in files.items()}
    cases = [{"key": KEY, "base64": base64.b64encode(data).decode()} for data in files.values()]
    found = [one["saved"] for one in _answers(cases, tmp_path)]
    assert dict(zip(files, found, strict=True)) == expected
    assert {name: expected[name] for name in SAVED} == {n: c["code"] for n, c in SAVED.items()}
    assert not any(expected[name] for name in GOOD)


def test_a_script_with_nothing_of_ours_says_the_same(tmp_path: Path) -> None:
    for name, case in GOOD.items():
        done = by_script(tmp_path, case["text"])
        assert (done.returncode, done.stderr) == (0, ""), (name, done.stdout, done.stderr)
        assert case["hash"] in done.stdout
        assert case["deadline"] in done.stdout
    for name, case in BENT.items():
        done = by_script(tmp_path, case["text"])
        assert (done.returncode, done.stderr) == (1, ""), (name, done.stdout, done.stderr)
        assert done.stdout.startswith("NO PROMISE: "), name


def test_the_script_knows_its_key(tmp_path: Path) -> None:
    name, key_id, key = KEY.split("+", 2)
    weak = base64.b64encode(b"\x01\x01" + bytes(31)).decode()
    for bent in (
        f"{name}+00000000+{key}",
        f"other/promise+{key_id}+{key}",
        f"{name}+{key_id}+{key[:-4]}",
        f"{name}+{key_id}+{weak}",
        "",
        name,
    ):
        done = by_script(tmp_path, alone(), bent)
        assert (done.returncode, done.stderr) == (1, ""), bent


def every_way() -> Iterator[bytes]:
    """Promises of groups of 1 to 8 leaves, and each bent: lines, bytes, and what was signed."""
    fresh = random.Random(1)
    for size in range(1, 9):
        texts = group(size)
        for index, text in enumerate(texts):
            yield text.encode()
            yield from _bent_lines(text, texts[(index + 1) % size], fresh)
            for line in (str(size - 1), str(size + 1), "0", f"0{size}"):
                yield resigned(text, 2, line).encode()
            data = text.encode()
            for _ in range(4):
                place = fresh.randrange(len(data))
                bit = bytes([data[place] ^ (1 << fresh.randrange(8))])
                yield data[:place] + bit + data[place + 1 :]


def _bent_lines(text: str, other: str, fresh: random.Random) -> Iterator[bytes]:
    head, _, note = text.partition("\n\n")
    lines, theirs = head.split("\n"), other.split("\n")
    for place in range(len(lines)):
        yield _joined([*lines[:place], *lines[place + 1 :]], note)
        yield _joined([*lines[: place + 1], *lines[place:]], note)
        yield _joined(
            [*lines[:place], theirs[min(place, len(theirs) - 1)], *lines[place + 1 :]], note
        )
        swapped = list(lines)
        swapped[place], swapped[place - 1] = swapped[place - 1], swapped[place]
        yield _joined(swapped, note)
    for place in range(4, len(lines)):
        noise = base64.b64encode(fresh.randbytes(32)).decode()
        yield _joined([*lines[:place], noise, *lines[place + 1 :]], note)
    for index in range(10):
        yield _joined([*lines[:2], f"index {index}", *lines[3:]], note)


def _joined(lines: list[str], note: str) -> bytes:
    return ("\n".join(lines) + "\n\n" + note).encode()


def test_they_agree_on_every_bent_proof(tmp_path: Path) -> None:
    every = list(dict.fromkeys(every_way()))
    cases = [{"key": KEY, "base64": base64.b64encode(data).decode()} for data in every]
    found = by_browser(cases, tmp_path)
    expected = [by_python(data) for data in every]
    differ = [(data, a, b) for data, a, b in zip(every, found, expected, strict=True) if a != b]
    assert not differ, differ[0]
    good = {text for size in range(1, 9) for text in group(size)}
    held = {data.decode() for data, (code, _) in zip(every, expected, strict=True) if code == "ok"}
    assert held >= good
    for text in held - good:  # another count may have the same path; no other line may change
        assert text.partition("\n\n")[0] in {one.partition("\n\n")[0] for one in good}
