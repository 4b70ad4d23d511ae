"""Records that are stored together get the answers that they would get one by one."""

import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chain.errors import Problem, UnavailableError
from chain.hashing import sha256
from invoice_service.domain.invoice import Issued, Prepared
from invoice_service.domain.numbering import Scheme
from invoice_service.storage.sqlite import groups as together
from invoice_service.storage.sqlite import issuing
from invoice_service.storage.sqlite.groups import STORED_AT_ONCE, Counter
from tests.domain.samples import BY, line
from tests.scale import share
from tests.storage.shop import FILE, Shop, codes, request

BAD_PRICE = 13
"""What an order must cost for the database to refuse its row: a stranger's trigger."""

TABLES = ("forms", "invoices", "idempotency", "merchants")


def one_by_one(
    _connection: sqlite3.Connection, counter: Counter, batch: Sequence[Prepared]
) -> list[Issued | Problem]:
    """The slow definition."""
    return [counter.serve(prepared) for prepared in batch]


def answer(shop: Shop, batch: Sequence[Prepared]) -> list[object]:
    """The answers, so that they can be compared."""
    return [
        (type(one), one.code, one.detail, one.extra) if isinstance(one, Problem) else one
        for one in shop.hand_in(*batch)
    ]


def content(shop: Shop) -> list[list[tuple[Any, ...]]]:
    """Everything that is stored."""
    return [shop.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in TABLES]


@contextmanager
def town(folder: Path) -> Iterator[Shop]:
    """A shop among others: one with a small quota, one suspended; few numbers, a bad price."""
    folder.mkdir()
    shop = Shop(folder, scheme=Scheme(numbers_per_batch=4))
    shop.store.add_merchant(request(1, quota=3), BY)
    shop.store.add_merchant(request(2), BY)
    shop.store.set_status(3, "suspended", BY)
    shop.store.add_key(sha256(b"a"), "merchant", 1, "", BY)
    shop.store.add_key(sha256(b"b"), "merchant", 1, "", BY)
    shop.store.revoke_key(2, BY)
    refuse(folder, f"NEW.total = {BAD_PRICE}")
    try:
        yield shop
    finally:
        shop.store.close()


def refuse(folder: Path, condition: str) -> None:
    """Have the database refuse such rows."""
    with closing(sqlite3.connect(folder / FILE)) as other:
        other.execute(
            f"CREATE TRIGGER bad BEFORE INSERT ON invoices WHEN {condition}"
            " BEGIN SELECT RAISE(ABORT, 'bad'); END"
        )
        other.commit()


def new(  # an order
    shop: Shop, merchant: int, order: str, price: int, key_id: int, key: str, told: dict[str, Any]
) -> Prepared:
    """An order of one of the merchants."""
    account = shop.store.account(merchant)
    draft = shop.draft(
        order,
        lines=[line(unit_price=price)],
        key_id=key_id,
        idempotency_key=key,
        **told,
        merchant=None if account is None else account.merchant,
    )
    return draft if account else msgspec.structs.replace(draft, merchant_id=merchant)


orders = st.builds(
    lambda *given: lambda shop: new(shop, *given),
    st.sampled_from([1, 1, 1, 2, 3, 77]),
    st.sampled_from(["A", "B", "C", "D", "E", "F", "G"]),
    st.sampled_from([100, 100, 200, BAD_PRICE]),
    st.sampled_from([0, 0, 0, 1, 2, 9]),
    st.sampled_from(["", "", "k", "l"]),
    st.sampled_from(
        [
            *({}, {}, {}, {"till": "1"}, {"business_day": "2018-08-10"}),
            *({"part": 1, "parts": 2, "order_total": 300}, {"replaces": "01" + "0" * 64}),
        ]
    ),
)


def _bend(order: Callable[[Shop], Prepared], change: dict[str, object]) -> object:
    return lambda shop: msgspec.structs.replace(order(shop), **change)


bent = st.builds(
    _bend,
    orders,
    st.sampled_from(
        [
            {"form": b"{}"},
            {"form": b"{}\0"},
            {"form": b"{}", "shared": False},
            {"form": None},
            {"salts": b""},
            {"order_id": "\ud800"},
            {"total": 1 << 70},
            {"industry": "\udfff"},
            {"idempotency_key": "k", "request_digest": b"another"},
            {"request_digest": None},
            {"reverses": bytes(32), "kind": "red"},
        ]
    ),
)


def _red(number: int, key: str) -> object:
    def make(shop: Shop) -> Prepared | None:
        blue = shop.store.invoice_at(number)
        if blue is None or blue.type == "red" or blue.face == b"{}":  # one that was bent
            return None
        return shop.red_over(blue, idempotency_key=key)

    return make


reds = st.builds(_red, st.integers(1, 12), st.sampled_from(["", "k"]))
groups = st.lists(st.lists(orders | orders | reds | bent, min_size=2, max_size=9), max_size=5)


@pytest.mark.scaled
@settings(max_examples=share(300, 30), deadline=None)
@given(groups, st.lists(st.integers(-400, 90_000), min_size=5, max_size=5))
def test_every_answer_and_every_row_is_that_of_the_slow_definition(
    asked: list[list[Callable[[Shop], Prepared | None]]], steps: list[int]
) -> None:
    with (
        tempfile.TemporaryDirectory() as name,
        town(Path(name) / "fast") as fast,
        town(Path(name) / "slow") as slow,
    ):
        for makers, step in zip(asked, steps, strict=False):
            batches = [
                [made for make in makers if (made := make(shop)) is not None]
                for shop in (fast, slow)
            ]
            assert batches[0] == batches[1]
            fast.now += step
            slow.now += step
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(together, "STORED_AT_ONCE", 3)
                found = answer(fast, batches[0])
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(issuing, "serve_together", one_by_one)
                expected = answer(slow, batches[1])
            assert found == expected
            assert content(fast) == content(slow)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A shop that has issued nothing."""
    shop = Shop(tmp_path)
    yield shop
    shop.store.close()


def statements(shop: Shop, drafts: Sequence[Prepared]) -> list[str]:
    """What is asked of the database to issue these, but for the rows themselves."""
    seen: list[str] = []
    with shop.store.connections.reading() as connection:
        connection.set_trace_callback(seen.append)
        assert codes(shop.hand_in(*drafts)) == ["issued"] * len(drafts)
        connection.set_trace_callback(None)
    return [one for one in seen if not one.startswith(("--", "INSERT"))]


def test_new_orders_share_one_look_up_and_one_savepoint(shop: Shop) -> None:
    shop.issue(shop.draft("the first of all"))
    few = statements(shop, [shop.draft(f"A-{n}", idempotency_key=f"a{n}") for n in range(5)])
    many = statements(shop, [shop.draft(f"B-{n}", idempotency_key=f"b{n}") for n in range(50)])
    assert len(many) == len(few)
    assert sum(one.startswith("SAVEPOINT") for one in many) == 1


def test_no_savepoint_holds_more_than_a_few(shop: Shop) -> None:
    """What one keeps is walked through by every statement under it: many cost more each."""
    shop.issue(shop.draft("the first of all"))
    seen = statements(shop, [shop.draft(f"A-{n}") for n in range(2 * STORED_AT_ONCE + 1)])
    assert sum(one.startswith("SAVEPOINT") for one in seen) == 3


def test_the_numbers_of_a_new_day_are_new_orders(shop: Shop) -> None:
    """Nothing is known of them, though their numbers are: they share one look-up as others do."""
    shop.issue(shop.draft("the first of all", business_day="2018-08-03", till="1"))
    monday = [shop.draft(f"{n}", business_day="2018-08-06", till="1") for n in range(20)]
    few = statements(shop, monday)
    tuesday = [shop.draft(f"{n}", business_day="2018-08-07", till="1") for n in range(20)]
    assert len(statements(shop, tuesday)) == len(few)


def steps(shop: Shop, draft: Prepared, expected: str) -> int:
    """What it costs to answer one, in steps of SQLite's machine."""
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += 1
        return 0

    with shop.store.connections.reading() as connection:
        connection.set_progress_handler(count, 1)
        assert codes(shop.hand_in(draft)) == [expected]
        connection.set_progress_handler(None, 0)
    return counted


def test_an_order_costs_no_more_where_many_stand(shop: Shop) -> None:
    """The look-up of an order, of what it repeats, and of what stands in its way."""

    def ask(name: str) -> list[int]:
        order: dict[str, Any] = {"business_day": "2018-08-10", "till": name}
        return [
            steps(shop, shop.draft("001", **order), "issued"),
            steps(shop, shop.draft("001", **order), "replayed"),
            steps(shop, shop.draft("001", remark="other", **order), "order_id_conflict"),
        ]

    shop.issue(shop.draft("the first of all"))
    few = ask("a")
    shop.hand_in(*(shop.draft(f"{n}") for n in range(1_000)))
    many = ask("b")
    assert [after < 1.5 * before for before, after in zip(few, many, strict=True)] == [True] * 3


def test_a_group_goes_on_into_the_next_batch_of_numbers_and_stops_with_the_last(
    tmp_path: Path,
) -> None:
    shop = Shop(tmp_path, scheme=Scheme(numbers_per_batch=3, first_batch=8))
    answers = shop.hand_in(*(shop.draft(f"A-{n}") for n in range(7)))
    numbers = [(one.code[9], one.number) for one in answers if isinstance(one, Issued)]
    assert numbers == [(batch, f"0000000{n}") for batch in "89" for n in (1, 2, 3)]
    assert codes(answers)[6:] == ["number_range_exhausted"]
    shop.store.close()


@pytest.mark.parametrize("bad", [7, STORED_AT_ONCE + 7])
def test_one_row_that_the_database_refuses_costs_the_others_nothing(shop: Shop, bad: int) -> None:
    refuse(shop.folder, f"NEW.order_id = 'A-{bad}'")
    drafts = [shop.draft(f"A-{n}", idempotency_key=f"k{n}") for n in range(bad + 5)]
    expected = ["issued"] * len(drafts)
    expected[bad] = "database_refused"
    assert codes(shop.hand_in(*drafts)) == expected
    issued = len(drafts) - 1
    assert shop.rows("SELECT seq, CAST(number AS INTEGER) FROM invoices") == [
        (n, n) for n in range(1, issued + 1)
    ]
    assert shop.rows("SELECT used FROM merchants") == [(issued,)]
    assert shop.rows("SELECT count(*) FROM idempotency") == [(issued,)]


def test_what_the_disk_refuses_ends_the_whole_group(shop: Shop) -> None:
    shop.issue(shop.draft("A-1"))
    with shop.store.connections.reading() as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(UnavailableError, match="space"):
        shop.hand_in(*(shop.draft(f"B-{n}") for n in range(200)))
    assert shop.store.last_seq() == 1
