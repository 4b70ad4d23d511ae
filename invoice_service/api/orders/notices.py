"""``/v1/payments``: what payment services call. No key lets anybody in: a notice proves itself."""

from flask import Blueprint, Response, request

from chain.errors import NotFoundError
from invoice_service.api.answers import JSON, NO_STORE, json_answer
from invoice_service.api.orders.contract import WechatAnswer
from invoice_service.api.parts import Parts
from invoice_service.api.requests import body, media_type, query
from invoice_service.openapi.operation import FIELDS
from invoice_service.services.claims import alipay, wechat
from invoice_service.services.claims.notices import LONGEST, Paid, note
from invoice_service.services.claims.payment_keys import alipay_keys, wechat_keys

_TAKEN = "success"


def notices_blueprint(parts: Parts) -> Blueprint:
    """Both; keys are read at every notice, so that a new certificate counts at once."""
    routes = Blueprint("payments", __name__, url_prefix="/v1/payments")
    settings = parts.config.payments

    def take(paid: Paid | None) -> None:
        if paid is not None:
            note(parts.claims, paid)

    @routes.post("/wechat")
    def of_wechat() -> Response:
        query()
        keys = wechat_keys(settings)
        if keys is None:
            raise _off()
        media_type(JSON)
        sent = body(LONGEST)
        take(wechat.read_notice(keys, _headers(), sent, parts.claims.now()))
        return json_answer(WechatAnswer())

    @routes.post("/alipay")
    def of_alipay() -> Response:
        query()
        keys = alipay_keys(settings)
        if keys is None:
            raise _off()
        request.environ["CONTENT_TYPE"] = FIELDS if request.mimetype == FIELDS else ""
        media_type(FIELDS)  # its charset is a field's matter
        take(alipay.read_notice(keys, body(LONGEST)))
        return Response(_TAKEN, headers={"Cache-Control": NO_STORE}, mimetype="text/plain")

    return routes


def _headers() -> wechat.Headers:
    said = request.headers
    return wechat.Headers(
        *(
            said.get(f"Wechatpay-{name}", "")
            for name in ("Timestamp", "Nonce", "Serial", "Signature")
        )
    )


def _off() -> NotFoundError:
    return NotFoundError("payments_off", "no keys of this payment service are set here")
