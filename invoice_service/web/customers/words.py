"""What each verdict says to people, as the catalogues have it; an icon beside the colour."""

from typing import NamedTuple

from chain.errors import Problem, UnavailableError
from invoice_service.domain.verdict import Verdict, Verification
from invoice_service.openapi.operation import QUERY, SLIP
from invoice_service.web.ground.catalogs import N_


class Words(NamedTuple):
    """One verdict in one glance; ``style`` names its colour, ``name`` and ``text`` are English."""

    style: str
    icon: str
    name: str
    text: str


VERDICTS: dict[Verdict, Words] = {
    Verdict.AUTHENTIC: Words(
        "authentic",
        "circle-check",
        N_("Authentic"),
        N_("Genuine: number and amount are as issued, and it stands in the public log."),
    ),
    Verdict.PENDING: Words(
        "pending",
        "clock",
        N_("Genuine, not yet in the log"),
        N_(
            "It was issued, and number and amount agree. It enters the public log within about a"
            " minute; check again then."
        ),
    ),
    Verdict.REVERSED: Words(
        "reversed",
        "undo-2",
        N_("Reversed: no longer valid"),
        N_("It was issued, and then taken back in full by a red invoice. It cannot be reimbursed."),
    ),
    Verdict.PARTLY_REVERSED: Words(
        "partly_reversed",
        "undo-2",
        N_("Partly reversed"),
        N_("Part of it was taken back by a red invoice; only the rest is valid."),
    ),
    Verdict.MISMATCH: Words(
        "mismatch",
        "circle-x",
        N_("Does not match what was issued"),
        N_(
            "An invoice with this password area was issued, but with another number or amount."
            " Do not accept the slip as it is: ask the seller to print it again, or tell the tax"
            " bureau (12366)."
        ),
    ),
    Verdict.UNKNOWN: Words(
        "unknown",
        "circle-question-mark",
        N_("Not issued here"),
        N_(
            "All records were searched: no invoice with this password area was ever issued here."
            " If the code was scanned whole, do not accept the slip."
        ),
    ),
}

RED = Words(
    "red",
    "undo-2",
    N_("Red invoice"),
    N_("A genuine red invoice: it takes back an earlier one. It cannot be reimbursed."),
)

MALFORMED = Words(
    "malformed",
    "link-2-off",
    N_("Not a complete code"),
    N_(
        "This is not a complete invoice code, so nothing was checked."
        " It says nothing about the invoice. Scan it again."
    ),
)

DIFFERS = Words(
    "malformed",
    "link-2-off",
    N_("Two things are said of one invoice"),
    N_(
        "What is given here says two different things of one invoice, so nothing was checked."
        " It says nothing about the invoice. Scan or paste the code of one invoice alone."
    ),
)

TWICE = Words(
    "malformed",
    "link-2-off",
    N_("The address was altered"),
    N_(
        "One part of the address stands in it twice, so nothing was checked. It says nothing about"
        " the invoice. Scan the code on the invoice itself, not an address that was passed on."
    ),
)

ORDINARY = Words(
    "malformed",
    "link-2-off",
    N_("Not an invoice of this service"),
    N_(
        "This is the code of an invoice of the tax administration, which is not checked here."
        " It says nothing about the invoice. Check it at the tax administration's platform for VAT"
        " invoices."
    ),
)

VAT_KINDS = {
    "special": N_("Special VAT invoice"),
    "freight": N_("Freight VAT invoice"),
    "vehicle": N_("Motor vehicle invoice"),
    "ordinary": N_("Ordinary VAT invoice"),
    "electronic_special": N_("Electronic special VAT invoice"),
    "electronic_ordinary": N_("Electronic ordinary VAT invoice"),
    "roll": N_("Ordinary VAT invoice on a roll"),
    "toll": N_("Electronic toll invoice"),
    "used_vehicle": N_("Used vehicle invoice"),
    "digital_special": N_("Fully digital invoice, special"),
    "digital_ordinary": N_("Fully digital invoice, ordinary"),
    "other": N_("VAT invoice of another kind"),
}
"""What ``domain.vat`` calls the kinds of ordinary invoices."""

BY_CODE = {
    "claims_differ": DIFFERS,
    "duplicate_parameter": TWICE,
    "qr_ordinary_vat": ORDINARY,
}
"""What is said where "not a complete code, scan it again" would be wrong."""

UNAVAILABLE = Words(
    "unavailable",
    "triangle-alert",
    N_("Cannot check right now"),
    N_(
        "We cannot read our records just now, so there is no verdict."
        " It says nothing about the invoice. Try again shortly."
    ),
)

NOT_FOUND = Words(
    "malformed",
    "link-2-off",
    N_("There is no such page"),
    N_("Nothing is at this address. To check an invoice, scan its code."),
)

NOT_SO = Words(
    "malformed",
    "link-2-off",
    N_("Not to be called like this"),
    N_(
        "This address does not take what was sent to it, so nothing was checked. Start again below."
    ),
)

TOO_OFTEN = Words(
    "unavailable",
    "clock",
    N_("Too many requests"),
    N_(
        "Too many requests came from your network, so nothing was checked."
        " It says nothing about the invoice. Wait a moment, then try again."
    ),
)

NOT_DONE = Words(
    "unavailable",
    "triangle-alert",
    N_("That was not done"),
    N_("What was sent cannot be taken as it is, and nothing was changed. The reason stands below."),
)

NOT_ALLOWED = Words(
    "unavailable",
    "triangle-alert",
    N_("Not for you to do"),
    N_("Whoever is signed in here may not do that, and nothing was changed."),
)

LIST_UNREADABLE = Words(
    "malformed",
    "link-2-off",
    N_("The list cannot be read"),
    N_("None of its invoices was checked; it says nothing about them. The reason stands below."),
)

PAPER_DIFFERS = Words(
    "mismatch",
    "circle-x",
    N_("The PDF was changed"),
    N_(
        "What stands in this PDF is not what was issued, or its proof does not hold. Do not accept"
        " it: ask the seller for the invoice again. What differs stands below."
    ),
)

FILE_FAILS = Words(
    "mismatch",
    "circle-x",
    N_("It does not hold"),
    N_(
        "This file does not prove what it says: it was changed, or signed by somebody else. Do not"
        " accept it; have the invoice's code shown and scan that."
    ),
)

FILE_UNREADABLE = Words(
    "malformed",
    "link-2-off",
    N_("The file could not be checked"),
    N_("Nothing was found out about an invoice. What to do stands below."),
)

PAPER_UNREADABLE = Words(
    "malformed",
    "link-2-off",
    N_("The PDF was not checked"),
    N_("It cannot be read as an invoice of ours, so there is no verdict. The reason stands below."),
)

PAPER_BUSY = Words(
    "unavailable",
    "clock",
    N_("Others are being served"),
    N_("Reading and printing PDFs takes a while, and some wait already. Try again in a moment."),
)

NO_VERDICT = Words(
    "malformed",
    "link-2-off",
    N_("Not checked"),
    N_("There is no verdict on this line; it says nothing about the invoice."),
)

BROKEN = Words(
    "unavailable",
    "triangle-alert",
    N_("Something broke on our side"),
    N_(
        "It is our fault, and recorded; there is no verdict."
        " It says nothing about the invoice. Try again shortly."
    ),
)


OF_LISTS = frozenset(
    {
        *("not_csv", "not_xlsx", "not_utf8", "empty_body", "too_many_records", "body_too_large"),
        *("unsupported_media_type", "several_lists"),
    }
)
"""Codes of what is wrong with a list as a whole."""


OF_FILES = frozenset({"credential", "receipt", "receipt_hash_missing", "receipt_missing_file"})
"""Codes of what is wrong with a receipt, or with what a wallet showed."""

OF_PAPERS = frozenset(
    {
        *("pdf_unreadable", "pdf_too_much", "pdf_too_long", "pdf_active", "pdf_several"),
        *("pdf_no_invoice", "pdf_missing"),
    }
)
"""Codes of what is wrong with a PDF."""

OF_SLIPS = frozenset({*SLIP, *QUERY, "missing_parameter", "parameter_malformed"})
"""Codes of what is wrong with a code, or an address that should have been one."""

NOBODYS = frozenset({401, 403})
"""Statuses of what the caller may not do."""


def words_of(result: Verification) -> Words:
    """What to say of a verdict; a red invoice never looks like one that is worth money."""
    genuine = result.verdict in {Verdict.AUTHENTIC, Verdict.PENDING}
    if genuine and result.face is not None and result.face["type"] == "red":
        return RED
    return VERDICTS[result.verdict]


def words_for(problem: Problem, status: int, *, listing: bool = False) -> Words:
    """What to say when no verdict was reached; never anything about the invoice itself.

    ``listing`` is whether a list was sent: what is wrong with one is wrong with other files, too.
    """
    by_status = {404: NOT_FOUND, 405: NOT_SO, 429: TOO_OFTEN, 500: BROKEN}
    if status in by_status:
        return by_status[status]
    if listing and problem.code in OF_LISTS:
        return LIST_UNREADABLE
    if problem.code in OF_FILES:
        return FILE_UNREADABLE
    if problem.code in OF_PAPERS:
        return PAPER_UNREADABLE
    if problem.code == "paper_busy":
        return PAPER_BUSY
    if problem.code in OF_SLIPS:
        return BY_CODE.get(problem.code, MALFORMED)
    if isinstance(problem, UnavailableError):
        return UNAVAILABLE
    return NOT_ALLOWED if status in NOBODYS else NOT_DONE


NOT_HELD = N_("number or amount on the slip are not those of the invoice")
"""The step of a check that a slip with another number or amount fails at."""

STEPS = (
    N_("the stored groups hash to the password area"),
    N_("number and amount on the slip are those of the invoice"),
    NOT_HELD,
    N_("the log entry names that password area"),
    N_("the log signed its newest checkpoint"),
    N_("the entry is under the checkpoint's root"),
    N_("the block's seal is under the same root"),
    N_("the seal closes the block with the entry"),
    N_("the log's state map says the same of it as we do"),
    N_("the log's state map does not say so yet: the reversal waits for the log"),
    N_("the red invoice names this one"),
)
"""The steps of a check, in the verifier's own words."""

PROOF_STEPS = (
    N_("the groups hash to the password area"),
    N_("the log entry names that password area"),
    N_("the log signed the checkpoint"),
    N_("the entry is under the checkpoint's root"),
    N_("the seal is under the same root"),
    N_("the seal is the newest under the checkpoint"),
    N_("the state map as of that seal says this of the document"),
)
"""The steps of ``chain.proof.verify``, in order and in its own words."""

GROUPS = {
    "face": N_("Face: only its digest is in the file, the content is not"),
    "buyer": N_("Buyer: only its digest is in the file, the content is not"),
    "lines": N_("Lines: only their digest is in the file, the content is not"),
}
"""What is said of a group that a proof file hides."""
