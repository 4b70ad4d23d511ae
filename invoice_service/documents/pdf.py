"""The QR codes on a PDF's pages; only in a process with bounds (``documents.apart``)."""

from contextlib import closing
from pathlib import Path
from typing import Final

import pypdfium2

from invoice_service.documents.pictures import MAX_PAGES, codes_in, too_many_pages, unreadable

DPI: Final = 300
LONGEST_SIDE: Final = 4000  # pixels


def codes_of(path: Path) -> list[str]:
    """The texts of all codes on all pages. Raises MalformedError picture_unreadable."""
    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError:
        raise unreadable(path, "the PDF is damaged, or locked with a password") from None
    with closing(document):
        if len(document) > MAX_PAGES:
            raise too_many_pages(path, len(document))
        return [text for page in document for text in codes_on(page, DPI)]


def codes_on(page: pypdfium2.PdfPage, dpi: int) -> list[str]:
    """The texts of all codes on one page, drawn with so many dots an inch where they fit."""
    scale = min(dpi / 72, LONGEST_SIDE / max(page.get_size()))
    return codes_in(page.render(scale=scale, grayscale=True).to_pil())
