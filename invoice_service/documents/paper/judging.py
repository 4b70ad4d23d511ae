"""What a PDF is worth by itself: its proof, and whether page and code say what that says."""

from typing import Final, NamedTuple

from chain.commitment import GROUPS
from chain.errors import MalformedError, VerificationError
from chain.proof.file import Proof, parse_proof
from chain.proof.verify import Evidence, verify_proof
from chain.signing.keys import TrustedKeys
from invoice_service.documents.paper.agreement import (
    Difference,
    code_of,
    differences,
    disagreements,
    is_labelled,
)
from invoice_service.documents.paper.opened import Opened
from invoice_service.domain.qrtext import QrText

NOTHING_PROVED: Final = GROUPS
CHANGED: Final = Difference("signature", "changed", "", "the file is not as it was signed")


class Judged(NamedTuple):
    """``slip`` is what is to be asked about; ``unproved`` are the groups that no proof shows.

    ``compared`` is whether the page has text that could be held against anything.
    """

    slip: QrText
    proof: Proof | None
    evidence: Evidence | None
    differences: list[Difference]
    unproved: tuple[str, ...]
    compared: bool = True


def judge_paper(opened: Opened, keys: TrustedKeys) -> Judged:
    """Hold what the PDF says against the proof inside; without one, its text against its code.

    A proof that does not hold is a difference of its own. Raises MalformedError: pdf_several,
    pdf_no_invoice.
    """
    if len(opened.proofs) > 1:
        raise MalformedError("pdf_several", f"it holds the proofs of {len(opened.proofs)} invoices")
    judged = _judged(opened, keys)
    if opened.changed:
        judged.differences.append(CHANGED)
    return judged


def _judged(opened: Opened, keys: TrustedKeys) -> Judged:
    code = code_of(opened)
    if not opened.proofs:
        if code is None:
            raise MalformedError("pdf_no_invoice", "it has neither a proof nor one invoice's code")
        wrong, labelled = disagreements(opened, code), is_labelled(opened)
        return Judged(code, None, None, wrong, NOTHING_PROVED, labelled)
    try:
        proof = parse_proof(opened.proofs[0])
        evidence = verify_proof(proof, keys)
    except (MalformedError, VerificationError) as problem:
        if code is None:
            raise MalformedError(
                "pdf_no_invoice", f"the proof inside does not hold: {problem.detail}"
            ) from None
        broken = Difference("proof", problem.code, "", problem.detail)
        return Judged(code, None, None, [broken], NOTHING_PROVED)
    found = differences(opened, evidence.hash, evidence.shown)
    return Judged(_slip(evidence, code), proof, evidence, found, evidence.hidden)


def _slip(evidence: Evidence, code: QrText | None) -> QrText:
    """What is to be asked about: what the proof says, where it shows the face."""
    face = evidence.shown.get("face")
    if isinstance(face, dict):
        number, total = face.get("number"), face.get("total")
        if isinstance(number, str) and isinstance(total, int):
            return QrText(hash=evidence.hash, number=number, total=total)
    if code is None or code.hash != evidence.hash:
        raise MalformedError("pdf_no_invoice", "the proof inside shows no invoice's face")
    return code
