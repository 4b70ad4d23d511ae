"""From an account as it is stored to what its wallet and its merchant are answered."""

from invoice_service.api.prepaid.contract import PrepaidBody, RefundBody, ReleaseBody
from invoice_service.domain.merchant import Merchant
from invoice_service.domain.numbering import format_utc
from invoice_service.domain.prepaid import Event
from invoice_service.services.prepaid.meals import Meal, meals_of
from invoice_service.services.prepaid.ports import Whole


def prepaid_body(
    whole: Whole, seller: Merchant, now: int, public_url: str, *, link: str = ""
) -> PrepaidBody:
    """The account as of ``now``; ``link`` is the customer's, for the wallet alone."""
    short = short_body(whole, seller, now)
    short.link = link
    short.releases = [_release(meal, public_url) for meal in meals_of(whole)]
    short.refunds = [_refund(event) for event in whole.events if event.kind == "refund"]
    return short


def short_body(whole: Whole, seller: Merchant, now: int) -> PrepaidBody:
    """The same without what has become of it."""
    account, sums = whole.account, whole.sums
    return PrepaidBody(
        id=account.id,
        merchant=seller.tax_id,
        seller=seller.name,
        wallet=account.wallet,
        terms=account.terms,
        state=whole.state(now),
        ending=whole.ending(now),
        opened_at=format_utc(account.opened_at),
        expires_at=format_utc(account.expires_at),
        asked_back_at="" if whole.asked_at is None else format_utc(whole.asked_at),
        paid_in=sums.paid_in,
        held=sums.held,
        released=sums.released,
        paid_back=sums.paid_back,
        due=whole.due(now),
    )


def _release(meal: Meal, public_url: str) -> ReleaseBody:
    return ReleaseBody(
        hash=meal.hash,
        number=meal.number,
        amount=meal.amount,
        at=format_utc(meal.at),
        returned=meal.returned,
        refused=meal.refused,
        reason=meal.reason,
        qr=meal.link(public_url),
        proof=f"{public_url}/v1/invoices/{meal.hash}/proof",
    )


def _refund(event: Event) -> RefundBody:
    return RefundBody(
        request_id=event.request_id,
        amount=event.amount,
        at=format_utc(event.at),
        reason=event.reason,
    )
