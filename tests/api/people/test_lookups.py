"""Who of the bureau looked at what, and why."""

from pathlib import Path
from typing import Any

import pytest

from invoice_service.services.people.ports import KeyTerms
from tests.api.desk import Desk, problem


def acts(desk: Desk) -> list[tuple[str, str, str, str]]:
    """(actor, subject, what, purpose) of all look-ups."""
    found = desk.client.get("/v1/trail?type=lookup&limit=1000", headers=desk.official())
    return [
        (one["actor"], one["subject"], one["after"]["what"], one["reason"])
        for one in found.get_json()["acts"]
    ]


def counts(desk: Desk, query: str = "") -> list[dict[str, Any]]:
    """What administrators are shown."""
    answer = desk.client.get(f"/v1/lookups{query}", headers=desk.official())
    found: list[dict[str, Any]] = answer.get_json()["lookups"]
    return found


def test_files_invoices_and_lists_are_look_ups_and_figures_are_not(desk: Desk) -> None:
    invoice = desk.issue()
    headers = desk.official() | {"X-Purpose": "case 7"}
    one = f"/v1/invoices/{invoice['hash']}"
    for path in ("/v1/merchants/1", "/v1/merchants/1/keys", one, f"{one}/slip.png"):
        assert desk.client.get(path, headers=headers).status_code == 200, path
    for path in ("/v1/invoices?merchant=1", "/v1/invoices", "/v1/people?merchant=1"):
        assert desk.client.get(path, headers=headers).status_code == 200, path
    for path in ("/v1/merchants", "/v1/reports/totals", "/v1/trail", "/v1/lookups"):
        desk.client.get(path, headers=headers)
    number = f"invoice:{invoice['code']}-{invoice['number']}"
    assert [one[1:] for one in acts(desk)] == [
        ("merchant:1", "file", "case 7"),
        (number, "invoice", "case 7"),
        ("merchant:1", "list", "case 7"),
        ("invoices", "list", "case 7"),
    ]


def test_others_look_at_their_own_and_leave_no_trace(desk: Desk) -> None:
    invoice = desk.issue()
    viewer = desk.auth(desk.new_key(None, KeyTerms(office="viewer")))
    for headers in ({}, desk.auth(), viewer):
        desk.client.get(f"/v1/invoices/{invoice['hash']}", headers=headers)
    desk.client.get("/v1/invoices", headers=desk.auth())
    assert acts(desk) == []


def test_the_same_look_up_stands_once_an_hour(desk: Desk) -> None:
    def look(purpose: str) -> None:
        headers = desk.official() | {"X-Purpose": purpose}
        assert desk.client.get("/v1/merchants/1", headers=headers).status_code == 200

    for _ in range(5):
        look("a")
    look("b")
    assert [one[3] for one in acts(desk)] == ["a", "b"]
    desk.clock.forward(hours=1)
    look("a")
    assert [one[3] for one in acts(desk)] == ["a", "b", "a"]
    first, second = counts(desk)
    assert (first["purpose"], first["count"], first["subjects"]) == ("a", 2, 1)
    assert (second["purpose"], second["count"]) == ("b", 1)
    assert counts(desk, "?to=2026-11-20") == []
    assert counts(desk, "?from=2026-11-21&limit=1") == [first]


def test_a_purpose_may_be_chinese_and_says_who(desk: Desk) -> None:
    staff, by = desk.instance.people.staff, desk.instance.operator()
    from invoice_service.services.people.person import Whose

    he = staff.invite(Whose(None), "examiner", "He", "he", by).person.id
    key = desk.auth(desk.new_key(None, KeyTerms(person=he)))
    sent = "%E6%A0%B8%E6%9F%A5%20%E4%B8%89"  # 核查 三
    desk.client.get("/v1/merchants/1", headers=key | {"X-Purpose": sent})
    desk.client.get(
        "/v1/merchants/1", headers=key | {"X-Purpose": "核查 三".encode().decode("latin-1")}
    )
    (one,) = counts(desk)
    assert (one["purpose"], one["person"]) == ("核查 三", he)


def test_without_a_purpose_it_says_so_unless_one_is_required(tmp_path: Path) -> None:
    with Desk(tmp_path / "old") as desk:
        assert desk.client.get("/v1/merchants/1", headers=desk.official()).status_code == 200
        assert [one[3] for one in acts(desk)] == ["unsaid"]
    with Desk(tmp_path / "new", FAPIAO_OFFICIALS_PURPOSE_REQUIRED="true") as desk:
        invoice = desk.issue()
        for path in ("/v1/merchants/1", f"/v1/invoices/{invoice['hash']}"):
            problem(desk.client.get(path, headers=desk.official()), 400, "purpose_missing")
        assert acts(desk) == []
        assert desk.client.get("/v1/reports/totals", headers=desk.official()).status_code != 400


@pytest.mark.parametrize(
    ("text", "code"), [("x" * 201, "text_too_long"), ("%07", "control_character")]
)
def test_a_purpose_is_a_line(desk: Desk, text: str, code: str) -> None:
    headers = desk.official() | {"X-Purpose": text}
    problem(desk.client.get("/v1/merchants/1", headers=headers), 422, code)


def test_a_path_of_nothing_is_no_look_up(desk: Desk) -> None:
    headers = desk.official() | {"X-Purpose": "x"}
    problem(desk.client.get("/v1/merchants/999", headers=headers), 404, "merchant_unknown")
    assert acts(desk) == []
