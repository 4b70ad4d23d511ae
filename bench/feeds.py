"""``python -m bench.feeds``: what it costs a web process that tills listen for events.

Restaurants with one open page each, looked at as the server in front does once a second; processor
time alone, in this process. Not among the figures of ``python -m bench``.
"""

import tempfile
import time
from collections.abc import Callable
from itertools import count
from statistics import median
from typing import Final

import msgspec

from invoice_service.config import load
from invoice_service.domain.merchant import MerchantRequest
from invoice_service.services.issuing.issue import issue_one
from invoice_service.services.people.admit import admit
from invoice_service.services.people.person import Whose
from invoice_service.services.people.sessions import Visit
from invoice_service.services.till.watch import Watching
from invoice_service.wiring import Instance, init_instance

TILLS: Final = 200
PASSES: Final = 100
VISIT: Final = Visit("", "")
_LETTERS: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS: Final = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_ORDERS: Final = count(1)


def main() -> None:
    """Make the restaurants, look, print what a pass costs."""
    with tempfile.TemporaryDirectory(prefix="fapiao-bench-") as name:
        instance = init_instance(load(None, {"FAPIAO_SERVICE_DATA_DIR": f"{name}/data"}))
        try:
            pages = [_page(instance, number) for number in range(TILLS)]
            _measure(instance, pages)
        finally:
            instance.close()


def _measure(instance: Instance, pages: list[Watching]) -> None:
    merchants = [page.merchant_id for page in pages]
    stories: dict[str, tuple[Callable[[], object], int]] = {
        "nothing has happened": (lambda: None, PASSES),
        "one restaurant has sold": (lambda: _sell(instance, merchants[:1]), PASSES),
        "every restaurant has sold": (lambda: _sell(instance, merchants), 5),
        "somebody has acted": (lambda: instance.record("clock", "clock"), PASSES),
    }
    instance.till.watch.look(pages)
    print(f"{TILLS} pages of as many restaurants; milliseconds of a processor in a pass:")
    for name, (story, passes) in stories.items():
        print(f"  {name:28}{_cost(instance, pages, story, passes):8.3f}")


def _cost(
    instance: Instance, pages: list[Watching], story: Callable[[], object], passes: int
) -> float:
    """The median of a pass, each after something has happened."""
    found = []
    for _ in range(passes):
        story()
        began = time.process_time()
        instance.till.watch.look(pages)
        found.append((time.process_time() - began) * 1000)
    return median(found)


def _page(instance: Instance, number: int) -> Watching:
    """A restaurant, its owner, and a page that listens."""
    by = instance.operator()
    asked = MerchantRequest(
        tax_id=_tax_id(number), name=f"餐厅{number}", industry="6210", district="440303"
    )
    merchant_id = admit(instance.store, asked, by).merchant.id
    invited = instance.people.staff.invite(Whose(merchant_id), "owner", "店主", "owner", by)
    sessions = instance.people.sessions
    token = sessions.open(invited.person, "full", VISIT, "password")
    visitor = sessions.visitor(token)
    assert visitor is not None
    return instance.till.watch.begin(visitor, merchant_id, token, "")


def _sell(instance: Instance, merchants: list[int]) -> None:
    line = {"name": "面", "unit_price": 2800, "tax_rate": "0.06"}
    for merchant_id in merchants:
        order = {"order_id": str(next(_ORDERS)), "lines": [line]}
        issue_one(instance.till.issuing, merchant_id, msgspec.json.encode(order))


def _tax_id(number: int) -> str:
    """A number with the check digit of GB 32100."""
    body = f"91440300MA5{number:06}"
    total = sum(weight * _LETTERS.index(sign) for weight, sign in zip(_WEIGHTS, body, strict=True))
    return body + _LETTERS[-total % 31]


if __name__ == "__main__":
    main()
