"""The page of all calls, before its viewer has started and where it never does."""

from tests.api.desk import Desk
from tests.web.customers.test_scan import Page


def test_who_waits_and_who_has_no_scripts_is_told(desk: Desk) -> None:
    page = Page(desk.client.get("/docs").text)
    assert "正在载入…" in page.text
    assert "/openapi.json" in [link["href"] for link in page.all("a")]
    sheet = desk.client.get("/static/css/docs.css").text
    assert "@media (scripting: none) { #loading { display: none; } }" in sheet
