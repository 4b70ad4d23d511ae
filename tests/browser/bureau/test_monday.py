"""Monday morning at the bureau, by keyboard alone, as each official has it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from zipfile import ZipFile

import pytest
from playwright import sync_api
from pyotp import TOTP

from chain.hashing import sha256
from invoice_service.api.help.calls import SCANS
from invoice_service.domain.application import OPEN
from invoice_service.replay.city import build_city
from invoice_service.services.people.person import Person, PersonRole
from invoice_service.services.people.ports import SCOPES, KeyTerms
from tests.api.admission.office import applied, stepped
from tests.api.desk import slip
from tests.browser.bureau.keys import Keys, keyboard
from tests.browser.city import HOSTILE, settle
from tests.browser.test_apply_page import paper
from tests.browser.working import served
from tests.web.people.visitors import PASSWORD, Browser, Bureau, hidden

pytestmark = pytest.mark.slow

TAX_IDS = [shop.request.tax_id for shop in build_city(7, 3).shops]
CAFE, BAKERY = "海岸咖啡馆", "麦田面包房"


@dataclass
class Morning:
    """A bureau to which things have come over the weekend."""

    url: str
    bureau: Bureau
    people: Mapping[PersonRole, tuple[Person, TOTP]]
    wrong: str
    number: str

    def come(self, keys: Keys, role: PersonRole) -> None:
        """Somebody signs in; each code is good once."""
        person, totp = self.people[role]
        self.bureau.clock.forward(seconds=30)
        keys.sign_in(self.url, person, totp.at(self.bureau.clock()))

    def state(self) -> str:
        """How the third application stands: an examiner may have been there."""
        state = self.bureau.instance.admission.bench.one(3).state
        return {"notice": "public notice"}.get(state, state)


def _official(bureau: Bureau, url: str, role: PersonRole) -> tuple[Person, TOTP]:
    """Somebody with one-time codes, which were set up at another time."""
    person = bureau.person(f"{role[:4]}", role)
    browser = Browser(bureau.app.test_client(), "192.0.2.7", url)
    assert browser.sign_in(person).status_code == 303
    secret = hidden(browser.get("/account/totp").text, "secret")
    sent = {"secret": secret, "code": TOTP(secret).at(bureau.clock()), "password": PASSWORD}
    assert browser.send("/account/totp", **sent).status_code == 200
    return person, TOTP(secret)


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Morning]:
    """Applications that were shown long enough; requests for quota; a slip that is wrong."""
    folder = tmp_path_factory.mktemp("monday")
    with served() as (url, apps), Bureau(folder, FAPIAO_SERVICE_PUBLIC_URL=url) as bureau:
        apps.append(bureau.app)
        first, _ = applied(bureau, paper(), name=CAFE, tax_id=TAX_IDS[0])
        second, _ = applied(bureau, paper(), name=BAKERY, tax_id=TAX_IDS[1])
        third, _ = applied(bureau, paper(), name=HOSTILE, tax_id=TAX_IDS[2])
        for one in (first, second, third):
            stepped(bureau, one, "notice")
        settle(bureau)  # six days
        for merchant in (1, 2):
            key = bureau.auth(bureau.new_key(merchant, KeyTerms(scopes=SCOPES["merchant"])))
            asked = {"reason": "Spring Festival", "month_quota": 500_000}
            answer = bureau.client.post("/v1/quota-requests", json=asked, headers=key)
            assert answer.status_code == 201, answer.text
        sold = bureau.issue("weekend")
        bureau.client.get("/verify/scan", query_string=slip(sold, total_amount="913"))
        bureau.app.extensions[SCANS].flush()
        bureau.anchor_all()
        roles: tuple[PersonRole, ...] = ("viewer", "examiner", "administrator", "auditor")
        people = {role: _official(bureau, url, role) for role in roles}
        yield Morning(url, bureau, people, sold["hash"], sold["number"])


@pytest.mark.parametrize(
    ("size", "tag", "name"),
    [("desk", "zh-CN", CAFE), ("tablet", "en", BAKERY)],
)
def test_an_administrators_morning(
    chromium_browser: sync_api.Browser,
    morning: Morning,
    size: str,
    tag: str,
    name: str,
) -> None:
    """What is new; one admission; one request for quota; scans that did not fit; one report."""
    bureau = morning.bureau
    with keyboard(chromium_browser, size, tag) as keys:
        morning.come(keys, "administrator")
        applications = bureau.instance.admission.bench.store
        keys.enter(f"{len(applications.applications(OPEN, 0, 9))}", "applications")
        keys.enter(keys.say("public notice"))
        keys.enter(name)
        keys.choose("Risk", "low")
        keys.choose("Credit class", "B")
        keys.choose("Warning", "blue")
        keys.enter("Keep what was found")
        keys.type("Batch of the pilot", "2026-11")
        keys.type("In a month, yuan without tax", "80000")
        keys.enter("Admit the merchant")
        assert keys.say("admitted") in keys.text()
        assert keys.say("blue") in keys.text()

        keys.enter("The bureau")
        asked = len(bureau.instance.store.quota_requests(None, "open", 0, 9))
        keys.enter(f"{asked}", "requests for quota")
        keys.type("Answer, which the merchant reads", "好 ok")
        keys.enter("Grant")
        assert len(bureau.instance.store.quota_requests(None, "open", 0, 9)) == asked - 1

        keys.enter("Merchants")
        keys.enter("深圳市旋转餐厅")
        keys.type("Purpose", "案号 2026-7")
        keys.page.keyboard.press("Enter")
        keys.page.wait_for_url("**/bureau/merchants/1")
        assert keys.say("Scans that did not fit") in keys.text()
        keys.enter(morning.wrong[:16])
        assert morning.number in keys.text()

        keys.page.goto(f"{morning.url}/bureau/merchants/1")
        keys.to("Set what it may issue")
        keys.page.keyboard.press("Enter")
        keys.type("On one invoice, yuan without tax", f"{len(tag)}0000")
        keys.type("Reason, which the merchant reads", "春节 banquets")
        keys.enter("Set the limits")
        assert keys.say("The limits are set.") in keys.text()
        assert "春节 banquets" in keys.text()

        keys.enter("Totals")
        keys.choose("By", "Merchant")
        keys.to("the period before")
        keys.page.keyboard.press("Space")
        keys.enter("Show")
        data = keys.take("CSV").read_bytes()
        told = json.loads(keys.take("Manifest").read_bytes())
        assert told["sha256"]["csv"] == sha256(data).hex()
        assert HOSTILE.replace('"', '""') in data.decode()
        assert keys.take("Excel").read_bytes().startswith(b"PK")
        keys.enter("Sign out")


@pytest.mark.parametrize(("size", "tag"), [("desk", "en"), ("tablet", "zh-CN")])
def test_an_examiners_morning(
    chromium_browser: sync_api.Browser, morning: Morning, size: str, tag: str
) -> None:
    """Examines, and cannot admit; asks an applicant; looks, once he has said why."""
    with keyboard(chromium_browser, size, tag) as keys:
        morning.come(keys, "examiner")
        keys.enter("Applications")
        keys.enter(morning.state())
        keys.enter("<img")
        keys.choose("Risk", "middle")
        keys.enter("Keep what was found")
        assert keys.say("middle") in keys.text()
        assert keys.page.locator("#batch").count() == 0  # admitting is the administrator's
        keys.type("Ask or tell the applicant something", "请补充租赁合同 the lease, please")
        keys.enter("Send")
        assert "请补充租赁合同 the lease, please" in keys.text()
        keys.enter("Merchants")
        keys.enter("<img")
        keys.type("Purpose", "巡查")
        keys.page.keyboard.press("Enter")
        keys.page.wait_for_url("**/bureau/merchants/2")
        keys.page.wait_for_selector("#along")  # the page that asked had the same address
        with ZipFile(keys.take("All together (zip)")) as archive:
            whole = {one.partition(".")[2]: archive.read(one) for one in archive.namelist()}
        told = json.loads(whole.pop("manifest.json"))
        assert told["sha256"] == {ending: sha256(data).hex() for ending, data in whole.items()}
        assert HOSTILE in json.loads(whole["json"])["tables"]["merchant"]["rows"][0]["name"]
        assert keys.say("The trail") not in keys.page.inner_text("nav.rooms")


@pytest.mark.parametrize(
    ("role", "size", "tag"), [("viewer", "tablet", "zh-CN"), ("auditor", "desk", "en")]
)
def test_those_who_only_look(
    chromium_browser: sync_api.Browser, morning: Morning, role: PersonRole, size: str, tag: str
) -> None:
    """A viewer has masked totals alone; an auditor sees all of it, and can do none of it."""
    with keyboard(chromium_browser, size, tag) as keys:
        morning.come(keys, role)
        keys.enter("Totals")
        keys.choose("By", "Merchant")
        keys.enter("Show")
        assert (HOSTILE in keys.text()) == (role == "auditor")
        rooms = keys.page.inner_text("nav.rooms")
        for name in ("Applications", "Requests for quota", "The trail"):
            assert (keys.say(name) in rooms) == (role == "auditor"), name
        if role == "viewer":
            return
        keys.enter("Applications")
        keys.enter(morning.state())
        keys.enter("<img")
        assert keys.page.locator("main form [name=version]").count() == 0
        keys.enter("The trail")
        assert "admission" in keys.text()
