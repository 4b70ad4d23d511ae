"""Setting the sheets of one file; only in a process with bounds (``paper.press``).

The job comes as JSON on the standard input, the PDF goes to the standard output.
"""

import sys
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec
import typst

from invoice_service.documents.bounds import bound_this_process
from invoice_service.documents.paper.face import Face
from invoice_service.documents.paper.job import Job
from invoice_service.documents.paper.lines import WIDTHS

MEMORY: Final = 1 << 30
"""Bytes of address space; two thousand lines take a fifth."""
SECONDS: Final = 30
"""Of processor time; two thousand lines take two."""
FONTS: Final = Path(__file__).parents[1] / "fonts"
SHEETS: Final = Path(__file__).with_name("sheets")
SEAL: Final = "全国统一发票监制章"
SELLERS: Final = "发票专用章"


class Arc(msgspec.Struct, frozen=True, rename={"start": "from", "end": "to"}):
    """Letters on an ellipse; angles in degrees, clockwise from the top."""

    text: str
    rx: float
    ry: float
    start: float
    end: float
    size: float


class Row(msgspec.Struct, frozen=True):
    """Letters across the middle, so many millimetres below it."""

    text: str
    dy: float
    size: float


class Stamp(msgspec.Struct, frozen=True):
    """An ellipse in millimetres, with an inner one so far inside of it, and letters."""

    rx: float
    ry: float
    edge: float
    inner: float
    arcs: list[Arc]
    rows: list[Row]


def main() -> None:
    """Write the PDF of a job; dies where it takes too much."""
    bound_this_process(MEMORY, SECONDS)
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    sys.stdout.buffer.write(typeset(job))


def typeset(job: Job) -> bytes:
    """The PDF/A-3b; the same job gives the same bytes."""
    told = {
        "title": _title(job),
        "keywords": [face.number for face in job.faces],
        "widths": WIDTHS,
        "two_up": job.two_up,
        "attached": job.attached,
        "faces": [_stamped(face) for face in job.faces],
    }
    made = datetime.fromtimestamp(job.made, UTC)
    wanted = {"format": "pdf", "pdf_standards": ["a-3b"], "timestamp": made}
    return _compile("paper.typ", {"job": msgspec.json.encode(told).decode()}, **wanted)


def official_stamp(face: Face) -> Stamp:
    """The one that supervises invoices; whose it is stands in the middle."""
    ring = [Arc(SEAL, 13.2, 8.2, -108, 108, 8)]
    rows = [Row(face.bureau or "深圳", 0, 6 if len(face.bureau) > len("深圳市税务局") else 8)]
    return Stamp(15.5, 10.5, 1.4, 0.8, ring, rows)


def sellers_stamp(face: Face) -> Stamp:
    """The seller's own."""
    name = face.stamp_name
    wide = sum(1 if sign.isascii() else 2 for sign in name)
    size = min(8.0, 260 / max(wide, 1))
    half = min(118, wide * size * 0.95)
    ring = [Arc(name, 16.8, 11.6, -half, half, size)]
    rows = [Row(face.stamp_id, 0, 7.5), Row(SELLERS, 8.2, 9)]
    return Stamp(20, 14.6, 1.6, 0, ring, rows)


def _title(job: Job) -> str:
    first = job.faces[0]
    return f"{first.title} {' '.join(face.number for face in job.faces[:20])}"


def _stamped(face: Face) -> dict[str, Any]:
    """The face with its stamps as drawings."""
    stamps = {"stamp": official_stamp(face), "seller_stamp": sellers_stamp(face)}
    drawn = {name: _drawn(msgspec.json.encode(one).decode()) for name, one in stamps.items()}
    return msgspec.structs.asdict(face) | drawn


@cache
def _drawn(stamp: str) -> str:
    """As outlines: what is read on the page is the invoice's text alone."""
    return _compile("stamps.typ", {"stamp": stamp}, format="svg").decode()


def _compile(sheet: str, inputs: dict[str, str], **wanted: Any) -> bytes:  # noqa: ANN401 # the library's options
    made: bytes = typst.compile(
        str(SHEETS / sheet),
        root=str(SHEETS),
        font_paths=[str(FONTS)],
        ignore_system_fonts=True,
        sys_inputs=inputs,
        **wanted,
    )
    return made


if __name__ == "__main__":
    main()
