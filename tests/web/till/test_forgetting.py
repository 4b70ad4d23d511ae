"""People on open bills: in no file in plain text, and gone for good with the bill, or in time."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import msgspec
import pytest

from invoice_service.domain.persons import GONE
from invoice_service.storage.sqlite import WASH_EVERY, update_store
from tests.web.till.counter import COMPANY, TEA, Counter, cash, new_id

NAME = "欧阳娜娜"
PERSON = {"name": NAME, "address_phone": "13800138000"}


def files(counter: Counter) -> bytes:
    """All that the database has on the disk."""
    found = sorted(counter.config.data_dir.glob("invoices.db*"))
    return b"\n".join(path.read_bytes() for path in found)


def rows(counter: Counter, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(counter.config.invoices_db)) as connection:
        return connection.execute(query).fetchall()


def keys(counter: Counter) -> list[bytes]:
    return [key for (key,) in rows(counter, "SELECT key FROM till_buyer_keys ORDER BY id")]


def begun(counter: Counter, buyer: dict[str, str]) -> str:
    """A bill that stands open, and says whom it is for."""
    bill = new_id()
    counter.zhang.do("PUT", f"bills/{bill}", {"version": 0, "lines": [TEA], "buyer": buyer})
    return bill


def tidy(counter: Counter) -> None:
    """As every run of anchoring does, a while later."""
    counter.clock.forward(seconds=WASH_EVERY)
    counter.anchor()


def shown(counter: Counter, bill: str) -> dict[str, Any]:
    """What stands on it now."""
    found = counter.instance.store.bill(counter.restaurant.merchant.id, bill)
    assert found is not None
    row: dict[str, Any] = msgspec.to_builtins(found.content) | {"version": found.version}
    return row


def whom(counter: Counter, bill: str) -> dict[str, str]:
    """For whom it is, as far as that is told."""
    buyer: dict[str, str] = shown(counter, bill).get("buyer", {})
    return {name: text for name, text in buyer.items() if text}


def settle(counter: Counter, bill: str) -> None:
    counter.zhang.do("POST", f"bills/{bill}/settle", {"version": 1, "parts": [cash(900)]})


def drop(counter: Counter, bill: str) -> None:
    counter.zhang.do("DELETE", f"bills/{bill}?version=1")


def take_off(counter: Counter, bill: str) -> None:
    counter.zhang.do("PUT", f"bills/{bill}", {"version": 1, "lines": [TEA]})


def become_a_company(counter: Counter, bill: str) -> None:
    asked = {"version": 1, "lines": [TEA], "buyer": COMPANY}
    counter.zhang.do("PUT", f"bills/{bill}", asked)


def be_merged(counter: Counter, bill: str) -> None:
    into = begun(counter, COMPANY)
    asked = {"from": bill, "version": 1, "from_version": 1}
    counter.zhang.do("POST", f"bills/{into}/merge", asked)


def wait(counter: Counter, bill: str) -> None:
    counter.clock.forward(hours=counter.config.till.buyer_hours)


@pytest.mark.parametrize("end", [settle, drop, take_off, become_a_company, be_merged, wait])
def test_a_person_goes_with_the_bill_and_nothing_stays(
    counter: Counter, end: Callable[[Counter, str], None]
) -> None:
    bill = begun(counter, PERSON)
    assert whom(counter, bill) == PERSON
    (key,) = keys(counter)
    assert key in files(counter)  # it would be found
    end(counter, bill)
    tidy(counter)
    assert set(keys(counter)) == {GONE}
    after = files(counter)
    assert key not in after
    for text in (NAME, PERSON["address_phone"]):
        assert text.encode() not in after
        assert json.dumps(text)[1:-1].encode() not in after
    assert whom(counter, bill) in ({}, COMPANY)


def test_a_bill_that_waits_too_long_forgets_its_person_and_nothing_else(counter: Counter) -> None:
    bill, other = begun(counter, PERSON), begun(counter, COMPANY)
    before = counter.zhang.read("state")["cursor"]
    counter.clock.forward(hours=counter.config.till.buyer_hours, seconds=-WASH_EVERY)
    counter.anchor()
    assert whom(counter, bill) == PERSON
    tidy(counter)
    tidy(counter)
    counter.tills.clear()  # their sessions have ended
    found = shown(counter, bill)
    assert "buyer" not in found
    assert (found["version"], len(found["lines"])) == (2, 1)
    assert whom(counter, other) == COMPANY
    assert counter.zhang.read("state")["cursor"] != before  # pages hear of it
    asked = {"version": 2, "parts": [cash(900)]}
    assert counter.zhang.do("POST", f"bills/{bill}/settle", asked)


def test_parts_are_for_whom_they_were_asked(counter: Counter) -> None:
    """Also after a start anew, between the first part and the second."""
    bill = begun(counter, PERSON)
    parts = [
        {"lines": [{"line": 1, "quantity": "0.5"}], **cash(450), "buyer": COMPANY},
        cash(450),
    ]
    counter.zhang.do("POST", f"bills/{bill}/settle", {"version": 1, "parts": parts})
    found = counter.zhang.read("invoices")["invoices"]
    assert {one.get("buyer_name") for one in found} == {COMPANY["name"], NAME}
    assert set(keys(counter)) == {GONE}


def test_a_bill_of_before_is_sealed_by_the_update(counter: Counter) -> None:
    bill = begun(counter, PERSON)
    content = json.dumps({"lines": [TEA], "buyer": PERSON}, ensure_ascii=False)
    counter.instance.close()
    with closing(sqlite3.connect(counter.config.invoices_db)) as connection:
        connection.executescript(
            "DROP INDEX idx_till_bills_person; ALTER TABLE till_bills DROP COLUMN buyers;"
            "ALTER TABLE till_bills DROP COLUMN buyer_key; DROP TABLE till_buyer_keys;"
            "DELETE FROM _sqlite_migrations WHERE name LIKE 'till_buyers%';"
        )
        connection.execute("UPDATE till_bills SET content = ?", (content,))
        connection.commit()
    assert NAME.encode() in files(counter)
    update_store(counter.config.invoices_db)
    assert whom(counter, bill) == PERSON
    assert NAME.encode() not in files(counter)
    assert len(keys(counter)) == 1
