"""A restaurant with people at its tills, over the real application."""

import json
from itertools import count
from pathlib import Path
from typing import Any, Final, Self
from uuid import UUID

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from invoice_service.services.people.person import Person
from invoice_service.services.people.sessions import Visit, form_token
from tests.api.desk import OTHER_TAX_ID
from tests.web.people.visitors import BASE, SESSION, Browser, Bureau

NOODLES: Final = {"name": "*餐饮服务*面", "tax_rate": "0.06", "unit_price": 2800}
TEA: Final = {"name": "*餐饮服务*茶", "tax_rate": "0.06", "unit_price": 900}
COMPANY: Final = {"kind": "company", "name": "深圳市某某有限公司", "tax_id": OTHER_TAX_ID}
_IDS: Final = count(1)


def new_id() -> str:
    """An id as a browser makes it."""
    return str(UUID(int=next(_IDS), version=4))


def cash(amount: int) -> dict[str, Any]:
    """A part that is paid in cash."""
    return {"payments": [{"kind": "cash", "amount": amount}]}


class Counter(Bureau):
    """A bureau with two merchants, whose people are signed in at their tills."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        other = self.new_merchant(OTHER_TAX_ID, "另一家餐厅").merchant.id
        self.people = {
            "zhang": self.person("zhang"),
            "li": self.person("li", "cashier"),
            "wang": self.person("wang", merchant_id=other),
            "chen": self.person("chen", "administrator"),
        }
        self.tills: dict[str, Till] = {}

    @property
    def zhang(self) -> "Till":
        """An owner."""
        return self._till("zhang")

    @property
    def li(self) -> "Till":
        """A cashier of the same restaurant."""
        return self._till("li")

    @property
    def wang(self) -> "Till":
        """An owner of another restaurant."""
        return self._till("wang")

    def copied(self, folder: Path) -> Self:
        """One just like it, in which nobody is signed in."""
        counter = super().copied(folder)
        counter.tills = {}
        return counter

    def new_till(self, name: str) -> "Till":
        """Another browser in which this person is signed in."""
        person, browser = self.people[name], self.browser()
        token = self.instance.people.sessions.open(person, "full", Visit("", ""), "password")
        browser.client.set_cookie(
            SESSION, token, domain="fapiao.test", path="/", secure=True, httponly=True
        )
        return Till(browser, person)

    def _till(self, name: str) -> "Till":
        if name not in self.tills:
            self.tills[name] = self.new_till(name)
        return self.tills[name]

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What the database says."""
        with self.instance.store.connections.reading() as connection:
            found: list[tuple[Any, ...]] = connection.execute(query, values).fetchall()
            return found


class Till:
    """A page at a till: sends JSON with the token of its forms."""

    def __init__(self, browser: Browser, person: Person) -> None:
        self.browser = browser
        self.person = person

    @property
    def client(self) -> FlaskClient:
        return self.browser.client

    def get(self, path: str, **query: str) -> TestResponse:
        """Look at something."""
        return self.client.get(f"/till/{path}", base_url=BASE, query_string=query or None)

    def form(self) -> dict[str, str]:
        """What a page of ours says with every change."""
        return {"X-Form": form_token(self.browser.cookie() or ""), "Sec-Fetch-Site": "same-origin"}

    def session_id(self, counter: Counter) -> int:
        """The number of its session."""
        found = counter.instance.people.sessions.still(self.browser.cookie() or "")
        assert found is not None
        return found.session.id

    def send(self, method: str, path: str, body: object = None, **headers: str) -> TestResponse:
        """Change something."""
        own = self.form()
        return self.client.open(
            f"/till/{path}",
            method=method,
            base_url=BASE,
            data=None if body is None else json.dumps(body),
            headers={"Content-Type": "application/json", **own, **headers},
        )

    def read(self, path: str, **query: str) -> dict[str, Any]:
        """What stands there."""
        answer = self.get(path, **query)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.get_json()
        return found

    def do(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """A change that is made."""
        answer = self.send(method, path, body)
        assert answer.status_code in (200, 201, 204), answer.text
        found: dict[str, Any] = answer.get_json() if answer.data else {}
        return found

    def refused(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """The problem of a change that is not made."""
        answer = self.send(method, path, body)
        assert answer.content_type == "application/problem+json", answer.text
        found: dict[str, Any] = answer.get_json()
        assert found["status"] == answer.status_code >= 400
        return found

    def sell(self, *lines: dict[str, Any], bill: str = "", **more: Any) -> dict[str, Any]:  # noqa: ANN401
        """A direct sale in cash."""
        content = {"lines": list(lines or [NOODLES]), **more}
        total = sum(
            line["unit_price"] * int(line.get("quantity", "1")) - line.get("discount", 0)
            for line in content["lines"]
        ) - more.get("discount", 0)
        asked = {"version": 0, "bill": content, "parts": [cash(total)]}
        return self.do("POST", f"bills/{bill or new_id()}/settle", asked)

    def take_back(self, sold: dict[str, Any], paid_back: int, **more: Any) -> dict[str, Any]:  # noqa: ANN401
        """A return, paid back in cash."""
        hash_ = sold["invoices"][0]["hash"]
        asked = {
            "id": new_id(),
            "reason": "SALES_RETURN",
            "refund": [{"kind": "cash", "amount": paid_back}],
            **more,
        }
        return self.do("POST", f"invoices/{hash_}/reversal", asked)
