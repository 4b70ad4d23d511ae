"""The pages of people at work, one after the other: for whoever looks at all of them.

Each is left as it stays; what is sent on the way is what people send.
"""

import re
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from flask import Flask
from PIL import Image
from pyotp import TOTP
from werkzeug.serving import make_server

from invoice_service.keys.setup import SetupFile
from invoice_service.services.people.person import Whose
from invoice_service.services.people.sessions import Visit
from invoice_service.web.people.gate import SESSION, cookie_name
from invoice_service.web.setup.doors import LOGIN, MARK
from tests.api.desk import MEAL, OTHER_TAX_ID, Desk, slip
from tests.browser.chrome import Chrome
from tests.web.people.visitors import OTHER_PASSWORD, PASSWORD, Bureau
from tests.web.setup.empty import ADMINISTRATOR, MERCHANT, OWNER, SALE, Empty

FILL: Final = "document.querySelector({selector!r}).value = {value!r}"
SUBMIT: Final = "document.querySelector({selector!r}).requestSubmit()"
TEXT: Final = "document.body.innerText"


@contextmanager
def served(host: str = "localhost") -> Iterator[tuple[str, list[Flask]]]:
    """An address, and a list of one application to be put behind it."""
    apps: list[Flask] = []
    server = make_server(host, 0, lambda environ, start: apps[0](environ, start), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://{host}:{server.server_port}", apps
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def fill(chrome: Chrome, **fields: str) -> None:
    """Put values into fields by their ids."""
    for name, value in fields.items():
        chrome.evaluate(FILL.format(selector=f"#{name}", value=value))


def submit(chrome: Chrome, selector: str) -> None:
    """Send a form as its button would, and wait for the page after."""
    chrome.evaluate(SUBMIT.format(selector=selector))
    chrome.wait()


def walk_people(chrome: Chrome, folder: Path) -> Iterator[str]:
    """Signing in, an account, people, a second factor, an invitation; the name of each page."""
    with served() as (url, apps), Bureau(folder, FAPIAO_SERVICE_PUBLIC_URL=url) as bureau:
        apps.append(bureau.app)
        owner = bureau.person("zhang")
        chrome.open(f"{url}/sign-in")
        fill(chrome, login=owner.login, password=OTHER_PASSWORD)
        submit(chrome, "main form")
        yield "sign in refused"
        fill(chrome, login=owner.login, password=PASSWORD)
        submit(chrome, "main form")
        yield "account"
        chrome.open(f"{url}/people")
        fill(chrome, name="李四", login="li")
        submit(chrome, "form[action='/people']")
        yield "people, invited"
        link = re.search(r"http://\S+/invitation/\S+", chrome.evaluate(TEXT))
        assert link
        chrome.open(f"{url}/account/totp")
        yield "one-time codes"
        secret = chrome.evaluate("document.querySelector('[name=secret]').value")
        code = TOTP(secret).at(bureau.clock())
        fill(chrome, code=code, again=PASSWORD)
        submit(chrome, "form[action='/account/totp']")
        yield "recovery codes"
        chrome.open(f"{url}/account")
        submit(chrome, "form[action='/sign-out']")
        fill(chrome, login=owner.login, password=PASSWORD)
        submit(chrome, "main form")
        yield "second step"
        chrome.open(f"{url}/people/7")
        yield "nothing there"
        chrome.open(link[0])
        yield "invitation"
        fill(chrome, password="zhangzhangzhang1")
        submit(chrome, "main form")
        yield "cashier's account"


def walk_bureau(chrome: Chrome, folder: Path) -> Iterator[str]:
    """The bureau: its people, what one proposes, and another confirms."""
    with served() as (url, apps), Bureau(folder, FAPIAO_SERVICE_PUBLIC_URL=url) as bureau:
        apps.append(bureau.app)
        people = {name: bureau.person(name, "administrator") for name in ("chen", "wu")}
        people |= {"he": bureau.person("he", "examiner"), "ada": bureau.person("ada", "auditor")}
        sessions = bureau.instance.people.sessions

        def come(name: str) -> None:
            token = sessions.open(people[name], "strong", Visit("", ""), "totp")
            cookie = f"{cookie_name(url, SESSION)}={token}; path=/"
            chrome.evaluate(f"document.cookie = {cookie!r}")

        chrome.open(f"{url}/sign-in")
        come("chen")
        chrome.open(f"{url}/bureau/")
        yield "the bureau"
        chrome.open(f"{url}/bureau/people")
        yield "the bureau's people"
        fill(
            chrome, name="<b>新来的一位名字很长的审核员同志</b>", login="new", **{"why-new": "代班"}
        )
        submit(chrome, "form[action='/bureau/people']")
        place = f"form[action='/bureau/people/{people['he'].id}/role']"
        chrome.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
        yield "the bureau's people, one open"
        fill(chrome, **{f"role-{people['he'].id}": "auditor"})
        submit(chrome, place)
        come("wu")
        chrome.open(f"{url}/bureau/people")
        yield "two proposals"
        submit(chrome, "form[action='/bureau/proposals/2/confirmation']")
        submit(chrome, "form[action='/bureau/proposals/1/confirmation']")
        yield "a link to hand over"
        come("ada")
        chrome.open(f"{url}/bureau/people")
        yield "an auditor's look"


def walk_setup(chrome: Chrome, folder: Path) -> Iterator[str]:
    """From the code to the first slip."""
    with served("127.0.0.1") as (url, apps), Empty(folder, FAPIAO_SERVICE_PUBLIC_URL=url) as empty:
        apps.append(empty.app)
        door = empty.setup.door
        assert isinstance(door, SetupFile)
        door.listen(hears=True)  # as whoever serves it would
        chrome.open(f"{url}/setup?code={empty.setup.offer()}")
        yield "setup code"
        submit(chrome, "main form")
        fill(chrome, address="https://fapiao.example.cn/v1")
        submit(chrome, "main form")
        yield "setup address"
        fill(chrome, address="https://fapiao.example.cn")
        submit(chrome, "main form")
        yield "setup moved"
        chrome.open(f"{url}/setup/administrator")
        yield "setup administrator"
        fill(chrome, **ADMINISTRATOR)
        submit(chrome, "main form")
        fill(chrome, **{**MERCHANT, "tax_id": "914403006188102112"})
        submit(chrome, "main form")
        yield "setup merchant"
        fill(chrome, tax_id=MERCHANT["tax_id"])
        submit(chrome, "main form")
        yield "setup owner"
        fill(chrome, **OWNER)
        submit(chrome, "main form")
        yield "setup till"
        chrome.open(f"{url}/setup/sale")
        fill(chrome, **SALE)
        yield "setup sale"
        submit(chrome, "main form")
        yield "setup end"
        chrome.open("about:blank")


def walk_doors(chrome: Chrome, folder: Path) -> Iterator[str]:
    """The demo's doors, and what is behind one of them; the till has looks of its own."""
    (folder / "data").mkdir(parents=True)
    (folder / "data" / MARK).touch()
    with served("127.0.0.1") as (url, apps), Desk(folder, FAPIAO_SERVICE_PUBLIC_URL=url) as desk:
        apps.append(desk.app)
        staff, by = desk.instance.people.staff, desk.instance.operator()
        invited = staff.invite(Whose(1), "owner", "样本店主", LOGIN, by)
        staff.accept(invited.token, PASSWORD, Visit("", ""), by.at)
        for number in range(1, 4):
            invoice = desk.issue(f"T{number}")
        desk.reverse(invoice)
        desk.anchor()
        chrome.open(f"{url}/demo")
        yield "doors"
        submit(chrome, "form[action='/verify/list']")
        yield "doors, the pile"
        chrome.open("about:blank")  # what asks again and again does so no more


def walk_claim(chrome: Chrome, folder: Path) -> Generator[str]:
    """What a person has claimed, may hand on and have forgotten; and a merchant's own way."""
    with (
        served("127.0.0.1") as (url, apps),
        Bureau(folder, FAPIAO_SERVICE_PUBLIC_URL=url) as bureau,
    ):
        apps.append(bureau.app)
        order = bureau.post("/v1/orders", {"order_id": "A1", "lines": [MEAL]}).get_json()
        chrome.open(order["link"])
        fill(chrome, name="欧阳娜娜")
        submit(chrome, "#claim")
        bureau.anchor()
        chrome.evaluate("document.querySelector('#forget').open = true")
        yield "claimed"
        chrome.evaluate("document.querySelector('[name=sure]').checked = true")
        submit(chrome, ".forget form")
        yield "claimed, erased"
        owner = bureau.person("zhang")
        chrome.open(f"{url}/sign-in")
        fill(chrome, login=owner.login, password=PASSWORD)
        submit(chrome, "main form")
        found = bureau.client.get(f"/v1/orders/{order['id']}", headers=bureau.auth()).get_json()
        chrome.open(f"{url}/till/invoices/{found['shares'][0]['hash']}/share")
        yield "share"


def walk_reports(chrome: Chrome, folder: Path) -> Generator[str]:
    """A slip is reported, an administrator answers, its sender reads that and has all erased."""
    with served() as (url, apps), Bureau(folder, FAPIAO_SERVICE_PUBLIC_URL=url) as bureau:
        apps.append(bureau.app)
        scan = slip(bureau.issue(), total_amount="913")
        chrome.open(f"{url}/report?{urlencode(scan)}")
        submit(chrome, "main form")  # what was scanned is enough
        chrome.open(f"{url}/report?{urlencode(scan)}")
        fill(chrome, message="小票上写的是 9.13 元", place="旋转餐厅", contact="13800000000")
        submit(chrome, "main form")
        yield "report arrived"
        submit(chrome, "main form")
        yield "report's state"
        picture = Image.new("RGB", (900, 1200), "grey")
        with BytesIO() as file:
            picture.save(file, "PNG")
            form = {"nonce": "0" * 48, "picture": (BytesIO(file.getvalue()), "slip.png")}
            answer = bureau.client.post("/report", data=form, content_type="multipart/form-data")
        assert answer.status_code == 200
        chrome.open(f"{url}/report/status")
        fill(chrome, receipt="00000-00000-00000-00000")
        submit(chrome, "main form")
        yield "no such receipt"
        person = bureau.person("chen", "administrator")
        sessions = bureau.instance.people.sessions
        token = sessions.open(person, "strong", Visit("", ""), "totp")
        chrome.evaluate(f"document.cookie = {f'{cookie_name(url, SESSION)}={token}; path=/'!r}")
        for path, name in (("", "reports"), ("/2", "a report"), ("/3", "a report's photograph")):
            chrome.open(f"{url}/reports{path}")
            yield name


def walk_claims(chrome: Chrome, folder: Path) -> Iterator[str]:
    """A guest's page: alone, refused, claimed, in the log, taken back; shared; and what is over."""
    with served("127.0.0.1") as (url, apps), Desk(folder, FAPIAO_SERVICE_PUBLIC_URL=url) as desk:
        apps.append(desk.app)
        first = _ordered(desk, "C1")
        chrome.open(first["link"])
        yield "claim"
        chrome.evaluate("document.querySelector('[name=kind][value=company]').click()")
        fill(chrome, name="深圳市采购有限公司")
        submit(chrome, "#claim")
        yield "claim, refused"
        fill(chrome, tax_id=OTHER_TAX_ID)
        chrome.evaluate("document.querySelector('#remember').click()")
        submit(chrome, "#claim")
        yield "claimed"
        desk.anchor()
        chrome.open(first["link"])
        yield "claimed, in the log"
        share = desk.client.get(f"/v1/orders/{first['id']}", headers=desk.auth()).get_json()
        desk.reverse(share["shares"][0])
        chrome.open(first["link"])
        yield "claimed, taken back"
        chrome.open(_ordered(desk, "C2", parts=3)["link"])
        yield "claim, shared"
        gone = _ordered(desk, "C3")
        desk.client.delete(f"/v1/orders/{gone['id']}", headers=desk.auth())
        chrome.open(gone["link"])
        yield "claim, cancelled"
        _claimed_by_another(desk, taken := _ordered(desk, "C4"), url)
        chrome.open(taken["link"])
        yield "claim, taken by another"
        chrome.open(_ordered(desk, "C5", after_payment=True)["link"])
        yield "claim, waits"
        late = _ordered(desk, "C6", expires_in=60)
        desk.clock.forward(minutes=2)
        chrome.open(late["link"])
        yield "claim, expired"
        chrome.open(f"{url}/claim/{'A' * 24}")
        yield "claim, nothing"
        chrome.open("about:blank")  # what asks again and again does so no more


def _claimed_by_another(desk: Desk, order: dict[str, Any], url: str) -> None:
    """Another guest's browser was quicker."""
    phone, path = desk.app.test_client(), urlsplit(order["link"]).path
    mine = re.search(r'name="mine" value="([^"]+)"', phone.get(path, base_url=url).text)
    assert mine
    answer = phone.post(path, data={"mine": mine[1], "kind": "individual"}, base_url=url)
    assert answer.status_code < 400, answer.text


def _ordered(desk: Desk, order_id: str, **more: object) -> dict[str, Any]:
    soup = {"name": "*餐饮服务*老火靓汤（四人份，送米饭）", "unit_price": 8800, "tax_rate": "0.06"}
    answer = desk.post("/v1/orders", {"order_id": order_id, "lines": [MEAL, soup], **more})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


WALKS: Final = {
    "people": walk_people,
    "bureau": walk_bureau,
    "claim": walk_claim,
    "claims": walk_claims,
    "setup": walk_setup,
    "doors": walk_doors,
    "reports": walk_reports,
}
