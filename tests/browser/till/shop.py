"""A restaurant behind the real server, and people at its tills in a real browser."""

import json
import sqlite3
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page

from invoice_service.services.people.person import Person, PersonRole, Whose
from invoice_service.services.people.sessions import Visit
from invoice_service.services.till.ports import Bill
from invoice_service.storage.sqlite.till.bills import BillRows
from invoice_service.storage.sqlite.tries import TRIES
from invoice_service.web.people.gate import SESSION, cookie_name
from tests.api.desk import TAX_ID
from tests.documents.printer import Printer
from tests.front.stage import stage
from tests.patience import PATIENCE, wait_until
from tests.web.people.visitors import PASSWORD, Bureau

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MENU: Final = """菜品,分类,单价,税率,简码
*餐饮服务*北京烤鸭,热菜,128.00,6%,01
*餐饮服务*宫保鸡丁,热菜,48,6%,02
*餐饮服务*麻婆豆腐,热菜,28,6%,03
*餐饮服务*扬州炒饭,主食,26,6%,04
*餐饮服务*白米饭,主食,3,6%,05
*餐饮服务*凉拌黄瓜（微辣，可供四人享用的大份）,凉菜,12,6%,06
*酒*青岛啤酒,酒水,10,13%,6901234567892
"""
DUCK, CHICKEN, TOFU = ("0", "1", "Enter"), ("0", "2", "Enter"), ("0", "3", "Enter")
"""Keys that put a dish on the bill."""
WALLET: Final = "digital-yuan"
"""Who holds what guests have paid in advance."""

_REQUESTS: Final = count(1)
SIZES: Final = {
    "phone": (390, 844),
    "tablet": (820, 1180),
    "lying": (1180, 820),  # a tablet on its side
    "desk": (1280, 900),
}
LOADING: Final = "Failed to load resource: the server responded with a status of"

# Keys as a scanner sends them: at one moment, into whatever has the focus, however slow the page.
SCAN: Final = """text => {
    const events = [...text, "Enter"].map(key =>
        new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
    const value = performance.now(); // else a busy machine makes them one after the other
    for (const event of events) {
        Object.defineProperty(event, "timeStamp", {value});
        const { key } = event;
        const goesOn = (document.activeElement ?? document.body).dispatchEvent(event);
        const field = document.activeElement;
        if (goesOn && key !== "Enter" && field instanceof HTMLInputElement) {
            field.value += key;
            field.dispatchEvent(new Event("input", {bubbles: true}));
        }
    }
}"""

# A receipt printer on a serial line, which keeps what it took.
PRINTER: Final = """(() => {
    const keep = bytes => {
        const text = btoa(String.fromCharCode(...bytes));
        localStorage.setItem("paper", (localStorage.getItem("paper") ?? "") + text + " ");
    };
    const port = {
        async open() {
            if (localStorage.getItem("unplugged")) throw new Error("no such port");
            let taken = [];
            this.writable = {getWriter: () => ({
                async write(bytes) { taken.push(...bytes); },
                async close() { keep(taken); },
                async abort() {},
                releaseLock() {},
            })};
        },
        async close() {},
    };
    const serial = {
        async getPorts() { return localStorage.getItem("chosen") ? [port] : []; },
        async requestPort() { localStorage.setItem("chosen", "1"); return port; },
    };
    Object.defineProperty(navigator, "serial", {value: serial});
})()"""


def title_code(name: str, tax_id: str) -> str:
    """A company's title as its code has it."""
    text = f"{name}</>{tax_id}</></></>".encode()
    return f"$01{b64encode(text + f'{_crc16(text):04X}'.encode()).decode()}$"


def _crc16(data: bytes) -> int:
    """x^16 + x^15 + x^2 + 1, bit by bit, as the rule for these codes says."""
    register = 0
    for bit in (byte >> place & 1 for byte in (*data, 0, 0) for place in range(7, -1, -1)):
        register = register << 1 | bit
        if register & 0x10000:
            register ^= 0x18005
    return register


class Shop:
    """The restaurant, its people, and where it is."""

    def __init__(self, bureau: Bureau, url: str) -> None:
        self.bureau = bureau
        self.url = url
        self.people = {"zhang": bureau.person("zhang"), "li": bureau.person("li", "cashier")}

    def forget_tries(self) -> None:
        """What the bound on guessing has counted of all these people at one address."""
        counted = self.bureau.config.run_dir / TRIES
        if counted.exists():
            with closing(sqlite3.connect(counted)) as connection, connection:
                connection.execute("DELETE FROM tries")

    def prepaid(self, amount: int) -> str:
        """A guest's new account with so many fen: its id, which is what its code says."""
        said = {
            "request_id": f"R{next(_REQUESTS)}",
            "merchant": TAX_ID,
            "amount": amount,
            "terms": "十次商务午餐",
            "expires_at": "2027-11-21T04:30:00Z",
        }
        opened = self.bureau.instance.prepaid.open(WALLET, json.dumps(said).encode())
        return opened.whole.account.id

    def held(self, account: str) -> int:
        """Fen that are left in it."""
        return self.bureau.instance.prepaid.one(account).sums.held

    def invitation(self, local: str, role: PersonRole = "owner") -> str:
        """The address that somebody new is given."""
        whose = Whose(self.bureau.restaurant.merchant.id)
        by = self.bureau.instance.operator()
        invited = self.bureau.instance.people.staff.invite(whose, role, "王五", local, by)
        return f"{self.url}/invitation/{invited.token}"


@contextmanager
def refused_half_way(shop: Shop) -> Iterator[None]:
    """Within the block the quota ends one invoice after a bill was fixed."""
    store, merchant_id = shop.bureau.instance.store, shop.bureau.restaurant.merchant.id

    def quota(left: int | None) -> None:
        account = store.account(merchant_id)
        most = None if left is None or account is None else account.used + left
        store.set_quota(merchant_id, most, shop.bureau.instance.operator())

    def fix_and_lower(*call: Any) -> Bill:  # noqa: ANN401 # as it is called
        fixed = fix(*call)
        quota(1)
        return fixed

    fix = BillRows.fix_bill
    BillRows.fix_bill = fix_and_lower  # type: ignore[method-assign,assignment] # as a race
    try:
        yield
    finally:
        BillRows.fix_bill = fix  # type: ignore[method-assign]
        quota(None)


@contextmanager
def opened(folder: Path, name: str = "") -> Iterator[Shop]:
    """A restaurant that has sold nothing, until the end of the block; browsers call it ``name``."""
    apps: list[WSGIApplication] = []

    def answer(environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        return apps[0](environ, start)

    with ExitStack() as serving:
        host, port = serving.enter_context(stage(answer, threads=8))
        url = f"http://{name or host}:{port}"
        with Bureau(folder, FAPIAO_SERVICE_PUBLIC_URL=url) as bureau:
            apps.append(bureau.app)
            yield Shop(bureau, url)
            serving.close()  # before the instance: feeds are asked each second


class Till:
    """One browser at a till, with everything that its pages complained about."""

    def __init__(self, browser: Browser, shop: Shop, tag: str = "zh-CN", **options: Any) -> None:  # noqa: ANN401 # Playwright's
        width, height = SIZES[options.pop("size", "desk")]
        self.shop = shop
        self.complaints: list[str] = []
        self.context: BrowserContext = browser.new_context(
            viewport={"width": width, "height": height}, locale=tag, **options
        )
        self.context.set_default_timeout(PATIENCE * 1000)
        self.context.add_init_script(PRINTER)
        self.page = self.tab()

    def tab(self) -> Page:
        """Another tab of this browser."""
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._note)
        return page

    def _note(self, said: ConsoleMessage) -> None:
        if said.type in ("error", "warning"):
            self.complaints.append(said.text)

    def sign_in(self, person: Person) -> None:
        """With the password, however often a quick machine's tests have just done so."""
        self.shop.forget_tries()
        self.page.goto(f"{self.shop.url}/sign-in?to=/till/")
        self.page.fill("#login", person.login)
        self.page.fill("#password", PASSWORD)
        self.page.click("form[action='/sign-in'] button")
        self.ready()

    def resize(self, size: str) -> None:
        """Have a screen of another size."""
        width, height = SIZES[size]
        self.page.set_viewport_size({"width": width, "height": height})

    def come(self, person: Person) -> None:
        """Begin as in a new browser, in which somebody has signed in."""
        self.context.clear_cookies()
        kept = {"origin": self.shop.url, "storageTypes": "all"}
        self.context.new_cdp_session(self.page).send("Storage.clearDataForOrigin", kept)
        sessions = self.shop.bureau.instance.people.sessions
        token = sessions.open(person, "full", Visit("", ""), "password")
        name = cookie_name(self.shop.url, SESSION)
        self.context.add_cookies([{"name": name, "value": token, "url": self.shop.url}])
        self.go("/till/")

    def leave(self) -> None:
        """End what was begun; nothing may have been complained about, as at the end of all."""
        self.context.set_offline(offline=False)
        page, *others = self.context.pages or [self.tab()]
        for other in others:
            other.close()
        page.unroute_all()
        page.goto("about:blank")
        self.page = page
        found = self.complained()
        self.complaints.clear()
        assert found == []

    def complained(self) -> list[str]:
        """Whatever the pages complained about but calls that were refused or cut."""
        return [said for said in self.complaints if not said.startswith(LOADING)]

    def go(self, path: str) -> None:
        """To a page of the till."""
        self.page.goto(f"{self.shop.url}{path}")
        self.ready()

    def ready(self) -> None:
        """Once the page has all that it shows."""
        try:
            self.page.wait_for_selector("body[data-ready]")
        except Error as error:
            error.add_note(f"{self.page.url}\n{self.page.inner_text('body')}\n{self.complaints}")
            raise

    def open_begun(self) -> None:
        """Touch the sale that was not finished."""
        self.page.click(".chip.begun")
        self.page.wait_for_selector('.chip.begun[aria-pressed="true"]')

    def press(self, *keys: str) -> None:
        """Keys, as a hand presses them."""
        for key in keys:
            self.page.keyboard.press(key)

    def scan(self, text: str) -> None:
        """What a scanner reads."""
        self.page.evaluate(SCAN, text)

    def text(self, selector: str) -> str:
        """What a part says."""
        return self.page.inner_text(selector)

    def wait_text(self, selector: str, words: str) -> None:
        """Until a part says so."""
        wait_until(lambda: words in self.text(selector), f"{selector} says {words}")

    def choose_printer(self) -> None:
        """The one on the serial line."""
        self.go("/till/settings")
        self.page.check("[data-at=way-serial]")
        self.page.click("[data-at=choose]")
        self.wait_text("#said", "打印机已选好")

    def papers(self) -> list[list[str]]:
        """The lines of every slip that was printed."""
        kept: str = self.page.evaluate("localStorage.getItem('paper') ?? ''")
        return [Printer(384).take(b64decode(job)).texts for job in kept.split()]

    def close(self) -> None:
        """Close it; nothing may have been complained about."""
        found = self.complained()
        self.context.close()
        assert found == []


def sold(shop: Shop) -> int:
    """How many invoices there are."""
    return shop.bureau.count()


def write_menu(till: Till) -> None:
    """The menu from a file, and some tables."""
    till.go("/till/settings")
    file = {"name": "menu.csv", "mimeType": "text/csv", "buffer": MENU.encode()}
    till.page.set_input_files("#menu-file", file)  # type: ignore[arg-type] # a file in memory
    till.page.wait_for_selector("#menu tbody tr:nth-child(7)")
    till.page.click("#menu-form > .buttons > button:first-child")
    till.wait_text("#said", "菜单已保存")
    till.page.fill("#tables", "1-8\n包间")
    till.page.click("#tables-form button")
    till.wait_text("#said", "桌号已保存")


def state(till: Till) -> dict[str, Any]:
    """What the service says to this browser."""
    found: dict[str, Any] = json.loads(
        till.page.evaluate("fetch('/till/state').then(answer => answer.text())")
    )
    return found
