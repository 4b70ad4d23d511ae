"""Who of the bureau looked at what: found by person and day, and taken along."""

import csv
import io
import re
from collections.abc import Iterator

import pytest

from invoice_service.services.people.ports import KeyTerms
from tests.web.people.visitors import Browser, Bureau, code_in

PAGE = "/bureau/lookups"
HOSTILE = '=HYPERLINK("x")<b>案号 9</b>'


@pytest.fixture(scope="module")
def bureau(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bureau]:
    """An examiner who looks on two days, and the key of another who looks once."""
    with Bureau(tmp_path_factory.mktemp("bureau")) as bureau:
        person = bureau.person("ex", "examiner")
        examiner = bureau.strong(person)
        hash_ = bureau.issue()["hash"]
        examiner.get("/bureau/merchants/1")
        examiner.send("/bureau/purpose", purpose=HOSTILE, to="/bureau/merchants/1")
        for path in ("/bureau/merchants/1", f"/bureau/invoices/{hash_}", "/bureau/quota"):
            assert examiner.get(path).status_code == 200, path
        bureau.clock.forward(days=1)
        other = bureau.person("wu", "examiner")
        key = bureau.auth(bureau.new_key(None, KeyTerms(person=other.id)))
        assert bureau.client.get("/v1/merchants/1", headers=key).status_code == 200
        yield bureau


@pytest.fixture(scope="module")
def auditor(bureau: Bureau) -> Browser:
    return bureau.strong(bureau.person("au", "auditor"))


def lines(browser: Browser, asked: str) -> list[list[str]]:
    """The rows of the file."""
    answer = browser.get(f"{PAGE}/file/csv{asked}")
    assert answer.status_code == 200
    return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))[1:]


def test_who_looked_at_what_and_why(auditor: Browser) -> None:
    page = auditor.get(f"{PAGE}?from=2026-11-21").text
    subjects = re.findall(r'class="mono"[^>]*>([a-z]+:[^<]+)<', page)
    kinds = [one.partition(":")[0] for one in subjects]
    assert kinds == ["merchant", "invoice", "merchant"]  # the newest first, the queue has no name
    assert "额度申请列表" in page
    assert '<a class="mono" href="/bureau/merchants/1">merchant:1</a>' in page
    assert "<b>案号" not in page
    assert "&lt;b&gt;案号 9" in page
    assert "通过密钥" in page
    counts = re.findall(r'<td class="number">(\d+)</td>', page)
    assert counts == ["3", "3", "1", "1"]


def test_by_person_and_day(bureau: Bureau, auditor: Browser) -> None:
    today = auditor.get(PAGE).text
    assert 'value="2026-11-22"' in today
    assert "案号" not in today
    ex, wu = (one.id for one in bureau.instance.store.people(None) if one.login[:2] in ("ex", "wu"))
    assert [len(lines(auditor, f"?from=2026-11-01&person={one}")) for one in (ex, wu)] == [3, 1]
    assert "案号" not in auditor.get(f"{PAGE}?from=2026-11-01&person={wu}").text
    assert lines(auditor, "?from=2026-11-22&to=2026-11-22") == lines(auditor, "")
    assert lines(auditor, "?to=2026-11-20") == []


def test_the_file_has_all_of_it_as_text(auditor: Browser, bureau: Bureau) -> None:
    found = lines(auditor, "?from=2026-11-21&to=2026-11-22")
    assert [row[5].partition(":")[0] for row in found] == [
        *("merchant", "quota_requests", "invoice", "merchant")
    ]
    assert found[0][0].endswith("+08:00")
    assert found[3][1:3] == ["Ex", "person:1"]
    assert found[3][6] == f"'{HOSTILE}"
    acts = bureau.acts("lookup")
    assert [row[7] for row in found] == [str(one["seq"]) for one in reversed(acts)]


def test_a_file_ends_at_its_act(auditor: Browser, bureau: Bureau) -> None:
    """What is looked at later is not in it; the manifest names the act."""
    seqs = [one["seq"] for one in bureau.acts("lookup")]
    days = "?from=2026-11-21&to=2026-11-22"
    found = lines(auditor, f"{days}&up_to={seqs[-2]}")
    assert [int(row[7]) for row in found] == seqs[-2::-1]
    said = auditor.get(f"{PAGE}/file/manifest{days}&up_to={seqs[-2]}").get_json()
    assert (said["trail"]["acts"], said["rows"]) == (seqs[-2], len(found))


def test_it_comes_in_pages(auditor: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("invoice_service.web.bureau.lookups.PAGE", 3)
    monkeypatch.setattr("invoice_service.web.bureau.lookups._AT_ONCE", 2)
    page = auditor.get(f"{PAGE}?from=2026-11-21").text
    more = re.search(r'href="/bureau/lookups\?before=(\d+)&amp;[^"]*"', page)
    assert more is not None
    rest = auditor.get(f"{PAGE}?from=2026-11-21&before={more[1]}").text
    assert "/bureau/lookups?before=" not in rest
    assert len(lines(auditor, "?from=2026-11-21")) == 4


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ("from=2026-13-01", "day_invalid"),
        ("person=x", "parameter_malformed"),
        ("before=-1", "parameter_malformed"),
        ("from=2026-11-21&from=2026-11-22", "duplicate_parameter"),
    ],
)
def test_a_wrong_question_is_told(auditor: Browser, asked: str, code: str) -> None:
    assert code_in(auditor.get(f"{PAGE}?{asked}")) == code


def test_it_is_for_who_answers_for_it(bureau: Bureau) -> None:
    viewer = bureau.strong(bureau.person("vi", "viewer"))
    assert viewer.get(PAGE).status_code == 403
    assert viewer.get(f"{PAGE}/file/csv").status_code == 403
