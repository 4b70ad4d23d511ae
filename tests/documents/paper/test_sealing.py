"""Signed papers: other people's programs call them valid, and a changed one is named."""

import re
import subprocess
import sys
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from chain.errors import MalformedError, UnavailableError
from invoice_service.documents.paper.job import Job
from invoice_service.documents.paper.opened import MEMORY, SECONDS, Opened
from invoice_service.documents.paper.reading import read_paper
from invoice_service.documents.paper.sealing import maker_of
from invoice_service.documents.paper.typeset import typeset
from invoice_service.sections import Paper
from tests.certificates import authority, vouched
from tests.documents.paper.printing import face, job, link_of, run
from tests.documents.paper.test_paper import meal
from tests.documents.paper.test_reading import cost
from tests.domain.samples import line


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Paper:
    """A certificate, its key, and who vouches for it."""
    folder, ca = tmp_path_factory.mktemp("certificates"), authority("Bureau CA")
    certificate, key = vouched(ca, "Bureau", signs=True).write(folder, "bureau")
    chain, _ = ca.write(folder, "ca")
    return Paper(certificate=str(certificate), key=str(key), chain=str(chain))


@pytest.fixture(scope="module")
def signed(settings: Paper) -> bytes:
    """A paper that was signed, with a proof inside."""
    return maker_of(settings, typeset)(JOB)


JOB: Job = job([face(meal())], '{"a": 1}')


def test_others_call_it_valid_and_find_no_fault(signed: bytes, tmp_path: Path) -> None:
    path = tmp_path / "signed.pdf"
    path.write_bytes(signed)
    said = run("pdfsig", "-nocert", path)
    assert "Signature is Valid" in said
    assert "ETSI.CAdES.detached" in said
    assert "Total document signed" in said
    assert "No syntax or stream" in run("qpdf", "--check", path)
    assert b"<pdfaid:part>3</pdfaid:part>" in signed
    assert signed.startswith(typeset(JOB))  # what typst has made stays as it is


def test_it_is_read_like_one_that_is_not_signed(signed: bytes) -> None:
    found = read_paper(signed)
    assert (found.proofs, found.codes) == ([b'{"a": 1}'], [link_of(meal())])
    assert (found.signed, found.changed) == (True, False)
    plain = read_paper(typeset(JOB))
    assert plain == Opened(found.pages, found.codes, found.proofs)


def test_one_that_was_changed_since_is_named(signed: bytes) -> None:
    inside = signed.replace(b"/Producer", b"/producer", 1)
    assert inside != signed
    update = b"\n1 0 obj<<>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
    for changed in (inside, signed[:-1] + b" \n%\n", signed + update):
        assert read_paper(changed).changed


def table_that_unfolds(data: bytes) -> bytes:
    """Another revision, whose table of objects is a few bytes that become very many."""
    head = b"9999 0 obj<</Type/XRef/Size 99999999/W[1 4 2]/Index[0 99999999]/Root 1 0 R/Prev 9"
    table = zlib.compress(bytes(1 << 28), 9)
    whole = head + b"/Filter/FlateDecode/Length %d>>stream\n%b\nendstream endobj\n"
    return (
        data + b"\n" + whole % (len(table), table) + b"startxref\n%d\n%%%%EOF\n" % (len(data) + 1)
    )


def revisions_without_end(data: bytes) -> bytes:
    """As many as there is room for, each of which names the one before."""
    for _ in range(2_000):
        before = int(data.rpartition(b"startxref\n")[2].split()[0])
        table = b"xref\n1 0\ntrailer<</Size 2/Root 1 0 R/Prev %d>>\n" % before
        data += table + b"startxref\n%d\n%%%%EOF\n" % len(data)
    return data


@pytest.mark.parametrize("bomb", [table_that_unfolds, revisions_without_end])
def test_a_signed_one_that_was_made_to_harm_costs_no_more_than_others(
    signed: bytes, bomb: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    """What its libraries take before they have seen the file does not count."""
    _, before = cost(b"", "signature", tmp_path)
    largest, seconds = cost(bomb(signed), "signature", tmp_path)
    assert largest <= MEMORY
    assert seconds <= before + SECONDS + 2  # of which one is what the bound is rounded up by
    with suppress(MalformedError):
        assert read_paper(bomb(signed)).changed


def test_the_largest_of_ours_is_found_whole_within_the_same_bounds(settings: Paper) -> None:
    lines = [line(name=f"*餐饮服务*{n}" + "菜" * 60) for n in range(2000)]
    found = read_paper(maker_of(settings, typeset)(job([face(meal(lines=lines))], "{}")))
    assert (found.signed, found.changed) == (True, False)


def test_a_signature_that_is_seen_is_none_of_ours(signed: bytes) -> None:
    """It could be drawn over a sum."""
    seen, count = re.subn(rb"(/Rect \[\s*0 0) 0 0", rb"\1 9 9", signed)
    assert count == 1
    with pytest.raises(MalformedError) as refused:
        read_paper(seen)
    assert refused.value.code == "pdf_active"


def test_a_key_that_cannot_be_used_gives_no_paper_rather_than_an_unsigned_one(
    settings: Paper, tmp_path: Path
) -> None:
    (tmp_path / "no.key").write_text("nonsense")
    for key in ("no.key", "missing.key"):
        wrong = Paper(certificate=settings.certificate, key=str(tmp_path / key))
        with pytest.raises(UnavailableError) as refused:
            maker_of(wrong, lambda _: b"%PDF-")(JOB)
        assert refused.value.code == "paper_unsigned"


def test_without_the_extra_that_is_said(settings: Paper) -> None:
    program = (
        "import sys; sys.modules['pyhanko'] = None\n"
        "from invoice_service.config import Paper\n"
        "from invoice_service.documents.paper import sealing, signature\n"
        "assert signature.looked_at(b'') == b'unknown'\n"
        "try: sealing.signed(b'', Paper(certificate='x', key='y'))\n"
        "except Exception as error: print(error.code, error.detail)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert re.search(r"paper_unsigned .*fapiao\[sign\]", done.stdout)
