"""What administrators see of reports, and do with them."""

from tests.web.help.test_report import receipt_in, send, status
from tests.web.people.visitors import BASE, Bureau, code_in


def test_an_administrator_reads_a_report_and_answers(bureau: Bureau, photograph: bytes) -> None:
    hostile = "<script>alert(1)</script>"
    receipt = receipt_in(send(bureau, (photograph,), message=f"wrong total {hostile}"))
    chen = bureau.strong(bureau.person("chen", "administrator"))
    listed = chen.get("/reports").text
    assert "wrong total" in listed
    assert hostile not in listed
    page = chen.get("/reports/1").text
    assert hostile not in page
    assert 'src="/reports/1/pictures/1"' in page
    picture = chen.client.get("/reports/1/pictures/1", base_url=BASE)
    assert (picture.content_type, picture.data[:3]) == ("image/jpeg", b"\xff\xd8\xff")
    assert picture.headers["X-Content-Type-Options"] == "nosniff"
    chen.get("/reports/1")
    assert chen.send("/reports/1", state="closed", note="Thank you").status_code == 303
    assert "Thank you" in status(bureau, receipt).text
    (act,) = bureau.acts("report")
    assert (act["subject"], act["actor"][:7]) == ("report:1", "person:")
    assert (act["before"], act["after"]) == ({"state": "new"}, {"state": "closed"})
    assert "wrong total" not in chen.get("/reports").text
    assert "wrong total" in chen.get("/reports?state=closed").text


def test_what_is_not_there_or_not_so_is_said(bureau: Bureau) -> None:
    receipt_in(send(bureau, message="x"))
    chen = bureau.strong(bureau.person("chen", "administrator"))
    for path in ("/reports/9", "/reports/x", "/reports/1/pictures/1", "/reports/1/pictures/x"):
        answer = chen.get(path)
        assert (answer.status_code, code_in(answer)) == (404, "report_unknown"), path
    chen.get("/reports/1")
    assert code_in(chen.send("/reports/1", state="burnt")) == "value_unknown"
    assert code_in(chen.send("/reports/1", state="seen", note="x" * 501)) == "text_too_long"
    assert code_in(chen.post("/reports/1", state="seen")) == "form_stale"
    assert bureau.acts("report") == []
