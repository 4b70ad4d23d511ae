"""The gravest acts over HTTP, by the keys of two administrators."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from invoice_service.services.people.person import Whose
from invoice_service.services.people.ports import KeyTerms
from invoice_service.services.people.sessions import Visit
from tests.api.desk import MEAL, Desk, problem

PROPOSALS = "/v1/proposals"


class Two(Desk):
    """A bureau with two administrators and an examiner, and a key of each."""

    def __init__(self, folder: Path, **overrides: str) -> None:
        super().__init__(folder, **overrides)
        self.ids = {
            "chen": self._person("chen", "administrator"),
            "wu": self._person("wu", "administrator"),
            "he": self._person("he", "examiner"),
        }
        self.keys = {
            name: self.auth(self.new_key(None, KeyTerms(person=number)))
            for name, number in self.ids.items()
        }

    def _person(self, name: str, role: Any) -> int:  # noqa: ANN401 # one of the bureau's
        staff, by = self.instance.people.staff, self.instance.operator()
        invited = staff.invite(Whose(None), role, name.title(), name, by)
        return staff.accept(invited.token, "seven ducks cross a river", Visit("", ""), by.at).id

    def call(self, who: str, method: str, path: str, body: object = None) -> TestResponse:
        """By somebody's key."""
        if body is None:
            return self.client.open(path, method=method, headers=self.keys[who])
        return self.client.open(path, method=method, headers=self.keys[who], json=body)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    with Two(tmp_path) as two:
        yield two


def test_a_role_is_changed_by_two(two: Two) -> None:
    he, role = two.ids["he"], {"role": "auditor"}
    problem(two.call("chen", "PUT", f"/v1/people/{he}/role", role), 409, "two_needed")
    asked = {"kind": "role", "person": he, "role": "auditor", "reason": "leaves the desk"}
    made = two.call("chen", "POST", PROPOSALS, asked)
    assert made.status_code == 201
    shown = made.get_json()
    assert (shown["state"], shown["proposer"]) == ("open", two.ids["chen"])
    problem(two.call("wu", "POST", PROPOSALS, asked), 409, "proposal_open")
    path = f"{PROPOSALS}/{shown['id']}/confirmation"
    problem(two.call("chen", "POST", path), 403, "same_person")
    problem(two.client.post(path, headers=two.official()), 403, "holder_unknown")
    problem(two.call("he", "POST", path), 403, "role_required")
    assert two.call("wu", "POST", path).get_json()["state"] == "confirmed"
    problem(two.call("wu", "POST", path), 409, "proposal_over")
    people = two.call("wu", "GET", "/v1/people").get_json()["people"]
    assert next(one["role"] for one in people if one["id"] == he) == "auditor"
    listed = two.call("wu", "GET", PROPOSALS).get_json()["proposals"]
    assert [(one["kind"], one["state"]) for one in listed] == [("role", "confirmed")]
    acts = two.call("wu", "GET", f"/v1/trail?subject=person:{he}").get_json()["acts"]
    assert acts[-1]["reason"] == "leaves the desk"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/people", {"name": "N", "login": "n", "role": "viewer"}),
        ("POST", "/v1/people/{he}/invitation", None),
        ("DELETE", "/v1/people/{he}", None),
        ("PUT", "/v1/people/{he}/role", {"role": "administrator"}),
        ("POST", "/v1/merchants/1/revocation", None),
    ],
)
def test_nothing_grave_is_done_by_one(two: Two, method: str, path: str, body: object) -> None:
    place = path.format(he=two.ids["he"])
    problem(two.call("chen", method, place, body), 409, "two_needed")
    problem(two.call("he", method, place, body), 403, "role_required")


def test_an_invitation_shows_its_link_to_whoever_confirms(two: Two) -> None:
    asked = {"kind": "invitation", "name": "新人", "login": "new", "role": "examiner"}
    number = two.call("chen", "POST", PROPOSALS, asked).get_json()["id"]
    done = two.call("wu", "POST", f"{PROPOSALS}/{number}/confirmation").get_json()
    assert done["invitation"].startswith("https://fapiao.test/invitation/")
    assert "invitation" not in two.call("chen", "GET", f"{PROPOSALS}/{number}").get_json()


def test_a_merchant_is_revoked_by_two(two: Two) -> None:
    number = two.call("wu", "POST", PROPOSALS, {"kind": "revocation", "merchant": 1}).get_json()
    path = f"{PROPOSALS}/{number['id']}"
    assert two.call("chen", "POST", f"{path}/confirmation").status_code == 200
    problem(two.post("/v1/invoices", {"order_id": "A", "lines": [MEAL]}), 403, "merchant_revoked")
    again = two.call("chen", "DELETE", "/v1/merchants/1/suspension")
    problem(again, 403, "merchant_revoked")


def test_a_proposal_is_withdrawn(two: Two) -> None:
    asked = {"kind": "removal", "person": two.ids["he"]}
    number = two.call("chen", "POST", PROPOSALS, asked).get_json()["id"]
    assert two.call("chen", "DELETE", f"{PROPOSALS}/{number}").get_json()["state"] == "withdrawn"
    problem(two.call("wu", "POST", f"{PROPOSALS}/{number}/confirmation"), 409, "proposal_over")
    problem(two.call("wu", "GET", f"{PROPOSALS}/999"), 404, "proposal_unknown")
    problem(two.call("wu", "POST", PROPOSALS, {"kind": "removal"}), 422, "missing_field")


def test_one_suspends_at_once_with_all_keys(two: Two) -> None:
    he = two.ids["he"]
    assert two.call("he", "GET", "/v1/merchants/1").status_code == 200
    path = f"/v1/people/{he}/suspension"
    problem(two.call("he", "POST", path), 403, "role_required")
    problem(
        two.call("chen", "POST", f"/v1/people/{two.ids['chen']}/suspension"), 403, "role_required"
    )
    gone = two.call("chen", "POST", path, {"reason": "停职"}).get_json()
    assert gone["state"] == "suspended"
    acts = two.call("chen", "GET", f"/v1/trail?subject=person:{he}").get_json()["acts"]
    assert acts[-1]["reason"] == "停职"
    problem(two.call("he", "GET", "/v1/merchants/1"), 401, "key_suspended")
    back = two.call("chen", "DELETE", path, {"reason": "复职"})
    assert back.get_json()["state"] == "active"
    acts = two.call("chen", "GET", f"/v1/trail?subject=person:{he}").get_json()["acts"]
    assert acts[-1]["reason"] == "复职"
    assert two.call("he", "GET", "/v1/merchants/1").status_code == 200


def test_the_settings_may_leave_it_to_one(tmp_path: Path) -> None:
    with Two(tmp_path, FAPIAO_OFFICIALS_TWO_PERSON="false") as two:
        he = f"/v1/people/{two.ids['he']}"
        answer = two.call("chen", "PUT", f"{he}/role", {"role": "viewer", "reason": "轮岗"})
        assert answer.get_json()["role"] == "viewer"
        assert two.call("chen", "DELETE", he, {"reason": "离职"}).get_json()["state"] == "removed"
        trail = f"/v1/trail?subject=person:{two.ids['he']}"
        acts = two.call("chen", "GET", trail).get_json()["acts"]
        assert [one.get("reason") for one in acts[-2:]] == ["轮岗", "离职"]


@pytest.mark.parametrize("number", [0, 2**53, 2**64])
def test_a_number_that_nobody_can_have_is_refused(two: Two, number: int) -> None:
    asked = {"kind": "revocation", "merchant": number, "reason": "x"}
    problem(two.call("chen", "POST", PROPOSALS, asked), 422, "amount_out_of_range")


@pytest.mark.parametrize("asked", [{"kind": "role", "person": 1}, {"kind": "invitation"}])
def test_a_role_that_is_not_said_is_missing(two: Two, asked: dict[str, object]) -> None:
    missing = problem(two.call("chen", "POST", PROPOSALS, asked), 422, "missing_field")
    assert missing["pointer"] == "/role"
