"""The audit's look at the register's papers: each page is the one that was decided on.

A page is kept as a file, its SHA-256 in a row; each decision about an application says over which
pages it was made, and the log commits to that. So a page that was exchanged on the disk is named
here, and one exchanged with its row, too. Pages from before that was kept are not looked at, nor
what was erased in time. A file that is not there is counted: older backups have no papers.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from chain.audit.finding import AuditError
from chain.hashing import sha256
from invoice_service.domain.application import papers_digest

_ROWS_AT_ONCE: Final = 256


class Page(NamedTuple):
    """A page as its row has it; ``digest`` is b"" where none was kept."""

    number: int
    digest: bytes
    name: str


class Seen(NamedTuple):
    """What an act says of the pages that were there: how many, and the digest over them, in hex."""

    pages: int
    papers: str


class PaperStanding(NamedTuple):
    """An application's pages in their order, what acts say of them; ``erased`` with its contact."""

    id: int
    erased: bool
    pages: list[Page]
    acts: list[Seen]


class StoredPapers(Protocol):
    """What the audit needs of the rows."""

    def paper_standings(self, after: int, limit: int) -> Sequence[PaperStanding]:
        """Return applications above ``after``, in order, as they stand at that moment."""
        ...


class PageFiles(Protocol):
    """What it needs of the files."""

    def read(self, name: str) -> bytes | None:
        """Return one of them; None where it is gone."""
        ...


class PapersAudit(NamedTuple):
    """How many pages were read and held, and of how many the file is not there."""

    pages: int = 0
    missing: int = 0


def audit_papers(stored: StoredPapers, files: PageFiles) -> PapersAudit:
    """Read each page; AuditError for one that is not what it was."""
    done = held = missing = 0
    while rows := stored.paper_standings(done, _ROWS_AT_ONCE):
        for row in rows:
            _decided_on(row)
            for page in row.pages:
                found = _held(row, page, files)
                held, missing = held + found, missing + (not found and bool(page.digest))
        done = rows[-1].id
    return PapersAudit(held, missing)


def _decided_on(row: PaperStanding) -> None:
    """The rows are those over which it was decided; later ones may have joined them."""
    for act in () if row.erased else row.acts:
        digests = [page.digest for page in row.pages[: act.pages]]
        found = papers_digest(digests).hex()
        if len(digests) != act.pages or found != act.papers:
            expected = f"{act.pages} pages of papers, {act.papers}"
            raise AuditError("application", row.id, expected, f"{len(digests)}, {found}")


def _held(row: PaperStanding, page: Page, files: PageFiles) -> bool:
    """Whether there is a file to hold against the row."""
    data = files.read(page.name) if page.digest else None
    if data is None:
        return False
    if sha256(data) != page.digest:
        place = f"{page.number} of application {row.id}"
        raise AuditError("page", place, page.digest.hex(), sha256(data).hex())
    return True
