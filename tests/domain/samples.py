"""A restaurant, its customers and their orders, for the tests of the domain."""

from typing import Any

import msgspec

from invoice_service.domain.acts import By
from invoice_service.domain.invoice import (
    Frozen,
    Prepared,
    StoredInvoice,
    finish,
    parse_request,
    prepare,
)
from invoice_service.domain.merchant import Merchant
from invoice_service.domain.numbering import Allotment
from invoice_service.domain.persons import Opened, is_sealed, open_kept
from invoice_service.domain.tax import TaxRates

RATES = TaxRates(["0", "0.01", "0.03", "0.05", "0.06", "0.09", "0.13"])
SALTS = bytes(range(48))
COMPANY_TAX_ID = "9144030071526726XG"
NOON = 1_533_873_600
"""2018-08-10 12:00 in Shenzhen, the day of the pilot's first invoice."""
BY = By("machine:test", NOON)
"""Who admits and allows in the tests."""
FIRST = Allotment("144031809110", "00000001", NOON)

RESTAURANT = Merchant(
    id=7,
    tax_id="91440300708461136T",
    name="深圳市旋转餐厅有限公司",
    industry="6210",
    district="440303",
    address_phone="深圳市罗湖区人民南路 0755-82210000",
    bank_account="招商银行 7559 0000 1234",
    drawer="李四",
    payee="王五",
    reviewer="赵六",
)


def order(**changes: object) -> dict[str, Any]:
    """An issue request for one meal of CNY 113.00; None leaves a key out."""
    body: dict[str, Any] = {
        "order_id": "A-0001",
        "lines": [line()],
        **changes,
    }
    return {key: value for key, value in body.items() if value is not None}


def line(**changes: object) -> dict[str, Any]:
    """A line of CNY 113.00 at 6 %; None leaves a key out."""
    body: dict[str, Any] = {
        "name": "*餐饮服务*餐费",
        "unit_price": 11300,
        "tax_rate": "0.06",
        **changes,
    }
    return {key: value for key, value in body.items() if value is not None}


def company(**changes: object) -> dict[str, Any]:
    """A company that buys."""
    return {
        "kind": "company",
        "name": "腾讯科技（深圳）有限公司",
        "tax_id": COMPANY_TAX_ID,
        **changes,
    }


def key_of(size: int) -> bytes:
    """The key of every person among the buyers."""
    return bytes(range(1, size + 1))


def prepared(body: dict[str, Any]) -> Prepared:
    """The restaurant's invoice for this request, parsed from its JSON."""
    request = parse_request(msgspec.json.encode(body))
    return prepare(request, RESTAURANT, salts=SALTS, rates=RATES, key_id=3, new_key=key_of)


def stored(draft: Prepared, frozen: Frozen, **changes: object) -> StoredInvoice:
    """The invoice as a store would give it back."""
    row: dict[str, Any] = {
        "seq": 1,
        "merchant_id": draft.merchant_id,
        "hash": frozen.hash,
        "code": frozen.code,
        "number": frozen.number,
        "check_code": frozen.check_code,
        "type": draft.kind,
        "issued_at": frozen.issued_at,
        "order_id": draft.order_id,
        "amount": draft.amount,
        "tax": draft.tax,
        "total": draft.total,
        "face": frozen.face,
        "lines": draft.lines,
        "industry": draft.industry,
        "district": draft.district,
        "rates": draft.rates,
    }
    opened = Opened(draft.buyer, draft.salts)
    if is_sealed(draft.buyer):
        opened = open_kept(draft.buyer, draft.salts, draft.buyer_key)
    return StoredInvoice(**(row | opened._asdict() | changes))


def issued(body: dict[str, Any]) -> StoredInvoice:
    """The restaurant's first invoice, issued for this request."""
    draft = prepared(body)
    return stored(draft, finish(draft, FIRST))
