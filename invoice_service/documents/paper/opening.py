"""What a PDF holds: text, codes, files; only in a process with bounds (``paper.reading``).

Nothing in it is run or followed. What could be, and what no paper of ours has, is refused by its
name: scripts, forms, links, notes.
"""

import ctypes
import re
import sys
from contextlib import closing
from typing import Final

import msgspec
import pypdfium2
from pypdfium2 import raw

from chain.errors import MalformedError
from chain.proof.file import MAX_PROOF_BYTES
from invoice_service.documents.bounds import bound_this_process
from invoice_service.documents.paper.opened import MAX_PAGES, MEMORY, SECONDS, Opened, Refusal
from invoice_service.documents.pdf import codes_on

DPI: Final = 200
ENDING: Final = ".fapiao.json"
# Names that are long enough not to come about in what is packed.
_ACTIVE = re.compile(rb"/(JavaScript|Launch|OpenAction|RichMedia|SubmitForm|ImportData)\b")


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
        raw.FPDF_ANNOT_WIDGET
    ]


def _annotations(document: pypdfium2.PdfDocument) -> list[int]:
    """The kinds of all notes, links and fields."""
    kinds = []
    for page in document:
        for place in range(raw.FPDFPage_GetAnnotCount(page)):
            note = raw.FPDFPage_GetAnnot(page, place)
            kinds.append(raw.FPDFAnnot_GetSubtype(note))
            raw.FPDFPage_CloseAnnot(note)
    return kinds


def refuse_scripts(document: pypdfium2.PdfDocument, data: bytes) -> None:
    """MalformedError ``pdf_active`` for what a reader would run."""
    found = _ACTIVE.search(data)
    if found or raw.FPDFDoc_GetJavaScriptActionCount(document) > 0:
        what = found[1].decode() if found else "JavaScript"
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
    return Opened(texts, codes_on(document[0], DPI), _proofs(document), signed)


def _proofs(document: pypdfium2.PdfDocument) -> list[bytes]:
    """The files inside that are named as proofs are; their size is asked before they are read."""
    found = []
    for number in range(document.count_attachments()):
        attached = document.get_attachment(number)
        if not attached.get_name().endswith(ENDING):
            continue
        size = ctypes.c_ulong()
        raw.FPDFAttachment_GetFile(attached, None, 0, size)
        if size.value > MAX_PROOF_BYTES:
            raise MalformedError("pdf_unreadable", "a file inside is larger than any proof")
        found.append(bytes(attached.get_data()))
    return found


if __name__ == "__main__":
    main()
