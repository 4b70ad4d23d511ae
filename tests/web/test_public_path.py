"""A public address with a path: everything that leads on has it, kept or stripped by a proxy."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from invoice_service.app import STATIC, create_app
from invoice_service.config import Config, Service
from invoice_service.wiring import init_instance
from tests.api.desk import Desk
from tests.api.merchants.test_register import admit

PLACE = "/tax/fapiao"
PUBLIC = f"https://fp.example.cn{PLACE}"
PAGES = (
    "/",
    "/docs",
    "/verify/file",
    "/verify/list",
    "/problems",
    "/report",
    "/report/status",
    "/why",
    "/verify/scan?text=x",
    "/nowhere",
)


def config_at(folder: Path, public_url: str) -> Config:
    """Settings of an instance whose public address is this one."""
    return Config(service=Service(data_dir=str(folder), public_url=public_url))


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    """The front door of such an instance."""
    folder = tmp_path_factory.mktemp("public") / "data"
    return create_app(init_instance(config_at(folder, PUBLIC))).test_client()


@pytest.fixture(params=["kept", "stripped"])
def get(request: pytest.FixtureRequest, client: FlaskClient) -> Callable[[str], TestResponse]:
    """What is at an address that outsiders see, through a proxy of either kind."""

    def fetch(url: str) -> TestResponse:
        seen = urlsplit(urljoin(PUBLIC, url))
        assert f"{seen.scheme}://{seen.netloc}" == "https://fp.example.cn"
        assert seen.path.startswith(f"{PLACE}/"), url
        path = seen.path if request.param == "kept" else seen.path.removeprefix(PLACE)
        return client.get(f"{path}?{seen.query}")

    return fetch


@pytest.mark.parametrize("page", PAGES)
def test_links_forms_styles_and_scripts_of_every_page(
    get: Callable[[str], TestResponse], page: str
) -> None:
    html = get(PLACE + page).text
    led = re.findall(r'(?:href|src|action)="([^"#]+)"', html)
    assert len(led) > 2
    for url in led:
        assert get(urljoin(PLACE + page, url)).status_code != 404, url


def test_the_style_sheet_and_each_script_is_there(get: Callable[[str], TestResponse]) -> None:
    for file in ("css/pages.css", "css/site.css", "verify/page.js", "verify/verify.js"):
        assert get(f"{PLACE}/static/{file}").data == (STATIC / file).read_bytes()


def test_what_the_page_fetches_is_told_from_where_the_page_is() -> None:
    """Scripts know no public address: no path in them begins at the root."""
    for script in STATIC.glob("verify/*.js"):
        text = script.read_text(encoding="utf-8")
        assert not re.search(r"""(?:fetch\(|from |import\()\s*["'`]/""", text), script


def test_problems_and_the_description_name_the_public_address(
    get: Callable[[str], TestResponse],
) -> None:
    problem = json.loads(get(f"{PLACE}/v1/nothing").data)
    assert problem["type"] == f"{PUBLIC}/problems#no_such_address"
    assert json.loads(get(f"{PLACE}/openapi.json").data)["servers"] == [{"url": PUBLIC}]


def test_the_path_alone_is_the_start_page(client: FlaskClient) -> None:
    assert client.get(PLACE).data == client.get(f"{PLACE}/").data == client.get("/").data
    assert client.get("/tax/fapiaos").status_code == 404


def test_where_a_new_merchant_is(tmp_path: Path) -> None:
    with Desk(tmp_path, FAPIAO_SERVICE_PUBLIC_URL=PUBLIC) as desk:
        answer = admit(desk)
        assert answer.headers["Location"] == f"{PLACE}/v1/merchants/2"
        assert desk.client.get(answer.headers["Location"], headers=desk.official()).is_json
