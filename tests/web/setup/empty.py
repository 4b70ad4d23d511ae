"""An instance in which there is nobody and nothing, and whoever sets it up."""

from pathlib import Path
from types import TracebackType
from typing import Final, Self

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from invoice_service.app import create_app, finish
from invoice_service.config import load
from invoice_service.keys.setup import open_setup
from invoice_service.services.people.trail import ActFilter
from invoice_service.wiring import Instance, init_instance
from tests.api.desk import TEMPLATES, Clock
from tests.web.people.visitors import BASE, PASSWORD, Browser

ADMINISTRATOR: Final = {"name": "陈", "login": "admin", "password": PASSWORD}
MERCHANT: Final = {
    "name": "深圳旋转餐厅有限公司",
    "tax_id": "9144 0300 6188 1020 8n",
    "industry": "6210",
    "district": "440303",
}
OWNER: Final = {"name": "张三", "login": "zhang", "password": PASSWORD, "till": "前台"}
SALE: Final = {"item": "*餐饮服务*拿铁", "price": "￥28.5", "rate": "0.06"}


class Empty:
    """The instance, its application, and a clock that is moved."""

    def __init__(self, folder: Path, **overrides: str) -> None:
        environ = {
            "FAPIAO_SERVICE_DATA_DIR": str(folder / "data"),
            "FAPIAO_SERVICE_PUBLIC_URL": BASE,
            **overrides,
        }
        self.clock = Clock()
        self.instance: Instance = init_instance(load(None, environ), clock=self.clock)
        self.app = create_app(self.instance)
        self.app.jinja_env.bytecode_cache = TEMPLATES
        self.setup = open_setup(self.instance)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        finish(self.app)
        self.instance.close()

    def client(self) -> FlaskClient:
        return self.app.test_client()

    def browser(self, address: str = "192.0.2.7") -> Browser:
        """One that has been nowhere."""
        return Browser(self.client(), address)

    def entered(self) -> Browser:
        """One in which the code was shown."""
        browser, code = self.browser(), self.setup.offer()
        browser.get(f"/setup?code={code}")
        answer = browser.send("/setup", code=code)
        assert place(answer) == "/setup/address", answer.text
        return browser

    def acts(self) -> list[tuple[str, str, object]]:
        """(actor, type, the step that a setup act says) of all acts."""
        found = self.instance.store.acts(ActFilter(), 0, 1000)
        return [(one.act.actor, one.act.type, one.act.after.get("step")) for one in found]


def place(answer: TestResponse) -> str:
    """Where an answer leads; "" for one that leads nowhere."""
    return answer.headers.get("Location", "")


def step(browser: Browser, name: str, fields: dict[str, str]) -> str:
    """Fill in the form of a step and send it; where that leads."""
    assert browser.get(f"/setup/{name}").status_code == 200
    return place(browser.send(f"/setup/{name}", **fields))
