"""The phone's own check of an answer: red whenever it can know, never green otherwise."""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chain import canonical
from chain.signing.cosignature import Cosigner
from chain.signing.note import SignerKey, parse_note
from tests.api.desk import MEAL, UNKNOWN
from tests.browser.chrome import Chrome, Pipe, page
from tests.browser.lying import Between, Lie, banner, between, honest, look

pytestmark = pytest.mark.slow

COFFEE = {"name": "*餐饮服务*拿铁", "unit_price": 2800, "quantity": "3", "tax_rate": "0.06"}


@pytest.fixture(scope="module")
def chrome(chromium: Pipe) -> Iterator[Chrome]:
    """One phone for all tests here."""
    with page(chromium) as chrome:
        chrome.window(390, 844, phone=True)
        yield chrome


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Between]:
    """A service with an invoice of every kind, all in the log."""
    with between(tmp_path_factory.mktemp("shop")) as site:
        yield site


@pytest.fixture(scope="module")
def sold(shop: Between) -> dict[str, Any]:
    """The invoices."""
    desk = shop.desk
    found = {"plain": desk.issue("A1"), "gone": desk.issue("A2")}
    found["part"] = desk.issue("A3", lines=[MEAL, COFFEE])
    found["red"] = desk.reverse(found["gone"])
    back = {"reason": "SALES_RETURN", "lines": [{"line": 2, "quantity": "1"}]}
    answer = desk.post(f"/v1/invoices/{found['part']['hash']}/reversals", back)
    assert answer.status_code == 201, answer.text
    desk.anchor()
    return found


@pytest.fixture(autouse=True)
def _honest_again(shop: Between) -> Iterator[None]:
    yield
    shop.lie = honest


def changed(old: str, new: str) -> Lie:
    """Whoever changes some words of pages, wherever they stand."""

    def lie(path: str, body: bytes) -> bytes:
        if not path.startswith("/verify/scan"):
            return body
        said = re.sub(old, new, body.decode())
        assert said != body.decode()
        return said.encode()

    return lie


@pytest.mark.parametrize(
    ("which", "kind", "style"),
    [
        ("plain", "confirmed", "authentic"),
        ("gone", "found", "reversed"),
        ("part", "found", "partly_reversed"),
        ("red", "found", "red"),
    ],
)
def test_an_honest_answer_is_found_to_fit(
    chrome: Chrome, shop: Between, sold: dict[str, Any], which: str, kind: str, style: str
) -> None:
    assert look(chrome, shop, shop.address(sold[which])) == kind, chrome.evaluate(
        "document.querySelector('#phone').innerText"
    )
    assert banner(chrome)[0] == style
    steps = "[...document.querySelectorAll('#phone-steps li')].map(li => li.className)"
    assert chrome.evaluate(steps) == [""] * 7
    assert chrome.complaints == []


def test_a_slip_that_does_not_match_is_not_shown_the_invoice(
    chrome: Chrome, shop: Between, sold: dict[str, Any]
) -> None:
    assert look(chrome, shop, shop.address(sold["plain"], total_amount="1")) == "found"
    assert banner(chrome)[0] == "mismatch"
    assert "498.10" not in chrome.evaluate("document.body.innerText")
    assert look(chrome, shop, shop.address(sold["plain"], hash=UNKNOWN)) == "nothing"
    assert banner(chrome)[0] == "unknown"


AUTHENTIC = '<h1 class="name">真票 <span class="other" lang="en">Authentic</span></h1>'
LIES: dict[str, tuple[str, Lie, str]] = {
    "seller": ("plain", changed("深圳市旋转餐厅有限公司", "深圳市别家餐厅"), "销售方"),
    "amount": ("plain", changed("¥498.10", "¥1,498.10"), "价税合计"),
    "date": ("plain", changed("2026-11-21 12:30:00", "2026-11-28 12:30:00"), "开票日期"),
    "number": ("plain", changed(">00000001<", ">00000007<"), "发票号码"),
    "tax": ("plain", changed("¥28.19", "¥0.00"), "税额"),
    "a name that is gone": ("plain", changed(' data-said="seller"', ""), "销售方"),
    "verdict: reversed": (
        "plain",
        changed(
            'is-authentic" role="status" data-verdict="authentic',
            'is-reversed" role="status" data-verdict="reversed',
        ),
        "结论",
    ),
    "verdict: its words": ("gone", changed('<h1 class="name">.*</h1>', AUTHENTIC), "结论"),
    "verdict: its colour": ("gone", changed("verdict is-reversed", "verdict is-authentic"), "结论"),
    "verdict: unknown": (
        "plain",
        changed(
            'is-authentic" role="status" data-verdict="authentic',
            'is-unknown" role="status" data-verdict="unknown',
        ),
        "结论",
    ),
    "state": (
        "gone",
        changed(
            r'is-reversed" role="status" data-verdict="reversed((?s:.)*?)<h1 class="name">.*</h1>',
            rf'is-authentic" role="status" data-verdict="authentic\1{AUTHENTIC}',
        ),
        "红冲",
    ),
    "state: all of a part": (
        "part",
        changed("is-partly_reversed(.*)partly_reversed", r"is-authentic\1authentic"),
        "结论",
    ),
    "what is left": (
        "part",
        changed(r'data-said="left">[^<]*', 'data-said="left">¥582.00'),
        "尚有效",
    ),
    "amount: what is read is not what is seen": (
        "plain",
        changed(
            'class="total" data-said="total">¥498.10',
            'class="total">¥1,498.10</p><p hidden data-said="total">¥498.10',
        ),
        "价税合计",
    ),
    "amount: one beside it": (
        "plain",
        changed('<p class="seller"', '<p class="total">¥1,498.10</p><p class="seller"'),
        "没有的金额",
    ),
    "seller: what is read is not what is seen": (
        "plain",
        changed(
            'class="seller" data-said="seller">([^<]*)',
            r'class="seller">深圳市别家餐厅</p><p hidden data-said="seller">\1',
        ),
        "销售方",
    ),
    "verdict: one before it": (
        "gone",
        changed(
            "<main>",
            f'<main><section class="verdict is-authentic">{AUTHENTIC}</section>',
        ),
        "结论",
    ),
    "verdict: its words, and what they are called in the page": (
        "gone",
        changed(
            '<h1 class="name">.*</h1>',
            f"{AUTHENTIC}<script type='application/json' id='words'>"
            '{"Reversed: no longer valid": "真票", "Red invoice": "Authentic"}</script>',
        ),
        "结论",
    ),
    "when it was taken back": (
        "gone",
        changed(r"· 2026-11-21 12:30:00 ·", "· 2026-12-21 12:30:00 ·"),
        "红字",
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_what_is_changed_on_its_way_turns_red_and_is_named(
    chrome: Chrome, shop: Between, sold: dict[str, Any], lie: str
) -> None:
    which, shop.lie, named = LIES[lie]
    assert look(chrome, shop, shop.address(sold[which])) == "differs"
    style, words = banner(chrome)
    assert style == "mismatch"
    assert "答复与证明不符" in words
    assert "does not fit" in words
    assert named in chrome.evaluate("document.querySelector('#phone-list').innerText")
    assert chrome.evaluate("document.querySelectorAll('.is-authentic, .is-good').length") == 0


def test_another_invoice_than_the_code_s_is_no_answer(
    chrome: Chrome, shop: Between, sold: dict[str, Any]
) -> None:
    other = shop.told(f"/verify/scan?{shop.address(sold['gone']).partition('?')[2]}")
    shop.lie = lambda path, body: other if path.startswith("/verify/scan") else body
    assert look(chrome, shop, shop.address(sold["plain"])) == "differs"
    proof = shop.told(f"/v1/invoices/{sold['gone']['hash']}/proof")
    shop.lie = lambda path, body: proof if path.endswith("/proof") else body
    assert look(chrome, shop, shop.address(sold["plain"])) == "broken"
    assert banner(chrome)[0] == "mismatch"


def test_a_proof_that_is_withheld_or_bent_is_never_green(
    chrome: Chrome, shop: Between, sold: dict[str, Any]
) -> None:
    shop.lie = lambda path, body: None if path.endswith("/proof") else body
    assert look(chrome, shop, shop.address(sold["plain"])) == "withheld"
    assert banner(chrome)[0] == "mismatch"
    bent = shop.told(f"/v1/invoices/{sold['plain']['hash']}/proof").replace(b"498", b"499")
    shop.lie = lambda path, body: bent if path.endswith("/proof") else body
    assert look(chrome, shop, shop.address(sold["plain"])) == "broken"
    assert banner(chrome)[0] == "mismatch"
    shop.lie = lambda path, body: b"" if path.endswith("/proof") else body
    assert look(chrome, shop, shop.address(sold["plain"])) in {"unreached", "broken"}
    assert chrome.evaluate("document.querySelectorAll('.is-good').length") == 0


def test_a_reversal_that_is_withheld_is_old_news_or_less_than_the_phone_has_seen(
    chrome: Chrome, tmp_path: Path
) -> None:
    with between(tmp_path) as site:
        invoice = site.desk.issue("W1")
        site.desk.anchor()
        address = site.address(invoice)
        scan = address.removeprefix(site.base)
        proof = f"/v1/invoices/{invoice['hash']}/proof"
        before = {path: site.told(path) for path in (scan, proof, "/log/checkpoint")}
        assert look(chrome, site, address) == "confirmed"
        site.desk.clock.forward(hours=1)
        site.desk.reverse(invoice)
        site.desk.anchor()
        site.lie = lambda path, body: before.get(path, body)
        assert look(chrome, site, address) == "asof"  # a phone that never saw the newer log
        assert chrome.evaluate("document.querySelectorAll('.is-good').length") == 0
        assert "小时" in chrome.evaluate("document.querySelector('#phone-when').innerText")
        assert look(chrome, site, address, forget=False) == "asof"
        site.lie = honest
        assert look(chrome, site, address, forget=False) == "found"
        site.lie = lambda path, body: before.get(path, body)
        assert look(chrome, site, address, forget=False) == "differs"  # it remembers
        assert banner(chrome)[0] == "mismatch"


def _cosigned(body: bytes, by: Cosigner, time: int) -> bytes:
    """A proof, cosigned as well."""
    proof = json.loads(body)
    proof["checkpoint"] += by.cosign(parse_note(proof["checkpoint"].encode()).text, time).line()
    return canonical.encode(proof)


def test_a_witness_that_was_slipped_in_makes_no_old_answer_new(
    chrome: Chrome, tmp_path: Path
) -> None:
    """Whoever withholds a reversal can name a witness in the page, and be that one."""
    with between(tmp_path) as site:
        invoice = site.desk.issue("W1")
        site.desk.anchor()
        address = site.address(invoice)
        scan = address.removeprefix(site.base)
        proof = f"/v1/invoices/{invoice['hash']}/proof"
        before = {path: site.told(path) for path in (scan, proof, "/log/checkpoint")}
        assert look(chrome, site, address) == "confirmed"
        site.desk.clock.forward(hours=1)
        site.desk.reverse(invoice)
        site.desk.anchor()
        now = int(site.desk.clock().timestamp())
        own = Cosigner(SignerKey.generate("evil.example", os.urandom))
        named = json.dumps([own.verifier.text()]).replace('"', "&quot;")
        said = f'data-witnesses="{named}"'.encode()
        before[scan] = re.sub(rb'data-witnesses="[^"]*"', lambda _: said, before[scan])
        before[proof] = _cosigned(before[proof], own, now)
        site.lie = lambda path, body: before.get(path, body)
        assert look(chrome, site, address, forget=False) == "asof"
        assert "见证方" in chrome.evaluate("document.querySelector('#phone-when').innerText")
        assert chrome.evaluate("document.querySelectorAll('.is-good').length") == 0


def test_another_log_at_the_same_address_is_never_green_where_this_one_was_seen(
    chrome: Chrome, shop: Between, sold: dict[str, Any], tmp_path: Path
) -> None:
    """Whoever has a log of his own can answer from it, from page to proof."""
    address = shop.address(sold["plain"])
    assert look(chrome, shop, address) == "confirmed"
    with between(tmp_path, FAPIAO_SERVICE_PUBLIC_URL="https://other.example") as other:
        invoice = other.desk.issue("O1")
        other.desk.anchor()
        liar = replace(other, base=shop.base)
        shop.desk, own = other.desk, shop.desk
        try:
            assert look(chrome, liar, liar.address(invoice), forget=False) == "asof"
            said = chrome.evaluate("document.querySelector('#phone-when').innerText")
            assert "另一个账本" in said
            assert look(chrome, liar, liar.address(invoice)) == "confirmed"  # who never saw ours
        finally:
            shop.desk = own


def test_what_was_proved_is_said_by_the_phone_itself(
    chrome: Chrome, shop: Between, sold: dict[str, Any]
) -> None:
    assert look(chrome, shop, shop.address(sold["plain"])) == "confirmed"
    said = chrome.evaluate("document.querySelector('#phone-when').innerText")
    for part in ("深圳市旋转餐厅有限公司", "¥498.10", "00000001", "2026-11-21 12:30:00"):
        assert part in said
    assert "未被红冲" in said
    assert chrome.evaluate("document.getElementById('words')") is None
    for which, words in (("gone", "已全部红冲"), ("part", "已部分红冲"), ("red", "红字发票")):
        look(chrome, shop, shop.address(sold[which]))
        assert words in chrome.evaluate("document.querySelector('#phone-when').innerText")


def test_what_was_pending_is_checked_as_soon_as_it_is_in_the_log(
    chrome: Chrome, tmp_path: Path
) -> None:
    with between(tmp_path) as site:
        invoice = site.desk.issue("P1")
        assert look(chrome, site, site.address(invoice)) == "waiting"
        assert banner(chrome)[0] == "pending"
        pending = site.told(site.address(invoice).removeprefix(site.base))
        site.desk.anchor()
        site.lie = lambda path, body: pending if path.startswith("/verify/scan") else body
        assert look(chrome, site, site.address(invoice)) == "differs"
        site.lie = honest
        assert look(chrome, site, site.address(invoice)) == "confirmed"
