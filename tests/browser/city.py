"""The bureau's pages over a small city: what an official sees of it, one page after the other."""

import json
from collections.abc import Iterator
from pathlib import Path

from invoice_service.services.people.sessions import Visit
from invoice_service.web.people.gate import SESSION, cookie_name
from tests.api.desk import JSON, MEAL, OTHER_TAX_ID
from tests.browser.chrome import Chrome
from tests.browser.working import fill, served, submit
from tests.web.people.visitors import Bureau

HOSTILE = '<img src=x onerror="alert(1)">"\'&lt;甲乙丙丁戊己庚辛壬癸甲乙丙丁戊己庚辛壬癸'
DAYS = 6


def settle(bureau: Bureau) -> str:
    """Two merchants, one with a hostile name, that sell for some days; one invoice's hash."""
    other = bureau.new_merchant(OTHER_TAX_ID, HOSTILE)
    key = bureau.auth(bureau.new_key(other.merchant.id))
    found = ""
    for day in range(DAYS):
        for number in range(1 + day % 3):
            found = bureau.issue(f"{day}-{number}")["hash"]
        body = {"order_id": f"{day}", "lines": [MEAL | {"unit_price": 1000 + day}]}
        sent = bureau.client.post(
            "/v1/invoices", data=json.dumps(body), headers={"Content-Type": JSON, **key}
        )
        assert sent.status_code == 201, sent.text
        bureau.anchor()
        bureau.clock.forward(days=1)
    bureau.reverse({"hash": found})
    bureau.anchor()
    return found


def walk_city(chrome: Chrome, folder: Path) -> Iterator[str]:
    """From the city down to an invoice, as an administrator."""
    with served() as (url, apps), Bureau(folder, FAPIAO_SERVICE_PUBLIC_URL=url) as bureau:
        apps.append(bureau.app)
        hash_ = settle(bureau)
        person = bureau.person("chen", "administrator")
        token = bureau.instance.people.sessions.open(person, "strong", Visit("", ""), "totp")
        chrome.open(f"{url}/sign-in")
        chrome.evaluate(f"document.cookie = {f'{cookie_name(url, SESSION)}={token}; path=/'!r}")
        chrome.open(f"{url}/bureau/")
        yield "the city"
        chrome.open(f"{url}/bureau/totals")
        yield "a report, asked"
        chrome.open(f"{url}/bureau/totals?by=merchant&compare=before")
        yield "a report"
        chrome.open(f"{url}/bureau/totals/check?by=merchant&at_block=3")
        yield "a figure checked"
        chrome.open(f"{url}/bureau/totals?by=moon")
        yield "a report, refused"
        chrome.open(f"{url}/bureau/merchants")
        yield "merchants"
        chrome.open(f"{url}/bureau/merchants/2")
        yield "why somebody looks"
        fill(chrome, purpose="案号 7")
        submit(chrome, "form[action='/bureau/purpose']")
        yield "a merchant's file"
        chrome.evaluate(
            "for (const one of document.querySelectorAll('.acting details')) one.open = 1"
        )
        fill(chrome, **{"why-suspension": "x" * 200})
        yield "a merchant, to be acted on"
        chrome.open(f"{url}/bureau/invoices/{hash_}")
        yield "an invoice"
        chrome.open(f"{url}/bureau/trail?type=admission")
        yield "the trail"
        chrome.open(f"{url}/bureau/lookups")
        yield "look-ups"
