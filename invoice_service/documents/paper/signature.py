"""Whether a signed PDF is as it was signed; only in a process with bounds (``paper.reading``).

Who signed is for people's readers to say, and for those whom they trust: here it counts that the
file is whole. Where pyHanko is not installed, nothing is said of signatures.
"""

import sys
from importlib.util import find_spec
from io import BytesIO
from math import ceil
from time import process_time
from typing import Final

from invoice_service.documents.bounds import bound_this_process
from invoice_service.documents.paper.opened import MEMORY, SECONDS

WHOLE: Final = b"whole"
CHANGED: Final = b"changed"
UNKNOWN: Final = b"unknown"


def main() -> None:
    """Answer one of the three words about the PDF on the standard input."""
    if find_spec("pyhanko") is not None:
        # Its libraries take their time before the file, which is not to be counted against it.
        import pyhanko.sign.validation  # noqa: F401
    bound_this_process(MEMORY, ceil(process_time()) + SECONDS)
    data = sys.stdin.buffer.read()
    sys.stdout.buffer.write(looked_at(data))


def looked_at(data: bytes) -> bytes:
    """WHOLE where each signature holds, and the last one covers all of the file."""
    try:
        from pyhanko.pdf_utils.reader import PdfFileReader
        from pyhanko.sign.validation import validate_pdf_signature
        from pyhanko.sign.validation.status import SignatureCoverageLevel
    except ImportError:
        return UNKNOWN
    try:
        signatures = PdfFileReader(BytesIO(data)).embedded_signatures
        found = [validate_pdf_signature(one) for one in signatures]
    except Exception:  # noqa: BLE001 # whatever a broken signature makes a library raise
        return CHANGED
    whole = bool(found) and all(one.intact and one.valid for one in found)
    covered = whole and found[-1].coverage == SignatureCoverageLevel.ENTIRE_FILE
    return WHOLE if covered else CHANGED


if __name__ == "__main__":
    main()
