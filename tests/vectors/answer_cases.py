"""Answers beside their proofs: what a phone makes of them, said here a second time, in Python.

A page shows a verdict and the face; the phone proves the invoice, and holds the two against each
other, the code in its address, and what it saw of the log before. ``static/scan/judge.js`` does it.
"""

from collections.abc import Iterator
from copy import deepcopy
from datetime import datetime
from typing import Any, Final

NOW: Final = 1_795_244_400
LATER: Final = 1_795_248_000
FRESH: Final = 600
UNDER_WAY: Final = 900
HASH: Final = "01" + "ab" * 32
RED: Final = "01" + "cd" * 32
AT: Final = "2026-11-21T12:30:00+08:00"
TAKEN: Final = "00000002 · 2026-11-21 12:30:00 · ¥113.00"
KNOWN: Final = {"authentic", "pending", "reversed", "partly_reversed", "mismatch"}
RANK: Final = {"none": 0, "part": 1, "full": 2}
SAID: Final = {"reversed": 2, "partly_reversed": 1}

FACE: Final = {
    "total": "¥1,113.00",
    "amount": "¥1,050.00",
    "tax": "¥63.00",
    "seller": "深圳市旋转餐厅有限公司",
    "number": "00000001",
    "issued_at": "2026-11-21 12:00:00",
}
CASE: Final[dict[str, Any]] = {
    "shown": {
        "verdict": "authentic",
        "style": "authentic",
        "said": {name: [text] for name, text in FACE.items()},
        "returns": [],
        "sums": [],
    },
    "claim": {"hash": HASH, "number": "00000001", "total": 111_300, "amount": None},
    "proof": {
        "hash": HASH,
        "said": FACE,
        "number": "00000001",
        "total": 111_300,
        "amount": 105_000,
        "red": False,
        "state": "none",
        "size": 40,
        "times": [NOW - 60],
        "strange": [],
        "sealed": NOW - 60,
        "reds": {},
    },
    "seen": {
        "forked": False,
        "largest": None,
        "others": False,
        "damaged": False,
        "compared": False,
        "elsewhere": False,
    },
    "now": NOW,
}


def answers() -> list[dict[str, Any]]:
    """Cases, each with what comes of it."""
    return [
        {"name": name, **case, "expected": outcome(case)} for name, case in [*_plain(), *_taken()]
    ]


def _with(**changes: object) -> dict[str, Any]:
    """The plain case, changed: ``proof__state="full"`` is a member of a member."""
    case = deepcopy(CASE)
    for path, value in changes.items():
        *members, last = path.split("__")
        place = case
        for member in members:
            place = place[member]
        if value is None and members[-1] == "said":
            del place[last]
        else:
            place[last] = value
    return case


def _plain() -> Iterator[tuple[str, dict[str, Any]]]:
    yield "fits, as of now", _with()
    for name in FACE:
        yield f"another {name}", _with(**{f"shown__said__{name}": ["¥9.99"]})
        yield f"no {name}", _with(**{f"shown__said__{name}": None})
        yield f"two of {name}", _with(**{f"shown__said__{name}": [FACE[name], "¥9.99"]})
    yield "something that no proof says", _with(shown__said__gift=["a car"])
    yield "a sum beside the facts", _with(shown__sums=["¥9.99"])
    yield "a part of a sum beside the facts", _with(shown__sums=["¥1,113"])
    yield "a proved sum once more", _with(shown__sums=["¥1,113.00"])
    for verdict in ("reversed", "partly_reversed", "mismatch", "unknown", "pending", "nonsense"):
        yield f"called {verdict}", _with(shown__verdict=verdict, shown__style=verdict)
        yield f"called {verdict} in green", _with(shown__verdict=verdict)
        yield f"{verdict} in colour", _with(shown__style=verdict)
    yield "another invoice than the code's", _with(claim__hash=RED)
    yield "another number than the code's", _with(claim__number="00000009")
    yield "another total than the code's", _with(claim__total=1)
    yield "another net amount than the code's", _with(claim__amount=1)
    yield "the net amount of the code", _with(claim__total=None, claim__amount=105_000)
    wrong = _with(shown__verdict="mismatch", shown__style="mismatch", shown__said={})
    yield "a slip that matches, called otherwise", wrong
    yield "a slip that does not match", {**wrong, "claim": {**CASE["claim"], "total": 1}}
    yield "a code that cannot be read", {**_with(), "claim": None}
    yield "a red invoice", _with(proof__red=True, shown__style="red")
    yield "a red invoice in green", _with(proof__red=True)
    yield "no red invoice, in red", _with(shown__style="red")
    for age in (-FRESH - 1, -FRESH, 0, FRESH, FRESH + 1, 86_400):
        times = [NOW - age]
        yield f"signed {age} s ago", _with(proof__times=times, proof__sealed=NOW - age)
    yield "an old seal, cosigned now", _with(proof__times=[NOW - 9000, NOW - 5])
    for age in (0, FRESH, FRESH + 1):
        strange = {"proof__times": [NOW - 9000], "proof__strange": [NOW - age]}
        yield f"an old seal, cosigned {age} s ago by a stranger", _with(**strange)
    yield "now, and cosigned by a stranger", _with(proof__strange=[NOW])
    yield "cosigned in the past and the future", _with(proof__times=[NOW - 9000, NOW + 9000])
    for largest, compared in ((39, True), (39, False), (40, False), (41, True), (41, False)):
        seen = {"seen__largest": largest, "seen__compared": compared}
        yield f"{largest} of 40 seen, compared: {compared}", _with(**seen)
    for flag in ("forked", "others", "damaged", "elsewhere"):
        yield f"memory: {flag}", _with(**{f"seen__{flag}": True})
    yield "old, by another key", _with(seen__others=True, proof__times=[NOW - 9000])


def _taken() -> Iterator[tuple[str, dict[str, Any]]]:
    """What was taken back, or is said to have been."""
    red = {"said": TAKEN, "total": -11_300, "reverses": HASH}
    shown = {"hash": RED, "at": AT, "said": TAKEN}
    since = {"proof__sealed": NOW, "now": NOW}
    for verdict in ("authentic", "partly_reversed", "reversed"):
        named = [shown] if verdict != "authentic" else []
        for state in RANK:
            said = {"shown__verdict": verdict, "shown__style": verdict, "proof__state": state}
            yield f"{verdict}, {state} by the log", _with(**said, **since, shown__returns=named)
            late = [{**shown, "at": "2026-11-21T15:59:00+08:00"}] if named else []
            new = dict.fromkeys(("proof__sealed", "now"), LATER) | {"proof__times": [LATER]}
            yield f"{verdict} just now, {state}", _with(**said, **new, shown__returns=late)
            yield f"{verdict} by nothing, {state}", _with(**said, **since)
    part = _with(
        shown__verdict="partly_reversed", shown__style="partly_reversed", proof__state="part"
    )
    part["shown"] |= {"returns": [shown], "said": {**part["shown"]["said"], "left": ["¥1,000.00"]}}
    part["proof"]["reds"] = {RED: red}
    yield "a part, and what is left", part
    for name, other in {
        "another red invoice's words": {**red, "said": TAKEN.replace("13", "14")},
        "a red invoice of another one": {**red, "reverses": RED},
        "more was taken back": {**red, "total": -11_400},
    }.items():
        case = deepcopy(part)
        case["proof"]["reds"] = {RED: other}
        yield name, case
    case = deepcopy(part)
    case["proof"]["reds"] = {}
    yield "a red invoice that is not in the log yet", case


def outcome(case: dict[str, Any]) -> dict[str, Any]:
    """What comes of a case: ``kind``, the names of what ``differs``, and ``why`` it is not now."""
    shown, claim, proof = case["shown"], case["claim"], case["proof"]
    agrees = claim is None or all(
        claim[name] in (None, proof[name]) for name in ("number", "total", "amount")
    )
    differs = [
        *_of_claim(shown, claim, proof, agrees=agrees),
        *_of_face(shown, proof),
        *_of_verdict(shown, proof, agrees=agrees and claim is not None),
        *_of_reds(shown, proof),
        *_of_history(proof, case["seen"]),
    ]
    if differs:
        return {"kind": "differs", "differs": list(dict.fromkeys(differs)), "why": None}
    if shown["verdict"] == "pending":
        return {"kind": "late", "differs": [], "why": None}
    if SAID.get(shown["verdict"], 0) > RANK[proof["state"]]:
        return {"kind": "ahead", "differs": [], "why": None}
    why = _not_now(case)
    return {"kind": "asof" if why else "confirmed", "differs": [], "why": why}


def _of_claim(shown: Any, claim: Any, proof: Any, *, agrees: bool) -> list[str]:  # noqa: ANN401 # JSON
    if claim is None:
        return []
    if claim["hash"] != proof["hash"]:
        return ["hash"]
    return [] if agrees or shown["verdict"] == "mismatch" else ["claim"]


def _of_face(shown: Any, proof: Any) -> list[str]:  # noqa: ANN401 # JSON
    said = {name: texts for name, texts in shown["said"].items() if name != "left"}
    wrong = [name for name, texts in said.items() if {*texts} != {proof["said"].get(name)}]
    faced = shown["verdict"] in {"authentic", "reversed", "partly_reversed", "pending"}
    missing = [name for name in FACE if name not in said]
    proved = {text for one in proof["said"].values() for text in one.split()}
    stray = [] if {*shown["sums"]} <= proved else ["sums"]
    return wrong + (missing + stray if faced else [])


def _of_verdict(shown: Any, proof: Any, *, agrees: bool) -> list[str]:  # noqa: ANN401 # JSON
    verdict, state = shown["verdict"], proof["state"]
    style = "red" if proof["red"] and verdict in {"authentic", "pending"} else verdict
    if shown["style"] != style or verdict not in KNOWN:
        return ["verdict"]  # "unknown" is none of them: it is proved
    if verdict == "mismatch":
        return ["verdict"] if agrees else []
    said, proved = SAID.get(verdict, 0), RANK[state]
    waits = said > proved and _newest(shown) > proof["sealed"] - UNDER_WAY
    return [] if said == proved or waits else ["state"]


def _newest(shown: Any) -> float:  # noqa: ANN401 # JSON
    times = [datetime.fromisoformat(one["at"]).timestamp() for one in shown["returns"]]
    return max(times, default=float("-inf"))


def _of_reds(shown: Any, proof: Any) -> list[str]:  # noqa: ANN401 # JSON
    known = [(one, proof["reds"].get(one["hash"])) for one in shown["returns"]]
    for one, red in known:
        if red and (red["reverses"] != proof["hash"] or red["said"] != one["said"]):
            return ["returns"]
    if "left" not in shown["said"] or not all(red for _, red in known):
        return []
    fen = proof["total"] + sum(red["total"] for _, red in known if red)
    return [] if {*shown["said"]["left"]} == {f"¥{fen // 100:,}.{fen % 100:02}"} else ["left"]


def _of_history(proof: Any, seen: Any) -> list[str]:  # noqa: ANN401 # JSON
    if seen["forked"]:
        return ["history"]
    return ["older"] if (seen["largest"] or 0) > proof["size"] else []


def _not_now(case: Any) -> str | None:  # noqa: ANN401 # JSON
    seen, proof = case["seen"], case["proof"]
    if case["claim"] is None:
        return "unread"
    if seen["elsewhere"]:
        return "other_log"
    if seen["others"] or seen["damaged"]:
        return "other_key" if seen["others"] else "damaged"
    if seen["largest"] not in (None, proof["size"]) and not seen["compared"]:
        return "not_compared"
    ages = [case["now"] - time for time in proof["times"]]
    if any(abs(age) <= FRESH for age in ages):
        return None
    if any(abs(case["now"] - time) <= FRESH for time in proof["strange"]):
        return "stranger"
    return "clock" if all(age < 0 for age in ages) else "old"
