"""PDFs that were made to harm: refused by their cause, within bounds, in a process of its own."""

import subprocess
import sys
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from chain.errors import MalformedError
from invoice_service.documents.paper.opened import MAX_BYTES, MAX_PAGES, MEMORY, SECONDS
from invoice_service.documents.paper.reading import read_paper
from invoice_service.documents.paper.typeset import typeset
from tests.documents.paper.printing import face, job, link_of
from tests.documents.paper.test_paper import meal
from tests.documents.test_apart import (
    drawing_that_repeats,
    pdf_of,
    picture_that_unfolds,
    stream,
)
from tests.domain.samples import line


def with_catalog(more: str) -> bytes:
    """A page, and something beside it."""
    return pdf_of(b"", "").replace(b"<</Type/Catalog", f"<</Type/Catalog{more}".encode())


def many_pages() -> bytes:
    kids = " ".join(["3 0 R"] * 10_000)
    plain = pdf_of(b"", "")
    return plain.replace(b"/Kids[3 0 R]/Count 1", f"/Kids[{kids}]/Count 10000".encode())


def packed(what: str) -> bytes:
    """A page, and objects in a stream of their own."""
    folded = zlib.compress(f"7 0 <<{what}>>".encode(), 9)
    return pdf_of(b"", "", stream("/Type/ObjStm/N 1/First 4/Filter/FlateDecode", folded))


def pages(count: int) -> bytes:
    """So many, all alike."""
    kids = " ".join(["3 0 R"] * count)
    said = f"/Kids[{kids}]/Count {count}".encode()
    return pdf_of(b"", "").replace(b"/Kids[3 0 R]/Count 1", said)


def with_link() -> bytes:
    note = "/Annots[<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/A<</S/URI/URI(http://x.example/)>>>>]"
    return pdf_of(b"", "").replace(b"/Type/Page/", f"/Type/Page{note}/".encode())


def attached(name: str, content: bytes, more: str = "") -> bytes:
    """A page with a file inside."""
    names = f"/Names<</EmbeddedFiles<</Names[({name})5 0 R]>>>>"
    spec = f"<</Type/Filespec/F({name})/UF({name})/EF<</F 6 0 R>>>>".encode()
    data = pdf_of(b"", "", spec, stream(f"/Type/EmbeddedFile{more}", content))
    return data.replace(b"<</Type/Catalog", f"<</Type/Catalog{names}".encode())


def proof_that_unfolds() -> bytes:
    """A file inside of which a few bytes are very many."""
    return attached("1.fapiao.json", zlib.compress(bytes(1 << 28), 9), "/Filter/FlateDecode")


def page_that_is_its_own_child() -> bytes:
    return pdf_of(b"", "").replace(b"/Kids[3 0 R]/Count 1", b"/Kids[2 0 R 3 0 R]/Count 2")


def deep_page() -> bytes:
    """Brackets in brackets, for a reader that calls itself for each."""
    return pdf_of(b"[" * 1_000_000, "")


BROKEN = b"%PDF-1.7\nxref\n0 99999999\ntrailer<</Root 1 0 R>>startxref\n9\n%%EOF"
ANYTHING = ""
"""Refused, or read as the empty page that it is: what counts is that it ends."""

LOCKED = pdf_of(b"", "").replace(
    b"trailer <<",
    b"trailer <</Encrypt<</Filter/Standard/V 2/R 3/Length 128/P -4"
    b"/O(" + b"o" * 32 + b")/U(" + b"u" * 32 + b")>>/ID[(a)(a)]",
    1,
)
SCRIPT = "/OpenAction<</S/JavaScript/JS(app.alert(1))>>"
HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "no PDF": (lambda: b"hello", "pdf_unreadable"),
    "cut off": (lambda: typeset(job([face(meal())]))[:4000], "pdf_unreadable"),
    "a broken table": (lambda: BROKEN, "pdf_unreadable"),
    "10,000 pages": (many_pages, "pdf_too_long"),
    "a script": (lambda: with_catalog(SCRIPT), "pdf_active"),
    "a form": (lambda: with_catalog("/AcroForm<</Fields[]>>"), "pdf_active"),
    "a link": (with_link, "pdf_active"),
    "a launcher": (lambda: with_catalog("/OpenAction<</S/Launch/F(x)>>"), "pdf_active"),
    "a form that sends": (lambda: with_catalog("/AA<</WC<</S/SubmitForm/F(x)>>>>"), "pdf_active"),
    "a script, packed": (lambda: packed(SCRIPT), "pdf_active"),
    "a script, spelled otherwise": (lambda: with_catalog("/Open#41ction 3 0 R"), "pdf_active"),
    "a packed script, spelled otherwise": (lambda: packed("/S/J#61vaScript"), "pdf_active"),
    "a script, packed as nobody packs": (
        lambda: pdf_of(b"", "", stream("/Type/ObjStm/Filter/ASCIIHexDecode", b"2f>")),
        "pdf_unreadable",
    ),
    "what is done on opening a page": (
        lambda: pdf_of(b"", "").replace(b"/Type/Page/", b"/Type/Page/AA <</O 9 0 R>>/"),
        "pdf_active",
    ),
    "a link of the catalogue": (lambda: with_catalog("/X<</S /URI/URI(http://x)>>"), "pdf_active"),
    "a file that is no proof": (lambda: attached("invoice.exe", b"MZ"), "pdf_active"),
    "parts that unfold": (lambda: packed(" " * (80 << 20)), "pdf_too_much"),
    "pages of something else": (lambda: pages(13), "pdf_too_long"),
    "films": (lambda: with_catalog("/RichMedia 3 0 R"), "pdf_active"),
    "pages without end": (page_that_is_its_own_child, ANYTHING),
    "brackets without end": (deep_page, ANYTHING),
    "a locked one": (lambda: LOCKED, "pdf_unreadable"),
    "a proof that unfolds": (proof_that_unfolds, ANYTHING),
    "too large": (lambda: b"%PDF-" + bytes(MAX_BYTES), "pdf_too_much"),
    "a drawing that repeats": (drawing_that_repeats, "pdf_too_much"),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_what_would_harm_is_refused_by_its_cause(what: str) -> None:
    made, code = HOSTILE[what]
    if code is ANYTHING:
        with suppress(MalformedError):
            assert not read_paper(made()).proofs
        return
    with pytest.raises(MalformedError) as refused:
        read_paper(made())
    assert refused.value.code == code, refused.value


MEASURE = """
import resource, subprocess, sys
command = [sys.argv[1], "-P", "-m", f"invoice_service.documents.paper.{sys.argv[3]}"]
subprocess.run(command, stdin=open(sys.argv[2]), stdout=-3, stderr=-3)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_maxrss, used.ru_utime + used.ru_stime)
"""


def cost(data: bytes, module: str, folder: Path) -> tuple[int, float]:
    """Bytes and seconds that the process takes which is given a file."""
    path = folder / "bomb"
    path.write_bytes(data)
    # By a small program between: the largest size of one that was forked counts from its parent's.
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, sys.executable, str(path), module],
        capture_output=True,
        text=True,
        check=True,
    )
    largest, seconds = done.stdout.split()
    return int(largest) * 1024, float(seconds)


@pytest.mark.parametrize(
    "bomb", [drawing_that_repeats, picture_that_unfolds, proof_that_unfolds, deep_page]
)
def test_a_bomb_costs_no_more_than_is_allowed(bomb: Callable[[], bytes], tmp_path: Path) -> None:
    largest, seconds = cost(bomb(), "opening", tmp_path)
    assert largest <= MEMORY
    assert seconds <= SECONDS + 1


def test_ours_are_read_whole_within_the_same_bounds() -> None:
    lines = [line(name=f"*餐饮服务*{n}" + "菜" * 60) for n in range(2000)]
    data = typeset(job([face(meal(lines=lines))], '{"a": 1}'))
    assert len(data) <= MAX_BYTES
    found = read_paper(data)
    assert 1 < len(found.pages) <= MAX_PAGES
    assert found.proofs == [b'{"a": 1}']
    assert found.codes == [link_of(meal(lines=lines))]
