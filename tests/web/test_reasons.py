"""Reasons that officials write, in every place where they do: refused, or shown as a text alone."""

import re
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import pytest

from invoice_service.services.people.ports import KeyTerms
from invoice_service.services.people.trail import ActFilter
from tests.api.admission.office import apply
from tests.api.desk import OTHER_TAX_ID
from tests.reasons import HOSTILE, LINES, NO_REASONS, SHOWN
from tests.web.people.visitors import Browser, Bureau, code_in
from tests.web.test_strangers_words import Town as Walked
from tests.web.test_strangers_words import check

WORDS: Final = {"reason", "answer", "note", "text", "purpose"}
"""What fields for them are called."""


class Town(NamedTuple):
    """An instance in which something of each kind waits for an official."""

    bureau: Bureau
    admin: Browser
    owner: Browser
    by: dict[str, str]
    receipt: str
    person: int
    key: int


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with Bureau(tmp_path_factory.mktemp("bureau")) as bureau:
        receipt = apply(bureau, tax_id=OTHER_TAX_ID)["receipt"]
        owner = bureau.signed_in(bureau.person("boss"))
        assert owner.send("/account/quota", quota="5", reason="x").status_code == 303
        told = {"nonce": "0" * 48, "message": "x", "contact": "", "said": ""}
        bureau.client.post("/report", data=told, content_type="multipart/form-data")
        bureau.new_key(1)
        keys = bureau.client.get("/v1/merchants/1/keys", headers=bureau.official()).get_json()
        chen = bureau.person("chen", "administrator")
        admin = bureau.strong(chen)
        admin.get("/bureau/merchants/1")
        admin.send("/bureau/purpose", purpose="x", to="/bureau/merchants/1")
        by = bureau.auth(bureau.new_key(None, KeyTerms(person=chen.id)))
        person = bureau.person("he", "viewer").id
        yield Town(bureau, admin, owner, by, receipt, person, keys["keys"][-1]["id"])


Said = tuple[int, str]
"""Status and code."""


def called(method: str, path: str, field: str, **more: object) -> Callable[[Town, str], Said]:
    """An official's call."""

    def send(town: Town, text: str) -> Said:
        place = path.format(person=town.person, key=town.key)
        answer = town.bureau.client.open(
            place, method=method, json={**more, field: text}, headers=town.by
        )
        said = answer.get_json() if answer.status_code >= 400 else {}
        return answer.status_code, said.get("code", "")

    return send


def looked(town: Town, text: str) -> Said:
    """The purpose of a look, in a header."""
    headers = {**town.by, "X-Purpose": quote(text)}
    answer = town.bureau.client.get("/v1/merchants/1", headers=headers)
    return answer.status_code, answer.get_json().get("code", "")


def posted(path: str, field: str, **more: str) -> Callable[[Town, str], Said]:
    """A form of an official's page."""

    def send(town: Town, text: str) -> Said:
        town.admin.get("/bureau/merchants/1")
        place = path.format(person=town.person)
        answer = town.admin.send(place, **{**more, field: text})
        return answer.status_code, code_in(answer)

    return send


ACTIVE: Final = {"seen": "active"}
LIMITS: Final = {"seen_quota": "", "seen_month_quota": "", "seen_invoice_limit": "", "quota": "7"}
CALLS: Final[dict[tuple[str, str], Callable[[Town, str], Said]]] = {
    ("put", "/v1/merchants/{merchant}/quota"): called(
        "PUT", "/v1/merchants/1/quota", "reason", quota=8
    ),
    ("post", "/v1/merchants/{merchant}/suspension"): called(
        "POST", "/v1/merchants/1/suspension", "reason"
    ),
    ("delete", "/v1/merchants/{merchant}/suspension"): called(
        "DELETE", "/v1/merchants/1/suspension", "reason"
    ),
    ("post", "/v1/merchants/{merchant}/leaving"): called(
        "POST", "/v1/merchants/1/leaving", "reason"
    ),
    ("post", "/v1/merchants/{merchant}/readmission"): called(
        "POST", "/v1/merchants/1/readmission", "reason"
    ),
    ("delete", "/v1/merchants/{merchant}/keys/{key}"): called(
        "DELETE", "/v1/merchants/1/keys/{key}", "reason"
    ),
    ("put", "/v1/people/{person}/role"): called(
        "PUT", "/v1/people/{person}/role", "reason", role="auditor"
    ),
    ("post", "/v1/people/{person}/suspension"): called(
        "POST", "/v1/people/{person}/suspension", "reason"
    ),
    ("delete", "/v1/people/{person}/suspension"): called(
        "DELETE", "/v1/people/{person}/suspension", "reason"
    ),
    ("delete", "/v1/people/{person}"): called("DELETE", "/v1/people/{person}", "reason"),
    ("post", "/v1/applications/{application}/comments"): called(
        "POST", "/v1/applications/1/comments", "text"
    ),
    ("post", "/v1/quota-requests/{request}/answer"): called(
        "POST", "/v1/quota-requests/1/answer", "answer", version=1, granted=False
    ),
    ("put", "/v1/reports/{report}/state"): called(
        "PUT", "/v1/reports/1/state", "note", state="seen"
    ),
    ("post", "/v1/proposals"): called(
        "POST", "/v1/proposals", "reason", kind="revocation", merchant=1
    ),
    ("post", "/v1/applications/{application}/decision"): called(
        *("POST", "/v1/applications/1/decision", "reason"),
        version=2,
        decision="refuse",
    ),
    ("post", "/v1/merchants/{merchant}/revocation"): called(
        "POST", "/v1/merchants/1/revocation", "reason"
    ),
    ("get", "X-Purpose"): looked,
}
"""In an order in which each can be done once; by how they are described."""

PAGES: Final[dict[str, Callable[[Town, str], Said]]] = {
    "/bureau/purpose": posted("/bureau/purpose", "purpose", to="/bureau/merchants/1"),
    **{
        f"/bureau/merchants/{{merchant}}/{act}": posted(
            f"/bureau/merchants/1/{act}", "reason", **more
        )
        for act, more in (
            *(("suspension", ACTIVE), ("readmission", {"seen": "suspended"})),
            *(("leaving", ACTIVE), ("quota", LIMITS), ("revocation", ACTIVE)),
        )
    },
    **{
        f"/bureau/people/{{person}}/{act}": posted(
            f"/bureau/people/{{person}}/{act}", "reason", role="auditor"
        )
        for act in ("role", "suspension", "reinstatement", "removal")
    },
    "/bureau/applications/{application}/comment": posted("/bureau/applications/1/comment", "text"),
    "/bureau/applications/{application}/decision": posted(
        "/bureau/applications/1/decision", "reason", version="1", decision="refuse"
    ),
    "/bureau/quota/{request}": posted("/bureau/quota/1", "answer", version="1", answered="refuse"),
    "/reports/{report}": posted("/reports/1", "note", state="seen"),
}
IN_LINES: Final = {
    "/v1/applications/{application}/comments",
    "/bureau/applications/{application}/comment",
    *("/v1/reports/{report}/state", "/reports/{report}"),
}
"""Letters rather than reasons: what cannot be seen becomes a blank."""
OF_OTHERS: Final = {
    *("/v1/invoices/{hash}/reversals", "/v1/quota-requests", "/v1/devices/{device}"),
    *("/v1/applications/mine/comments", "/v1/applications/notices/{application}/objections"),
    *("/v1/prepaid/{account}/refusal", "/v1/prepaid/{account}/refund"),
}
"""Calls of merchants, applicants and wallets."""
PLACES: Final = [
    *((f"{method} {path}", path, send) for (method, path), send in CALLS.items()),
    *((f"page {path}", path, send) for path, send in PAGES.items()),
]


def test_the_table_has_every_call_in_which_an_official_says_why(town: Town) -> None:
    described = town.bureau.client.get("/openapi.json").get_json()

    def named(schema: dict[str, Any]) -> set[str]:
        if "$ref" in schema:
            schema = described["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return set(schema.get("properties", {}))

    found = {
        (method, path)
        for path, calls in described["paths"].items()
        if path.startswith("/v1/") and path not in OF_OTHERS
        for method, call in calls.items()
        if isinstance(call, dict)
        for sent in call.get("requestBody", {}).get("content", {}).values()
        if WORDS & named(sent["schema"])
    }
    assert found == CALLS.keys() - {("get", "X-Purpose")}


def test_the_table_has_every_form_in_which_an_official_says_why(town: Town) -> None:
    pages = ("merchants/1", "people", "applications/1", "quota", "lookups", "trail", "totals")
    texts = [town.admin.get(f"/bureau/{page}").text for page in pages]
    texts.append(town.admin.get("/reports/1").text)
    shapes = {re.sub(r"\{\w+\}", r"\\d+", path) for path in PAGES}
    for text in texts:
        for form in re.findall(r"<form action=.*?</form>", text, re.DOTALL):
            asks = WORDS & set(re.findall(r'<(?:input|textarea)[^>]* name="(\w+)"', form))
            action = re.search(r'action="([^"]*)"', form)
            assert action is not None
            known = any(re.fullmatch(shape, action[1]) for shape in shapes)
            assert known or not asks or 'method="get"' in form, action[1]


@pytest.mark.parametrize(("path", "send"), [one[1:] for one in PLACES], ids=[p[0] for p in PLACES])
def test_what_is_no_reason_is_refused_before_anything_is_done(
    town: Town, path: str, send: Callable[[Town, str], Said]
) -> None:
    def done() -> int:
        count = town.bureau.instance.store.newest_acts
        return len([1 for one in count(ActFilter(), 2**62, 10_000) if one.act.type != "lookup"])

    before = done()
    for text, code in (*NO_REASONS, LINES):
        if path in IN_LINES and (code != "text_too_long" or text[0] == "y"):
            continue
        status, said = send(town, text)
        codes = {code, "body_too_large"} if code == "text_too_long" else {code}
        assert said in codes, (status, said, ascii(text[:9]))
    assert done() == before


KINDS: Final = {"quota", "suspension", "key_revocation", "role", "admission", "proposal", "lookup"}


def test_what_is_shown_of_a_reason_is_its_text(town: Town) -> None:
    """Said in all places, then looked for on every page and in every file that shows it."""
    done = [send(town, HOSTILE)[0] // 100 for _, _, send in PLACES]
    assert set(done) <= {2, 3, 4}
    assert done.count(4) < len(done) // 2
    acts = town.bureau.instance.store.newest_acts(ActFilter(), 2**62, 10_000)
    assert {one.act.type for one in acts if one.act.reason == HOSTILE} == KINDS
    found = Walked(
        town.bureau,
        {"owner": town.owner, "administrator": town.admin},
        {
            "owner": ("/account/quota", "/account"),
            "administrator": (
                *("/bureau/merchants/1", "/bureau/people", "/bureau/applications/1"),
                *("/bureau/quota?state=refused", "/bureau/trail", "/bureau/lookups", "/reports/1"),
            ),
        },
        {},
    )
    kinds: dict[str, int] = {}
    for who in found.starts:
        for path, answer in found.pages(who):
            check(answer, path)
            if SHOWN.encode() in answer.data:
                kind = f"{who} {answer.mimetype}"
                kinds[kind] = kinds.get(kind, 0) + 1
    assert kinds["administrator text/html"] > 4
    assert kinds["administrator text/csv"] > 1
    assert kinds["owner text/html"]
    stale = town.admin.send("/bureau/merchants/1/suspension", seen="suspended", reason=HOSTILE)
    for answer in (
        *(town.admin.get(f"/bureau/merchants/1?done={act}") for act in ("quota", "suspension")),
        stale,
    ):
        check(answer, "/bureau/merchants/1")
    assert stale.text.count(SHOWN) > 1
    applicant = town.bureau.browser().post("/apply/status", receipt=town.receipt)
    check(applicant, "the applicant's page")
    assert SHOWN in applicant.text
    for path in ("/v1/acts", "/v1/trail?limit=1000", "/v1/lookups"):
        answer = town.bureau.client.get(path, headers=town.by)
        assert answer.mimetype == "application/json"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert HOSTILE in str(answer.get_json()) or SHOWN in answer.text
