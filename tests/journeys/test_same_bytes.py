"""A report at a block is the same bytes for ever: asked again, elsewhere, later, far away."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.journeys.service import Service

pytestmark = pytest.mark.slow

EAST, WEST = "EAST-14", "WEST+11"
"""Zones whose days are other days than ours; as POSIX writes them, so that none must be there."""

FORMS: Final = {
    "json": "application/json",
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
QUESTIONS: Final[tuple[dict[str, str], ...]] = (
    {"by": "day"},
    {"by": "merchant"},
    {"by": "month,merchant,rate", "compare": "before,year_before"},
    {"by": "week,state,type"},
    {"by": "till", "top": "1", "measure": "count"},
    {"by": "rate,class", "bottom": "2", "measure": "reversed"},
)
MEAL, TEA = (
    {"name": "*餐饮服务*餐费", "unit_price": 11300, "tax_rate": "0.06", "quantity": "3"},
    {"name": "*茶及饮料*茶", "unit_price": 1900, "tax_rate": "0.13"},
)


class City:
    """A service with a restaurant that sells and takes back, and an official who asks."""

    def __init__(self, service: Service) -> None:
        self.service = service
        _, self.key = service.admit()
        self.official = service.official_key()
        self.count = 0

    def sells(self) -> int:
        """Two sales at two tills, a part and a whole taken back; the height of the block after."""
        for till, lines in (("A1", [MEAL, TEA]), ("B2", [TEA])):
            order = {"order_id": f"order {self.count}", "till": till, "lines": lines}
            sold = self._post("/v1/invoices", order)
            part = {"lines": [{"line": 1, "quantity": "1"}]} if till == "A1" else {}
            self._post(f"/v1/invoices/{sold}/reversals", {"reason": "SALES_RETURN", **part})
        self.service.wait_until_anchored(self.count)
        height: int = json.loads(self.asked({"by": "day"}, "json"))["block"]["height"]
        return height

    def asked(self, words: dict[str, str], form: str) -> bytes:
        """A report over HTTP."""
        remote = self.service.remote(self.official)
        return remote.get("/v1/reports/totals", words, accept=FORMS[form])

    def _post(self, path: str, body: Mapping[str, object]) -> str:
        self.count += 1
        answer = self.service.remote(self.key).post(path, json.dumps(body).encode())
        hash_: str = json.loads(answer)["hash"]
        return hash_

    def reports(self, height: int) -> Iterator[tuple[str, bytes]]:
        """Every question in every form, over HTTP."""
        for words in QUESTIONS:
            for form in FORMS:
                asked = {**words, "at_block": str(height)}
                yield f"{form} {asked}", self.asked(asked, form)

    def printed(self, folder: Path, height: int, *options: str) -> Iterator[tuple[str, bytes]]:
        """The same from the console, by ``options`` of a service elsewhere."""
        for at, words in enumerate(QUESTIONS):
            form = tuple(FORMS)[at % 3]
            asked = {**words, "at_block": str(height)}
            said = [word for name, text in asked.items() for word in (f"--{name}", text)]
            said = [word.replace("_block", "-block") for word in said]
            file = folder / "printed"
            self.service.fapiao("report", *said, "--format", form, "-o", str(file), *options)
            yield f"{form} {asked}", file.read_bytes()


def test_a_report_at_a_block_is_the_same_bytes_for_ever(service: Service, tmp_path: Path) -> None:
    service.start()
    city = City(service)
    height = city.sells()
    first = dict(city.reports(height))
    assert len(set(first.values())) == len(QUESTIONS) * len(FORMS)
    assert dict(city.reports(height)) == first

    assert city.sells() > height
    assert dict(city.reports(height)) == first
    assert json.loads(city.asked({"by": "day"}, "json"))["reversed"]["count"] == 4

    service.stop()
    service.environ["TZ"] = EAST
    assert dict(city.printed(tmp_path, height)).items() <= first.items()
    service.environ["TZ"] = WEST
    service.start()
    assert _zones(service) == {WEST}
    assert city.sells() > height
    assert dict(city.reports(height)) == first
    there = ("--url", service.url, "--key", city.official)
    assert dict(city.printed(tmp_path, height, *there)).items() <= first.items()


def _zones(service: Service) -> set[str]:
    """The time zones that its web processes live in."""
    found = set()
    for pid in service.pids("web"):
        said = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        found |= {os.fsdecode(text[3:]) for text in said if text.startswith(b"TZ=")}
    return found
