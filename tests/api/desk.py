"""A whole instance behind the real web application: a restaurant, an official, a movable clock."""

import json
import shutil
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from Crypto.Random import get_random_bytes
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.test import TestResponse

from invoice_service.app import create_app, finish
from invoice_service.config import Config, load
from invoice_service.domain.merchant import MerchantRequest
from invoice_service.services.anchoring.anchor import anchor_pending
from invoice_service.services.people.admit import admit, create_key
from invoice_service.services.people.ports import NO_TERMS, KeyTerms
from invoice_service.services.ports import Account
from invoice_service.wiring import Instance, init_instance, open_instance
from tests.api.described import DescribedClient
from tests.services.town import NoActs

TAX_ID = "91440300708461136T"
OTHER_TAX_ID = "91330100799655058B"
START = datetime(2026, 11, 21, 4, 30, tzinfo=UTC)
JSON = "application/json"
NDJSON = "application/x-ndjson"
UNKNOWN = "01" + "0" * 64

MEAL: dict[str, Any] = {"name": "*餐饮服务*餐费", "unit_price": 49810, "tax_rate": "0.06"}


class Compiled(BytecodeCache):
    """What templates were compiled to, for all applications that this process of tests makes."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Only what the same source was compiled to: Jinja compares its checksum."""
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it."""
        self._kept[bucket.key] = bucket.bytecode_to_string()


TEMPLATES = Compiled()


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **units: float) -> None:
        self.now += timedelta(**units)


def _settings(folder: Path, overrides: Mapping[str, str]) -> Config:
    environ = {
        "FAPIAO_SERVICE_DATA_DIR": str(folder / "data"),
        "FAPIAO_SERVICE_PUBLIC_URL": "https://fapiao.test",
        **overrides,
    }
    return load(None, environ)


class Desk:
    """The instance, its application, and those who use it."""

    def __init__(
        self,
        folder: Path,
        randbytes: Callable[[int], bytes] = get_random_bytes,
        /,
        **overrides: str,
    ) -> None:
        self.config = _settings(folder, overrides)
        self.clock = Clock()
        self.instance: Instance = init_instance(self.config, clock=self.clock, randbytes=randbytes)
        self.restaurant = self.new_merchant(TAX_ID, "深圳市旋转餐厅有限公司")
        self.key = self.new_key(self.restaurant.merchant.id)
        self.official_key = self.new_key(None)
        self._open_doors()

    def copied(self, folder: Path) -> Self:
        """One just like it was when it was closed: the same keys, on files of its own."""
        desk = copy(self)
        desk.config, desk.clock = _settings(folder, {}), Clock()
        not_these = shutil.ignore_patterns("counts")  # each process has its own there
        shutil.copytree(self.config.data_dir, desk.config.data_dir, ignore=not_these)
        desk.instance = open_instance(desk.config, clock=desk.clock)
        desk._open_doors()
        return desk

    def _open_doors(self) -> None:
        self.app: Flask = create_app(self.instance)
        self.app.jinja_env.bytecode_cache = TEMPLATES
        self.app.test_client_class = DescribedClient
        self.client: FlaskClient = self.app.test_client()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if "app" in vars(self):  # without pages, some have none
            finish(self.app)  # or its counts would be tried again, for ever, by a thread of its own
        self.instance.close()

    def new_merchant(self, tax_id: str, name: str, quota: int | None = None) -> Account:
        request = MerchantRequest(
            tax_id=tax_id, name=name, industry="6210", district="440303", quota=quota
        )
        return admit(self.instance.store, request, self.instance.operator())

    def new_key(self, merchant_id: int | None, terms: KeyTerms = NO_TERMS) -> str:
        """A key of a merchant, or of an official."""
        _, text = create_key(
            self.instance.store,
            "official" if merchant_id is None else "merchant",
            merchant_id,
            "test",
            by=self.instance.operator(),
            randbytes=self.instance.randbytes,
            terms=terms,
        )
        return text

    def auth(self, key: str | None = None) -> dict[str, str]:
        return {"Authorization": f"Bearer {key or self.key}"}

    def official(self) -> dict[str, str]:
        return self.auth(self.official_key)

    def post(
        self, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> TestResponse:
        """A merchant's POST of ``body`` as JSON, or of bytes as they are."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.post(
            path, data=data, headers={"Content-Type": JSON, **self.auth(), **(headers or {})}
        )

    def issue(self, order_id: str = "T1", **changes: object) -> dict[str, Any]:
        """An issued invoice, as answered."""
        body = {"order_id": order_id, "lines": [MEAL], **changes}
        answer = self.post("/v1/invoices", body)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.get_json()
        return found

    def reverse(self, invoice: dict[str, Any]) -> dict[str, Any]:
        """The red invoice that reverses it."""
        answer = self.post(f"/v1/invoices/{invoice['hash']}/reversals", {"reason": "SALES_RETURN"})
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.get_json()
        return found

    def anchor(self) -> None:
        """Take all invoices that are pending into the log; acts wait, as in ``Town``."""
        quiet = replace(self.instance.anchoring(), acts=NoActs(), bind=lambda _: None)
        anchor_pending(quiet)

    def anchor_all(self) -> None:
        """Take all that is pending into the log, acts as well."""
        anchor_pending(self.instance.anchoring())

    def count(self) -> int:
        """How many invoices are stored."""
        return self.instance.store.last_seq()


def slip(invoice: dict[str, Any], **changes: str) -> dict[str, str]:
    """What an invoice's QR code says, as query parameters."""
    said = {
        "hash": str(invoice["hash"]),
        "bill_num": str(invoice["number"]),
        "total_amount": str(invoice["total"]),
    }
    return said | changes


def problem(answer: TestResponse, status: int, code: str) -> dict[str, Any]:
    """The problem in an answer, once it is one in every respect."""
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    body: dict[str, Any] = answer.get_json()
    assert body["code"] == code, body
    assert body["status"] == status
    assert body["type"] == f"https://fapiao.test/problems#{code}"
    assert body["title"]
    assert body["title_zh"]
    assert body["detail"]
    return body


def refusing(error: BaseException) -> Callable[..., object]:
    """A function that raises ``error`` however it is called: a part that has broken."""

    def refuse(*_: object, **__: object) -> object:
        raise error

    return refuse
