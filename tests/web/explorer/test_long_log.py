"""The log for everybody when it has grown long: pages stay small, links hold, all is found."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from invoice_service.services.explorer import BLOCKS_A_PAGE, DAYS_A_PAGE
from tests.api.desk import Desk
from tests.scale import share
from tests.web.explorer.long import A_DAY, lengthen
from tests.web.explorer.test_pages import HTML, links, page, told

pytestmark = pytest.mark.scaled

BLOCKS = share(10_000, 120)
SMALL = 20_000  # bytes of a page, whatever the log has


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Whole: 10,000 blocks of 400 days."""
    with Desk(tmp_path_factory.mktemp("desk")) as desk:
        lengthen(desk, BLOCKS)
        yield desk


def pages(log: Desk, path: str, rows: str) -> Iterator[list[Any]]:
    """The rows of page after page, each small in both of its forms."""
    place = path
    while True:
        answer = log.client.get(f"/explorer/{place}")
        found = answer.get_json()
        assert len(answer.data) < SMALL
        assert len(log.client.get(f"/explorer/{place}", headers=HTML).data) < SMALL
        yield found[rows]
        if found["next"] is None:
            return
        place = f"{path}?before={found['next']}"


def test_all_blocks_are_walked_through(log: Desk) -> None:
    found = [block["height"] for rows in pages(log, "blocks", "blocks") for block in rows]
    assert found == list(range(BLOCKS, 0, -1))


def test_a_page_leads_to_those_beside_it_and_to_both_ends(log: Desk) -> None:
    seen, place = [], f"blocks?before={BLOCKS_A_PAGE + 1}"
    for _ in range(BLOCKS // BLOCKS_A_PAGE + 1):
        top = told(log, place)["blocks"][0]["height"]
        seen.append(top)
        if top == BLOCKS:
            break
        newer = f"blocks?before={top + BLOCKS_A_PAGE + 1}"
        assert {f"/explorer/{newer}", "/explorer/blocks"} <= links(page(log, place))
        place = newer
    assert seen == [*range(BLOCKS_A_PAGE, BLOCKS, BLOCKS_A_PAGE), BLOCKS]
    oldest = f"/explorer/blocks?before={BLOCKS_A_PAGE + 1}"
    assert oldest in links(page(log, "blocks"))


def test_all_days_are_walked_through(log: Desk) -> None:
    days = [day for rows in pages(log, "closings", "closings") for day in rows]
    assert len(days) == -(-BLOCKS // A_DAY)
    assert [day["state"] for day in days] == ["open", *["closed"] * (len(days) - 1)]
    if len(days) > DAYS_A_PAGE:
        older = f"closings?before={days[DAYS_A_PAGE - 1]['day']}"
        assert "/explorer/closings" in links(page(log, older))


def test_everything_is_found_and_an_address_is_for_ever(log: Desk) -> None:
    size = told(log, "")["size"]
    kept = {}
    for height in {1, BLOCKS // 3, BLOCKS // 2, BLOCKS - 1, BLOCKS}:
        block = told(log, f"blocks/{height}")
        for line in block["entries"]:
            entry = told(log, f"entries/{line['index']}")
            found = json.loads(entry["entry"])
            if "anchor" in found:
                (place,) = told(log, f"search?q={found['anchor']}")["found"]
                assert place["address"] == f"/explorer/entries/{line['index']}"
            elif "day" in found:
                (place,) = told(log, f"search?q={found['day']}")["found"]
                assert place["address"] == f"/explorer/closings/{found['day']}"
            kept[f"entries/{line['index']}"] = b""
        by_height = [one["address"] for one in told(log, f"search?q={height}")["found"]]
        assert by_height[0] == f"/explorer/blocks/{height}"
        kept[f"blocks/{height}"] = kept[f"acts?block={height}"] = b""
    beyond = log.client.get(f"/explorer/search?q={size}", headers=HTML)
    assert beyond.status_code == 200
    assert told(log, f"search?q={size}")["found"] == []
    kept = {path: log.client.get(f"/explorer/{path}").data for path in kept}
    lengthen(log, A_DAY)
    for path, data in kept.items():
        assert log.client.get(f"/explorer/{path}").data == data, path
