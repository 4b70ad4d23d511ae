"""Prepaid accounts: opened and paid back by wallets, released by meals, asked back by customers.

Everything is decided in the store's one transaction; issuing releases in its own (ADR 0049).
"""

from collections.abc import Callable
from typing import Final

import msgspec

from chain.commitment import parse_password_area
from chain.entry import parse_time
from chain.errors import MalformedError, NotFoundError
from chain.hashing import Digest
from invoice_service.domain.merchant import check_tax_id
from invoice_service.domain.prepaid import unknown
from invoice_service.domain.qrtext import read_hash
from invoice_service.domain.reading import read_json
from invoice_service.services.links import Sealer, SecretLinks
from invoice_service.services.prepaid.ports import (
    PREPAID,
    Done,
    MerchantsByTaxId,
    Prepaid,
    PrepaidStore,
    Said,
    Whole,
)
from invoice_service.services.prepaid.shapes import (
    MOST_BYTES,
    OPEN,
    REFUND,
    REFUSAL,
    RELEASE,
    PrepaidRequest,
    digest_of,
    read_said,
)

_ID_BYTES: Final = 16


class PrepaidDesk:
    """All that is done with prepaid accounts, but for issuing."""

    def __init__(
        self,
        store: PrepaidStore,
        merchants: MerchantsByTaxId,
        links: SecretLinks,
        now: Callable[[], int],
        randbytes: Callable[[int], bytes],
    ) -> None:
        """``now`` gives unix seconds; ``randbytes`` must be fit for secrets."""
        self.store, self.links, self.now = store, links, now
        self._merchants, self._randbytes = merchants, randbytes

    def open(self, wallet: str, body: bytes) -> Done:
        """Keep what a wallet holds for a customer; the same again is the account there is.

        Raises MalformedError as ``read_said`` and ``check_tax_id``, and: time_invalid,
        prepaid_term; NotFoundError ``merchant_unknown``; RefusedError ``merchant_suspended``,
        ``merchant_left``; ConflictError ``prepaid_differs``.
        """
        asked = read_said(body, OPEN)
        now = self.now()
        link = self.links.new()
        account = Prepaid(
            id=self._randbytes(_ID_BYTES).hex(),
            merchant_id=self._merchant(asked),
            wallet=wallet,
            terms=asked.terms,
            opened_at=now,
            expires_at=_end(asked.expires_at),
            sealed=link.sealed,
            mark=link.mark,
        )
        said = Said(wallet, asked.request_id, digest_of("open", asked))
        return self.store.open_prepaid(account, asked.amount, said)

    def one(
        self, account_id: str, *, merchant_id: int | None = None, wallet: str | None = None
    ) -> Whole:
        """One of theirs; NotFoundError ``prepaid_unknown``."""
        found = self.store.prepaid(account_id, merchant_id=merchant_id, wallet=wallet)
        if found is None:
            raise unknown()
        return found

    def refund(self, wallet: str, account_id: str, body: bytes) -> Done:
        """Write down what the wallet has paid back; from then on no meal is released.

        Raises MalformedError as ``read_said``; NotFoundError ``prepaid_unknown``; RefusedError
        ``prepaid_short``; ConflictError ``prepaid_differs``.
        """
        asked = read_said(body, REFUND)
        whole = self.one(account_id, wallet=wallet)
        said = Said(
            wallet, asked.request_id, digest_of(f"refund {account_id}", asked), asked.reason
        )
        amount = None if isinstance(asked.amount, msgspec.UnsetType) else asked.amount
        return self.store.refund_prepaid(whole.account.seq, amount, said, self.now())

    def refuse(self, wallet: str, account_id: str, body: bytes) -> Done:
        """Write down that the wallet does not pay a meal: what it had is held again.

        Raises as ``refund``, and MalformedError password_area, NotFoundError
        ``prepaid_not_released``, RefusedError ``prepaid_given_back``.
        """
        asked = read_said(body, REFUSAL)
        invoice = _digest(asked.hash)
        whole = self.one(account_id, wallet=wallet)
        said = Said(
            wallet, asked.request_id, digest_of(f"refuse {account_id}", asked), asked.reason
        )
        return self.store.refuse_release(whole.account.seq, invoice, said, self.now())

    def release(self, merchant_id: int, account_id: str, body: bytes) -> Done:
        """Pay a meal that was issued before; the same again is the release there is.

        Raises MalformedError as ``read_json``, and password_area; and as ``release_prepaid``.
        """
        asked = read_json(body, RELEASE, max_bytes=MOST_BYTES)
        invoice = _digest(asked.hash)
        return self.store.release_prepaid(account_id, merchant_id, invoice, self.now())

    def linked(self, token: str) -> Whole:
        """The account of a customer's link; NotFoundError ``prepaid_unknown``."""
        found = self.store.prepaid_by_mark(self.links.marks(token))
        if found is None:
            raise unknown()
        return found

    def ask_back(self, token: str) -> None:
        """The customer wants what is left: no meal is released from now on.

        NotFoundError ``prepaid_unknown``. Safe to repeat.
        """
        self.store.ask_back(self.linked(token).account.seq, self.now())

    def _merchant(self, asked: PrepaidRequest) -> int:
        check_tax_id(asked.merchant, "/merchant")
        account = self._merchants.account_by_tax_id(asked.merchant)
        if account is None:
            raise NotFoundError(
                "merchant_unknown", "no merchant here has this tax id", pointer="/merchant"
            )
        return account.merchant.id


def prepaid_links(
    sealer: Sealer, randbytes: Callable[[int], bytes], public_url: str
) -> SecretLinks:
    """The customers' links."""
    return SecretLinks(sealer, randbytes, public_url, PREPAID)


def _end(text: str) -> int:
    try:
        return int(parse_time(text).timestamp())
    except MalformedError:
        raise MalformedError(
            "time_invalid", "a time is written like 2027-01-31T00:00:00Z", pointer="/expires_at"
        ) from None


def _digest(text: str) -> Digest:
    return parse_password_area(read_hash(text))
