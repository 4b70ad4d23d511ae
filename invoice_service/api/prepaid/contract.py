"""Prepaid accounts: what is sent, what is answered. Money in fen, times UTC."""

from typing import Final

import msgspec

from invoice_service.domain.prepaid import Ending, State
from invoice_service.openapi.operation import (
    HASH_TEXT,
    JSON,
    STORE,
    TEXTS,
    Operation,
    Parameter,
    Words,
    page,
    says,
)
from invoice_service.services.prepaid.shapes import (
    PrepaidRequest,
    RefundRequest,
    RefusalRequest,
    ReleaseRequest,
)

ID_TEXT: Final = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
ACCOUNT = Parameter("account", "The account's id", "path", ID_TEXT)


class ReleaseBody(msgspec.Struct, kw_only=True):
    """A meal that was paid; what a wallet needs to check it by itself."""

    hash: str
    number: str
    amount: int
    at: str
    returned: int
    refused: bool
    reason: str
    qr: str
    proof: str


class RefundBody(msgspec.Struct, kw_only=True):
    """Money that the wallet has paid back."""

    request_id: str
    amount: int
    at: str
    reason: str


class PrepaidBody(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An account; ``held`` + ``released`` + ``paid_back`` is always ``paid_in``.

    In lists, without what has become of it.
    """

    id: str
    merchant: str
    seller: str
    wallet: str
    terms: str
    state: State
    ending: Ending | None = None
    opened_at: str
    expires_at: str
    asked_back_at: str = ""
    paid_in: int
    held: int
    released: int
    paid_back: int
    due: int
    link: str = ""
    releases: list[ReleaseBody] = []
    refunds: list[RefundBody] = []


class PrepaidPage(msgspec.Struct):
    """``next`` is the ``after`` of the following page; null on the last."""

    accounts: list[PrepaidBody]
    next: str | None


_REQUEST_ID: Final = says(
    "The wallet's own number of what it says: the same again changes nothing",
    minLength=1,
    maxLength=64,
)
_NAMED: Final = says(
    "The prepaid account that pays it, as its customer shows it: it releases just what the invoice"
    " comes to, or there is no invoice. No part of the document",
    **{name: value for name, value in ID_TEXT.items() if name != "type"},
)
WORDS: Final[Words] = {
    "InvoiceRequest.prepaid": _NAMED,
    "BatchRecord.prepaid": _NAMED,
    "OrderRequest.prepaid": _NAMED,
    "PrepaidRequest.request_id": _REQUEST_ID,
    "PrepaidRequest.merchant": says("The merchant's tax id"),
    "PrepaidRequest.amount": says("Fen that the wallet has taken in and holds"),
    "PrepaidRequest.terms": says(
        "What customer and merchant have agreed upon, as the customer reads it; nothing of a person"
    ),
    "PrepaidRequest.expires_at": says(
        "From then on what is left is to be paid back; UTC, within ten years", format="date-time"
    ),
    "RefundRequest.request_id": _REQUEST_ID,
    "RefundRequest.amount": says("Fen that were paid back; all that is held unless given"),
    "RefundRequest.reason": says("Why", maxLength=200),
    "RefusalRequest.request_id": _REQUEST_ID,
    "RefusalRequest.hash": says("The meal's invoice", **HASH_TEXT),
    "RefusalRequest.reason": says("Why", maxLength=200),
    "ReleaseRequest.hash": says("The invoice, of which nothing was taken back", **HASH_TEXT),
    "ReleaseBody.hash": says("The invoice's hash"),
    "ReleaseBody.number": says("The invoice's number"),
    "ReleaseBody.amount": says("What the invoice comes to, and so what it has released; fen"),
    "ReleaseBody.at": says("UTC", format="date-time"),
    "ReleaseBody.returned": says("Fen that red invoices took back, and that are held again"),
    "ReleaseBody.refused": says("`true`: the wallet did not pay it; what it had is held again"),
    "ReleaseBody.reason": says("Why it was refused"),
    "ReleaseBody.qr": says("Where the invoice is checked"),
    "ReleaseBody.proof": says("Its proof file, which is checked without us"),
    "RefundBody.request_id": says("The wallet's number of it"),
    "RefundBody.amount": says("Fen"),
    "RefundBody.at": says("When we were told, UTC", format="date-time"),
    "RefundBody.reason": says("Why"),
    "PrepaidBody.id": says("Given out here: what an invoice names as `prepaid`"),
    "PrepaidBody.merchant": says("The merchant's tax id"),
    "PrepaidBody.seller": says("The merchant's name"),
    "PrepaidBody.wallet": says("Who holds the money, and said so"),
    "PrepaidBody.terms": says("What was agreed upon"),
    "PrepaidBody.state": says(
        "`ended`: no meal is paid any more, and `due` is to be paid back; `closed`: nothing is left"
    ),
    "PrepaidBody.ending": says(
        "Why it has ended: `paid_back` (the wallet began to), `customer` (asked for what is left),"
        " `expired`, `merchant` (suspended, and only so long); absent while it is open"
    ),
    "PrepaidBody.opened_at": says("UTC", format="date-time"),
    "PrepaidBody.expires_at": says("UTC", format="date-time"),
    "PrepaidBody.asked_back_at": says("When the customer asked for what is left, UTC"),
    "PrepaidBody.paid_in": says("Fen that came in"),
    "PrepaidBody.held": says("Fen that are left: the customer's"),
    "PrepaidBody.released": says("Fen that meals have released: the merchant's"),
    "PrepaidBody.paid_back": says("Fen that the wallet has paid back"),
    "PrepaidBody.due": says("Fen that the wallet is to pay back now"),
    "PrepaidBody.link": says("The customer's page; only the wallet is told: the secret is in it"),
    "PrepaidBody.releases": says("Meals, in the order in which they were paid"),
    "PrepaidBody.refunds": says("All that was paid back"),
    "PrepaidPage.accounts": says("In the order in which they were opened"),
    "PrepaidPage.next": says("The `after` of the following page; null on the last"),
}

_PROOF: Final = (
    Parameter("Wallet", "The wallet's name", "header"),
    Parameter("Wallet-Time", "Unix seconds, within five minutes of now", "header"),
    Parameter("Wallet-Signature", "Ed25519, base64; docs/formats.md says over what", "header"),
)
_PROVEN: Final = (
    *("prepaid_off", "wallet_time_over", "wallet_unknown", "wallet_signature_invalid"),
    *("wallet_keys_unreadable", "key_unreadable", *STORE),
)
_SAID: Final = (*TEXTS, "prepaid_differs", *_PROVEN)

OPERATIONS: Final = (
    Operation(
        "post",
        "/v1/prepaid",
        "openPrepaid",
        "prepaid",
        "A wallet says that it holds money for meals of a merchant",
        "The account: 201 when new, 200 when it was said before",
        ((JSON, PrepaidBody),),
        "",
        _PROOF,
        ((JSON, PrepaidRequest),),
        (201, 200),
        codes=(
            *("tax_id_invalid", "merchant_unknown", "merchant_suspended", "merchant_left"),
            "merchant_revoked",
            *("time_invalid", "prepaid_term", "amount_out_of_range", "database_refused", *_SAID),
        ),
    ),
    Operation(
        "get",
        "/v1/prepaid",
        "listPrepaid",
        "prepaid",
        "A merchant's prepaid accounts",
        "In the order in which they were opened",
        ((JSON, PrepaidPage),),
        "merchant",
        page(100),
        scope="read",
        codes=("parameter_malformed", *STORE),
    ),
    Operation(
        "get",
        "/v1/prepaid/{account}",
        "readPrepaid",
        "prepaid",
        "How an account stands, for its merchant (by key) or its wallet (by signature)",
        "The account",
        ((JSON, PrepaidBody),),
        "optional",
        (ACCOUNT, *_PROOF),
        codes=("scope_required", "prepaid_unknown", *_PROVEN),
    ),
    Operation(
        "post",
        "/v1/prepaid/{account}/release",
        "releasePrepaid",
        "prepaid",
        "Have an invoice that was issued before paid from an account",
        "The account: 201 when that is news, 200 when it was released before",
        ((JSON, PrepaidBody),),
        "merchant",
        (ACCOUNT,),
        ((JSON, ReleaseRequest),),
        (201, 200),
        scope="issue",
        codes=(
            *("password_area", "prepaid_unknown", "invoice_unknown", "prepaid_not_whole"),
            *("prepaid_released", "prepaid_ended", "prepaid_short", "prepaid_full", *STORE),
        ),
    ),
    Operation(
        "post",
        "/v1/prepaid/{account}/refusal",
        "refusePrepaid",
        "prepaid",
        "A wallet says that it does not pay a meal",
        "The account: 201 when that is news, 200 when it was said before",
        ((JSON, PrepaidBody),),
        "",
        (ACCOUNT, *_PROOF),
        ((JSON, RefusalRequest),),
        (201, 200),
        codes=(
            *("password_area", "prepaid_unknown", "prepaid_not_released", "prepaid_given_back"),
            *_SAID,
        ),
    ),
    Operation(
        "post",
        "/v1/prepaid/{account}/refund",
        "refundPrepaid",
        "prepaid",
        "A wallet says what it has paid back",
        "The account: 201 when that is news, 200 when it was said before",
        ((JSON, PrepaidBody),),
        "",
        (ACCOUNT, *_PROOF),
        ((JSON, RefundRequest),),
        (201, 200),
        codes=("prepaid_unknown", "prepaid_short", "amount_out_of_range", *_SAID),
    ),
)
