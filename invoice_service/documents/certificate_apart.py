"""Draws the pages of a PDF; only in a process with bounds (``documents.certificate``)."""

import io
import sys
from contextlib import closing
from typing import Final

import msgspec
import pypdfium2

from chain.errors import MalformedError
from invoice_service.documents.bounds import bound_this_process
from invoice_service.documents.certificate import MAX_PAGES, MEMORY, SECONDS, Drawn
from invoice_service.documents.paper.opening import refuse_scripts
from invoice_service.documents.photo import LONGEST, Refused

QUALITY: Final = 80


def main() -> None:
    """Answer the pages of the PDF on the standard input; dies where that takes too much."""
    bound_this_process(MEMORY, SECONDS)
    answer: Drawn | Refused
    try:
        answer = Drawn(drawn(sys.stdin.buffer.read()))
    except MalformedError as problem:
        answer = Refused(problem.code, problem.detail)
    sys.stdout.buffer.write(msgspec.msgpack.encode(answer))


def drawn(data: bytes) -> list[bytes]:
    """Each page as JPEG. MalformedError: pdf_unreadable, pdf_too_long, pdf_active."""
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError:
        raise MalformedError(
            "pdf_unreadable", "no PDF, a damaged one, or one with a password"
        ) from None
    with closing(document):
        pages = len(document)
        if not 0 < pages <= MAX_PAGES:
            raise MalformedError("pdf_too_long", f"{pages} pages, and 1 to {MAX_PAGES} are taken")
        refuse_scripts(document, data)
        try:
            return [_picture(page) for page in document]
        except pypdfium2.PdfiumError as error:
            raise MalformedError("pdf_unreadable", f"a page cannot be drawn: {error}") from None


def _picture(page: pypdfium2.PdfPage) -> bytes:
    longest = max(*page.get_size(), 1.0)
    picture = page.render(scale=LONGEST / longest, may_draw_forms=False).to_pil().convert("RGB")
    picture.thumbnail((LONGEST, LONGEST))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=QUALITY)
    return file.getvalue()


if __name__ == "__main__":
    main()
