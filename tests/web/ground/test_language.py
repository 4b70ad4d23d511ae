"""The language of a page: as the browser prefers, as was chosen, and nothing led astray by it."""

import re
from pathlib import Path

import pytest

from tests.api.desk import Desk, slip
from tests.web.customers.test_scan import Page

CHINESE = re.compile(r"[\u4e00-\u9fff]")
PATHS = ["/", "/verify/list", "/verify/file", "/problems", "/docs", "/nothing", "/verify/scan"]


@pytest.fixture(autouse=True)
def stranger(desk: Desk) -> None:
    """A browser that remembers nothing."""
    desk.client = desk.app.test_client()


def tag(desk: Desk, path: str = "/", **headers: str) -> str | None:
    """The language in which a page is answered."""
    answer = desk.client.get(path, headers={k.replace("_", "-"): v for k, v in headers.items()})
    (html,) = Page(answer.text).all("html")
    assert answer.headers["Content-Language"] == html["lang"]
    return html["lang"]


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        ("", "zh-Hans"),
        ("*", "zh-Hans"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-Hans"),
        ("zh-TW,en;q=0.5", "zh-Hans"),
        ("en-US,en;q=0.9,zh-CN;q=0.8", "en"),
        ("EN", "en"),
        ("fr,en;q=0.9,zh;q=0.8", "en"),
        ("fr", "en"),
        ("fr, zh;q=0.1", "zh-Hans"),
        ("en;q=0, zh", "zh-Hans"),
        ("en;q=abc", "zh-Hans"),
        (",;=,", "zh-Hans"),
        ("x" * 5000, "en"),
    ],
)
def test_a_page_speaks_what_the_browser_prefers(desk: Desk, asked: str, spoken: str) -> None:
    assert tag(desk, **({"Accept_Language": asked} if asked else {})) == spoken


def choose(desk: Desk, language: str, back: str = "/verify/list") -> None:
    """Press the switch."""
    answer = desk.client.post("/language", data={"language": language, "back": back})
    assert answer.status_code == 303
    assert answer.headers["Location"] == back
    assert answer.headers["Cache-Control"] == "no-store"


def test_what_was_chosen_is_remembered_and_goes_first(desk: Desk) -> None:
    choose(desk, "en")
    assert tag(desk, Accept_Language="zh-CN") == "en"
    choose(desk, "zh")
    assert tag(desk, Accept_Language="en") == "zh-Hans"
    desk.client.set_cookie("language", "xx")
    assert tag(desk, Accept_Language="en") == "en"


@pytest.mark.parametrize(
    ("base", "path", "secure"),
    [("https://fp.example", "/", True), ("http://127.0.0.1:8000", "/", False)],
)
def test_the_cookie_is_ours_alone(tmp_path: Path, base: str, path: str, secure: bool) -> None:
    with Desk(tmp_path, FAPIAO_SERVICE_PUBLIC_URL=base) as desk:
        answer = desk.client.post("/language", data={"language": "en"})
        said = answer.headers["Set-Cookie"].split("; ")
        assert said[0] == "language=en"
        assert {"HttpOnly", "SameSite=Lax", f"Path={path}", "Max-Age=31536000"} <= set(said)
        assert ("Secure" in said) == secure


def test_below_a_path_the_cookie_and_the_way_back_are_below_it(tmp_path: Path) -> None:
    with Desk(tmp_path, FAPIAO_SERVICE_PUBLIC_URL="https://fp.example/tax/fapiao") as desk:
        for prefix in ("", "/tax/fapiao"):
            answer = desk.client.post(
                f"{prefix}/language", data={"language": "en", "back": "/problems"}
            )
            assert answer.headers["Location"] == "/tax/fapiao/problems"
            assert "Path=/tax/fapiao;" in answer.headers["Set-Cookie"] + ";"


@pytest.mark.parametrize(
    "back",
    [
        *("", "//evil.example/", "/\\evil.example", "\\\\evil.example", "https://evil.example/"),
        *("evil.example", "/a\r\nX: y", "/a b", "/\t/evil.example", "/\u007f", " /"),
        *("/a\\b", "javascript:alert(1)"),
    ],
)
def test_the_switch_leads_nowhere_else(desk: Desk, back: str) -> None:
    answer = desk.client.post("/language", data={"language": "en", "back": back})
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/"


def test_the_switch_leads_back_to_the_same_verdict(desk: Desk) -> None:
    address = "/verify/scan?" + "&".join(f"{k}={v}" for k, v in slip(desk.issue()).items())
    page = Page(desk.client.get(address).text)
    (back,) = [field for field in page.all("input") if field.get("name") == "back"]
    assert back["value"] == address
    choose(desk, "en", address)
    assert "Genuine, not yet in the log" in desk.client.get(address).text


@pytest.mark.parametrize(
    ("data", "kind", "status", "code"),
    [
        ({"language": "xx"}, None, 422, "value_unknown"),
        ({}, None, 422, "value_unknown"),
        ({"language": "en"}, "multipart/form-data", 415, "unsupported_media_type"),
    ],
)
def test_a_language_that_we_do_not_speak_is_refused(
    desk: Desk, data: dict[str, str], kind: str | None, status: int, code: str
) -> None:
    headers = {"Content-Type": kind} if kind else {"Content-Type": FIELDS}
    answer = desk.client.post("/language", data=data, headers=headers)
    assert (answer.status_code, code in answer.text) == (status, True)
    assert "Set-Cookie" not in answer.headers


FIELDS = "application/x-www-form-urlencoded"


@pytest.mark.parametrize("path", PATHS)
def test_an_english_page_is_english(desk: Desk, path: str) -> None:
    """But for what is marked as being in the other language."""
    html = desk.client.get(path, headers={"Accept-Language": "en"}).text
    ours = re.sub(r'<(\w+)[^>]* lang="zh-Hans"[^>]*>.*?</\1>', "", html)
    ours = re.sub(r"<script.*?</script>", "", ours, flags=re.DOTALL)
    assert not CHINESE.search(ours)


def test_a_verdict_is_named_in_both_languages_and_explained_in_one(desk: Desk) -> None:
    address = "/verify/scan?" + "&".join(f"{k}={v}" for k, v in slip(desk.issue("T2")).items())
    for language, told in (("zh", "约一分钟内"), ("en", "within about a minute")):
        text = Page(desk.client.get(address, headers={"Accept-Language": language}).text).text
        assert "真票 · 待入账" in text
        assert "Genuine, not yet in the log" in text
        assert [said in text for said in ("约一分钟内", "within about a minute")].count(True) == 1
        assert told in text


def test_of_two_languages_none_is_chosen(desk: Desk) -> None:
    for twice in ({"language": ["en", "zh"], "back": "/"}, {"language": "en", "back": ["/", "/"]}):
        answer = desk.client.post("/language", data=twice)
        assert answer.status_code == 400
        assert "Set-Cookie" not in answer.headers
