"""A paper that says one thing in its text, another in its code or its proof: it is said which."""

import random
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from Crypto.Random import get_random_bytes

from chain.errors import MalformedError
from chain.signing.note import SignerKey
from invoice_service.documents.paper.agreement import (
    Difference,
    code_of,
    differences,
    disagreements,
)
from invoice_service.documents.paper.face import Face
from invoice_service.documents.paper.fitting import fitted
from invoice_service.documents.paper.judging import judge_paper
from invoice_service.documents.paper.opened import Opened
from invoice_service.documents.paper.opening import opened
from invoice_service.documents.paper.typeset import typeset
from invoice_service.documents.qr import qr_drawn
from invoice_service.domain.invoice import StoredInvoice
from invoice_service.domain.qrtext import parse_qr_text
from tests.documents.paper.printing import ALL, FACE, face, job, link_of
from tests.documents.paper.test_paper import MARKUP, any_invoice, meal
from tests.documents.test_slip import red_of
from tests.domain.samples import company, line
from tests.scale import share


def shown_of(invoice: StoredInvoice, names: frozenset[str] = ALL) -> dict[str, Any]:
    """The groups as a proof shows them."""
    groups = {"face": invoice.face, "buyer": invoice.buyer, "lines": invoice.lines}
    return {name: msgspec.json.decode(groups[name]) for name in names}


def read(face: Face) -> Opened:
    return opened(typeset(job([face])))


def told(invoice: StoredInvoice, bent: Face, shown: frozenset[str] = ALL) -> list[Difference]:
    """What is found of a paper that says something else than the invoice."""
    return differences(read(bent), invoice.hash, shown_of(invoice, shown))


def fields(found: list[Difference]) -> set[tuple[str, str]]:
    return {(one.part, one.field) for one in found}


LABELS = "名称：纳税人识别号：发票代码：（小写）￥1.00"
WHOLE = {
    "plain": meal(),
    "labels in names": meal(buyer=company(name=LABELS, payment_id=LABELS), remark=LABELS),
    "markup": meal(buyer=company(name=MARKUP[:60]), remark=MARKUP),
    "red": red_of(meal(lines=[line(quantity="3", discount=100), line(name="*x*y", spec="大")])),
    "listed": meal(lines=[line(name="*餐饮*" + "菜" * (n % 70)) for n in range(150)]),
    "discounts": meal(lines=[line(discount=100), line(name="*饮品*" + "长" * 60, unit="份")]),
}


@pytest.mark.parametrize("what", WHOLE)
@pytest.mark.parametrize("shown", [ALL, FACE], ids=["all", "face"])
def test_a_whole_paper_agrees(what: str, shown: frozenset[str]) -> None:
    invoice = WHOLE[what]
    assert told(invoice, face(invoice, shown), shown) == []
    assert told(invoice, face(invoice, shown, None, "深圳市税务局"), shown) == []


@pytest.mark.scaled
def test_no_paper_of_ours_is_accused() -> None:
    draw = random.Random(7)
    for _ in range(share(1000, 6)):
        invoice, _ = any_invoice(draw)
        assert told(invoice, face(invoice)) == []


def boxed(which: str, place: int, text: str) -> Callable[[Face], dict[str, Any]]:
    """One value of a party changed."""

    def bend(whole: Face) -> dict[str, Any]:
        boxes = list(getattr(whole, which))
        boxes[place] = msgspec.structs.replace(boxes[place], value=fitted(text, 72, 5))
        return {which: boxes}

    return bend


def row(whole: Face, column: int, text: str) -> dict[str, Any]:
    cells = list(whole.rows[0].cells)
    cells[column] = fitted(text, 40, 5)
    return {"rows": [msgspec.structs.replace(whole.rows[0], cells=cells)]}


OTHER = link_of(meal(remark="another"))
BENT: dict[str, tuple[Callable[[Face], dict[str, Any]], set[tuple[str, str]]]] = {
    "code": (lambda _: {"code": "144031809111"}, {("text", "code")}),
    "number": (lambda _: {"number": "00000002"}, {("text", "number")}),
    "date": (lambda _: {"date": "2018年08月11日"}, {("text", "issued_at")}),
    "check code": (lambda _: {"check_code": "00000"}, {("text", "check_code")}),
    "password area": (lambda one: {"password": [*one.password[:3], "0 0 0"]}, {("text", "hash")}),
    "buyer": (boxed("buyer", 0, "别家公司"), {("text", "buyer/name"), ("text", "buyer/tax_id")}),
    "payment": (boxed("buyer", 3, "ali-1"), {("text", "buyer/payment_id")}),
    "account": (boxed("seller", 3, "招商银行 1"), {("text", "seller/bank_account")}),
    "total": (lambda _: {"total": "￥913.00"}, {("text", "total")}),
    "words": (lambda _: {"words": fitted("玖佰元整", 80, 6)}, {("text", "total")}),
    "amount": (lambda _: {"amount": "￥906.60"}, {("text", "amount"), ("text", "tax")}),
    "tax": (lambda _: {"tax": "￥0.40"}, {("text", "tax"), ("text", "amount")}),
    "remark": (lambda _: {"remark": fitted("作废", 60, 9)}, {("text", "remark")}),
    "drawer": (lambda _: {"drawer": "某人"}, {("text", "drawer")}),
    "a line": (lambda one: row(one, 0, "*餐饮服务*酒"), {("text", "lines")}),
    "a price": (lambda one: row(one, 5, "906.60"), {("text", "lines")}),
    "a label more": (lambda _: {"bureau": "x", "notes": ["发票号码：00000009"]},
                     {("text", "发票号码")}),
    "the code": (lambda _: {"qr": qr_drawn(OTHER).decode()}, {("code", "hash")}),
    "the code's number": (
        lambda _: {"qr": qr_drawn(link_of(meal()).replace("00000001", "00000009")).decode()},
        {("code", "number")},
    ),
    "the code's total": (
        lambda _: {"qr": qr_drawn(link_of(meal()).replace("=11300", "=91300")).decode()},
        {("code", "total")},
    ),
    "no code": (lambda _: {"qr": qr_drawn("hello").decode()}, {("code", "hash")}),
}  # fmt: skip


@pytest.mark.parametrize("what", BENT)
def test_whatever_was_changed_is_named(what: str) -> None:
    bend, expected = BENT[what]
    whole = face(meal())
    found = told(meal(), msgspec.structs.replace(whole, **bend(whole)))
    assert fields(found) == expected, found


def test_what_stands_on_the_page_is_told_beside_what_is_proved() -> None:
    (one,) = told(meal(), msgspec.structs.replace(face(meal()), total="￥913.00"))
    assert (one.found, one.proved) == ("￥913.00", "￥113.00")


def test_a_page_that_was_added_to_hidden_lines_is_named() -> None:
    """Without its lines an invoice is one page: a second one says what nobody proves."""
    whole = face(meal(), FACE)
    added = face(WHOLE["listed"]).pages[:1]
    found = told(meal(), msgspec.structs.replace(whole, pages=added), FACE)
    assert fields(found) == {("text", "pages")}


def test_of_several_invoices_in_one_paper_none_is_picked() -> None:
    """Neither by its code nor, without a proof, by its first page."""
    other = meal(remark="another")
    both = opened(typeset(job([face(meal()), face(other)])))
    assert both.codes == [link_of(meal()), link_of(other)]
    with pytest.raises(MalformedError) as refused:
        judge_paper(both, SignerKey.generate("log", get_random_bytes).verifier)
    assert refused.value.code == "pdf_several"
    same = opened(typeset(job([face(meal()), face(meal())])))
    assert code_of(same) == parse_qr_text(link_of(meal()))


def test_a_list_of_another_invoice_is_named_without_a_proof() -> None:
    invoice = WHOLE["listed"]
    whole, code = face(invoice), parse_qr_text(link_of(invoice))
    assert disagreements(read(whole), code) == []
    first = read(msgspec.structs.replace(whole, pages=[]))
    lists = [
        page.replace("发票号码：00000001", "发票号码：00000002") for page in read(whole).pages[1:]
    ]
    bent = Opened([*first.pages, *lists], first.codes, [])
    assert fields(disagreements(bent, code)) == {("text", "pages")}


def test_a_page_that_is_gone_is_named() -> None:
    invoice = WHOLE["listed"]
    whole = face(invoice)
    found = told(invoice, msgspec.structs.replace(whole, pages=whole.pages[:-1]))
    assert fields(found) == {("text", "pages")}
