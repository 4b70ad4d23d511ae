"""What the demo goes on selling while somebody looks at it."""

import json
from typing import Any

from invoice_service.commands.demo_living import EACH, WHOLE, Living
from invoice_service.services.till.days import Days

BEFORE_FOUR = 1_795_970_040  # 30 November 2026, 00:34 in Shenzhen


class Till:
    """Takes every order, and remembers it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def post(self, path: str, body: bytes) -> bytes:
        self.asked.append((path, json.loads(body)))
        return json.dumps({"hash": f"{len(self.asked):064x}", "total": 100}).encode()


def test_after_midnight_it_sells_on_the_day_that_a_till_shows() -> None:
    till, seconds = Till(), [0.0]
    living = Living(till, lambda: Days(4).of(BEFORE_FOUR), lambda: seconds[0])
    for _ in range(WHOLE):
        living.step()
        living.step()  # it is not time yet
        seconds[0] += EACH
    orders = [body for path, body in till.asked if path == "/v1/invoices"]
    assert {order["business_day"] for order in orders} == {"2026-11-29"}
    assert len(orders) == WHOLE
    assert len(till.asked) == WHOLE + 2  # one was taken back in part, one whole
