"""Whoever was admitted gets in: the merchant's first account, by the applicant's receipt alone."""

from typing import Any

from werkzeug.test import TestResponse

from invoice_service.domain.merchant import Status
from invoice_service.services.checking.audit_trail import audit_trail
from invoice_service.services.people.person import Whose
from invoice_service.services.people.sessions import Visit
from tests.api.admission.office import examined, mine, stepped, trail
from tests.api.desk import Desk, problem

PASSWORD = "seven ducks swim"
WHO = {"name": "王店长", "login": "wang"}


def admitted(desk: Desk, photograph: bytes) -> tuple[int, str]:
    """An application that was: its number, its receipt."""
    id_, receipt = examined(desk, photograph)
    stepped(desk, id_, "admit", batch="2026-11")
    return id_, receipt


def account(desk: Desk, receipt: str) -> dict[str, Any]:
    found: dict[str, Any] = mine(desk, receipt).get_json()["account"]
    return found


def change(desk: Desk, id_: int, method: str = "POST") -> TestResponse:
    """What an administrator decides about the offer."""
    path = f"/v1/applications/{id_}/invitation"
    return desk.client.open(path, method=method, headers=desk.official())


def enter(desk: Desk, link: str) -> int:
    """Use an invitation; the person's number."""
    staff, now = desk.instance.people.staff, int(desk.clock().timestamp())
    token = link.rpartition("/invitation/")[2]
    return staff.accept(token, PASSWORD, Visit("192.0.2.9", ""), now).id


def test_who_is_admitted_opens_the_account_once_and_nobody_else_sees_the_link(
    desk: Desk, photograph: bytes
) -> None:
    id_, receipt = examined(desk, photograph)
    problem(mine(desk, receipt, "/invitation", WHO), 409, "account_not_offered")
    merchant = stepped(desk, id_, "admit", batch="2026-11")["merchant"]
    assert account(desk, receipt)["state"] == "offered"
    problem(mine(desk, receipt, "/invitation", WHO | {"login": "?"}), 422, "login_invalid")
    made = mine(desk, receipt, "/invitation", WHO)
    again = mine(desk, receipt, "/invitation", {"name": "Mallory", "login": "mallory"})
    assert (made.status_code, again.status_code) == (201, 200)
    assert made.get_json() == again.get_json()  # a press twice, a page that is loaded again
    link = made.get_json()["invitation"]
    assert made.get_json()["login"] == f"wang@{merchant}"
    path = f"/v1/applications/{id_}"
    shown = desk.client.get(path, headers=desk.official())
    assert shown.get_json()["account"]["state"] == "invited"
    token = link.rpartition("/")[2]
    seen = [
        shown,
        mine(desk, receipt),
        desk.client.get("/v1/trail?limit=900", headers=desk.official()),
    ]
    assert not any(token in answer.text for answer in seen)
    files = [desk.config.data_dir / name for name in ("invoices.db", "invoices.db-wal")]
    assert not any(token.encode() in file.read_bytes() for file in files)
    person = enter(desk, link)
    found = desk.instance.store.person(person)
    assert found is not None
    assert (found.role, found.merchant_id, found.name) == ("owner", merchant, "王店长")
    assert account(desk, receipt) == {"state": "open", "login": f"wang@{merchant}"} | {
        "until": account(desk, receipt)["until"]
    }
    problem(mine(desk, receipt, "/invitation", WHO), 409, "account_not_offered")
    problem(change(desk, id_), 409, "account_not_offered")
    acts = [act for act in trail(desk, "invitation") if act["outcome"] == "done"]
    assert [(act["subject"], act["actor"].partition(":")[0]) for act in acts] == [
        (f"application:{id_}", "key"),
        (f"person:{person}", "applicant"),
    ]
    audit_trail(desk.instance.store)


def test_what_is_decided_otherwise_about_the_person_is_not_undone_by_the_receipt(
    desk: Desk, photograph: bytes
) -> None:
    id_, receipt = admitted(desk, photograph)
    person = enter(desk, mine(desk, receipt, "/invitation", WHO).get_json()["invitation"])
    store, staff, by = desk.instance.store, desk.instance.people.staff, desk.instance.operator()
    found = store.person(person)
    assert found is not None
    staff.invite_again(found, by)  # a lost telephone, say
    assert account(desk, receipt)["state"] == "closed"
    problem(mine(desk, receipt, "/invitation", WHO), 409, "account_not_offered")
    staff.remove(found, by)
    assert account(desk, receipt)["state"] == "closed"
    assert change(desk, id_).get_json()["account"]["state"] == "offered"  # the desk may anew
    renewed = mine(desk, receipt, "/invitation", WHO | {"login": "wang2"})
    assert renewed.status_code == 201


def test_its_time_ends_and_the_desk_renews_it(desk: Desk, photograph: bytes) -> None:
    id_, receipt = admitted(desk, photograph)
    first = mine(desk, receipt, "/invitation", WHO).get_json()
    desk.clock.forward(days=desk.config.admission.invitation_days)
    assert account(desk, receipt)["state"] == "over"
    problem(mine(desk, receipt, "/invitation", WHO), 409, "account_not_offered")
    assert desk.client.get(first["invitation"].partition("fapiao.test")[2]).status_code == 404
    assert change(desk, id_).get_json()["account"]["state"] == "offered"
    second = mine(desk, receipt, "/invitation", {})  # named already
    assert second.status_code == 201
    assert second.get_json()["login"] == first["login"]
    assert second.get_json()["invitation"] != first["invitation"]
    assert desk.client.get(first["invitation"].partition("fapiao.test")[2]).status_code == 404
    enter(desk, second.get_json()["invitation"])
    assert account(desk, receipt)["state"] == "open"


def test_the_desk_takes_it_back_and_the_link_is_void(desk: Desk, photograph: bytes) -> None:
    id_, receipt = admitted(desk, photograph)
    link = mine(desk, receipt, "/invitation", WHO).get_json()["invitation"]
    for _ in range(2):  # again: nothing new
        assert change(desk, id_, "DELETE").get_json()["account"]["state"] == "closed"
    assert desk.client.get(link.partition("fapiao.test")[2]).status_code == 404
    problem(mine(desk, receipt, "/invitation", WHO), 409, "account_not_offered")
    act = trail(desk, "invitation")[-1]
    assert (act["subject"], act["after"]) == (f"application:{id_}", {"state": "withdrawn"})
    assert len([one for one in trail(desk, "invitation") if one["after"] == act["after"]]) == 1
    change(desk, id_)
    anew = mine(desk, receipt, "/invitation", {}).get_json()["invitation"]
    desk.instance.store.forget_applications(2**40)  # the application is over for good
    assert desk.client.get(anew.partition("fapiao.test")[2]).status_code == 404
    assert account(desk, receipt)["state"] == "closed"


def test_a_merchant_with_an_owner_or_revoked_offers_nothing(desk: Desk, photograph: bytes) -> None:
    id_, receipt = admitted(desk, photograph)
    merchant = desk.instance.admission.bench.one(id_).merchant_id
    assert merchant is not None
    by = desk.instance.operator()
    other = desk.instance.people.staff.invite(Whose(merchant), "owner", "Zhang", "zhang", by)
    assert account(desk, receipt)["state"] == "closed"
    problem(mine(desk, receipt, "/invitation", WHO), 409, "account_not_offered")
    problem(change(desk, id_), 409, "account_not_offered")
    desk.instance.people.staff.remove(other.person, by)
    assert account(desk, receipt)["state"] == "offered"
    gone: Status = "revoked"
    desk.instance.store.set_status(merchant, gone, by)
    assert account(desk, receipt)["state"] == "closed"


def test_who_is_not_admitted_and_who_has_no_receipt_is_offered_nothing(
    desk: Desk, photograph: bytes
) -> None:
    id_, receipt = examined(desk, photograph)
    assert "account" not in mine(desk, receipt).get_json()
    problem(change(desk, id_), 409, "account_not_offered")
    stepped(desk, id_, "refuse", reason="执照已过期")
    problem(mine(desk, receipt, "/invitation", WHO), 409, "account_not_offered")
    problem(mine(desk, "00000-00000-00000-00000", "/invitation", WHO), 404, "application_unknown")
