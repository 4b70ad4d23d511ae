"""An instance with people, and browsers that keep cookies and send forms as they found them."""

import re
from html import unescape
from typing import Any, Final

from flask.testing import FlaskClient
from pyotp import TOTP
from werkzeug.test import TestResponse

from invoice_service.services.people.person import MERCHANTS, Person, PersonRole, Whose
from invoice_service.services.people.sessions import Visit
from invoice_service.web.people import gate
from invoice_service.web.people.gate import cookie_name
from tests.api.desk import Desk

PASSWORD: Final = "seven ducks cross a river"
OTHER_PASSWORD: Final = "nine geese walk over ice"
BASE: Final = "https://fapiao.test"
SESSION: Final = cookie_name(BASE, gate.SESSION)
OURS: Final = "same-origin"


class Bureau(Desk):
    """A desk at which people sign in."""

    def person(
        self, local: str, role: PersonRole = "owner", merchant_id: int | None = None
    ) -> Person:
        """Somebody who has accepted an invitation; owners and cashiers are the restaurant's."""
        owner = merchant_id or self.restaurant.merchant.id
        whose = Whose(owner if role in MERCHANTS else None)
        staff = self.instance.people.staff
        by = self.instance.operator()
        invited = staff.invite(whose, role, local.title(), local, by)
        return staff.accept(invited.token, PASSWORD, Visit("", ""), by.at)

    def browser(self, address: str = "192.0.2.7") -> "Browser":
        """One that has been nowhere."""
        return Browser(self.app.test_client(), address)

    def signed_in(self, person: Person) -> "Browser":
        """A browser in which somebody has signed in with a password."""
        browser = self.browser()
        answer = browser.sign_in(person)
        assert answer.status_code == 303, answer.text
        return browser

    def strong(self, person: Person) -> "Browser":
        """The same, with one-time codes that were set up just now."""
        browser = self.signed_in(person)
        page = browser.get("/account/totp").text
        secret = hidden(page, "secret")
        sent = {"secret": secret, "code": TOTP(secret).at(self.clock()), "password": PASSWORD}
        assert browser.send("/account/totp", **sent).status_code == 200
        return browser

    def acts(self, type_: str) -> list[dict[str, Any]]:
        """All acts of a type, as officials see them."""
        found = self.client.get(f"/v1/trail?type={type_}&limit=1000", headers=self.official())
        acts: list[dict[str, Any]] = found.get_json()["acts"]
        return acts


class Browser:
    """Cookies, and the form's token of the last page."""

    def __init__(self, client: FlaskClient, address: str, base: str = BASE) -> None:
        self.client = client
        self._base = base
        self._environ = {"REMOTE_ADDR": address}
        self.token = ""

    def get(self, path: str) -> TestResponse:
        """Look at a page."""
        answer = self.client.get(path, base_url=self._base, environ_base=self._environ)
        self._learn(answer)
        return answer

    def post(self, path: str, site: str | None = OURS, **fields: str) -> TestResponse:
        """Send these fields and no token, from a page of ``site``, as browsers say it."""
        headers = {} if site is None else {"Sec-Fetch-Site": site}
        answer = self.client.post(
            path, data=fields, base_url=self._base, headers=headers, environ_base=self._environ
        )
        self._learn(answer)
        return answer

    def send(self, path: str, **fields: str) -> TestResponse:
        """Send a form of the last page."""
        return self.post(path, form=self.token, **fields)

    def sign_in(self, person: Person, password: str = PASSWORD) -> TestResponse:
        """With a name and a password, on the page for it."""
        self.get("/sign-in")
        answer = self.send("/sign-in", login=person.login, password=password)
        if answer.status_code == 303:
            self.get("/account")
        return answer

    def cookie(self, name: str = SESSION) -> str | None:
        """A cookie's text."""
        found = self.client.get_cookie(name, domain="fapiao.test")
        return None if found is None else found.value

    def is_in(self) -> bool:
        """Whether somebody is signed in here."""
        return self.get("/account").status_code == 200

    def _learn(self, answer: TestResponse) -> None:
        if answer.mimetype == "text/html" and 'name="form"' in answer.text:
            self.token = hidden(answer.text, "form")


def hidden(page: str, name: str) -> str:
    """What a hidden field of a page holds."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, page
    return unescape(found[1])


def code_in(answer: TestResponse) -> str:
    """The code of what a page says was wrong; "" for none."""
    found = re.search(r'role="alert" id="([a-z_]+)"', answer.text)
    return found[1] if found else ""
