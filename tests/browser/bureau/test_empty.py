"""The bureau before its first merchant, by keyboard alone: each room says that there is nothing."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from playwright import sync_api
from pyotp import TOTP

from tests.browser.bureau.keys import keyboard
from tests.browser.working import served
from tests.web.people.visitors import PASSWORD, Browser, Bureau, hidden

pytestmark = pytest.mark.slow

NONE = "There are none in this state."
ROOMS = {
    "Merchants": "No merchant is admitted yet.",
    "Applications": NONE,
    "Requests for quota": NONE,
    "Reports of slips": NONE,
}


def before_anybody(bureau: Bureau) -> None:
    """No merchant, and no key of one."""
    with closing(sqlite3.connect(bureau.config.invoices_db)) as database, database:
        database.execute("DELETE FROM api_keys WHERE merchant_id IS NOT NULL")
        database.execute("DELETE FROM merchants")


@pytest.mark.parametrize(("size", "tag"), [("desk", "zh-CN")])
def test_nothing_is_said_in_words_and_every_room_is_reached(
    chromium_browser: sync_api.Browser, tmp_path: Path, size: str, tag: str
) -> None:
    with served() as (url, apps), Bureau(tmp_path, FAPIAO_SERVICE_PUBLIC_URL=url) as bureau:
        apps.append(bureau.app)
        before_anybody(bureau)
        person = bureau.person("admi", "administrator")
        browser = Browser(bureau.app.test_client(), "192.0.2.7", url)
        browser.sign_in(person)
        secret = hidden(browser.get("/account/totp").text, "secret")
        sent = {"secret": secret, "code": TOTP(secret).at(bureau.clock()), "password": PASSWORD}
        assert browser.send("/account/totp", **sent).status_code == 200
        bureau.clock.forward(seconds=30)
        with keyboard(chromium_browser, size, tag) as keys:
            keys.sign_in(url, person, TOTP(secret).at(bureau.clock()))
            assert keys.say("Nothing has been sealed yet.") in keys.text()
            assert keys.say("Nothing in these days.") in keys.text()
            keys.enter("Totals")
            for _ in range(2):  # as it begins, and as it is asked for
                assert keys.say("Nothing in these days.") in keys.text()
                keys.enter("Show")
            for room, said in ROOMS.items():
                keys.enter(room)
                assert keys.say(said) in keys.text(), room
            keys.enter("Merchants")
            keys.enter("Search")
            keys.enter("Look-ups")
            keys.enter("The trail")
            keys.enter("People of the bureau")
            assert "admi@bureau" in keys.text()
