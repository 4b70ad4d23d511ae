"""``read_codes``: what the QR codes of a picture or a document say, read in a process of its own.

Decoders are large C programs, and what they are given is hostile: a small file may unfold to
gigabytes, or to hours of work. So memory and processor time of the reader have a bound, and it
writes no file. Whatever happens to it, the caller learns that nothing was read.
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import msgspec

from chain.errors import MalformedError
from invoice_service.documents.bounds import bound_this_process

MAX_BYTES: Final = 20 << 20
MEMORY: Final = 320 << 20
"""Bytes of address space: A4 in colour at 600 dots an inch takes 290 million, a PDF of it 210."""
SECONDS: Final = 20
"""Of processor time; twenty pages of A4 take three."""

_PDF = re.compile(rb".{0,1023}%PDF-", re.DOTALL)
_TOO_MUCH: Final = (
    f"damaged, or it takes over {MEMORY >> 20} MiB or {SECONDS} seconds to read: save it smaller,"
    " or cut out the code"
)


class _Refusal(msgspec.Struct):
    code: str
    detail: str


def read_codes(path: Path) -> list[str]:
    """The texts of all QR codes in a picture or a PDF, page by page: of all pages, or of none.

    Raises MalformedError: picture_too_large, picture_kind, picture_unreadable.
    """
    if path.stat().st_size > MAX_BYTES:
        detail = f"{path} is over {MAX_BYTES >> 20} MiB: save it smaller, or cut out the code"
        raise MalformedError("picture_too_large", detail)
    command = [sys.executable, "-P", "-m", "invoice_service.documents.apart", str(path)]
    done = subprocess.run(command, capture_output=True, check=False)
    try:
        answer = msgspec.json.decode(done.stdout, type=list[str] | _Refusal)
    except msgspec.MsgspecError:
        raise MalformedError("picture_unreadable", f"{path}: {_TOO_MUCH}") from None
    if isinstance(answer, _Refusal):
        raise MalformedError(answer.code, answer.detail)
    return answer


def main() -> None:
    """Print the texts of a file's codes, or why there are none; dies where it takes too much."""
    bound_this_process(MEMORY, SECONDS)
    answer: list[str] | _Refusal
    try:
        answer = _codes_of(Path(sys.argv[1]))
    except MalformedError as problem:
        answer = _Refusal(problem.code, problem.detail)
    sys.stdout.buffer.write(msgspec.json.encode(answer))


def _codes_of(path: Path) -> list[str]:
    with path.open("rb") as file:
        start = file.read(2048)
    if _PDF.match(start):
        from invoice_service.documents import pdf

        return pdf.codes_of(path)
    from invoice_service.documents import pictures

    return pictures.codes_of(path)


if __name__ == "__main__":
    main()
