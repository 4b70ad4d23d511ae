"""Papers of the register: each page is a picture in the end; the hostile is refused by cause."""

import io
import zlib

import pypdfium2
import pytest
from PIL import Image

from chain.errors import MalformedError, UnavailableError
from invoice_service.documents import photo
from invoice_service.documents.certificate import MAX_BYTES, MAX_PAGES, clean_paper
from invoice_service.documents.photo import LONGEST


def pdf(pages: int = 1, width: float = 595, height: float = 842) -> bytes:
    document = pypdfium2.PdfDocument.new()
    for _ in range(pages):
        document.new_page(width, height)
    file = io.BytesIO()
    document.save(file)
    document.close()
    return file.getvalue()


def by_hand(strokes: bytes) -> bytes:
    """One page with these strokes, as they are compressed; readers find the parts themselves."""
    head = b"<< /Length %d /Filter /FlateDecode >>" % len(strokes)
    parts = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R >>",
        head + b"stream\n" + strokes + b"\nendstream",
    )
    objects = [b"%d 0 obj %b endobj\n" % (n, part) for n, part in enumerate(parts, 1)]
    return b"%PDF-1.7\n" + b"".join(objects) + b"trailer << /Root 1 0 R >>\n%%EOF\n"


def with_script() -> bytes:
    """As a PDF says it: run this when opened."""
    return (
        pdf()
        .replace(
            b"/Type /Catalog",
            b"/Type /Catalog /OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >>",
        )
        .replace(b"/Type/Catalog", b"/Type/Catalog/OpenAction<</S/JavaScript/JS(app.alert)>>")
    )


def opened(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data)) as found:
        found.load()
        return found


def refused(data: bytes) -> str:
    with pytest.raises((MalformedError, UnavailableError)) as caught:
        clean_paper(data)
    return caught.value.code


def test_a_photograph_is_one_page() -> None:
    file = io.BytesIO()
    Image.new("RGB", (40, 30), "grey").save(file, "PNG")
    (page,) = clean_paper(file.getvalue())
    assert (opened(page).format, opened(page).size) == ("JPEG", (40, 30))


def test_each_page_of_a_pdf_is_a_picture_of_bounded_size() -> None:
    pages = clean_paper(pdf(MAX_PAGES))
    assert len(pages) == MAX_PAGES
    for page in pages:
        found = opened(page)
        assert (found.format, max(found.size)) == ("JPEG", LONGEST)


def test_a_page_as_large_as_a_house_or_as_thin_as_a_hair_is_no_larger() -> None:
    for width, height in ((14_400, 14_400), (14_400, 3)):
        (page,) = clean_paper(pdf(1, width, height))
        assert max(opened(page).size) <= LONGEST


def test_ten_thousand_pages_and_scripts_are_refused_by_cause() -> None:
    assert refused(pdf(MAX_PAGES + 1)) == "pdf_too_long"
    assert refused(pdf(10_000)) == "pdf_too_long"
    assert with_script() != pdf()
    assert refused(with_script()) == "pdf_active"


def test_what_is_no_paper_is_refused_by_cause() -> None:
    assert refused(b"<html><script>") == "picture_kind"
    assert refused(b"%PDF-1.7\n" + b"x" * 100) == "pdf_unreadable"
    assert refused(pdf()[:200]) == "pdf_unreadable"
    assert refused(b"%PDF-1.7\n" + bytes(MAX_BYTES)) == "pdf_too_much"


def test_a_bomb_ends_with_its_own_process() -> None:
    """Some 100 kB that unfold to millions of strokes: the reader has a bound, and we go on."""
    strokes = zlib.compress(b"0 0 500 500 re f\n" * 4_000_000, 9)
    assert len(strokes) < 200_000
    assert refused(by_hand(strokes)) == "pdf_too_much"
    assert len(clean_paper(by_hand(zlib.compress(b"0 0 500 500 re f\n")))) == 1


def test_those_who_come_while_others_are_at_it_are_told() -> None:
    for _ in range(photo.AT_ONCE):
        assert photo.PLACES.acquire(blocking=False)
    try:
        assert refused(pdf()) == "pictures_busy"
    finally:
        for _ in range(photo.AT_ONCE):
            photo.PLACES.release()
    assert clean_paper(pdf())
