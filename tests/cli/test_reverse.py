"""``fapiao reverse``: one story, on this machine's instance and through the service."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from werkzeug.serving import make_server

from chain.errors import MalformedError
from invoice_service.app import create_app
from invoice_service.commands.returning import Paper, Taken, find
from invoice_service.config import load
from invoice_service.wiring import open_instance
from tests.cli.town import TAX_ID, Town

COFFEE = {"name": "*餐饮服务*拿铁", "unit_price": 2800, "quantity": "3", "tax_rate": "0.06"}
CAKE = {"name": "*餐饮服务*蛋糕", "unit_price": 1000, "tax_rate": "0.13"}
HERE = ("--merchant", TAX_ID)
BACK = ("--reason", "SALES_RETURN")


@contextmanager
def _served(town: Town) -> Iterator[str]:
    """Where the town's service listens."""
    with closing(open_instance(load(town.folder / "config.toml", {}))) as instance:
        server = make_server("127.0.0.1", 0, create_app(instance), threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def _key(town: Town, *more: str) -> str:
    made: str = town.asked("keys", "create", "--merchant", TAX_ID, *more)["key"]
    return made


@pytest.fixture(params=["here", "there"])
def where(request: pytest.FixtureRequest, town: Town) -> Iterator[tuple[str, ...]]:
    """How the merchant's invoices are reached."""
    if request.param == "here":
        yield HERE
        return
    with _served(town) as url:
        yield ("--url", url, "--key", _key(town))


def _sold(town: Town, order_id: str = "A-1") -> dict[str, Any]:
    """Three coffees, one taken off a little, and a cake: 93.00 yuan."""
    order = {"order_id": order_id, "lines": [COFFEE | {"discount": 100}, CAKE]}
    path = Path(f"{order_id}.ndjson")
    path.write_text(json.dumps(order), encoding="utf-8")
    said = town.asked("issue", str(path), *HERE)
    found: dict[str, Any] = json.loads(Path(said["results"]).read_text(encoding="utf-8"))
    return found


def _left(said: dict[str, Any]) -> list[tuple[int, str, int]]:
    return [(line["line"], line["quantity"], line["left"]) for line in said["lines"]]


def test_parts_then_the_rest_and_each_only_once(town: Town, where: Sequence[str]) -> None:
    sold = _sold(town)
    take = ("reverse", sold["hash"], *where)
    one = town.asked(*take, "--line", "1=1", "--reason", "销货退回")
    assert (one["replayed"], one["red"]["number"], one["red"]["total"]) == (
        False,
        "00000002",
        -2767,
    )
    assert one["invoice"]["left"] == 6533
    assert _left(one) == [(1, "2", 5533), (3, "1", 1000)]
    again = town.asked(*take, "--line", "1=1.0", "--reason", "sales-return")
    assert again == one | {"replayed": True}
    meant = ("--line", "1=1", *BACK, "--idempotency-key", "the second guest")
    assert "idempotency_key_invalid" in town.refusal(*take, *meant, status=2)
    meant = ("--line", "1=1", *BACK, "--idempotency-key", "second")
    second = town.asked(*take, *meant)
    assert (second["replayed"], second["red"]["number"]) == (False, "00000003")
    assert town.asked(*take, *meant)["replayed"]
    money = town.asked(*take, "--amount", "¥5.00", "--rate", "13%", "--reason", "SALES_DISCOUNT")
    assert (money["red"]["total"], _left(money)[1]) == (-500, (3, "1", 500))
    rest = town.asked(*take, *BACK)
    assert (rest["invoice"]["left"], len(rest["invoice"]["reversed_by"])) == (0, 4)
    assert _left(rest) == [(1, "0", 0), (3, "0", 0)]
    assert town.asked(*take, *BACK) == rest | {"replayed": True}
    # What was taken first is still known by its own red invoice.
    assert town.asked(*take, "--line", "1=1", *BACK)["red"] == one["red"]


def test_a_person_is_told_the_red_invoice_and_what_is_left(
    town: Town, where: Sequence[str]
) -> None:
    sold = _sold(town)
    shown = town.run("reverse", sold["number"], "--show", *where)
    assert "left of invoice 00000001: ¥93.00" in shown
    told = town.run("reverse", sold["number"], "--line", "3", *BACK, *where)
    assert "red invoice 00000002" in told
    assert "takes back: ¥10.00 of invoice 00000001" in told
    assert "left of invoice 00000001: ¥83.00" in told
    assert "*餐饮服务*拿铁" in told
    again = town.run("reverse", sold["number"], "--line", "3", *BACK, *where)
    assert "was issued before, nothing is taken now" in again
    assert "--idempotency-key" in again


def test_an_invoice_goes_by_its_number_and_by_its_code(town: Town, where: Sequence[str]) -> None:
    sold = _sold(town)
    said = {"hash": sold["hash"], "bill_num": sold["number"], "total_amount": sold["total"]}
    code = f"https://fapiao.test/verify/scan?{urlencode(said)}"
    bent = f"https://fapiao.test/verify/scan?{urlencode(said | {'total_amount': 1})}"
    by_number = town.asked("reverse", sold["number"], "--show", *where)
    assert by_number == town.asked("reverse", code, "--show", *where)
    assert by_number["invoice"]["hash"] == sold["hash"]
    assert "red" not in by_number
    assert "claims_differ" in town.refusal("reverse", bent, *BACK, *where, status=2)
    assert "invoice_unknown" in town.refusal("reverse", "00000009", *BACK, *where)
    unknown = "01" + "0" * 64
    assert "invoice_unknown" in town.refusal("reverse", unknown, *BACK, *where)
    assert "qr_invalid" in town.refusal("reverse", "nonsense", *BACK, *where, status=2)


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        (["--line", "3=2"], 1, "return_too_large"),
        (["--amount", "93.01", "--rate", "0.06"], 1, "return_too_large"),
        (["--line", "2"], 2, "line_unknown"),
        (["--line", "9999"], 2, "amount_out_of_range"),
        (["--line", "1=x"], 2, "quantity_invalid"),
        (["--line", "1", "--line", "1=2"], 2, "line_twice"),
        (["--line", "1", "--amount", "1"], 2, "return_unclear"),
        (["--line", "1", "--rate", "6%"], 2, "return_unclear"),
        (["--amount", "1"], 2, "rate_needed"),
        (["--amount", "1", "--rate", "免税"], 2, "rate_not_on_invoice"),
        (["--amount", "1", "--rate", "0 untaxed"], 2, "rate_not_on_invoice"),
        (["--amount", "1.005", "--rate", "6%"], 2, "amount_invalid"),
        (["--amount", "0", "--rate", "6%"], 2, "amount_not_positive"),
    ],
)
def test_what_cannot_be_taken_back_says_why_and_issues_nothing(
    town: Town, asked: list[str], status: int, code: str
) -> None:
    sold = _sold(town)
    refused = town.refusal("reverse", sold["hash"], *asked, *BACK, *HERE, status=status)
    assert code in refused
    assert town.asked("reverse", sold["hash"], "--show", *HERE)["invoice"]["reversed_by"] == []


def test_the_service_refuses_with_the_same_statuses(town: Town) -> None:
    sold = _sold(town)
    with _served(town) as url:
        there = ("--url", url, "--key", _key(town))
        take = ("reverse", sold["hash"], *BACK)
        assert "return_too_large" in town.refusal(*take, "--line", "3=2", *there)
        assert "rate_needed" in town.refusal(*take, "--amount", "1", *there, status=2)
        assert "key_unknown" in town.refusal(*take, "--url", url, "--key", "fk_" + "0" * 43)
        blind = ("--url", url, "--key", _key(town, "--scope", "reverse"))
        said = town.asked(*take, "--line", "3=1", *blind)  # it may not read lines
        assert (said["red"]["total"], said["invoice"]["left"], said["lines"]) == (-1000, 8300, [])


@pytest.mark.parametrize(
    "arguments",
    [
        [*HERE],
        ["--reason", "BOREDOM", *HERE],
        [*BACK],
        [*BACK, "--url", "http://127.0.0.1:1"],
        [*BACK, "--line", "one", *HERE],
        [*BACK, "--show", *HERE],
    ],
)
def test_usage_that_makes_no_sense_is_2(town: Town, arguments: list[str]) -> None:
    sold = _sold(town)
    town.refusal("reverse", sold["hash"], *arguments, status=2)


def test_red_ones_strangers_and_the_suspended_are_refused(town: Town) -> None:
    sold = _sold(town)
    red = town.asked("reverse", sold["hash"], "--line", "3", *BACK, *HERE)["red"]
    assert "not_reversible" in town.refusal("reverse", red["hash"], *BACK, *HERE)
    assert "not_reversible" in town.refusal("reverse", red["hash"], "--show", *HERE)
    assert "merchant_unknown" in town.refusal("reverse", sold["hash"], *BACK, "--merchant", "9")
    town.run("merchants", "suspend", TAX_ID)
    assert "merchant_suspended" in town.refusal("reverse", sold["hash"], *BACK, *HERE)


class _Shelf:
    """Books in which a number stands in two batches."""

    def read(self, hash_: str) -> Paper:
        raise AssertionError(f"{hash_} is not the only one")

    def numbered(self, number: str) -> list[str]:
        return ["01" + digit * 64 for digit in "ab"]

    def reverse(self, hash_: str, body: bytes, key: str) -> Taken:
        raise AssertionError(f"{hash_} is not the only one")


def test_a_number_of_several_batches_is_not_guessed_at() -> None:
    with pytest.raises(MalformedError) as caught:
        find(_Shelf(), "00000001")
    assert caught.value.code == "number_several"
    assert "01" + "b" * 64 in caught.value.detail
