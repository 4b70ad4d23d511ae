"""The public check as the pilot's clients call it: always HTTP 200, the answer in ``retcode``.

They send a form or JSON, with or without a charset, and some read ``bill_record`` without looking
at ``retcode``; so it is always an object, empty when there is nothing to say.
"""

import codecs
import io
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
from flask import Blueprint, Response, request
from werkzeug.formparser import parse_form_data
from werkzeug.wsgi import get_input_stream

from chain.errors import MalformedError, Problem, UnavailableError
from invoice_service.domain.qrtext import FIELDS as SLIP_FIELDS
from invoice_service.domain.qrtext import QrText, claim_of
from invoice_service.domain.reading import refuse_duplicate_keys
from invoice_service.domain.verdict import Verdict, Verification

Check = Callable[[QrText], Verification]

PATH: Final = "/dzswj/bers_ep_web/query_bill_detail"
LARGEST: Final = 65_536  # bytes; three short fields

SUCCESS, MALFORMED, UNKNOWN, MISMATCH, UNAVAILABLE = 0, 1, 2, 3, 9

STATUS: Final = {
    Verdict.PENDING: 0,
    Verdict.AUTHENTIC: 1,
    Verdict.PARTLY_REVERSED: 2,
    Verdict.REVERSED: 3,
}

SAID: Final = {Verdict.PARTLY_REVERSED: "部分红冲", Verdict.REVERSED: "已红冲"}
RED: Final = "红字发票"
"""What ``retmsg`` says of what is no plain sale: many clients show it, none looks at the marks."""

FLAGS: Final = {Verdict.PARTLY_REVERSED: "HP", Verdict.REVERSED: "HF"}

FIELDS: Final = ("tx_hash", "bill_num", "total_amount")


def pilot_blueprint(check: Check, say: Callable[[Problem], str]) -> Blueprint:
    """The one address that the pilot's clients know besides the scan page.

    ``say`` puts a problem into Chinese.
    """
    blueprint = Blueprint("pilot", __name__)

    @blueprint.post(PATH)
    def query_bill_detail() -> Response:
        try:
            return _answer(check(read_fields()))
        except Problem as problem:
            return refuse(problem, say(problem))

    return blueprint


def refuse(problem: Problem, said: str) -> Response:
    """No verdict was reached; a failure of ours never reads as "no such invoice"."""
    if isinstance(problem, MalformedError):
        return _reply(MALFORMED, f"请求参数有误：{said}")
    return _reply(UNAVAILABLE, "系统暂时无法查验，请稍后重试；这不代表发票真假")


def read_fields() -> QrText:
    """``tx_hash``, ``bill_num``, ``total_amount`` in whatever form they come. MalformedError.

    Each may stand once, wherever it stands: in the address, in the body, in a part of it.
    """
    pairs = [*_form(request.query_string), *_fields(_body())]
    ours = [(name, value) for name, value in pairs if name in FIELDS]
    found = dict(ours)
    if len(found) != len(ours):
        raise MalformedError("duplicate_parameter", "a field stands twice")
    values = [_text(found.get(name), name) for name in FIELDS]
    return claim_of(dict(zip(SLIP_FIELDS, values, strict=True)))


def _body() -> bytes:
    """All of the body, also of one that does not say its length."""
    body = get_input_stream(request.environ).read(LARGEST + 1)
    if len(body) > LARGEST:
        raise MalformedError("body_too_large", f"at most {LARGEST} bytes are read")
    return body


def _fields(body: bytes) -> list[tuple[str, Any]]:
    """The body's fields; what it is shows in itself, since the declared types are often wrong."""
    if request.mimetype == "multipart/form-data":
        whole = {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        _, texts, files = parse_form_data({**request.environ, **whole})
        return [*texts.items(multi=True), *files.items(multi=True)]
    body = body.removeprefix(codecs.BOM_UTF8).strip()
    if not body.startswith(b"{"):
        return _form(body)
    try:
        fields = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise _unreadable() from None
    refuse_duplicate_keys(body, fields)
    return list(fields.items())


def _form(body: bytes) -> list[tuple[str, Any]]:
    try:
        return parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=30)
    except ValueError:
        raise _unreadable() from None


def _unreadable() -> MalformedError:
    return MalformedError("bad_request", "the body is neither JSON nor a form")


def _text(value: object, name: str) -> str:
    """A field; a JSON number is taken for its digits."""
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(value)
    raise MalformedError("missing_parameter", f"the field {name} is missing")


def _answer(result: Verification) -> Response:
    if result.verdict is Verdict.UNKNOWN:
        return _reply(UNKNOWN, "查无此票")
    if result.verdict is Verdict.MISMATCH:
        return _reply(MISMATCH, "发票号码或金额与开具时不符")
    if result.face is None:
        raise UnavailableError("record_unreadable", "the invoice's face is missing")
    said = RED if _is_red(result.face) else SAID.get(result.verdict, "成功")
    return _reply(SUCCESS, said, bill_record(result, result.face))


def bill_record(result: Verification, face: dict[str, Any]) -> dict[str, object]:
    """What the pilot's clients read; money in fen, ``time`` in unix seconds. No lines."""
    return {
        "bill_code": face["code"],
        "bill_num": face["number"],
        "tx_hash": result.hash,
        "amount": face["amount"],
        "tax_amount": face["tax"],
        "total_amount": face["total"],
        "time": int(datetime.fromisoformat(face["issued_at"]).timestamp()),
        "seller_name": face["seller"]["name"],
        "seller_taxpayer_id": face["seller"]["tax_id"],
        "buyer_name": result.buyer_name or "",
        "status": STATUS[result.verdict],
        "invalid_mark": int(result.verdict is Verdict.REVERSED),
        "void_flag": _flag(result.verdict, face),
    }


def _flag(verdict: Verdict, face: dict[str, Any]) -> str:
    """N normal, H red, HP partly reversed, HF fully reversed; Y, void, never happens here."""
    return "H" if _is_red(face) else FLAGS.get(verdict, "N")


def _is_red(face: dict[str, Any]) -> bool:
    return bool(face["type"] == "red")


def _reply(retcode: int, retmsg: str, record: dict[str, object] | None = None) -> Response:
    body = {"retcode": retcode, "retmsg": retmsg, "bill_record": record or {}}
    answer = Response(msgspec.json.encode(body), content_type="application/json; charset=utf-8")
    answer.headers["Cache-Control"] = "no-store"
    return answer
