"""The customer's page, as ``/openapi.json`` has it."""

from typing import Final

import msgspec

from invoice_service.openapi.operation import (
    FIELDS,
    HIDE,
    HTML,
    JSON,
    LOG,
    PDF,
    STORE,
    TEXT,
    Operation,
    Parameter,
    Words,
    says,
)

CLAIM = Parameter("token", "What stands in the link; whoever has it may claim", "path")
FORM_ASKED = Parameter(
    "form",
    "`pdf`, the default; `picture`: the slip; `proof`: the proof file; `tlog`: that the entry is in"
    " the log",
    schema={"enum": ["pdf", "picture", "proof", "tlog"]},
)


class MailForm(msgspec.Struct, omit_defaults=True):
    """Where the invoice is to be sent."""

    mail: str = ""


class ClaimForm(msgspec.Struct, omit_defaults=True):
    """What a customer fills in."""

    kind: str = ""
    name: str = ""
    tax_id: str = ""
    code: str = ""
    part: str = ""
    mine: str = ""


class ErasureForm(msgspec.Struct, omit_defaults=True):
    """That somebody wants it."""

    sure: str = ""


WORDS: Final[Words] = {
    "MailForm.mail": says("One address; it is deleted when the letter has been sent"),
    "ClaimForm.kind": says("`individual`, `company` or `organisation`"),
    "ClaimForm.name": says("The title"),
    "ClaimForm.tax_id": says("A company's tax id"),
    "ClaimForm.code": says("Instead of both: the text of a title code, `$01…$`"),
    "ClaimForm.part": says("Which share, where there are several"),
    "ClaimForm.mine": says("What the page made, by which it is shown its invoice again"),
    "ErasureForm.sure": says("`yes`: it cannot be undone"),
}

OPERATIONS: Final = (
    Operation(
        "get",
        "/claim/{token}",
        "claimPage",
        "pages",
        "What is to be claimed, or what this browser has claimed",
        "A page",
        ((HTML, "string"),),
        "",
        (CLAIM,),
        codes=("claim_unknown", "key_unreadable", *STORE),
        errors="page",
        strict=False,
    ),
    Operation(
        "get",
        "/claim/{token}/pdf",
        "claimedPaper",
        "pages",
        "The invoice on A4, for the browser that has claimed it",
        "200: PDF/A-3b with all that is on it; 303: to the page, for anybody else",
        ((PDF, "bytes"), (HTML, "string")),
        "",
        (CLAIM,),
        statuses=(200, 303),
        codes=(
            *("claim_unknown", "paper_busy", "paper_failed", "paper_unsigned"),
            *("key_unreadable", *STORE, *LOG),
        ),
        errors="page",
        strict=False,
    ),
    Operation(
        "post",
        "/claim/{token}/mail",
        "mailClaimed",
        "pages",
        "Have the invoice sent by e-mail, for the browser that has claimed it",
        "303: on to the page, which says what became of the letter; for anybody else, too",
        ((HTML, "string"),),
        "",
        (CLAIM,),
        ((FIELDS, MailForm),),
        (303,),
        codes=(
            *("claim_unknown", "mail_off", "mail_address_invalid", "mail_too_many"),
            *("key_unreadable", *STORE),
        ),
        errors="page",
        strict=False,
    ),
    Operation(
        "post",
        "/claim/{token}",
        "claim",
        "pages",
        "Claim an invoice, once",
        "303: on to the page that shows it; 200: a title code whose sum does not fit",
        ((HTML, "string"),),
        "",
        (CLAIM,),
        ((FIELDS, ClaimForm),),
        (303, 200),
        codes=(
            *("claim_unknown", "claim_secret_invalid", "title_invalid", "buyer_incomplete"),
            *("tax_id_invalid", "text_too_long", "control_character", "text_damaged"),
            *("order_claimed", "order_part_taken", "order_cancelled", "order_expired"),
            *("order_not_paid", "value_unknown", "merchant_suspended", "quota_exhausted"),
            *("merchant_left", "merchant_revoked", "quota_money_spent", "invoice_over_limit"),
            *("prepaid_unknown", "prepaid_ended", "prepaid_short", "prepaid_full"),
            *("log_behind", "clock_behind", "clock_ahead", "key_unreadable", *STORE),
        ),
        errors="page",
        strict=False,
    ),
    Operation(
        "get",
        "/claim/{token}/share",
        "claimShare",
        "pages",
        "The invoice that this browser has claimed, to be handed on",
        "A file, without what is hidden",
        (
            (PDF, "bytes"),
            ("image/png", "bytes"),
            (JSON, "object"),
            (TEXT, "string"),
        ),
        "",
        (CLAIM, FORM_ASKED, HIDE),
        codes=(
            *("parameter_malformed", "claim_unknown", "claim_not_yours", "key_unreadable"),
            *("not_in_log", "not_published", "slip_too_long", "font_missing"),
            *("paper_busy", "paper_failed", *LOG, *STORE),
        ),
        errors="page",
        strict=False,
    ),
    Operation(
        "post",
        "/claim/{token}/erasure",
        "claimErasure",
        "pages",
        "Erase for whom the invoice is that this browser has claimed, for ever",
        "303: on to the page, which says so",
        ((HTML, "string"),),
        "",
        (CLAIM,),
        ((FIELDS, ErasureForm),),
        (303,),
        codes=(
            *("not_confirmed", "claim_unknown", "claim_not_yours", "buyer_not_erasable"),
            *("key_unreadable", "erased_list_unusable", *STORE),
        ),
        errors="page",
        strict=False,
    ),
    Operation(
        "post",
        "/claim/{token}/wallet",
        "claimWallet",
        "pages",
        "Offer the claimed invoice to a wallet",
        "The page with the offer's code; 303: this browser has claimed nothing, or no wallet is"
        " served here",
        ((HTML, "string"),),
        "",
        (CLAIM,),
        (),
        (200, 303),
        codes=("claim_unknown", "key_unreadable", *STORE),
        errors="page",
        strict=False,
    ),
)
