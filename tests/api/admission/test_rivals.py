"""Whoever applies with somebody else's tax id is in nobody's way; officials say whose it is."""

from pathlib import Path
from typing import Any

from invoice_service.domain.application import RIVAL_ADMITTED
from invoice_service.services.admission.desk import ALLOWED_FOR_ONE
from invoice_service.services.checking.audit_trail import audit_trail
from tests.api.admission.office import ASKED, applied, decide, examined, mine, stepped, trail
from tests.api.desk import OTHER_TAX_ID, Desk, problem

THIRD, FOURTH = "914403001922038216", "9144030071526726XG"
FROM = ("192.0.2.1", "198.51.100.2", "203.0.113.3")


def apply_from(desk: Desk, address: str, status: int = 201, /, **changes: object) -> str:
    """Apply from another network; the receipt, or the code."""
    answer = desk.client.post(
        "/v1/applications",
        json={**ASKED, **changes},
        environ_base={"REMOTE_ADDR": address},
    )
    assert answer.status_code == status, answer.text
    return str(answer.get_json()["receipt" if status == 201 else "code"])


def shown(desk: Desk, id_: int) -> Any:  # noqa: ANN401 # JSON
    return desk.client.get(f"/v1/applications/{id_}", headers=desk.official()).get_json()


def test_to_admit_one_refuses_the_others_with_a_reason_and_an_act(
    desk: Desk, photograph: bytes
) -> None:
    first, stranger = applied(desk, photograph, name="冒名")
    apart, _ = applied(desk, photograph, tax_id=THIRD)
    owner, mine_ = examined(desk, photograph)
    stepped(desk, first, "notice")
    assert shown(desk, owner)["rivals"] == [first]
    assert shown(desk, first)["rivals"] == [owner]
    assert "rivals" not in mine(desk, mine_).get_json()  # who else applies is officials' matter
    admitted = stepped(desk, owner, "admit", batch="1", rivals=[first])
    assert (admitted["state"], "rivals" in admitted) == ("admitted", False)
    told = mine(desk, stranger).get_json()
    assert (told["state"], told["reason"]) == ("refused", RIVAL_ADMITTED)
    assert shown(desk, first)["taken_by"] == admitted["merchant"]
    assert shown(desk, apart)["state"] == "received"
    act = trail(desk, "admission")[-1]
    assert (act["subject"], act["before"]) == (f"application:{first}", {"state": "notice"})
    assert (act["after"], act["reason"]) == ({"state": "refused"}, RIVAL_ADMITTED)
    audit_trail(desk.instance.store)
    problem(mine(desk, stranger, "/comments", {"text": "x"}), 409, "application_closed")


def test_one_that_came_meanwhile_is_looked_at_before_it_is_refused(
    desk: Desk, photograph: bytes
) -> None:
    owner, _ = examined(desk, photograph)
    late, receipt = applied(desk, photograph)
    problem(decide(desk, owner, "admit", batch="1", rivals=[]), 409, "application_changed")
    assert shown(desk, owner)["state"] == "examined"
    assert mine(desk, receipt).get_json()["state"] == "received"
    stepped(desk, late, "refuse", reason="not theirs")
    assert stepped(desk, owner, "admit", batch="1", rivals=[late])["state"] == "admitted"


def test_what_is_refused_or_withdrawn_competes_with_nobody(desk: Desk, photograph: bytes) -> None:
    first, receipt = applied(desk, photograph)
    second, _ = applied(desk, photograph)
    assert desk.instance.store.competing([OTHER_TAX_ID, THIRD]) == {OTHER_TAX_ID: 2}
    mine(desk, receipt, "/withdrawal")
    assert "rivals" not in shown(desk, second)
    assert desk.instance.store.competing([OTHER_TAX_ID]) == {}
    third, _ = applied(desk, photograph)
    stepped(desk, second, "refuse", reason="x")
    assert (first, "rivals" in shown(desk, third)) == (1, False)


def test_a_flood_with_one_tax_id_keeps_neither_its_owner_nor_others_out(
    tmp_path: Path, photograph: bytes
) -> None:
    """Three of a network with one tax id; behind eight there is a room of their own."""
    with Desk(tmp_path, FAPIAO_ADMISSION_MOST="9") as desk:
        for _ in range(ALLOWED_FOR_ONE.burst):
            apply_from(desk, FROM[0])
        assert apply_from(desk, FROM[0], 429) == "applications_limited"
        for number in range(13):
            apply_from(desk, f"203.0.{number}.1")
        owner, receipt = examined(desk, photograph)  # the seventeenth
        rivals = shown(desk, owner)["rivals"]
        assert len(rivals) == 16
        apply_from(desk, FROM[0], tax_id=THIRD)  # others have the room that they had
        assert apply_from(desk, FROM[1], 503, tax_id=FOURTH) == "applications_full"
        assert apply_from(desk, "2001:db8::1", 409) == "application_pending"
        stepped(desk, 1, "refuse", reason="not theirs")
        late = apply_from(desk, "2001:db8::1")  # comes while the official decides: keeps nobody
        stepped(desk, owner, "admit", batch="1", rivals=rivals)
        assert mine(desk, receipt).get_json()["state"] == "admitted"
        told = mine(desk, late).get_json()
        assert told["state"] == "received"
        assert shown(desk, told["id"])["taken_by"] == 2
        assert mine_of(desk, rivals) == {"refused"}
        audit_trail(desk.instance.store)


def mine_of(desk: Desk, ids: list[int]) -> set[object]:
    return {shown(desk, id_)["state"] for id_ in ids}
