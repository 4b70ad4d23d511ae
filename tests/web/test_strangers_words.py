"""Names and words of strangers on all pages and in all files that can be reached from one another.

Three people walk from page to page over an instance in which every text is hostile; then every form
that they came by is sent with what no text may be.
"""

import csv
import io
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any, Final, NamedTuple
from urllib.parse import quote, quote_plus, urlsplit

import openpyxl
import pytest
from werkzeug.test import TestResponse

from invoice_service.domain.merchant import MerchantRequest
from invoice_service.services.people.admit import admit
from invoice_service.services.people.person import Whose
from invoice_service.services.people.ports import SCOPES, KeyTerms
from tests.api.desk import JSON, MEAL, OTHER_TAX_ID
from tests.scale import share
from tests.web.people.visitors import BASE, OURS, Browser, Bureau

HOSTILE: Final = "=1+1\"'><img id=evil onerror=x()></script></title>{{7*7}}${x}%0d%0aX:y&lt;"
SHOWN: Final = "{{7*7}}"
"""A piece of it that is spelled alike wherever it is a text."""

NO_TEXTS: Final = (
    *("A" * 10_000, "甲\u202e乙", "a\r\nX: y", "\0", "\ud800", "\u200b", "😀" * 3_000),
    *(
        "=1+1",
        "-1",
        "1'); DROP TABLE invoices; --",
        '"',
        "9" * 400,
        "٣",
        "%s%n{}",
        "../../etc/passwd",
        "1e309",
        "NaN",
    ),
)
WANTS: Final = {"Accept": "text/html,*/*;q=0.8"}
MOST: Final = 400  # pages of one walk


class Form(NamedTuple):
    """A form of a page: where it leads, and its fields with what stands in them."""

    page: str
    action: str
    method: str
    parts: bool
    fields: dict[str, str]
    typed: tuple[str, ...]


class Seen(HTMLParser):
    """What a browser would make of a page: where it leads, what it would run, what it asks."""

    def __init__(self, answer: TestResponse, page: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.runs: list[str] = []
        self.forms: list[Form] = []
        self._page = page
        self.feed(answer.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One element."""
        said = {name: text or "" for name, text in attrs}
        addresses = [said[name].strip() for name in ("href", "src", "action") if name in said]
        if (
            said.get("id") == "evil"
            or any(name.startswith("on") for name in said)
            or any(re.match("(?i)(javascript|data|vbscript):", one) for one in addresses)
        ):
            self.runs.append(self.get_starttag_text() or tag)
        self.links |= {one.partition("#")[0] for one in addresses if re.match("/[^/]|/$", one)}
        if tag == "form":
            parts = "multipart" in said.get("enctype", "")
            action, method = said.get("action") or self._page, said.get("method", "get").lower()
            self.forms.append(Form(self._page, action, method, parts, {}, ()))
        elif "name" in said and self.forms and tag in ("input", "textarea", "select", "button"):
            form = self.forms[-1]
            form.fields.setdefault(said["name"], said.get("value", ""))
            if tag != "button" and said["name"] != "form":
                self.forms[-1] = form._replace(typed=(*form.typed, said["name"]))


class Town(NamedTuple):
    """An instance full of hostile texts, who walks through it, and from where."""

    bureau: Bureau
    browsers: dict[str, Browser]
    starts: dict[str, tuple[str, ...]]
    walked: dict[str, list[tuple[str, TestResponse]]]

    def pages(self, who: str) -> list[tuple[str, TestResponse]]:
        """Every kind of page and file that a link leads somebody to; each is asked for once."""
        if who not in self.walked:
            self.walked[who] = list(walk(self, who))
        return self.walked[who]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with Bureau(tmp_path_factory.mktemp("bureau")) as bureau:
        yield settled(bureau)


def settled(bureau: Bureau) -> Town:
    """A merchant with its invoices, an order, a report, officials: with all texts hostile."""
    asked = MerchantRequest(
        tax_id=OTHER_TAX_ID,
        name=HOSTILE,
        industry="6210",
        district="440303",
        address_phone=HOSTILE,
        bank_account=HOSTILE,
        drawer=HOSTILE[4:24],
        payee=HOSTILE[4:24],
    )
    merchant = admit(bureau.instance.store, asked, bureau.instance.operator()).merchant
    key = bureau.auth(bureau.new_key(merchant.id, KeyTerms(scopes=SCOPES["merchant"])))

    def post(path: str, body: object) -> Any:  # noqa: ANN401 # JSON
        answer = bureau.client.post(
            path, data=json.dumps(body), headers={"Content-Type": JSON, **key}
        )
        assert answer.status_code in (200, 201), answer.text
        return answer.get_json()

    line = {**MEAL, "name": HOSTILE[:60], "spec": HOSTILE[4:34], "unit": HOSTILE[:10]}
    firm = {"kind": "company", "name": HOSTILE, "tax_id": "91440300708461136T"}
    sold = post(
        "/v1/invoices", {"order_id": "+1", "lines": [line], "buyer": firm, "remark": HOSTILE}
    )
    post("/v1/invoices", {"order_id": "-2", "lines": [line], "buyer": {"name": HOSTILE}})
    order = post("/v1/orders", {"order_id": "=3", "lines": [line]})
    post("/v1/quota-requests", {"kind": "quota", "quota": 5, "reason": HOSTILE})
    bureau.anchor()
    post(f"/v1/invoices/{sold['hash']}/reversals", {"reason": "SALES_RETURN"})
    bureau.anchor()
    told = {"nonce": "0" * 48, "message": HOSTILE, "contact": HOSTILE, "said": HOSTILE}
    assert bureau.client.post("/report", data=told, content_type="multipart/form-data").text
    staff, by = bureau.instance.people.staff, bureau.instance.operator()
    staff.invite(Whose(None), "viewer", HOSTILE[4:44], "x", by)
    staff.invite(Whose(merchant.id), "cashier", HOSTILE[4:44], "x", by)
    admin = bureau.strong(bureau.person("chen", "administrator"))
    admin.get("/bureau/merchants/2")
    admin.send("/bureau/purpose", purpose=HOSTILE, to="/bureau/merchants/2")
    slip = f"hash={sold['hash']}&bill_num={sold['number']}&total_amount={sold['total']}"
    typed = quote(HOSTILE)
    return Town(
        bureau,
        {
            "customer": bureau.browser(),
            "owner": bureau.signed_in(bureau.person("boss", "owner", merchant.id)),
            "administrator": admin,
        },
        {
            "customer": (
                *("/", f"/verify/scan?{slip}", "/verify/list", "/apply", "/apply/notices"),
                *(f"/claim/{order['link'].rpartition('/')[2]}", f"/report?text={typed}"),
                *(f"/problems?q={typed}", f"/explorer/search?q={typed}", f"/sign-in?to={typed}"),
            ),
            "owner": (
                *("/till", "/till/invoices", "/till/orders", "/till/files", "/people"),
                *("/account", f"/till/buyers?q={typed}"),
            ),
            "administrator": (
                *("/bureau/", "/bureau/merchants/2", "/bureau/people", "/bureau/applications"),
                *("/bureau/quota", "/bureau/trail", "/bureau/lookups", "/reports", "/account"),
                *("/people?merchant=2", "/bureau/totals?by=merchant", "/bureau/totals?by=till"),
            ),
        },
        {},
    )


def shape(address: str) -> str:
    """An address without its numbers and values: of each shape one is looked at."""
    place = urlsplit(address)
    names = sorted(one.partition("=")[0] for one in place.query.split("&"))
    return re.sub(r"[0-9a-f]{32,}|\d+", "#", place.path) + "?" + ",".join(names)


def walk(town: Town, who: str) -> Iterator[tuple[str, TestResponse]]:
    """From the starts on."""
    todo, seen = list(town.starts[who]), set[str]()
    while todo:
        path = todo.pop(0)
        if shape(path) in seen or path.startswith("/static"):
            continue
        seen.add(shape(path))
        assert len(seen) < MOST
        answer = town.browsers[who].client.get(path, base_url=BASE, headers=WANTS)
        yield path, answer
        if answer.status_code in (301, 302, 303, 308):
            todo.append(answer.headers["Location"].removeprefix(BASE))
        elif answer.mimetype == "text/html":
            todo += sorted(Seen(answer, path).links)


def check(answer: TestResponse, where: object) -> None:
    """What holds of every answer."""
    assert answer.status_code < 500, (where, answer.text[:300])
    for name, text in answer.headers:
        assert text.isascii(), (where, name)
        assert text.isprintable(), (where, name)
        assert name == "Location" or "evil" not in text, (where, name)
    if answer.mimetype == "text/html":
        assert Seen(answer, "").runs == [], where
        assert HOSTILE not in answer.text, where
    elif answer.mimetype == "text/csv":
        for row in csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))):
            for cell in row:  # a tab alone begins what is a text in spite of its digits
                assert re.match(r"[^=+@\r-]|-[0-9.]+$|$", cell), (where, cell)
    elif "spreadsheet" in (answer.mimetype or ""):
        for sheet in openpyxl.load_workbook(io.BytesIO(answer.data)):
            for cells in sheet.iter_rows():
                assert "f" not in {cell.data_type for cell in cells}, where


@pytest.mark.parametrize("who", ["customer", "owner", "administrator"])
def test_what_strangers_wrote_is_text_on_every_page_and_in_every_file(town: Town, who: str) -> None:
    shown, kinds = 0, set()
    for path, answer in town.pages(who):
        check(answer, path)
        kinds.add(answer.mimetype)
        shown += answer.mimetype == "text/html" and SHOWN in answer.text
    assert shown > 4
    assert who != "administrator" or {"text/csv", "text/html"} < kinds


def sent(town: Town, who: str, form: Form, text: str, only: str) -> TestResponse:
    """A form with that text in all its fields, or in one."""
    client = town.browsers[who].client
    fields = {**form.fields, **{one: text for one in form.typed if only in ("", one)}}
    said = {name: one.encode("utf-8", "surrogatepass") for name, one in fields.items()}
    query = "&".join(f"{quote_plus(name)}={quote_plus(one)}" for name, one in said.items())
    if form.method == "get":
        return client.get(f"{form.action.partition('?')[0]}?{query}", base_url=BASE)
    kind, body = "application/x-www-form-urlencoded", query.encode()
    if form.parts:
        kind = "multipart/form-data; boundary=x-x"
        head = b'--x-x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
        body = b"".join(head % (name.encode(), one) for name, one in said.items()) + b"--x-x--\r\n"
    headers = {"Sec-Fetch-Site": OURS, "Content-Type": kind}
    return client.post(form.action, data=body, base_url=BASE, headers=headers)


@pytest.mark.scaled
def test_what_is_no_text_is_refused_by_every_form(town: Town) -> None:
    """Whole: each form with each of them, in all of its fields and in each alone."""
    found: dict[tuple[object, ...], tuple[str, Form]] = {}
    for who in town.starts:
        for path, answer in town.pages(who):
            if answer.mimetype == "text/html":
                for form in Seen(answer, path).forms:
                    place = (who, shape(form.action), form.method, *sorted(form.fields))
                    found.setdefault(place, (who, form))
    assert len(found) > 50
    last = re.compile("sign-out|sessions|removal|suspension|password")
    ordered = sorted(found.values(), key=lambda one: bool(last.search(one[1].action)))
    for number, (who, form) in enumerate(ordered):
        texts = share(len(NO_TEXTS), 1)
        for text in [*NO_TEXTS, *NO_TEXTS][number % len(NO_TEXTS) :][:texts]:
            for only in ("", *form.typed[1:])[: share(99, 1)]:
                check(sent(town, who, form, text, only), (who, form.action, text[:9], only))
