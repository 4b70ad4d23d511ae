"""Look-ups of officials as CSV, for whoever answers for them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from invoice_service.documents.spreadsheet import BOM, csv_of
from invoice_service.domain.numbering import shanghai_time
from invoice_service.services.people.lookups import Looked

_COLUMNS: Final = (
    *("时间 time", "查阅人 official", "身份 actor", "来源 from"),
    *("内容 what", "对象 of", "目的 purpose", "操作序号 act"),
)


def looked_csv(looked: Iterable[Looked], names: Mapping[int, str]) -> Iterator[bytes]:
    """Yield RFC 4180 lines with BOM, times RFC 3339 +08:00; ``names`` of people by their ids.

    ``act`` is the place in the trail. No cell is a formula.
    """
    yield BOM.encode() + csv_of([_COLUMNS])
    for one in looked:
        name = "" if one.person is None else names.get(one.person, "")
        who = shanghai_time(one.at).isoformat(), name, one.actor, one.origin
        yield csv_of([(*who, one.what, one.subject, one.purpose, str(one.seq))])
