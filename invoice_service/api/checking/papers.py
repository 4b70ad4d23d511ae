"""Verdicts on PDFs that we once gave out, or that somebody changed since."""

from typing import Final

from flask import Blueprint, Response

from invoice_service.api.answers import json_answer
from invoice_service.api.checking.contract import PaperVerification
from invoice_service.api.parts import Parts
from invoice_service.api.requests import media_type, query, spooled_body
from invoice_service.documents.paper.agreement import recorded
from invoice_service.documents.paper.judging import Judged, judge_paper
from invoice_service.documents.paper.opened import MAX_BYTES, Opened
from invoice_service.documents.paper.press import Turns
from invoice_service.documents.paper.reading import read_paper
from invoice_service.domain.verdict import Verdict, Verification
from invoice_service.openapi.operation import PDF

_turns: Final = Turns()
"""Of this process, whichever door a PDF comes in by."""


class Papers:
    """Reads PDFs and judges them, a few at a time."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def check(self, data: bytes) -> PaperVerification:
        """What it is worth.

        Raises as ``read_paper`` and ``judge_paper``; UnavailableError ``paper_busy``, and as the
        verifier.
        """
        with _turns.turn():
            opened = read_paper(data)
        return _verification(self._parts, opened, judge_paper(opened, self._parts.keys.keys()))


def blueprint(parts: Parts) -> Blueprint:
    """``POST /v1/verifications/pdf``."""
    papers = Papers(parts)
    routes = Blueprint("paper_checks", __name__, url_prefix="/v1/verifications")

    @routes.post("/pdf")
    def pdf() -> Response:
        query()
        media_type(PDF)
        with spooled_body(MAX_BYTES) as body:
            data = body.read()
        return json_answer(papers.check(data))

    return routes


def _verification(parts: Parts, opened: Opened, judged: Judged) -> PaperVerification:
    """What is true now; of a paper that says two things, that it does not match.

    One without a proof is held against what stands in our records.
    """
    wrong = list(judged.differences)
    verification = None if wrong else parts.verifier.verify(judged.slip)
    if judged.evidence is None and verification is not None and verification.face is not None:
        wrong = recorded(opened, judged.slip.hash, verification.face)
    if wrong or verification is None:
        other = Verification(verdict=Verdict.MISMATCH, hash=judged.slip.hash)
        verification = parts.verifier.told(other)
    evidence = judged.evidence
    return PaperVerification(
        verification=verification,
        agrees=not wrong,
        proved_block=None if evidence is None else evidence.height,
        differences=tuple(wrong),
        unproved=judged.unproved,
        text_compared=judged.compared,
    )
