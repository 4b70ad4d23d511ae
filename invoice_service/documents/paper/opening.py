"""What a PDF holds: text, codes, files; only in a process with bounds (``paper.reading``).

Nothing in it is run or followed. What could be, and what no paper of ours has, is refused by its
name: scripts, forms, links, notes, files that are no proofs.
"""

import ctypes
import sys
from contextlib import closing
from typing import Final

import msgspec
import pypdfium2
from pypdfium2 import raw

from chain.errors import MalformedError
from chain.proof.file import MAX_PROOF_BYTES
from invoice_service.documents.bounds import bound_this_process
from invoice_service.documents.paper.active import active_in
from invoice_service.documents.paper.opened import (
    ENDING,
    MAX_PAGES,
    MEMORY,
    SECONDS,
    Opened,
    Refusal,
)
from invoice_service.documents.pdf import codes_on

DPI: Final = 200
LISTED: Final = "销货清单"
"""What stands on a page that lists lines, and has no code."""
MOST_DRAWN: Final = 12
"""Pages that are drawn, for their codes: a tenth of a second each."""


def main() -> None:
    """Answer what the PDF on the standard input holds; dies where that takes too much."""
    bound_this_process(MEMORY, SECONDS)
    answer: Opened | Refusal
    try:
        answer = opened(sys.stdin.buffer.read())
    except MalformedError as problem:
        answer = Refusal(problem.code, problem.detail)
    sys.stdout.buffer.write(msgspec.msgpack.encode(answer))


def opened(data: bytes) -> Opened:
    """What it holds. Raises MalformedError: pdf_unreadable, pdf_too_long, pdf_active."""
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError:
        raise MalformedError(
            "pdf_unreadable", "no PDF, a damaged one, or one with a password"
        ) from None
    with closing(document):
        pages = len(document)
        if not 0 < pages <= MAX_PAGES:
            raise MalformedError("pdf_too_long", f"{pages} pages, and 1 to {MAX_PAGES} are read")
        signed = _is_signed(document)
        _refuse_active(document, data, signed=signed)
        try:
            return _read(document, signed=signed)
        except pypdfium2.PdfiumError as error:
            raise MalformedError("pdf_unreadable", f"a page cannot be read: {error}") from None


def _is_signed(document: pypdfium2.PdfDocument) -> bool:
    """Whether its only form is one signature that nobody sees, as ours is."""
    return raw.FPDF_GetSignatureCount(document) == 1 and _annotations(document) == [
        (raw.FPDF_ANNOT_WIDGET, False)
    ]


def _annotations(document: pypdfium2.PdfDocument) -> list[tuple[int, bool]]:
    """The kinds of all notes, links and fields, and whether each takes any room on its page."""
    kinds = []
    for page in document:
        for place in range(raw.FPDFPage_GetAnnotCount(page)):
            note, room = raw.FPDFPage_GetAnnot(page, place), raw.FS_RECTF()
            known = raw.FPDFAnnot_GetRect(note, room)
            seen = not known or (room.left != room.right and room.top != room.bottom)
            kinds.append((raw.FPDFAnnot_GetSubtype(note), seen))
            raw.FPDFPage_CloseAnnot(note)
    return kinds


def refuse_scripts(document: pypdfium2.PdfDocument, data: bytes) -> None:
    """MalformedError ``pdf_active`` for what a reader would run; else as ``active_in``."""
    found = active_in(data)
    if found or raw.FPDFDoc_GetJavaScriptActionCount(document) > 0:
        what = found or "JavaScript"
        raise MalformedError("pdf_active", f"it holds what a reader would run: {what}")


def _refuse_active(document: pypdfium2.PdfDocument, data: bytes, *, signed: bool) -> None:
    refuse_scripts(document, data)
    if signed:
        return
    if document.get_formtype():
        raise MalformedError("pdf_active", "it holds a form")
    for number, page in enumerate(document, start=1):
        if raw.FPDFPage_GetAnnotCount(page) > 0:
            raise MalformedError("pdf_active", f"page {number} holds links or notes")


def _read(document: pypdfium2.PdfDocument, *, signed: bool) -> Opened:
    texts = [page.get_textpage().get_text_range() for page in document]
    drawn = [
        place
        for place, text in enumerate(texts)
        if not place or LISTED not in "".join(text.split())
    ]
    if len(drawn) > MOST_DRAWN:
        raise MalformedError(
            "pdf_too_long", f"{len(drawn)} pages are no lists of lines, and {MOST_DRAWN} are read"
        )
    codes = [code for place in drawn for code in codes_on(document[place], DPI)]
    return Opened(texts, codes, _proofs(document), signed)


def _proofs(document: pypdfium2.PdfDocument) -> list[bytes]:
    """The files inside, all of them proofs by their names; their size is asked before."""
    found = []
    for number in range(document.count_attachments()):
        attached = document.get_attachment(number)
        if not (name := attached.get_name()).endswith(ENDING):
            raise MalformedError("pdf_active", f"it holds a file that is no proof: {name[:80]}")
        size = ctypes.c_ulong()
        raw.FPDFAttachment_GetFile(attached, None, 0, size)
        if size.value > MAX_PROOF_BYTES:
            raise MalformedError("pdf_unreadable", "a file inside is larger than any proof")
        found.append(bytes(attached.get_data()))
    return found


if __name__ == "__main__":
    main()
