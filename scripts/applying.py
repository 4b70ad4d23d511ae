"""The calls of an application and of a request for quota, for the examples of ``/openapi.json``."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any, Final

from PIL import Image

from invoice_service.domain.application import ApplicationRequest, Finding
from invoice_service.domain.quota import Quotas
from invoice_service.services.admission.ports import Decision
from invoice_service.wiring import Instance

FORM, PARTS = "application/x-www-form-urlencoded", "multipart/form-data"
OCTETS: Final = "application/octet-stream"
CANTEEN: Final = {
    "tax_id": "9144030071526726XG",
    "name": "深圳市海边食堂有限公司",
    "industry": "6210",
    "district": "440308",
    "contact": "陈经理 13800000000",
}

Made = tuple[str, dict[str, Any], Any, str]
"""A call: its name, parameters, body and the type of that."""


def admission_calls(known: dict[str, Any]) -> Iterator[Made]:
    """All of them, in an order that works; ``known`` has what earlier ones answered."""
    json = "application/json"
    yield "apply", {}, {**CANTEEN, "nonce": "0123456789abcdef" * 3}, json
    mine = {"Fapiao-Receipt": known["apply"]["receipt"]}
    one = {"application": known["apply"]["application"]["id"]}
    yield "addPaper", mine, paper(), OCTETS
    yield "commentApplied", mine, {"text": "执照为新换发的副本"}, json
    yield "readApplied", mine, None, json
    yield "listApplications", {"limit": 10, "state": "received"}, None, json
    yield "readApplication", one, None, json
    yield "applicationPaper", {**one, "paper": 1}, None, json
    yield "commentApplication", one, {"text": "请补交房屋租赁合同"}, json
    version = known["commentApplication"]["version"]
    yield "decideApplication", one, {"version": version, "decision": "notice"}, json
    yield "listNotices", {"limit": 10}, None, json
    yield "objectTo", one, {"text": "该地址并无此店"}, json
    for name in ("applyPage", "applicantForm", "noticesPage"):
        yield name, {}, None, json
    yield "noticePage", one, None, json
    yield "objectByForm", one, {"text": "欠薪未结"}, FORM
    form = {**CANTEEN, "tax_id": "914403001922038216", "nonce": "f" * 48, "paper": paper()}
    yield "applyByForm", {}, form, PARTS
    receipt = known["apply"]["receipt"]
    yield "applicantPage", {}, {"receipt": receipt, "act": "comment", "text": "已寄出"}, FORM
    yield "withdrawApplied", mine, None, json
    yield "ADMITTED", {}, None, json
    receipt, application = known["ADMITTED"]
    yield "inviteApplied", {"Fapiao-Receipt": receipt}, {"name": "陈海", "login": "chen"}, json
    yield "offerAccount", {"application": application}, None, json
    yield "withholdAccount", {"application": application}, None, json
    yield "askQuota", {}, {"month_quota": 50_000_000, "reason": "春节宴席"}, json
    yield "listQuotaRequests", {"state": "open"}, None, json
    request, granted = {"request": known["askQuota"]["id"]}, {"version": 1, "granted": True}
    yield "answerQuota", request, {**granted, "answer": "同意，至二月底"}, json
    yield "ASKED", {}, None, json
    yield "withdrawQuota", {"request": known["ASKED"]}, None, json
    merchant = {"merchant": known["admit"]["id"]}
    yield "letLeave", merchant, {"reason": "停业"}, json
    yield "readmit", merchant, {"reason": "恢复营业"}, json


def admitted(instance: Instance) -> tuple[str, int]:
    """The receipt and the number of an application that was admitted, without a notice."""
    desks, by = instance.admission, instance.operator()
    names = ApplicationRequest.__struct_fields__
    asked = ApplicationRequest(**{name: CANTEEN[name] for name in names if name in CANTEEN})
    receipt = desks.applications.receipt("a" * 48, asked, [])
    id_ = desks.applications.apply(receipt, asked, [paper()]).id
    steps: tuple[dict[str, Any], ...] = (
        {"step": "notice"},
        {"step": "examine", "finding": Finding("low", "A")},
        {"step": "admit", "batch": "2026-11", "offer_seconds": 30 * 86_400},
    )
    for step in steps:
        decision = Decision(version=desks.bench.one(id_).version, **step)
        desks.bench.store.decide(id_, decision, by)
    return receipt, id_


def asked(instance: Instance) -> int:
    """The number of a request that waits, of the first merchant."""
    quotas, by = Quotas(invoice_limit=2_000_000), instance.operator()
    return instance.admission.quotas.ask(1, "quota", quotas, "会议餐", by).id


def paper() -> bytes:
    """A picture of the register's paper."""
    picture = BytesIO()
    Image.new("RGB", (8, 8), "white").save(picture, "PNG")
    return picture.getvalue()
