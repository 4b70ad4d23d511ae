"""What a mix costs: it grows with cells and days, not with invoices."""

import itertools
from pathlib import Path

from invoice_service.services.reporting.mix import mixed_report
from invoice_service.services.reporting.question import DIMENSIONS, ask
from tests.services.town import Town

MIXES = [*((name,) for name in DIMENSIONS), *itertools.combinations(DIMENSIONS, 2)]
ASKED = [*((mix, {}) for mix in MIXES), *((mix, {"top": "2"}) for mix in MIXES[::5])]


def _same_cells(folder: Path, many: int) -> Town:
    """Twenty days on which three merchants sell at two rates: so many invoices for each of them."""
    town = Town(folder)
    town.settle_in()
    line = {"name": "*餐饮服务*餐费", "unit_price": 4981}
    for _ in range(20):
        for merchant in range(3):
            town.merchants.insert(0, town.merchants.pop())
            issued = town.sell(
                *(
                    {
                        "order_id": f"{town.random.randrange(10**12):012}",
                        "till": str(number % 2),
                        "lines": [{**line, "tax_rate": rate} for rate in ("0.06", "0.13")],
                    }
                    for number in range(2 * many)
                )
            )
            for one in issued[::2] if merchant == 0 else []:
                town.reverse(one)
        town.anchor()
        town.pass_days(1)
    town.anchor()
    return town


def test_ten_times_the_invoices_in_the_same_cells_cost_no_more(tmp_path: Path) -> None:
    """Counted in steps of SQLite's machine and rows that come out of it, by every mix."""
    cost = []
    for many in (1, 10):
        town = _same_cells(_folder(tmp_path, many), many)
        counts = []
        for mix, first in ASKED:
            steps = _Steps()
            with town.store.connections.reading() as connection:
                connection.set_progress_handler(steps, 10)
                question = ask({"by": ",".join(mix), "measure": "net", **first})
                rows = len(list(mixed_report(town.store.totals, town.log, question).rows))
                connection.set_progress_handler(None, 0)
            counts.append((rows, steps.tens))
        cost.append(counts)
        town.close()
    few, many_ = cost
    assert [rows for rows, _ in few] == [rows for rows, _ in many_]
    for asked, (_, once), (_, tenfold) in zip(ASKED, few, many_, strict=True):
        assert tenfold <= 1.2 * once + 50, asked


def _folder(path: Path, many: int) -> Path:
    folder = path / str(many)
    folder.mkdir()
    return folder


class _Steps:
    """Counts tens of steps."""

    def __init__(self) -> None:
        self.tens = 0

    def __call__(self) -> int:
        self.tens += 1
        return 0
