"""From an order as it is stored to what a till is answered."""

from invoice_service.api.orders.contract import OrderBody, PaymentBody, ShareBody
from invoice_service.domain.money import Fen
from invoice_service.domain.numbering import format_utc
from invoice_service.services.claims.ports import Claim, Payment, Whole


def order_body(whole: Whole, link: str, now: int) -> OrderBody:
    """The order as of ``now``."""
    order, claims = whole.order, {claim.part: claim for claim in whole.claims}
    paid_at = whole.paid_at
    return OrderBody(
        id=order.id,
        order_id=order.order_id,
        till=order.till,
        business_day=order.business_day,
        total=order.total,
        state=whole.state(now),
        link=link,
        qr=link,
        created_at=format_utc(order.created_at),
        expires_at=format_utc(order.expires_at),
        paid_at="" if paid_at is None else format_utc(paid_at),
        auto_issue=order.auto_issue,
        after_payment=order.after_payment,
        shares=[
            _share(part, amount, claims.get(part)) for part, amount in enumerate(order.shares, 1)
        ],
        payments=list(map(_payment, whole.payments)),
    )


def _share(part: int, amount: Fen, claim: Claim | None) -> ShareBody:
    if claim is None:
        return ShareBody(part=part, amount=amount, state="free")
    return ShareBody(
        part=part,
        amount=amount,
        state="claimed" if claim.hash else "begun",
        claimed_at=format_utc(claim.at),
        hash=claim.hash,
        number=claim.number,
    )


def _payment(payment: Payment) -> PaymentBody:
    return PaymentBody(
        by=payment.by,
        reference=payment.reference,
        amount=payment.amount,
        at=format_utc(payment.at),
        counts=payment.counts,
    )
