"""What a person hands to ``fapiao verify``: a hash, a QR text, a picture, a PDF, a proof file."""

import codecs
import re
from functools import reduce
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import unquote

import msgspec

from chain.commitment import password_area
from chain.errors import MalformedError
from chain.proof.file import MAX_PROOF_BYTES, Proof, ShownGroup, parse_proof
from chain.proof.promise import refuse_within
from invoice_service.commands.options import judged, named_file
from invoice_service.documents.apart import read_codes
from invoice_service.documents.paper.opened import ENDING, MAX_BYTES, Opened
from invoice_service.documents.paper.reading import BEGINNING, is_pdf, read_paper
from invoice_service.domain.qrtext import (
    QrText,
    hashes_named,
    join_claims,
    parse_qr_text,
    read_hash,
)
from invoice_service.domain.text import drop_unseen

MARKS: Final = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
"""With which Windows begins texts, and no picture begins."""

_HASH: Final = re.compile(r"01[0-9a-f]{64}", re.IGNORECASE)
_LIKE_A_FILE = re.compile(r".*([/\\].*|\.[a-z0-9]{1,8})", re.IGNORECASE | re.DOTALL)


class Claim(NamedTuple):
    """The password area, and what else is said of the invoice."""

    hash: str
    slip: QrText | None = None
    proof: Proof | None = None
    paper: Opened | None = None


def read_claim(text: str) -> Claim:
    """Make out what ``text`` is: the name of a file, or the thing itself.

    Raises MalformedError: file_missing, claims_differ, qr_not_found, qr_several, and those of
    ``named_file``, ``read_codes``, ``parse_proof`` and ``parse_qr_text``.
    """
    path = named_file(text)
    if path is not None:
        return _as_named(path, _from_file(path))
    bare = drop_unseen(text).strip()
    if _HASH.fullmatch(bare):
        return Claim(read_hash(bare))
    try:
        return _from_slip(parse_qr_text(text))
    except MalformedError as problem:
        if (
            problem.code == "qr_invalid"
            and "verify/scan" not in unquote(text).lower()
            and _LIKE_A_FILE.fullmatch(text)
        ):
            raise MalformedError("file_missing", f"there is no file {text}") from None
        raise


def _as_named(path: Path, claim: Claim) -> Claim:
    """The claim, if the file's name does not say that it is of another invoice."""
    if not hashes_named(path.name) <= {claim.hash}:
        raise MalformedError(
            "claims_differ", f"by its name {path} is of one invoice, by its content of another"
        )
    return claim


def _from_slip(slip: QrText) -> Claim:
    return Claim(slip.hash, slip)


def _from_file(path: Path) -> Claim:
    with path.open("rb") as file:
        start = file.read(len(codecs.BOM_UTF8))
        if start.startswith((b"{", *MARKS)) or path.suffix.lower() == ".json":
            return _from_proof(path, start + file.read(MAX_PROOF_BYTES))
        start += file.read(BEGINNING)
        if is_pdf(start) and (found := _from_paper(start + file.read(MAX_BYTES))) is not None:
            return found
    return _from_slip(read_picture(path))


def _from_paper(data: bytes) -> Claim | None:
    """What a PDF with a proof inside says; None for any other: it may show a code all the same.

    What is refused for what it holds is not read by its code instead: that is what whoever has
    changed its page would have us do.
    """
    try:
        opened = read_paper(data)
    except MalformedError as problem:
        if problem.code == "pdf_active" or any(name in data for name in _NAMED):
            raise
        return None
    if not opened.proofs:
        return None
    if len(opened.proofs) > 1:
        raise MalformedError("pdf_several", f"it holds the proofs of {len(opened.proofs)} invoices")
    with judged():
        proof = parse_proof(opened.proofs[0])
    return Claim(password_area(proof.document), proof_slip(proof), proof, opened)


def _from_proof(path: Path, data: bytes) -> Claim:
    try:
        proof = parse_proof(data)
    except MalformedError as problem:
        refuse_within(data)
        detail = f"{path} is no proof file, or a damaged one: {problem.detail}"
        if data.startswith(MARKS) or problem.code == "not_canonical":
            detail += "; a program has saved it anew: take the file as it was given"
        raise MalformedError(problem.code, detail, pointer=problem.pointer) from None
    return Claim(password_area(proof.document), proof_slip(proof), proof)


_NAMED: Final = (ENDING.encode(), ENDING.encode("utf-16-be"))
"""How the names of proofs stand in a PDF that is not packed."""


class _Face(msgspec.Struct):
    number: str
    total: int


def proof_slip(proof: Proof) -> QrText | None:
    """What the invoice's own QR code would say, where the proof shows the face."""
    face = proof.groups["face"]
    if not isinstance(face, ShownGroup):
        return None
    try:
        shown = msgspec.json.decode(face.document, type=_Face)
    except msgspec.MsgspecError:
        return None  # whatever it is, the log may hold it; it is no invoice's face
    return QrText(hash=password_area(proof.document), number=shown.number, total=shown.total)


def read_picture(path: Path) -> QrText:
    """What the invoice codes in a picture or a PDF say, where all of them say it of one invoice.

    A code of another kind beside it says nothing; one of an invoice that cannot be read does.
    """
    slips: list[QrText] = []
    problems: list[MalformedError] = []
    for text in read_codes(path):
        try:
            slips.append(parse_qr_text(text))
        except MalformedError as problem:
            if problem.code != "qr_invalid":
                problems.append(problem)
    if len(slips) + len(problems) == 0:
        raise MalformedError("qr_not_found", f"{path} shows no invoice's QR code")
    if problems and not slips and len(problems) == 1:
        raise problems[0]
    try:
        said = reduce(join_claims, slips) if not problems else None
    except MalformedError:
        said = None
    if said is None:
        count = len(slips) + len(problems)
        raise MalformedError("qr_several", f"{path} shows {count} invoices' codes; cut one out")
    return said
