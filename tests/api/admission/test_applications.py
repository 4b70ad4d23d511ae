"""From an application to the register: each step once, in order, with its act."""

import os
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
from PIL import Image

from chain.audit.finding import AuditError
from invoice_service.domain.merchant import MerchantRequest
from invoice_service.services.admission.desk import ALLOWED, ALLOWED_MORE
from invoice_service.services.checking.audit_trail import audit_trail
from invoice_service.services.people.ports import KeyTerms
from invoice_service.services.people.roles import OfficialRole
from invoice_service.storage.sqlite import WASH_EVERY
from tests.api.admission.office import (
    ASKED,
    applied,
    apply,
    decide,
    examined,
    mine,
    stepped,
    trail,
)
from tests.api.desk import MEAL, TAX_ID, Desk, problem

THIRD = "914403001922038216"
SECRET = "Aunt Wang of the harbour"
HOSTILE = "<script>alert(1)</script>'\"`${x}{{7*7}} =1+1"


@pytest.fixture
def rushed(tmp_path: Path) -> Iterator[Desk]:
    """An office that keeps little, without a notice period."""
    few = {"FAPIAO_ADMISSION_MOST": "3", "FAPIAO_ADMISSION_NOTICE_DAYS": "0"}
    with Desk(tmp_path, **few, FAPIAO_ADMISSION_PAPER_BYTES="3000") as desk:
        yield desk


def test_from_the_application_to_the_first_invoice_and_out_again(
    desk: Desk, photograph: bytes
) -> None:
    made = apply(desk)
    receipt = made["receipt"]
    assert made["link"] == f"https://fapiao.test/apply/status#{receipt}"
    id_ = made["application"]["id"]
    problem(decide(desk, id_, "notice"), 409, "paper_missing")
    assert mine(desk, receipt, "/papers", photograph).get_json()["papers"] == [1]
    kept = desk.client.get(f"/v1/applications/{id_}/papers/1", headers=desk.official())
    assert kept.data.startswith(b"\xff\xd8\xff")
    problem(decide(desk, id_, "examine", risk="low", credit="A"), 409, "application_step")
    noticed = stepped(desk, id_, "notice")
    assert noticed["notice_until"] == "2026-11-24T16:00:00Z"  # three whole days of Shenzhen
    (notice,) = desk.client.get("/v1/applications/notices").get_json()["notices"]
    assert notice == {
        **{name: ASKED[name] for name in ("name", "industry", "district")},
        "id": id_,
        "date": "2026-11-21",
        "until": "2026-11-24T16:00:00Z",
    }
    objection = {"text": "They owe me money"}
    said = desk.client.post(f"/v1/applications/notices/{id_}/objections", json=objection)
    assert said.status_code == 201
    problem(decide(desk, id_, "examine", risk="low", credit="A"), 409, "notice_running")
    asked = desk.client.post(
        f"/v1/applications/{id_}/comments", json={"text": "执照到期了？"}, headers=desk.official()
    )
    assert [one["whose"] for one in asked.get_json()["comments"]] == ["public", "official"]
    answered = mine(desk, receipt, "/comments", {"text": "已换新照"}).get_json()
    assert [one["text"] for one in answered["comments"]] == ["执照到期了？", "已换新照"]
    desk.clock.forward(days=4)
    assert desk.client.get("/v1/applications/notices").get_json()["notices"] == []
    found = stepped(desk, id_, "examine", risk="low", credit="B", warning="blue")
    assert (found["risk"], found["credit"], found["warning"]) == ("low", "B", "blue")
    told = mine(desk, receipt).get_json()
    assert {"risk", "credit", "warning"}.isdisjoint(told)  # what the office thinks is its own
    limits = {"quota": 100, "month_quota": 100_000, "invoice_limit": 50_000}
    admitted = stepped(desk, id_, "admit", batch="2026-11", **limits)
    assert mine(desk, receipt).get_json()["state"] == "admitted"
    path = f"/v1/merchants/{admitted['merchant']}"
    merchant = desk.client.get(path, headers=desk.official()).get_json()
    assert {**limits, "batch": "2026-11", "month_left": 100_000}.items() <= merchant.items()
    key = {"Authorization": f"Bearer {desk.new_key(admitted['merchant'])}"}
    order = {"order_id": "C1", "lines": [MEAL]}
    issued = desk.client.post("/v1/invoices", json=order, headers=key)
    assert issued.status_code == 201
    large = {"order_id": "C2", "lines": [{**MEAL, "unit_price": 60_000}]}
    refused = desk.client.post("/v1/invoices", json=large, headers=key)
    assert problem(refused, 403, "invoice_over_limit")["limit"] == 50_000
    assert desk.client.post("/v1/invoices", json=order | {"order_id": "C3"}, headers=key)
    over = desk.client.post("/v1/invoices", json=order | {"order_id": "C4"}, headers=key)
    assert problem(over, 403, "quota_money_spent")["left"] == 100_000 - 2 * 46_991
    gone = desk.client.post(f"{path}/leaving", json={"reason": "closes"}, headers=desk.official())
    assert gone.get_json()["status"] == "left"
    over = desk.client.post("/v1/invoices", json=order | {"order_id": "C5"}, headers=key)
    problem(over, 403, "merchant_left")
    again = desk.client.delete(f"{path}/suspension", headers=desk.official())
    problem(again, 409, "readmission_needed")
    desk.anchor()
    slip = {name: issued.get_json()[name] for name in ("hash", "number", "total")}
    asked_of = {"hash": slip["hash"], "bill_num": slip["number"], "total_amount": slip["total"]}
    verdict = desk.client.get("/v1/verifications", query_string=asked_of).get_json()
    assert verdict["verdict"] == "authentic"  # what it has issued stands
    back = desk.client.post(f"{path}/readmission", json={}, headers=desk.official())
    assert back.get_json()["status"] == "active"
    found = [act for act in trail(desk, "admission") if act["outcome"] == "done"]
    acts = [(act["subject"], act["after"].get("state")) for act in found]
    mine_ = f"application:{id_}"
    steps = [(mine_, "notice"), (mine_, "examined"), (mine_, "admitted")]
    assert [one for one in acts if one in steps] == steps
    assert (f"merchant:{admitted['merchant']}", None) in acts
    audit_trail(desk.instance.store)


def test_the_same_sent_twice_is_one_and_who_has_withdrawn_applies_anew(
    desk: Desk, photograph: bytes
) -> None:
    nonce = "ab" * 24
    first, again = apply(desk, nonce=nonce), apply(desk, 200, nonce=nonce)
    assert first == again
    assert apply(desk, 409, tax_id=TAX_ID)["code"] == "tax_id_taken"
    assert mine(desk, first["receipt"], "/withdrawal").get_json()["state"] == "withdrawn"
    second = apply(desk, nonce="ef" * 24)  # free again
    assert second["application"]["id"] != first["application"]["id"]
    id_ = second["application"]["id"]
    assert mine(desk, second["receipt"], "/papers", photograph).status_code == 200
    stepped(desk, id_, "refuse", reason="营业执照已过期")
    assert mine(desk, second["receipt"]).get_json()["reason"] == "营业执照已过期"
    problem(mine(desk, second["receipt"], "/comments", {"text": "x"}), 409, "application_closed")
    problem(decide(desk, id_, "admit", batch="1"), 409, "application_step")


def test_whoever_was_admitted_otherwise_meanwhile_is_not_admitted_twice(
    desk: Desk, photograph: bytes
) -> None:
    id_, _ = examined(desk, photograph)
    wanted = {name: ASKED[name] for name in ("tax_id", "name", "industry", "district")}
    desk.instance.store.add_merchant(MerchantRequest(**wanted), desk.instance.operator())
    problem(decide(desk, id_, "admit", batch="1"), 409, "tax_id_taken")
    assert trail(desk, "admission")[-1]["outcome"] == "refused"
    there = desk.client.get(f"/v1/applications/{id_}", headers=desk.official()).get_json()
    assert there["state"] == "examined"


def test_with_a_risk_flag_nobody_is_admitted(desk: Desk, photograph: bytes) -> None:
    id_, _ = examined(desk, photograph)
    stepped(desk, id_, "examine", risk="high", credit="D")
    problem(decide(desk, id_, "admit", batch="1"), 409, "application_risky")
    stepped(desk, id_, "examine", risk="none", credit="M", warning="red")
    problem(decide(desk, id_, "admit", batch="1"), 409, "application_risky")
    act = trail(desk, "admission")[-2]
    assert act["before"] == {"state": "examined", "risk": "high", "credit": "D"}
    assert act["after"]["warning"] == "red"


def test_a_step_lacks_nothing(desk: Desk, photograph: bytes) -> None:
    id_, _ = examined(desk, photograph)
    problem(decide(desk, id_, "refuse"), 422, "text_empty")
    problem(decide(desk, id_, "admit"), 422, "text_empty")
    half = decide(desk, id_, "examine", risk="low")
    assert problem(half, 422, "finding_missing")["pointer"] == "/credit"
    problem(decide(desk, id_, "examine", risk="huge", credit="A"), 422, "value_unknown")
    problem(decide(desk, id_, "refuse", reason="x" * 501), 422, "text_too_long")


def test_of_two_examiners_one_decides_and_the_other_looks_again(
    desk: Desk, photograph: bytes
) -> None:
    id_, receipt = examined(desk, photograph)
    path = f"/v1/applications/{id_}"
    version = desk.client.get(path, headers=desk.official()).get_json()["version"]
    mine(desk, receipt, "/comments", {"text": "one more thing"})
    stale = decide(desk, id_, "admit", version=version, batch="1")
    assert problem(stale, 409, "application_changed")["version"] == version + 1
    together, answers = Barrier(6), []

    def hurry(number: int) -> None:
        step = {"decision": "admit", "batch": f"{number}"}
        if number % 2:
            step = {"decision": "refuse", "reason": f"{number}"}
        client, body = desk.app.test_client(), {"version": version + 1, **step}
        together.wait()
        answer = client.post(f"{path}/decision", json=body, headers=desk.official())
        answers.append(answer.status_code)

    threads = [Thread(target=hurry, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 409, 409, 409, 409, 409]
    audit_trail(desk.instance.store)


def test_objections_keep_no_official_from_deciding_and_are_bounded(
    desk: Desk, photograph: bytes
) -> None:
    id_, _ = applied(desk, photograph)
    before = stepped(desk, id_, "notice")
    path = f"/v1/applications/notices/{id_}/objections"
    for number in range(ALLOWED_MORE.burst - 1):
        answer = desk.client.post(path, json={"text": f"no {number}"})
        assert answer.status_code == 201, answer.text
    limited = desk.client.post(path, json={"text": "no more"})
    assert problem(limited, 429, "applications_limited")["retry_after"] > 0
    there = desk.client.get(f"/v1/applications/{id_}", headers=desk.official()).get_json()
    assert there["version"] == before["version"]
    problem(
        desk.client.post("/v1/applications/notices/999/objections", json={"text": "x"}),
        404,
        "application_unknown",
    )


def test_a_flood_is_bounded_by_network_and_by_room(rushed: Desk, photograph: bytes) -> None:
    for _ in range(ALLOWED.burst):  # who mistypes is not kept out
        assert apply(rushed, 422, tax_id="914403001922038217")["code"] == "tax_id_invalid"
    taxes = ("914403001922038216", "9144030071526726XG", "91330100799655058B")
    for tax_id in taxes:
        apply(rushed, tax_id=tax_id)
    full = apply(rushed, 503, tax_id="91350100M000100Y43")
    assert full["code"] == "applications_full"
    for tax_id, status in [(TAX_ID, 409)] * 3 + [(one, 503) for one in taxes]:
        apply(rushed, status, tax_id=tax_id)
    assert ALLOWED.burst == 4 + 6
    assert apply(rushed, 429, tax_id="91350100M000100Y43")["code"] == "applications_limited"


def coloured(shade: int) -> bytes:
    """A photograph like no other."""
    file = BytesIO()
    Image.new("RGB", (64, 48), (shade, 0, 0)).save(file, "JPEG")
    return file.getvalue()


def test_papers_are_bounded_in_number_and_bytes(rushed: Desk) -> None:
    receipt = apply(rushed)["receipt"]
    pages = [coloured(shade) for shade in range(0, 240, 20)]
    codes = [mine(rushed, receipt, "/papers", page) for page in pages]
    assert {answer.status_code for answer in codes} == {200, 503}
    assert codes[-1].get_json()["code"] == "applications_full"
    kept = rushed.instance.admission_store.desks.applications.look(receipt).papers
    assert sum(paper.bytes for paper in kept) <= 3000
    for data, code in ((b"<svg", "picture_kind"), (b"%PDF-1.7 x", "pdf_unreadable")):
        assert mine(rushed, receipt, "/papers", data).get_json()["code"] == code


def test_another_applicants_secret_opens_nothing(desk: Desk, photograph: bytes) -> None:
    _, receipt = applied(desk, photograph)
    other = re.sub("[0-9A-Z]", lambda found: "1" if found[0] == "0" else "0", receipt)
    for wrong in ("", "x", other, receipt[:-1], receipt + "0"):
        for path, body in (("", None), ("/comments", {"text": "x"}), ("/papers", photograph)):
            problem(mine(desk, wrong, path, body), 404, "application_unknown")
    assert mine(desk, receipt.lower().replace("-", " ")).status_code == 200
    kept = (desk.config.data_dir / "invoices.db").read_bytes()
    kept += (desk.config.data_dir / "invoices.db-wal").read_bytes()
    assert receipt.encode() not in kept


def test_what_is_withdrawn_is_erased_from_the_rows_the_log_and_the_folder(
    desk: Desk, photograph: bytes
) -> None:
    id_, receipt = applied(desk, photograph, contact=SECRET)
    other, _ = applied(desk, photograph, tax_id=THIRD)
    folder, data = desk.config.admission_dir, desk.config.data_dir
    assert len(list(folder.iterdir())) == 2
    assert SECRET.encode() in (data / "invoices.db-wal").read_bytes()
    mine(desk, receipt, "/withdrawal")
    assert len(list(folder.iterdir())) == 1
    there, kept = (
        desk.client.get(f"/v1/applications/{one}", headers=desk.official()).get_json()
        for one in (id_, other)
    )
    assert "contact" not in there
    assert "papers" not in there
    assert kept["papers"] == [1]
    desk.clock.forward(seconds=WASH_EVERY)
    desk.anchor()
    assert not any(SECRET.encode() in path.read_bytes() for path in data.glob("invoices.db*"))


def test_papers_that_a_crash_has_left_go_when_they_are_old(desk: Desk, photograph: bytes) -> None:
    applied(desk, photograph)
    folder, store = desk.config.admission_dir, desk.instance.admission_store
    left = folder / f"{store.papers.write(photograph)}.jpg"
    store.papers.keep_only(desk.instance.store.paper_names())
    assert left.exists()  # it is young: somebody may be about to name it
    os.utime(left, (0, 0))
    store.papers.keep_only(desk.instance.store.paper_names())
    assert not left.exists()
    assert len(list(folder.iterdir())) == 1


def test_a_page_is_shown_as_it_was_sent_or_not_at_all(desk: Desk, photograph: bytes) -> None:
    """After a restore there may be half a file, another one, or a link that leads to a key."""
    id_, _ = applied(desk, photograph)
    (page,) = desk.config.admission_dir.iterdir()
    path = f"/v1/applications/{id_}/papers/1"
    assert desk.client.get(path, headers=desk.official()).data == page.read_bytes()
    page.write_bytes(page.read_bytes()[:-1])
    problem(desk.client.get(path, headers=desk.official()), 503, "record_damaged")
    page.unlink()
    page.symlink_to(desk.config.keys_dir / "log.key")
    problem(desk.client.get(path, headers=desk.official()), 404, "application_unknown")


def test_a_hostile_name_is_a_name(desk: Desk, photograph: bytes) -> None:
    id_, receipt = examined(desk, photograph, name=HOSTILE, message=HOSTILE)
    admitted = stepped(desk, id_, "admit", batch=HOSTILE[:30])
    merchant = desk.client.get(f"/v1/merchants/{admitted['merchant']}", headers=desk.official())
    assert merchant.get_json()["name"] == HOSTILE
    bidi = apply(desk, 422, tax_id="914403001922038216", name="a\u202eb")
    assert bidi["code"] == "control_character"
    wrong = apply(desk, 422, tax_id="914403001922038217")
    assert wrong["code"] == "tax_id_invalid"
    assert mine(desk, receipt).get_json()["name"] == HOSTILE


def test_an_application_changed_behind_the_scenes_is_named(desk: Desk, photograph: bytes) -> None:
    id_, _ = examined(desk, photograph)
    with desk.instance.store.connections.writing() as connection:
        connection.execute("UPDATE applications SET state = 'received' WHERE id = ?", (id_,))
    with pytest.raises(AuditError, match="application"):
        audit_trail(desk.instance.store)


def test_an_examiner_examines_and_an_administrator_admits(desk: Desk, photograph: bytes) -> None:
    id_, _ = examined(desk, photograph)
    path = f"/v1/applications/{id_}"
    powers: dict[OfficialRole, tuple[str, ...]] = {
        "viewer": (),
        "auditor": ("read",),
        "examiner": ("read", "examine"),
    }
    for office, may in powers.items():
        key = desk.auth(desk.new_key(None, KeyTerms(office=office)))
        seen = desk.client.get(path, headers=key)
        assert (seen.status_code == 200) == ("read" in may), office
        version = desk.instance.admission.bench.one(id_).version
        again = {"version": version, "decision": "examine", "risk": "low", "credit": "A"}
        done = desk.client.post(f"{path}/decision", json=again, headers=key)
        assert (done.status_code == 200) == ("examine" in may), office
        version = desk.instance.admission.bench.one(id_).version
        step = {"version": version, "decision": "admit", "batch": "1"}
        refused = desk.client.post(f"{path}/decision", json=step, headers=key)
        problem(refused, 403, "role_required")
    assert stepped(desk, id_, "admit", batch="1")["state"] == "admitted"


def test_who_opens_an_application_or_the_queue_has_looked(desk: Desk, photograph: bytes) -> None:
    id_, receipt = applied(desk, photograph)
    headers = desk.official() | {"X-Purpose": "case 7"}
    path = f"/v1/applications/{id_}"
    for address in (path, f"{path}/papers/1", "/v1/quota-requests", "/v1/applications"):
        assert desk.client.get(address, headers=headers).status_code == 200, address
    desk.client.get("/v1/quota-requests", headers=desk.auth())  # a merchant its own
    mine(desk, receipt)
    assert [(act["subject"], act["reason"]) for act in trail(desk, "lookup")] == [
        (f"application:{id_}", "case 7"),
        ("quota_requests", "case 7"),
    ]


def test_officials_find_applications_by_name_and_tax_id(desk: Desk) -> None:
    """In every state, or one; wide letters and groups of digits as keyboards type them."""
    cafe = apply(desk, name="海岸 Café（南山）")["application"]["id"]
    shop = apply(desk, name="福田面馆", tax_id="914403001922038216")["receipt"]
    mine(desk, shop, "/withdrawal")

    def found(status: int = 200, **asked: str) -> Any:  # noqa: ANN401 # JSON
        answer = desk.client.get("/v1/applications", query_string=asked, headers=desk.official())
        assert answer.status_code == status
        got = answer.get_json()
        return [one["id"] for one in got["applications"]] if status == 200 else got["code"]

    assert found(text="海岸") == found(text="caf") == found(text="ＣＡＦ") == [cafe]
    assert found(text="（南山）") == found(text="(南山)") == found(text="é（南山)") == [cafe]
    assert found(text="CAFÉ(") == found(text="cafe\u0301（") == found(text="ＣａｆÉ") == [cafe]
    assert found(text="cafe") == found(text="海岸 Café（南山）館") == []
    assert found(text=" 914403 00192203 ") == found(text="面馆") == [cafe + 1]
    assert found(text="面馆", state="received") == []
    assert found(text="01922") == found(text="%") == []
    assert found(400, text="x" * 101) == "parameter_malformed"
