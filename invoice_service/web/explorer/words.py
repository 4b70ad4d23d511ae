"""What the explorer says of kinds of entries, of keys, and of what it does not look up."""

from typing import Final, NamedTuple

from invoice_service.web.ground.catalogs import N_


class Kind(NamedTuple):
    """A kind of entry: its name, and what such an entry says."""

    name: str
    text: str


KINDS: Final[dict[str, Kind]] = {
    "invoice": Kind(
        N_("Invoice"),
        N_(
            "An invoice was issued. The anchor is a digest of its password area: it says neither"
            " who nor how much, and nobody gets from it to the invoice."
        ),
    ),
    "reimbursement": Kind(
        N_("Lock"), N_("An invoice was locked for reimbursement, or its lock was opened or closed.")
    ),
    "closing": Kind(
        N_("Closing of a day"),
        N_(
            "A commitment to what all invoices of a day came to. The sums themselves are with the"
            " tax office; they cannot be changed any more."
        ),
    ),
    "act": Kind(
        N_("Decision, or the trail"),
        N_(
            "The tax office has decided something, or the service noted its trail so far. The"
            " commitment does not say whom it concerns."
        ),
    ),
    "seal": Kind(
        N_("Seal"),
        N_("It closes a block: how many entries it has, and which seal came before."),
    ),
}
OTHER: Final = Kind(
    N_("Another kind"),
    N_("This page does not know this kind of entry yet; its bytes are shown as they are."),
)

ACTS: Final[dict[str, Kind]] = {
    "admission": Kind(
        N_("Admissions"),
        N_("Steps of applications: noticed, examined, admitted or refused; merchants that left."),
    ),
    "quota": Kind(N_("Quotas"), N_("How much a merchant may issue was set or changed.")),
    "suspension": Kind(
        N_("Suspensions"), N_("A merchant was stopped from issuing, let issue again, or revoked.")
    ),
    "role": Kind(N_("Roles"), N_("Somebody's role was changed.")),
    "finding": Kind(N_("Findings"), N_("Something odd was found with a merchant, or settled.")),
    "consent": Kind(N_("Consents"), N_("A merchant agreed to something, or took that back.")),
    "log_key": Kind(N_("Keys of the log"), N_("The key that signs the log was changed.")),
    "trail": Kind(
        N_("The trail, so far"),
        N_("What was done here until then was noted as it stood: nothing of it can be taken out."),
    ),
}
"""The kinds of acts, by the word of their entries, and what such an act decides."""

STATES: Final = {
    "log": N_("signs the log now"),
    "retired": N_("retired"),
    "revoked": N_("revoked"),
    "promise": N_("signs promises"),
    "wallet": N_("signs for wallets"),
    "wallet-revoked": N_("signed for wallets, revoked"),
}
"""What a key is, by the word of the statement."""


class Unsaid(NamedTuple):
    """Why something is not looked up, and what to do instead."""

    name: str
    text: str


UNSAID: Final[dict[str, Unsaid]] = {
    "password_area": Unsaid(
        N_("This is a password area; it was not looked up"),
        N_(
            "Whoever has it can open the invoice, so please do not send it here. With JavaScript"
            " this page turns it into its anchor on your device, and sends only that."
        ),
    ),
    "number": Unsaid(
        N_("Did you mean the number of an invoice?"),
        N_(
            "Numbers follow one another closely, so looking them up is for officials: else anyone"
            " could count a restaurant's invoices. With the code on the slip you can check yours."
        ),
    ),
    "unclear": Unsaid(
        N_("This is nothing that the log has a place for"),
        N_("Type a block's height, an entry's index, a day like 2026-11-21, or an anchor."),
    ),
}
