"""The keys of a merchant's tills, for whoever manages them."""

from typing import Final

import msgspec
from flask import Blueprint, Response

from chain.errors import NotFoundError
from invoice_service.api.access import Access
from invoice_service.api.answers import JSON, json_answer
from invoice_service.api.merchants.contract import KeyRequest, RotationRequest
from invoice_service.api.merchants.register import CREATED, key_body, reason_if_any, terms_of
from invoice_service.api.parts import Parts
from invoice_service.api.people.contract import DeviceList, DeviceRequest
from invoice_service.api.requests import body, media_type, query, whole_number
from invoice_service.domain.acts import By
from invoice_service.domain.bounds import LARGEST
from invoice_service.domain.reading import read_json
from invoice_service.domain.text import check_till_name
from invoice_service.services.people import admit
from invoice_service.services.people.ports import OF_A_TILL, ApiKey

_device: Final = msgspec.json.Decoder(DeviceRequest)
_rotation: Final = msgspec.json.Decoder(RotationRequest)


def devices_blueprint(parts: Parts) -> Blueprint:
    """Everything below ``/v1/devices``; a merchant's key for managing is needed throughout."""
    routes = Blueprint("devices", __name__, url_prefix="/v1/devices")
    access, store = Access(parts.store, parts.clock), parts.store
    limit = parts.config.limits.body_bytes

    def manager() -> tuple[int, By]:
        query()
        principal, merchant_id = access.merchant("manage")
        return merchant_id, access.by(principal, int(parts.clock().timestamp()))

    def one(merchant_id: int, device: str) -> ApiKey:
        number = whole_number({"device": device}, "device", 0, LARGEST)
        for key in tills(merchant_id):
            if key.id == number:
                return key
        raise NotFoundError("api_key_unknown", "no till of yours has such a key")

    def tills(merchant_id: int) -> list[ApiKey]:
        return [key for key in store.keys(merchant_id) if key.terms.till]

    @routes.get("")
    def listing() -> Response:
        merchant_id, _ = manager()
        return json_answer(DeviceList([key_body(key) for key in tills(merchant_id)]))

    @routes.post("")
    def add() -> Response:
        merchant_id, by = manager()
        media_type(JSON)
        asked = _asked(body(limit), limit)
        label, terms, rand = asked.label, terms_of(asked), parts.randbytes
        key, text = admit.create_key(
            store, "merchant", merchant_id, label, by=by, randbytes=rand, terms=terms
        )
        return json_answer(key_body(key, text), CREATED)

    @routes.post("/<device>/rotation")
    def rotate(device: str) -> Response:
        merchant_id, by = manager()
        media_type(JSON)
        wanted = read_json(body(limit), _rotation, max_bytes=limit)
        key, text = admit.rotate_key(
            store,
            one(merchant_id, device).id,
            wanted.overlap_seconds,
            by,
            merchant_id=merchant_id,
            randbytes=parts.randbytes,
        )
        return json_answer(key_body(key, text), CREATED)

    @routes.delete("/<device>")
    def remove(device: str) -> Response:
        merchant_id, by = manager()
        reason, key = reason_if_any(limit), one(merchant_id, device)
        revoked = admit.revoke_key(store, key.id, by, reason, merchant_id=merchant_id)
        return json_answer(key_body(revoked))

    return routes


def _asked(data: bytes, limit: int) -> KeyRequest:
    """The key that a device's request comes to; MalformedError for the request."""
    wanted = read_json(data, _device, max_bytes=limit)
    check_till_name(wanted.till, "/till")
    return KeyRequest(
        label=wanted.label, scopes=OF_A_TILL, expires_at=wanted.expires_at, till=wanted.till
    )
