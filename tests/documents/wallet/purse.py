"""Invoices of all kinds in one tree, and their credentials, without any instance."""

import random
from collections.abc import Iterator, Sequence
from typing import Any, Final

from chain.commitment import anchor, parse_password_area
from chain.entry import anchor_entry
from chain.hashing import Digest, leaf_hash, node_hash
from chain.proof.receipt import Receipt
from chain.signing.checkpoint import Checkpoint, sign_checkpoint
from chain.signing.es256 import WalletSigner
from chain.signing.keys import LogKey, LogKeys
from chain.signing.note import SignerKey, parse_note
from chain.signing.receipt import signed_root, with_receipts
from invoice_service.documents.wallet.credential import Terms, make_credential
from invoice_service.documents.wallet.sdjwt import Claims, digest_of, sign
from invoice_service.domain.invoice import ReversalRequest, StoredInvoice, finish
from invoice_service.domain.lifecycle import Reason
from invoice_service.domain.red import prepare_red
from tests.domain.samples import (
    FIRST,
    NOON,
    SALTS,
    company,
    issued,
    key_of,
    line,
    order,
    stored,
)

ORIGIN: Final = "fapiao.example.cn/log"
LOG: Final = SignerKey(ORIGIN, bytes(range(32)))
WALLET: Final = WalletSigner(f"{ORIGIN}/wallet", bytes(range(1, 33)))
OTHER: Final = WalletSigner(f"{ORIGIN}/wallet", bytes(range(2, 34)))
HOLDER: Final = WalletSigner("holder", bytes(range(3, 35)))
KEYS: Final = LogKeys(
    ORIGIN,
    (LogKey(LOG.verifier),),
    (SignerKey(f"{ORIGIN}/promise", bytes(32)).verifier,),
    (WALLET.verifier,),
)
ISSUER: Final = "https://fapiao.example.cn"
ALL: Final = frozenset({"face", "buyer", "lines"})
LATER: Final = NOON + 86_400


def any_invoice(draw: random.Random) -> StoredInvoice:
    """One of all kinds that are sold or taken back."""
    lines = [_any_line(draw) for _ in range(draw.choice([1, 1, 1, 2, 3, 8, 60]))]
    letters = "深圳市腾讯科技餐饮有限公司（）店ABCxyz-·龘𠮷"
    name = "店" + "".join(draw.choices(letters, k=draw.choice([3, 12, 40])))
    buyer = draw.choice([company(name=name), {"kind": "individual", "name": name}, None])
    number = f"{draw.randrange(10**9)}"
    blue = issued(order(order_id=number, buyer=buyer, lines=lines, remark=number))
    return _red_of(blue) if draw.random() < 0.2 else blue


def _red_of(blue: StoredInvoice) -> StoredInvoice:
    draft = prepare_red(blue, ReversalRequest(reason=Reason.SALES_RETURN), SALTS, new_key=key_of)
    return stored(draft, finish(draft, FIRST), reverses=1)


def _any_line(draw: random.Random) -> dict[str, Any]:
    rate = draw.choice(["0", "0.06", "0.06", "0.13"])
    found = line(
        name=f"*餐饮服务*{draw.choice('饭菜汤面茶酒') * draw.randint(1, 20)}",
        unit_price=draw.randint(1000, 10 ** draw.randint(4, 7)),
        quantity=draw.choice(["1", "2", "0.333", "17.5"]),
        unit=draw.choice(["份", "kg", "升", ""]),
        tax_rate=rate,
    )
    if rate == "0" and draw.random() < 0.5:
        found["tax_kind"] = draw.choice(["exempt", "untaxed"])
    if draw.random() < 0.3:
        found["discount"] = draw.randint(1, 300)
    if draw.random() < 0.2:
        del found["unit_price"]
        found.pop("discount", None)  # it may be more than such a line comes to
        found["unit_price_yuan"] = f"{draw.randint(1, 999)}.{draw.randint(1, 9999):04d}".rstrip("0")
    return found


class Purse:
    """Credentials of ``count`` invoices that stand in one tree."""

    def __init__(self, count: int, seed: int = 1) -> None:
        self.draw = random.Random(seed)
        self.invoices = [any_invoice(self.draw) for _ in range(count)]
        self._rows = _rows([leaf_hash(self._entry(one)) for one in self.invoices])
        note = sign_checkpoint(Checkpoint(ORIGIN, count, self._rows[-1][0]), *with_receipts([LOG]))
        self._signed = signed_root(parse_note(note))

    def credential(
        self,
        at: int,
        shown: frozenset[str] = ALL,
        signer: WalletSigner = WALLET,
        issued_at: int = NOON,
        receipt: Receipt | None = None,
    ) -> str:
        """That of the invoice at this index, for the one holder."""
        invoice, receipt = self.invoices[at], receipt or self.receipt(at)
        terms = Terms(
            issuer=ISSUER,
            holder=HOLDER.verifier,
            issued_at=issued_at,
            receipt=receipt.to_bytes(),
            index=receipt.index,
            state="part" if at == 3 else "",
            original="14403180911000000001" if invoice.type == "red" else "",
        )
        return make_credential(invoice, shown, terms, signer, self.draw.randbytes)

    def receipt(self, at: int) -> Receipt:
        """The receipt of an invoice."""
        assert self._signed is not None
        reverses = self._reverses(self.invoices[at])
        return Receipt(self._signed, at, tuple(self._path(at)), reverses)

    def _path(self, index: int) -> Iterator[Digest]:
        for level, row in enumerate(self._rows[:-1]):
            if (beside := (index >> level) ^ 1) < len(row):
                yield row[beside]

    def _entry(self, invoice: StoredInvoice) -> bytes:
        target, reversal = self._reverses(invoice) or (None, None)
        own = anchor(parse_password_area(invoice.hash))
        return anchor_entry("invoice", own, reverses=target, reversal=reversal)

    @staticmethod
    def _reverses(invoice: StoredInvoice) -> Any:  # noqa: ANN401  # a pair, or None
        return (anchor(Digest(bytes(32))), "full") if invoice.type == "red" else None


def _rows(leaves: Sequence[Digest]) -> list[list[Digest]]:
    """The hashes of a tree, level by level."""
    rows = [list(leaves)]
    while len(rows[-1]) > 1:
        row = rows[-1]
        above = [node_hash(*row[at : at + 2]) for at in range(0, len(row) - 1, 2)]
        rows.append([*above, *row[len(above) * 2 :]])
    return rows


def presented(credential: str, nonce: str = "n-1", by: WalletSigner = HOLDER, **more: Any) -> str:  # noqa: ANN401
    """As its holder shows it to somebody, signed for that."""
    claims: Claims = {
        "aud": "https://shop.example",
        "iat": LATER,
        "nonce": nonce,
        "sd_hash": digest_of(credential),
        **more,
    }
    return credential + sign({"alg": "ES256", "typ": "kb+jwt"}, claims, by)
