"""What must hold of an instance after any fault, once a worker has run again."""

from chain.entry import ClosingEntry, closing_key, parse_entry
from invoice_service.services.anchoring.totals import sealing_day
from tests.services.town import Town


def check_in_order(town: Town) -> None:
    """Check that every invoice is anchored exactly once, in order, published and added up."""
    places = town.anchored()
    assert places == sorted(set(places))
    found = town.audit()
    head = town.log.head()
    assert found.pending == found.logged.pending == 0
    assert found.log.published == found.log.size == head.size
    assert found.totalled == head.height
    assert head.cursor == found.invoices == len(places)
    closings = [entry for entry in _entries(town, head.size) if isinstance(entry, ClosingEntry)]
    assert len(closings) == found.closings == len({entry.day for entry in closings})
    if head.sealed_at is not None:
        assert town.log.find(closing_key(sealing_day(head.sealed_at))) is None


def _entries(town: Town, size: int) -> list[object]:
    return [parse_entry(town.log.entry(index)) for index in range(size)]
