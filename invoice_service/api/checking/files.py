"""Verdicts on receipts of the log, and on credentials from wallets."""

import msgspec
from flask import Blueprint, Response

from chain.commitment import parse_password_area
from chain.errors import ConflictError, MalformedError, NotFoundError
from invoice_service.api.answers import json_answer
from invoice_service.api.checking.contract import FileVerification
from invoice_service.api.parts import Parts
from invoice_service.api.requests import body, media_type, query
from invoice_service.documents.wallet.judging import MAX_FILE, JudgedFile, judge_file
from invoice_service.domain.qrtext import QrText
from invoice_service.domain.verdict import Verification
from invoice_service.openapi.operation import COSE, SD_JWT
from invoice_service.services.checking.prove import build_receipt


class Files:
    """Judges them, and says what is true now."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def check(self, data: bytes, hash_: str) -> FileVerification:
        """What one is worth; raises as ``judge_file``, and as the verifier."""
        now = int(self._parts.clock().timestamp())
        judged = judge_file(data, hash_, self._parts.keys.keys(), now, self._receipt)
        logged, checked = judged.logged, judged.checked
        if logged is None:
            return FileVerification(kind=judged.kind, code=judged.code, detail=judged.detail)
        found = FileVerification(
            kind=judged.kind,
            holds=True,
            verification=self._now(judged),
            origin=logged.checkpoint.origin,
            index=logged.index,
            log_size=logged.checkpoint.size,
        )
        if checked is None:
            return found
        return msgspec.structs.replace(
            found,
            state=checked.state,
            hidden=checked.hidden,
            holder=checked.holder,
            audience=checked.audience,
        )

    def _receipt(self, hash_: str) -> bytes:
        """The newest one; of an invoice that has none here, nothing."""
        try:
            return build_receipt(self._parts.store, self._parts.log, parse_password_area(hash_))
        except (MalformedError, NotFoundError, ConflictError):
            return b""

    def _now(self, judged: JudgedFile) -> Verification | None:
        slip = judged.slip
        if slip is None:
            return None
        return self._parts.verifier.verify(self._own(slip) if judged.checked is None else slip)

    def _own(self, slip: QrText) -> QrText:
        """A receipt says nothing of number and amount: what was issued is asked about."""
        invoice = self._parts.store.invoice(parse_password_area(slip.hash))
        if invoice is None:
            return slip
        return QrText(hash=slip.hash, number=invoice.number, total=invoice.total)


def blueprint(parts: Parts) -> Blueprint:
    """``POST /v1/verifications/file``."""
    files = Files(parts)
    routes = Blueprint("file_checks", __name__, url_prefix="/v1/verifications")

    @routes.post("/file")
    def file() -> Response:
        asked = query("hash")
        media_type(COSE, SD_JWT)
        return json_answer(files.check(body(MAX_FILE), asked.get("hash", "")))

    return routes
