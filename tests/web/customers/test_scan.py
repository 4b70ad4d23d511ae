"""The page behind the QR code: one verdict, in two languages, without script."""

import re
from html.parser import HTMLParser
from urllib.parse import quote

import pytest

from chain.errors import UnavailableError
from invoice_service.web.customers.pages import yuan
from tests.api.desk import MEAL, TAX_ID, UNKNOWN, Desk, refusing, slip
from tests.domain.bent import EXAMPLE, bent, several
from tests.domain.test_vat import DIGITAL, PRINTED

VOID = {"meta", "link", "br", "input", "path", "circle"}


class Page(HTMLParser):
    """What stands in a page, once every element is closed that was opened."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data.strip())

    @property
    def text(self) -> str:
        return " ".join(word for word in self.words if word)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def scan(desk: Desk, said: dict[str, str], status: int = 200) -> Page:
    answer = desk.client.get("/verify/scan", query_string=said)
    assert answer.status_code == status, answer.text
    assert answer.content_type == "text/html; charset=utf-8"
    return Page(answer.text)


def verdict(page: Page) -> tuple[str | None, str | None]:
    """(verdict, style) of the one band on the page."""
    (band,) = [a for a in page.all("section") if "data-verdict" in a]
    style = re.search(r"is-([a-z_]+)", band["class"] or "")
    return band["data-verdict"], style and style[1]


def test_an_authentic_invoice_shows_its_face_its_block_and_how_to_check_it(desk: Desk) -> None:
    invoice = desk.issue(buyer={"name": "张三丰"})
    desk.anchor()
    page = scan(desk, slip(invoice))
    assert verdict(page) == ("authentic", "authentic")
    for word in (
        *("真票", "Authentic", "¥498.10", "¥469.91", "¥28.19", "深圳市旋转餐厅有限公司", TAX_ID),
        *("00000001", "144032609110", "2026-11-21 12:30:00", invoice["check_code"], "张**"),
        *("区块 1", "账本位置 0 / 2", "条目确在账本之中"),
        *("fapiao-verify 00000001.fapiao.json", desk.instance.log_key.text()),
    ):
        assert word in page.text, word
    assert "张三丰" not in page.text
    assert "餐费" not in page.text
    links = [a["href"] for a in page.all("a")]
    assert f"/v1/invoices/{invoice['hash']}/proof" in links
    for link in links:
        assert desk.client.get(link or "").status_code == 200, link


def test_a_new_invoice_is_pending_and_offers_no_proof_yet(desk: Desk) -> None:
    invoice = desk.issue()
    page = scan(desk, slip(invoice))
    assert verdict(page) == ("pending", "pending")
    assert "¥498.10" in page.text
    assert "proof" not in " ".join(a["href"] or "" for a in page.all("a"))


def test_a_reversed_invoice_says_so_before_anything_else(desk: Desk) -> None:
    invoice = desk.issue()
    desk.reverse(invoice)
    page = scan(desk, slip(invoice))
    assert verdict(page) == ("reversed", "reversed")
    assert "已红冲" in page.text


def test_a_red_invoice_does_not_look_like_money(desk: Desk) -> None:
    red = desk.reverse(desk.issue())
    desk.anchor()
    page = scan(desk, slip(red))
    assert verdict(page) == ("authentic", "red")
    assert "-¥498.10" in page.text
    assert "红字发票" in page.text


@pytest.mark.parametrize("changes", [{"bill_num": "00000002"}, {"total_amount": "498100"}])
def test_an_altered_slip_is_red_and_shows_nothing_of_the_invoice(
    desk: Desk, changes: dict[str, str]
) -> None:
    invoice = desk.issue()
    desk.anchor()
    page = scan(desk, slip(invoice, **changes))
    assert verdict(page) == ("mismatch", "mismatch")
    assert "深圳市旋转餐厅有限公司" not in page.text
    assert ("498.10" in page.text) == ("total_amount" not in changes)  # as the code says it
    said = slip(invoice, **changes)
    assert f"发票号码 {said['bill_num']} 价税合计 {yuan(int(said['total_amount']))}" in page.text
    assert "号码或金额与开具时不符" in page.text


def test_an_unknown_invoice(desk: Desk) -> None:
    page = scan(desk, {"hash": UNKNOWN, "bill_num": "00000001", "total_amount": "1"})
    assert verdict(page) == ("unknown", "unknown")


def test_a_broken_link_is_not_a_verdict(desk: Desk) -> None:
    page = scan(desk, {"hash": "01abc", "bill_num": "00000001", "total_amount": "1"}, 400)
    assert verdict(page) == ("none", "malformed")
    assert "不代表发票真假" in page.text
    assert "查无此票" not in page.text


def test_a_database_that_cannot_be_read_is_not_a_verdict(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = desk.issue()
    monkeypatch.setattr(
        desk.instance.store, "invoice", refusing(UnavailableError("database_busy", "inside"))
    )
    page = scan(desk, slip(invoice), 503)
    assert verdict(page) == ("none", "unavailable")
    assert "不代表发票真假" in page.text
    assert "查无此票" not in page.text
    assert "inside" not in page.text


def test_a_whole_code_can_be_pasted_in_both_forms(desk: Desk) -> None:
    invoice = desk.issue()
    commas = (
        f"01,10,{invoice['code']},{invoice['number']},{TAX_ID},469.91,20261121,{invoice['hash']}"
    )
    for text in (invoice["qr"], f"  {invoice['qr']}\r\n", commas):
        assert verdict(scan(desk, {"text": text})) == ("pending", "pending")
    assert verdict(scan(desk, {"text": "你好"}, 400))[1] == "malformed"
    assert verdict(scan(desk, {"text": ""}, 400))[1] == "malformed"


def test_the_landing_pages_form_leads_to_the_verdict(desk: Desk) -> None:
    invoice = desk.issue()
    page = Page(desk.client.get("/").text)
    form = next(one for one in page.all("form") if one["action"] == "/verify/scan")
    field = next(one for one in page.all("textarea") if one.get("id") == "text")
    assert form["method"] == "get"
    address = f"{form['action']}?{field['name']}={quote(invoice['qr'])}"
    assert 'data-verdict="pending"' in desk.client.get(address).text
    for link in page.all("a"):
        assert desk.client.get(link["href"] or "").status_code == 200


def test_what_chat_apps_add_to_the_address_is_passed_over(desk: Desk) -> None:
    invoice = desk.issue()
    page = scan(desk, slip(invoice) | {"from": "singlemessage", "isappinstalled": "0"})
    assert verdict(page)[0] == "pending"


def test_a_parameter_of_ours_that_stands_twice_is_no_code(desk: Desk) -> None:
    invoice = desk.issue()
    query = "&".join(f"{name}={value}" for name, value in slip(invoice).items())
    answer = desk.client.get(f"/verify/scan?{query}&total_amount=1")
    assert answer.status_code == 400
    assert "duplicate_parameter" in answer.text
    assert "链接被改动" in answer.text
    assert "The address was altered" in answer.text  # in the banner, beside the other


def test_fields_beside_a_pasted_code_say_the_same_or_there_is_no_verdict(desk: Desk) -> None:
    invoice, other = desk.issue("T1"), desk.issue("T2")
    assert verdict(scan(desk, slip(invoice) | {"text": invoice["qr"]}))[0] == "pending"
    for said in (slip(other), {"hash": other["hash"]}, slip(invoice, total_amount="1")):
        page = scan(desk, said | {"text": invoice["qr"]}, 400)
        assert verdict(page) == ("none", "malformed")
        assert "claims_differ" in page.text
        assert "内容前后不一" in page.text
        assert "Two things are said of one invoice" in page.text


@pytest.mark.parametrize("bend", bent(EXAMPLE))
def test_an_address_that_was_bent_on_its_way_opens_and_pastes(desk: Desk, bend: str) -> None:
    text = bent(desk.issue()["qr"])[bend]
    assert verdict(scan(desk, {"text": text}))[0] == "pending"
    opened = re.match(r"(?:https?://)?[^/?&]*(?:/tax/fapiao)?(/verify/scan/?\?[^#]*)", text, re.I)
    if opened and "\n" not in text:
        address = quote(opened[1], safe="/?&=;%")
        assert 'data-verdict="pending"' in desk.client.get(address).text, address


@pytest.mark.parametrize("way", several(EXAMPLE, EXAMPLE))
def test_of_several_codes_none_is_chosen(desk: Desk, way: str) -> None:
    text = several(desk.issue("T1")["qr"], desk.issue("T2")["qr"])[way]
    assert verdict(scan(desk, {"text": text}, 400)) == ("none", "malformed")
    for address in re.findall(r"/verify/scan\?[^#]*", text)[:1]:
        assert desk.client.get(quote(address, safe="/?&=;%")).status_code == 400


PATHS = [
    "/problems",
    "/verify/list",
    "/verify/scan",
    "/nothing",
    f"/verify/scan?text={quote('<b>x</b>')}",
]


@pytest.mark.parametrize("path", PATHS)
def test_pages_run_nothing_and_are_kept_by_nobody(desk: Desk, path: str) -> None:
    answer = desk.client.get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    page = Page(answer.text)
    assert not page.all("script")
    for _, attributes in page.tags:
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
    for link in page.all("link"):
        assert (link["href"] or "").startswith("/static/")


def test_what_merchants_write_is_shown_as_text(desk: Desk) -> None:
    name = '<script>alert("x")</script>&amp;'
    shop = desk.new_merchant("914403001922038216", name)
    headers = desk.auth(desk.new_key(shop.merchant.id))
    buyer = {"kind": "company", "name": "<img src=x onerror=1>", "tax_id": TAX_ID}
    body = {"order_id": "X", "lines": [MEAL], "buyer": buyer}
    invoice = desk.post("/v1/invoices", body, headers).get_json()
    desk.anchor()
    answer = desk.client.get("/verify/scan", query_string=slip(invoice))
    assert "<script>alert" not in answer.text
    assert "<img" not in answer.text
    page = Page(answer.text)
    assert name in page.text
    assert "<img src=x onerror=1>" in page.text


def test_colour_is_never_alone(desk: Desk) -> None:
    """Every verdict has its own words and a picture beside its colour."""
    page = Page(desk.client.get("/verify/scan").text)
    picture, sprite = page.all("svg")
    assert picture["aria-hidden"] == sprite["aria-hidden"] == "true"
    assert page.all("h1")


def test_every_verdict_has_its_style(desk: Desk) -> None:
    css = desk.client.get("/static/css/pages.css").text
    for name in (
        *("authentic", "pending", "reversed", "partly_reversed", "mismatch", "unknown", "red"),
        *("malformed", "unavailable"),
    ):
        assert re.search(rf"\.is-{name}\b", css), name


def test_an_invoice_of_the_tax_administration_is_named_and_says_what_its_code_says(
    desk: Desk,
) -> None:
    for text, said in {
        DIGITAL: ("数电发票（普通发票）", "26442000000014209621", "¥112.00", "相符"),
        PRINTED[0]: ("增值税普通发票", "1100174320", "¥329.25", "2018-05-12", "相符"),
        PRINTED[0].replace("329", "339"): ("¥339.25", "不符"),
    }.items():
        page = scan(desk, {"text": text}, 400)
        assert verdict(page) == ("none", "malformed")
        for words in (*said, "不在此查验", "全国增值税发票查验平台"):
            assert words in page.text, words


def test_of_two_typed_hashes_none_is_picked(desk: Desk) -> None:
    one, two = desk.issue("D1"), desk.issue("D2")
    said = [("hash", one["hash"]), ("hash", two["hash"]), ("number", one["number"])]
    answer = desk.client.get("/verify/typed", query_string=said)
    assert answer.status_code == 400
    assert "duplicate_parameter" in answer.text


def test_what_is_typed_leads_to_the_verdict_and_what_cannot_be_read_says_so(desk: Desk) -> None:
    invoice = desk.issue()
    spaced = f" {invoice['hash'][:30].upper()} {invoice['hash'][30:]}\n"
    said = {"hash": spaced, "number": invoice["number"], "total": "￥498.10 元"}
    answer = desk.client.get("/verify/typed", query_string=said)
    assert answer.status_code == 303
    assert 'data-verdict="pending"' in desk.client.get(answer.headers["Location"]).text
    for changes, code in {
        ("total", "49x"): "amount_invalid",
        ("hash", "01"): "password_area",
    }.items():
        answer = desk.client.get("/verify/typed", query_string=said | dict([changes]))
        assert answer.status_code == 400
        assert code in answer.text


def test_the_first_page_is_at_both_addresses(desk: Desk) -> None:
    one, other = (desk.client.get(path).text for path in ("/", "/verify"))
    assert 'action="/verify/typed"' in one
    assert one.replace('value="/"', "").split("<main>")[1] == other.split("<main>")[1]
