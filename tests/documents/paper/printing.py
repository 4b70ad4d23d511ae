"""Papers of sample invoices, and what other people's programs read from them."""

import subprocess
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import pypdfium2
from PIL import Image

from invoice_service.documents.paper.face import Face, Told, face_of
from invoice_service.documents.paper.job import Attached, Job
from invoice_service.domain.invoice import StoredInvoice
from invoice_service.domain.qrtext import scan_url
from tests.domain.samples import NOON
from tests.outside import need

ALL = frozenset({"face", "buyer", "lines"})
FACE = frozenset({"face"})
AS_OF = (12, "2018-08-10 12:00:30")


def link_of(invoice: StoredInvoice) -> str:
    """What its code says."""
    return scan_url("https://fapiao.example.cn", invoice.hash, invoice.number, invoice.total)


def face(
    invoice: StoredInvoice,
    shown: frozenset[str] = ALL,
    as_of: tuple[int, str] | None = AS_OF,
    bureau: str = "",
) -> Face:
    """What stands on its paper."""
    return face_of(invoice, shown, Told(link_of(invoice), as_of, bureau))


def job(faces: Iterable[Face], proof: str = "", *, two_up: bool = False) -> Job:
    """Faces to be printed, one with a file inside."""
    attached = [Attached("00000001.fapiao.json", proof, "proof")] if proof else []
    return Job(faces=list(faces), attached=attached, made=NOON, two_up=two_up)


def run(program: str, *arguments: str | Path) -> str:
    """What an outside program prints; it must find no fault."""
    command = [need(program), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def text_of(path: Path, *options: str) -> str:
    """The text as pdftotext has it."""
    return run("pdftotext", *options, path, "-")


def read(data: bytes) -> tuple[list[str], dict[str, bytes]]:
    """The text of each page, and the files inside by their names.

    All of it is closed here, in order: what the library closes when it is collected is closed in
    any order, on any thread, and can take the process with it.
    """
    texts, files = [], {}
    with closing(pypdfium2.PdfDocument(data)) as document:
        for number in range(len(document)):
            with closing(document[number]) as page, closing(page.get_textpage()) as text:
                texts.append(text.get_text_range())
        for number in range(document.count_attachments()):
            attached = document.get_attachment(number)
            files[attached.get_name()] = bytes(attached.get_data())
    return texts, files


def scanned(path: Path, dpi: int) -> Path:
    """The first page as a scanner of so many dots an inch sees it, in shades of grey."""
    run("pdftoppm", "-r", str(dpi), "-gray", "-singlefile", path, path.with_suffix(f".{dpi}"))
    return path.with_suffix(f".{dpi}.pgm")


def pictured(path: Path, dpi: int) -> Image.Image:
    """The first page at so many dots an inch, in colour."""
    run("pdftoppm", "-r", str(dpi), "-png", "-singlefile", path, path.with_suffix(f".{dpi}"))
    return Image.open(path.with_suffix(f".{dpi}.png"))
