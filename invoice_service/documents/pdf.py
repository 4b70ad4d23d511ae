"""``python -m invoice_service.documents.pdf FILE``: the codes of a PDF's pages, as JSON.

A process of its own, since PDFium reads hostile files with much code: memory and processor time
have a bound, no file is written. Whatever happens to it, the caller learns that nothing was read.
"""

import resource
import sys
from pathlib import Path
from typing import Final

import msgspec
import pypdfium2

from invoice_service.documents.pictures import MAX_PAGES, codes_in

MEMORY: Final = 2 << 30  # bytes of address space
SECONDS: Final = 30  # of processor time
DPI: Final = 300
LONGEST_SIDE: Final = 4000  # pixels


def main() -> None:
    """Print a list of texts, or a sentence that says why there is none."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    sys.stdout.buffer.write(msgspec.json.encode(read_pages(Path(sys.argv[1]))))


def read_pages(path: Path) -> list[str] | str:
    """The texts of all codes on all pages, or why they cannot be read."""
    try:
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError:
        return "the PDF is damaged, or locked with a password"
    if len(document) > MAX_PAGES:
        return f"the PDF has {len(document)} pages, and {MAX_PAGES} are read: cut one out"
    return [text for page in document for text in _codes_of(page)]


def _codes_of(page: pypdfium2.PdfPage) -> list[str]:
    scale = min(DPI / 72, LONGEST_SIDE / max(page.get_size()))
    return codes_in(page.render(scale=scale, grayscale=True).to_pil())


if __name__ == "__main__":
    main()
