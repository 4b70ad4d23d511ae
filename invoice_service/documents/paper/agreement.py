"""Page, code and proof held against each other: where they differ, it is said which.

The proof speaks, once it holds by itself. What it shows must stand on the page by its label, as
``paper.typ`` sets it, and in the code. A text that looks like a label within somebody's name does
no harm: what is expected is looked for, and not what follows a label.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

import msgspec

from chain.errors import MalformedError
from invoice_service.documents.paper.face import BUYER, SELLER, buyer_texts, day_of
from invoice_service.documents.paper.fitting import shown_text
from invoice_service.documents.paper.lines import Row, table_of
from invoice_service.documents.paper.opened import Opened
from invoice_service.documents.paper.words import in_words
from invoice_service.documents.slip import yuan
from invoice_service.domain.document import Line
from invoice_service.domain.qrtext import QrText, parse_qr_text

Part = Literal["text", "code", "proof", "signature"]

_BROKEN: Final = "\ufffe"
_LONGEST_SHOWN: Final = 80
_ONCE: Final = ("发票代码：", "发票号码：", "开票日期：", "校验码：", "密码区", "（小写）")
"""Labels of which a second one on the page would say something else."""


NOT_ASKED: Final = "not asked"
"""In the place of lines that are neither proved nor hidden."""


class Difference(msgspec.Struct, frozen=True):
    """What the page's text or its code says, and what the proof (without one, the code) says.

    Of a proof that does not hold, ``field`` is why; of a file that was changed after it had been
    signed, ``changed``.
    """

    part: Part
    field: str
    found: str
    proved: str


class _Expected(NamedTuple):
    """A value between what stands before and behind it, all without spaces."""

    field: str
    before: str
    value: str
    behind: str


def differences(opened: Opened, hash_: str, shown: Mapping[str, Any]) -> list[Difference]:
    """Where the PDF says something else than the ``shown`` groups of the invoice ``hash_``."""
    face = shown.get("face")
    if not isinstance(face, dict):
        return [Difference("proof", "face_hidden", "", "a paper of ours shows what it proves")]
    text = _squeezed(opened.pages[0])
    values = [*_of_face(face, hash_), *_of_parties(face, shown)]
    found = [_difference(text, one) for one in values]
    return [
        *(one for one in found if one is not None),
        *_repeated(text, face, shown),
        *_of_lines(opened.pages, shown.get("lines")),
        *_of_code(opened.codes, hash_, face),
    ]


def disagreements(opened: Opened, code: QrText) -> list[Difference]:
    """Where a page of ours says something else than its own code; other pages say nothing."""
    if not is_labelled(opened):
        return []
    text = _squeezed(opened.pages[0])
    said = [
        _Expected("number", "发票号码：", code.number, "开票日期："),
        _Expected("check_code", "校验码：", code.hash[-5:], ""),
        _Expected("hash", "密码区", code.hash, "货物或应税劳务"),
    ]
    if code.total is not None:
        said.append(_Expected("total", "（小写）", yuan(code.total), "销售方"))
    found = [one for one in (_difference(text, each) for each in said) if one is not None]
    listed = f"发票号码：{code.number}共"
    others = [page for page in opened.pages[1:] if listed not in _squeezed(page)]
    if others:
        found.append(Difference("text", "pages", str(len(opened.pages)), _of_it(opened, others)))
    return found


def is_labelled(opened: Opened) -> bool:
    """Whether its first page has the text of a paper of ours, and not a picture of one."""
    return _ONCE[0] in _squeezed(opened.pages[0])


def recorded(opened: Opened, hash_: str, face: Mapping[str, Any]) -> list[Difference]:
    """Where a paper without a proof says something else than the face in our records."""
    shown: dict[str, Any] = {"face": dict(face), "lines": NOT_ASKED}
    return differences(opened, hash_, shown) if is_labelled(opened) else []


def _of_it(opened: Opened, others: Sequence[str]) -> str:
    """How many pages are the invoice's."""
    return str(len(opened.pages) - len(others))


def code_of(opened: Opened) -> QrText | None:
    """What the one invoice code in it says; None where there is none.

    MalformedError ``pdf_several`` for codes that say different things.
    """
    found: list[QrText] = []
    for text in opened.codes:
        try:
            code = parse_qr_text(text)
        except MalformedError:
            continue
        if code not in found:
            found.append(code)
    if len(found) > 1:
        raise MalformedError("pdf_several", f"it holds the codes of {len(found)} invoices")
    return found[0] if found else None


def _squeezed(text: str) -> str:
    """Without spaces; a hyphen at a row's end is one, not the mark that PDFium makes of it."""
    return "".join(text.replace(_BROKEN, "-").split())


def _printed(text: str) -> str:
    """As it stands on the page, without spaces."""
    return _squeezed(shown_text(text))


def _of_face(face: dict[str, Any], hash_: str) -> Iterator[_Expected]:
    yield _Expected("code", "发票代码：", face["code"], "发票号码：")
    yield _Expected("number", "发票号码：", face["number"], "开票日期：")
    yield _Expected("issued_at", "开票日期：", day_of(face["issued_at"]), "校验码：")
    yield _Expected("check_code", "校验码：", hash_[-5:], "")
    yield _Expected("hash", "密码区", hash_, "货物或应税劳务")
    yield _Expected("amount", "合计", yuan(face["amount"]), yuan(face["tax"]))
    yield _Expected("tax", yuan(face["amount"]), yuan(face["tax"]), "价税合计")
    yield _Expected("total", "（小写）", yuan(face["total"]), "销售方")
    yield _Expected("total", "（大写）", in_words(face["total"]), "（小写）")
    yield _Expected("remark", "备注", _printed(face["remark"]), "收款人：")
    yield _Expected("payee", "收款人：", _printed(face["payee"]), "复核：")
    yield _Expected("reviewer", "复核：", _printed(face["reviewer"]), "开票人：")
    yield _Expected("drawer", "开票人：", _printed(face["drawer"]), "销售方：（章）")


def _of_parties(face: dict[str, Any], shown: Mapping[str, Any]) -> Iterator[_Expected]:
    yield from _party("seller", "销售方", SELLER, face["seller"], "备注")
    buyer = shown.get("buyer")
    if isinstance(buyer, dict):
        yield from _party("buyer", "购买方", BUYER, buyer_texts(buyer, whole=True), "密码区")


def _party(
    who: str, head: str, labels: Mapping[str, str], values: Mapping[str, str], end: str
) -> Iterator[_Expected]:
    """Each value between its label and the next one; the first behind the party's own."""
    behind = [*list(labels.values())[1:], end]
    before = head
    for (name, label), next_label in zip(labels.items(), behind, strict=True):
        value = _printed(values[name])
        yield _Expected(f"{who}/{name}", before + label, value, next_label)
        before = value


def _difference(text: str, one: _Expected) -> Difference | None:
    if f"{one.before}{one.value}{one.behind}" in text:
        return None
    label = re.escape(one.before)
    found = re.search(f"{label}(.*?){re.escape(one.behind)}", text) if one.behind else None
    said = found[1] if found else "".join(re.findall(f"{label}(.{{0,5}})", text)[:1])
    return Difference("text", one.field, said[:_LONGEST_SHOWN], one.value[:_LONGEST_SHOWN])


def _repeated(text: str, face: dict[str, Any], shown: Mapping[str, Any]) -> Iterator[Difference]:
    """A label more than there should be: something was written over the page, or beside it."""
    given = _squeezed(shown_text(msgspec.json.encode([face, *shown.values()]).decode()))
    for label in _ONCE:
        if text.count(label) > 1 + given.count(label):
            yield Difference("text", label.rstrip("："), "2", "1")


def _of_lines(pages: Sequence[str], told: Any) -> Iterator[Difference]:  # noqa: ANN401 # any JSON
    """The table as a whole, on the face and on each page of the list."""
    if not isinstance(told, list):
        if len(pages) != 1 and told is not NOT_ASKED:  # a list would show what the proof hides
            yield Difference("text", "pages", str(len(pages)), "1")
        return
    table = table_of(msgspec.convert(told, list[Line]))
    tables = [("合计", table.rows), *(("小计", page.rows) for page in table.pages)]
    if len(pages) != len(tables):
        yield Difference("text", "pages", str(len(pages)), str(len(tables)))
        return
    for page, (end, rows) in zip(pages, tables, strict=True):
        text = _squeezed(page)
        if f"税率税额{''.join(map(_row, rows))}{end}" not in text:
            wrong = next((row for row in rows if _row(row) not in text), rows[0])
            yield Difference("text", "lines", "", _row(wrong)[:_LONGEST_SHOWN])


def _row(row: Row) -> str:
    return _squeezed("".join("".join(cell.rows) for cell in row.cells))


def _of_code(codes: Sequence[str], hash_: str, face: dict[str, Any]) -> Iterator[Difference]:
    code = code_of(Opened([], list(codes), []))
    if code is None:
        yield Difference("code", "hash", "", hash_)
        return
    said = {"hash": code.hash, "number": code.number, "total": str(code.total)}
    proved = {"hash": hash_, "number": face["number"], "total": str(face["total"])}
    for field, value in said.items():
        if value != proved[field]:
            yield Difference("code", field, value, proved[field])
