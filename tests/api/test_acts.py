"""Decisions in the log: for whom they concern, proven; for everybody, how many there are."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chain.proof.act import parse_act_proof, verify_act_proof
from chain.signing.note import VerifierKey
from invoice_service.services.people.ports import KeyTerms
from invoice_service.services.people.trail import BOUND_WITHIN
from tests.api.desk import OTHER_TAX_ID, Desk, problem


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Two restaurants, of which the second was suspended; all of that waits for the log."""
    with Desk(tmp_path) as desk:
        other = desk.new_merchant(OTHER_TAX_ID, "另一家餐厅")
        path = f"/v1/merchants/{other.merchant.id}/suspension"
        assert desk.client.post(path, headers=desk.official()).status_code == 200
        desk.other_key = desk.new_key(other.merchant.id)  # type: ignore[attr-defined]
        yield desk


def acts(desk: Desk, key: str, query: str = "") -> list[dict[str, Any]]:
    """The acts that the owner of the key is shown."""
    answer = desk.client.get(f"/v1/acts?{query}", headers=desk.auth(key))
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.get_json()["acts"]
    return found


def test_a_merchant_sees_what_concerns_it_and_officials_see_all(desk: Desk) -> None:
    own = acts(desk, desk.key)
    other = acts(desk, desk.other_key)  # type: ignore[attr-defined]
    assert [(act["type"], act["subject"]) for act in own] == [("admission", "merchant:1")]
    assert [(act["type"], act["subject"]) for act in other] == [
        ("admission", "merchant:2"),
        ("suspension", "merchant:2"),
    ]
    assert other[1]["before"] == {"status": "active"}
    assert other[1]["after"] == {"status": "suspended"}
    assert other[1]["previous"] == other[0]["act"]
    assert "previous" not in other[0]
    assert "index" not in other[0]
    everything, as_told = (acts(desk, desk.official_key) for _ in range(2))
    named = [act.pop("subject_name") for act in everything]
    assert named[1:] == [named[1]] * 2, "officials are told whose it is, nobody else"
    assert everything == own + other
    page = desk.client.get("/v1/acts?limit=2", headers=desk.official()).get_json()
    assert (page["acts"], page["next"]) == (as_told[:2], 2)
    assert acts(desk, desk.official_key, "after=2") == as_told[2:]


def test_the_proof_holds_for_whoever_has_the_logs_key(desk: Desk) -> None:
    wanted = acts(desk, desk.other_key)[1]  # type: ignore[attr-defined]
    path = f"/v1/acts/{wanted['act']}/proof"
    theirs = desk.auth(desk.other_key)  # type: ignore[attr-defined]
    problem(desk.client.get(path, headers=theirs), 409, "not_in_log")
    desk.anchor_all()
    key = VerifierKey.parse(desk.client.get("/log/key").text.splitlines()[0])
    for headers in (theirs, desk.official()):
        answer = desk.client.get(path, headers=headers)
        assert answer.status_code == 200
        found = verify_act_proof(parse_act_proof(answer.data), key)
        assert found.commitment.hex() == wanted["act"]
        assert found.document.subject == "merchant:2"
        assert found.document.after == {"status": "suspended"}
        assert "fapiao.json" in answer.headers["Content-Disposition"]
    again = acts(desk, desk.other_key)[1]  # type: ignore[attr-defined]
    assert again == {**wanted, "index": found.index}


def test_others_are_told_what_they_are_told_of_what_is_not_there(desk: Desk) -> None:
    desk.anchor_all()
    foreign = acts(desk, desk.other_key)[1]["act"]  # type: ignore[attr-defined]
    answers = [
        desk.client.get(f"/v1/acts/{commitment}/proof", headers=desk.auth())
        for commitment in (foreign, "0" * 64, foreign.upper(), "x")
    ]
    for answer in answers:
        problem(answer, 404, "act_unknown")
    assert answers[0].data == answers[1].data
    named = [{name for name, _ in answer.headers} for answer in answers]
    assert named[0] == named[1]


def test_only_keys_for_reading_are_let_in(desk: Desk) -> None:
    issuing = desk.new_key(1, KeyTerms(scopes=("issue",)))
    own = acts(desk, desk.key)[0]["act"]
    for path in ("/v1/acts", f"/v1/acts/{own}/proof"):
        problem(desk.client.get(path, headers=desk.auth(issuing)), 403, "scope_required")
        problem(desk.client.get(path), 401, "key_missing")
    problem(desk.client.get("/v1/acts?limit=0", headers=desk.auth()), 400, "parameter_malformed")
    problem(desk.client.get("/v1/acts?merchant=2", headers=desk.auth()), 400, "unknown_parameter")


def test_everybody_may_count_them_and_learns_no_more(desk: Desk) -> None:
    none = desk.client.get("/log/acts").get_json()
    assert (none["total"], none["size"]) == (0, 0)
    desk.anchor_all()
    answer = desk.client.get("/log/acts")
    assert answer.get_json() == {
        "origin": "fapiao.test/log",
        "size": 4,
        "total": 3,
        "counts": {
            **dict.fromkeys(("quota", "role", "finding", "consent", "log_key", "trail"), 0),
            "admission": 2,
            "suspension": 1,
        },
    }
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    desk.client.put("/v1/merchants/1/quota", json={"quota": 9}, headers=desk.official())
    assert desk.client.get("/log/acts").get_json()["total"] == 3  # not in the log yet
    desk.anchor_all()
    assert desk.client.get("/log/acts").get_json()["counts"]["quota"] == 1


def test_the_worker_has_the_log_hold_the_trail(desk: Desk) -> None:
    """Also what is no decision; officials have the proof, and everybody sees that there is one."""
    desk.anchor_all()
    desk.clock.forward(seconds=BOUND_WITHIN)
    desk.anchor_all()
    assert desk.client.get("/log/acts").get_json()["counts"]["trail"] == 1
    act = acts(desk, desk.official_key)[-1]
    assert (act["type"], act["by"], act["subject"]) == ("trail", "service", "trail")
    found = desk.client.get("/v1/trail?type=trail", headers=desk.official()).get_json()["acts"]
    assert found[0]["seq"] == act["after"]["acts"] + 1
    path = f"/v1/acts/{act['act']}/proof"
    proof = desk.client.get(path, headers=desk.official()).data
    verify_act_proof(parse_act_proof(proof), desk.instance.log_key)
    problem(desk.client.get(path, headers=desk.auth()), 404, "act_unknown")
