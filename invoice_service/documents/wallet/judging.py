"""What a receipt or a credential is worth by itself, for whoever hands one in as a file."""

from collections.abc import Callable
from typing import Final, Literal

import msgspec

from chain.commitment import parse_password_area
from chain.errors import MalformedError, VerificationError
from chain.proof.receipt import BEGINNING, parse_receipt, verify_receipt
from chain.proof.tlogproof import Logged
from chain.signing.keys import LogKeys
from invoice_service.documents.wallet.credential import (
    Checked,
    receipt_elsewhere,
    verify_credential,
)
from invoice_service.documents.wallet.sdjwt import MAX_CREDENTIAL
from invoice_service.domain.qrtext import QrText, read_hash

MAX_FILE: Final = MAX_CREDENTIAL
"""In bytes; receipts are far shorter."""

Kind = Literal["credential", "receipt"]

_START: Final = b"eyJ"
_NUMBER: Final = 8  # digits of an invoice's number, at the end of a receipt's


class JudgedFile(msgspec.Struct, frozen=True, kw_only=True):
    """``slip`` is what is to be asked about; of a receipt it has the hash alone.

    Without ``logged`` it does not hold, for the reason of that ``code``.
    """

    kind: Kind
    slip: QrText | None = None
    logged: Logged | None = None
    checked: Checked | None = None
    code: str = ""
    detail: str = ""


def kind_of(data: bytes) -> Kind | None:
    """What a file is by its beginning; None for neither."""
    if data.startswith(BEGINNING):
        return "receipt"
    return "credential" if data.startswith(_START) and b"~" in data else None


Fetch = Callable[[str], bytes]
"""The newest receipt of the invoice of a hash; b"" where there is none."""


def judge_file(
    data: bytes, hash_: str, keys: LogKeys, now: int, fetch: Fetch = lambda _: b""
) -> JudgedFile:
    """Check one under a log's keys, at ``now`` (unix seconds); ``hash_`` is what a receipt is of.

    ``fetch`` is asked for the receipt of a credential that has none inside.

    What can be read and does not hold is no error. Raises MalformedError ``credential``,
    ``receipt``, ``receipt_hash_missing``, ``password_area``, ``claims_differ`` for another hash
    than the credential's.
    """
    if kind_of(data) == "receipt":
        return _receipt(data, hash_, keys)
    try:
        text = data.removesuffix(b"\n").decode("ascii")
    except UnicodeDecodeError:
        raise MalformedError(
            "credential", "this is neither a receipt of a log nor one for wallets"
        ) from None
    try:
        elsewhere = receipt_elsewhere(text)
        checked = verify_credential(text, keys, now, fetch(elsewhere) if elsewhere else b"")
    except VerificationError as problem:
        return JudgedFile(kind="credential", code=problem.code, detail=problem.detail)
    if hash_ and read_hash(hash_) != checked.hash:
        raise MalformedError("claims_differ", "the file is of another invoice", pointer="hash")
    return JudgedFile(
        kind="credential", slip=slip_of(checked), logged=checked.logged, checked=checked
    )


def _receipt(data: bytes, hash_: str, keys: LogKeys) -> JudgedFile:
    if not hash_:
        raise MalformedError(
            "receipt_hash_missing",
            "a receipt does not say of which invoice it is: give the hash as well",
            pointer="hash",
        )
    asked = read_hash(hash_)
    try:
        receipt = parse_receipt(data)
        logged = verify_receipt(receipt, receipt.entry(parse_password_area(asked)), keys)
    except VerificationError as problem:
        return JudgedFile(kind="receipt", code=problem.code, detail=problem.detail)
    slip = QrText(hash=asked, number="00000000")
    return JudgedFile(kind="receipt", slip=slip, logged=logged)


def slip_of(found: Checked) -> QrText:
    """What the invoice's own code would say, as the credential has it."""
    number, total = found.claims.get("receiptNumber"), found.claims.get("totalPriceIncVAT")
    return QrText(
        hash=found.hash,
        number=str(number)[-_NUMBER:],
        total=total if isinstance(total, int) else None,
    )
