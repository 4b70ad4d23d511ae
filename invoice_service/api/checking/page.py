"""Lists of slips as the page for people is given them: a file, whatever it is, or a pasted text."""

from pathlib import PurePath
from typing import IO, Final

from invoice_service.api.answers import CSV, NDJSON, XLSX
from invoice_service.api.checking.listing import TEXT, List, Lists
from invoice_service.api.checking.results import Results
from invoice_service.api.checking.workbook import workbook_of
from invoice_service.api.parts import Parts

WHERE: Final = "POST /verify/list"

_KINDS: Final = {".csv": CSV, ".ndjson": NDJSON, ".jsonl": NDJSON, ".xlsx": XLSX, ".xls": XLSX}
_PACKED: Final = b"PK\x03\x04"


class PageLists:
    """Checks the lists that the page is given."""

    def __init__(self, parts: Parts) -> None:
        self._lists = Lists(parts.verifier.verify, parts.config.limits)
        self._base = parts.config.service.public_url

    def open(self, name: str, body: IO[bytes]) -> List:
        """A list in a file of this name, or "": what ``Lists.open`` says, and raises."""
        kind = _KINDS.get(PurePath(name).suffix.lower(), TEXT)
        if body.read(len(_PACKED)) == _PACKED:
            kind = XLSX
        body.seek(0)
        return self._lists.open(kind, body)

    def workbook(self, asked: List) -> bytes:
        """Its results as a workbook."""
        return workbook_of(asked.each(WHERE, Results(self._base).row))
