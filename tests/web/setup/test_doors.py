"""The demo's doors: there in a demo, and in nothing else."""

from pathlib import Path

import pytest

from invoice_service.services.people.person import Whose
from invoice_service.services.people.sessions import Visit
from invoice_service.web.setup.contract import DOORS
from invoice_service.web.setup.doors import LOGIN, MARK, is_demo
from tests.api.desk import Desk
from tests.api.routes import all_routes
from tests.web.people.visitors import PASSWORD, Browser, code_in
from tests.web.setup.empty import place

HERE = "http://127.0.0.1:8000"


def made(folder: Path, url: str = HERE, *, mark: bool = True) -> Desk:
    """An instance with a merchant and the sample's owner, as the demo makes it, or not."""
    (folder / "data").mkdir()
    if mark:
        (folder / "data" / MARK).touch()
    desk = Desk(folder, FAPIAO_SERVICE_PUBLIC_URL=url)
    by, staff = desk.instance.operator(), desk.instance.people.staff
    invited = staff.invite(Whose(1), "owner", "Sample", LOGIN, by)
    staff.accept(invited.token, PASSWORD, Visit("", ""), by.at)
    official = staff.invite(Whose(None), "administrator", "Sample", LOGIN, by)
    staff.accept(official.token, PASSWORD, Visit("", ""), by.at)
    return desk


def test_one_touch_signs_in_to_the_sample_till(tmp_path: Path) -> None:
    with made(tmp_path) as desk:
        desk.issue("A-1")
        browser = Browser(desk.app.test_client(), "127.0.0.1")
        page = browser.get("/demo").text
        assert "样本" in page
        assert "/verify/scan?hash=" in page
        assert place(browser.send("/demo/till")) in {"/till/", "/account"}
        assert browser.is_in()
        assert "sample@1" in browser.get("/account").text


def test_one_touch_signs_in_to_the_sample_tax_office(tmp_path: Path) -> None:
    with made(tmp_path) as desk:
        browser = Browser(desk.app.test_client(), "127.0.0.1")
        browser.get("/demo")
        assert place(browser.send("/demo/bureau")) == "/bureau/"
        assert browser.get("/bureau/").status_code == 200
        assert "sample@bureau" in browser.get("/account").text


def test_a_form_of_another_site_signs_nobody_in(tmp_path: Path) -> None:
    with made(tmp_path) as desk:
        browser = Browser(desk.app.test_client(), "127.0.0.1")
        browser.get("/demo")
        assert code_in(browser.post("/demo/till", "cross-site", form=browser.token)) == "form_stale"
        assert code_in(browser.post("/demo/till", form="x")) == "form_stale"
        assert not browser.is_in()


def test_before_there_is_an_owner_and_an_invoice(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / MARK).touch()
    with Desk(tmp_path, FAPIAO_SERVICE_PUBLIC_URL=HERE) as desk:
        browser = Browser(desk.app.test_client(), "127.0.0.1")
        assert browser.get("/demo").status_code == 200
        for door in ("/demo/till", "/demo/bureau"):
            assert browser.send(door).status_code == 503


@pytest.mark.parametrize(
    ("mark", "url"),
    [
        (False, "http://127.0.0.1:8000"),
        (True, "https://fapiao.test"),
        (True, "http://192.168.1.7:8000"),
        (True, "http://127.fapiao.test"),
        (True, "http://localhost.fapiao.test"),
    ],
)
def test_never_in_a_real_one(tmp_path: Path, mark: bool, url: str) -> None:
    """Though somebody is called like the sample's owner, and though the mark was put there."""
    with made(tmp_path, url, mark=mark) as desk:
        assert not is_demo(desk.config)
        assert not {(page.method, page.path) for page in DOORS} & all_routes(desk.app)
        browser = Browser(desk.app.test_client(), "127.0.0.1")
        browser.get("/sign-in")
        for answer in (browser.get("/demo"), *map(browser.send, ("/demo/till", "/demo/bureau"))):
            assert answer.status_code == 404
        assert not browser.is_in()
