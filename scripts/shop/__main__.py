"""Issue a shop's orders, and hold the books against sums made elsewhere.

``python -m scripts.shop``, in an instance of its own: every order gets its invoice, each comes to
the fen to what ``sums`` says, reports too; the same file again, and again without what the first
run remembered, issues nothing; the audit is clean. What does not hold ends it with status 1.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from scripts.shop.orders import orders
from scripts.shop.sums import Sums, due, total

TAX_ID: Final = "91440300618810208N"
FAPIAO: Final = (sys.executable, "-P", "-m", "invoice_service.cli")


class Books:
    """An instance in a folder, used by its command line."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        others = {name: text for name, text in os.environ.items() if not name.startswith("FAPIAO_")}
        self._environ = others | {"FAPIAO_SERVICE_DATA_DIR": str(folder / "data")}
        self._run("init")
        self._run(
            *("merchants", "add", "--tax-id", TAX_ID, "--name", "深圳市样品商店"),
            *("--industry", "6210", "--district", "440303"),
        )

    def asked(self, *arguments: str) -> Any:  # noqa: ANN401 # any JSON
        """What a command answers with ``--json``."""
        return json.loads(self._run(*arguments, "--json"))

    def issue(self, file: Path, *more: str) -> dict[str, Any]:
        """What became of a file of orders."""
        found: dict[str, Any] = self.asked("issue", str(file), "--merchant", TAX_ID, *more)
        return found

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(
            [*FAPIAO, *arguments],
            env=self._environ,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"fapiao {' '.join(arguments)}: exit status {done.returncode}")
        return done.stdout


def main(arguments: Sequence[str] | None = None) -> int:
    """Do all of it in a folder that is gone afterwards."""
    command = argparse.ArgumentParser(prog="python -m scripts.shop", description=__doc__)
    command.add_argument("--orders", type=int, default=20_000)
    command.add_argument("--seed", type=int, default=1)
    asked = command.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="shop-") as folder:
        return _run(Path(folder), asked.seed, asked.orders)


def _run(folder: Path, seed: int, count: int) -> int:
    sold = list(orders(seed, count))
    file = folder / "orders.ndjson"
    file.write_text("".join(json.dumps(order) + "\n" for order in sold), encoding="utf-8")
    books = Books(folder)
    first = books.issue(file)
    _holds("every order gets its invoice", first["issued"], count)
    whole = _each_comes_to_its_sum(folder / first["results"], sold)
    again = books.issue(file)
    _holds("a second run has nothing to do", (again["issued"], again["done_before"]), (0, count))
    elsewhere = books.issue(file, "--results", "elsewhere.ndjson")
    _holds("nor has one that remembers nothing", elsewhere["replayed"], count)
    books.asked("anchor")
    _holds("the report is that of the orders", _reported(books), whole)
    audit = books.asked("audit")
    _holds("the audit is clean", (audit["clean"], audit["invoices"]), (True, count))
    lines = sum(len(order["lines"]) for order in sold)
    sys.stdout.write(f"{count:,} orders of {lines:,} lines came to {total(whole):,} fen\n")
    return 0


def _each_comes_to_its_sum(results: Path, sold: Sequence[dict[str, Any]]) -> Sums:
    """The sums of all of them."""
    found = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]
    whole: Sums = Counter()
    for order, result in zip(sold, found, strict=True):
        sums = due(order)
        _holds(f"{order['order_id']} comes to its sum", result["total"], total(sums))
        whole.update(sums)
    return whole


def _reported(books: Books) -> Sums:
    report = books.asked("report", "--by", "rate")
    found: Sums = Counter()
    for row in report["rows"]:
        for name in ("amount", "tax"):
            found[row["rate"], row.get("tax_kind", ""), name] = int(row["gross"][name])
    return found


def _holds(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise SystemExit(f"{what}: {found}, not {expected}")


if __name__ == "__main__":
    sys.exit(main())
