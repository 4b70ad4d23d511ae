"""Merchants and their keys, for officials."""

from datetime import UTC, datetime

import msgspec
from flask import Blueprint, Response, url_for

from chain.entry import format_time, parse_time
from chain.errors import MalformedError
from invoice_service.api.access import Access
from invoice_service.api.answers import JSON, json_answer
from invoice_service.api.looking import Looking
from invoice_service.api.merchants.contract import (
    KeyBody,
    KeyList,
    KeyRequest,
    MerchantBody,
    MerchantPage,
    QuotaRequest,
    ReasonRequest,
    RotationRequest,
)
from invoice_service.api.parts import Parts
from invoice_service.api.requests import body, body_if_any, media_type, query, whole_number
from invoice_service.domain.acts import By
from invoice_service.domain.bounds import LARGEST
from invoice_service.domain.merchant import masked_name, masked_tax_id, parse_merchant
from invoice_service.domain.reading import read_json
from invoice_service.services.people import admit
from invoice_service.services.people.ports import UNLESS_SAID, ApiKey, KeyTerms
from invoice_service.services.people.roles import Power
from invoice_service.services.ports import Account

PAGE, LONGEST_PAGE = 100, 1000
CREATED = 201

_why: msgspec.json.Decoder[ReasonRequest] = msgspec.json.Decoder(ReasonRequest)
_quota: msgspec.json.Decoder[QuotaRequest] = msgspec.json.Decoder(QuotaRequest)
_key: msgspec.json.Decoder[KeyRequest] = msgspec.json.Decoder(KeyRequest)
_rotation: msgspec.json.Decoder[RotationRequest] = msgspec.json.Decoder(RotationRequest)


def blueprint(parts: Parts) -> Blueprint:
    """The register, and merchants' keys; officials only."""
    return MerchantCalls(parts).blueprint()


class MerchantCalls:
    """Everything below ``/v1/merchants``; an official's key is needed throughout."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._store = parts.store
        self._access = Access(parts.store, parts.clock)
        self._looking = Looking(parts)
        self._limit = parts.config.limits.body_bytes

    def blueprint(self) -> Blueprint:
        """The routes."""
        routes = Blueprint("merchants", __name__, url_prefix="/v1/merchants")
        routes.get("")(self.listing)
        routes.post("")(self.admit)
        routes.get("/<merchant>")(self.one)
        routes.post("/<merchant>/suspension")(self.suspend)
        routes.delete("/<merchant>/suspension")(self.resume)
        routes.post("/<merchant>/leaving")(self.leave)
        routes.post("/<merchant>/readmission")(self.readmit)
        routes.post("/<merchant>/revocation")(self.revoke)
        routes.put("/<merchant>/quota")(self.quota)
        routes.get("/<merchant>/keys")(self.keys)
        routes.post("/<merchant>/keys")(self.add_key)
        routes.delete("/<merchant>/keys/<key>")(self.revoke_key)
        routes.post("/<merchant>/keys/<key>/rotation")(self.rotate_key)
        return routes

    def listing(self) -> Response:
        """A page of merchants."""
        principal = self._access.official("lists")
        asked = query("after", "limit")
        most = whole_number(asked, "limit", PAGE, LONGEST_PAGE)
        found = self._store.accounts(whole_number(asked, "after", 0, LARGEST, least=0), most)
        more = found[-1].merchant.id if len(found) == most else None
        now = self._now()
        show = _merchant if principal.has("look") else _masked
        return json_answer(MerchantPage([show(account, now) for account in found], more))

    def admit(self) -> Response:
        """A new merchant."""
        body_, by = self._body("admit")
        request = parse_merchant(body_, max_bytes=self._limit)
        account = admit.admit(self._store, request, by)
        answer = self._answer(account, CREATED)
        answer.headers["Location"] = url_for("merchants.one", merchant=account.merchant.id)
        return answer

    def one(self, merchant: str) -> Response:
        """One merchant."""
        return self._answer(self._file(merchant))

    def suspend(self, merchant: str) -> Response:
        """Stop it from issuing; again changes nothing."""
        reason, by = self._reason_if_any("suspend")
        return self._answer(admit.suspend(self._store, _id(merchant), by, reason))

    def resume(self, merchant: str) -> Response:
        """Let it issue again; again changes nothing."""
        reason, by = self._reason_if_any("admit")
        return self._answer(admit.resume(self._store, _id(merchant), by, reason))

    def revoke(self, merchant: str) -> Response:
        """Stop it from issuing for good, where one is enough."""
        reason, by = self._reason_if_any("admit")
        self._parts.people.proposals.alone()
        return self._answer(admit.revoke(self._store, _id(merchant), by, reason))

    def quota(self, merchant: str) -> Response:
        """Set what it may issue."""
        body_, by = self._body("admit")
        wanted = read_json(body_, _quota, max_bytes=self._limit)
        if wanted == QuotaRequest(reason=wanted.reason):
            raise MalformedError("limits_missing", "name a limit", pointer="/quota")
        account = admit.set_quota(
            self._store,
            _id(merchant),
            wanted.quota,
            by,
            month_quota=wanted.month_quota,
            invoice_limit=wanted.invoice_limit,
            reason=wanted.reason,
        )
        return self._answer(account)

    def leave(self, merchant: str) -> Response:
        """Let it go; again changes nothing."""
        reason, by = self._reason()
        return self._answer(admit.leave(self._store, _id(merchant), by, reason))

    def readmit(self, merchant: str) -> Response:
        """Let it issue again, whatever it was before."""
        reason, by = self._reason()
        return self._answer(admit.readmit(self._store, _id(merchant), by, reason))

    def keys(self, merchant: str) -> Response:
        """Its keys, without their texts."""
        account = self._file(merchant)
        found = self._store.keys(account.merchant.id)
        return json_answer(KeyList([key_body(key) for key in found]))

    def add_key(self, merchant: str) -> Response:
        """A new key for it, shown this once."""
        body_, by = self._body("keys")
        wanted = read_json(body_, _key, max_bytes=self._limit)
        key, text = admit.create_key(
            self._store,
            "merchant",
            _id(merchant),
            wanted.label,
            by=by,
            randbytes=self._parts.randbytes,
            terms=terms_of(wanted),
        )
        return json_answer(key_body(key, text), CREATED)

    def rotate_key(self, merchant: str, key: str) -> Response:
        """A new key in the place of one, which goes on for a while."""
        body_, by = self._body("keys")
        merchant_id, key_id = _id(merchant), whole_number({"key": key}, "key", 0, LARGEST)
        wanted = read_json(body_, _rotation, max_bytes=self._limit)
        made, text = admit.rotate_key(
            self._store,
            key_id,
            wanted.overlap_seconds,
            by,
            merchant_id=merchant_id,
            randbytes=self._parts.randbytes,
        )
        return json_answer(key_body(made, text), CREATED)

    def revoke_key(self, merchant: str, key: str) -> Response:
        """End one of its keys, for ever."""
        reason, by = self._reason_if_any("keys")
        merchant_id, key_id = _id(merchant), whole_number({"key": key}, "key", 0, LARGEST)
        revoked = admit.revoke_key(self._store, key_id, by, reason, merchant_id=merchant_id)
        return json_answer(key_body(revoked))

    def _file(self, merchant: str) -> Account:
        """A merchant whose file an official looks at."""
        principal = self._access.official("look")
        query()
        account = admit.get_merchant(self._store, _id(merchant))
        self._looking.at(principal, f"merchant:{account.merchant.id}", "file")
        return account

    def _official(self, power: Power) -> By:
        principal = self._access.official(power)
        query()
        return self._access.by(principal, int(self._parts.clock().timestamp()))

    def _now(self) -> int:
        return int(self._parts.clock().timestamp())

    def _answer(self, account: Account, status: int = 200) -> Response:
        return json_answer(_merchant(account, self._now()), status)

    def _reason(self) -> tuple[str, By]:
        body_, by = self._body("admit")
        return read_json(body_, _why, max_bytes=self._limit).reason, by

    def _reason_if_any(self, power: Power) -> tuple[str, By]:
        """As ``_reason``, of calls that were once made without a body, and may still be."""
        by = self._official(power)
        return reason_if_any(self._limit), by

    def _body(self, power: Power) -> tuple[bytes, By]:
        by = self._official(power)
        media_type(JSON)
        return body(self._limit), by


def reason_if_any(limit: int) -> str:
    """Why, as a body says; "" where none is sent. MalformedError as ``body_if_any``."""
    sent = body_if_any(limit, JSON)
    return read_json(sent, _why, max_bytes=limit).reason if sent else ""


def _id(text: str) -> int:
    return whole_number({"merchant": text}, "merchant", 0, LARGEST)


def _merchant(account: Account, now: int) -> MerchantBody:
    return MerchantBody(
        **msgspec.structs.asdict(account.merchant),
        month_left=account.money_left(now),
        used=account.used,
        created_at=_time(account.created_at),
    )


def _masked(account: Account, now: int) -> MerchantBody:
    """As a viewer sees it: not who it is."""
    hidden = dict.fromkeys(("address_phone", "bank_account", "drawer", "payee", "reviewer"), "")
    merchant = account.merchant
    shown = {"name": masked_name(merchant.name), "tax_id": masked_tax_id(merchant.tax_id)}
    return msgspec.structs.replace(_merchant(account, now), **shown, **hidden)


def key_body(key: ApiKey, text: str | None = None) -> KeyBody:
    """A key as it is shown."""
    return KeyBody(
        id=key.id,
        label=key.label,
        created_at=_time(key.created_at),
        revoked_at=_time_or_none(key.revoked_at),
        scopes=key.terms.scopes or UNLESS_SAID[key.role],
        expires_at=_time_or_none(key.terms.expires_at),
        till=key.terms.till,
        used_at=_time_or_none(key.used_at),
        key=text,
    )


def terms_of(wanted: KeyRequest) -> KeyTerms:
    """What a key is to be good for; MalformedError ``time_invalid`` for its end."""
    ends = None
    if wanted.expires_at is not None:
        try:
            ends = int(parse_time(wanted.expires_at).timestamp())
        except MalformedError:
            raise MalformedError(
                "time_invalid", "a time is written like 2027-01-31T00:00:00Z", pointer="/expires_at"
            ) from None
    return KeyTerms(scopes=wanted.scopes, expires_at=ends, till=wanted.till)


def _time_or_none(seconds: int | None) -> str | None:
    return None if seconds is None else _time(seconds)


def _time(seconds: int) -> str:
    return format_time(datetime.fromtimestamp(seconds, UTC))
