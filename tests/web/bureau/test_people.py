"""``/bureau/people``: one proposes, another confirms; who may not, sees and does nothing."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from invoice_service.services.people.person import Person
from tests.web.people.visitors import Browser, Bureau, code_in, hidden

PAGE = "/bureau/people"


@pytest.fixture
def bureau(tmp_path: Path) -> Iterator[Bureau]:
    with Bureau(tmp_path) as bureau:
        yield bureau


def role_of(bureau: Bureau, person: Person) -> str:
    """As it is now."""
    found = bureau.instance.store.person(person.id)
    assert found is not None
    return found.role


def buttons(browser: Browser) -> set[str]:
    """Where the forms of a page go."""
    return set(re.findall(r'action="(/bureau/[^"]+)"', browser.get(PAGE).text))


def test_one_administrator_acts_alone(bureau: Bureau) -> None:
    he = bureau.person("he", "viewer")
    chen = bureau.strong(bureau.person("chen", "administrator"))
    chen.get(PAGE)
    assert chen.send(f"{PAGE}/{he.id}/role", role="examiner").status_code == 303
    assert role_of(bureau, he) == "examiner"
    invited = chen.send(PAGE, name="新人", login="new", role="viewer")
    assert "https://fapiao.test/invitation/" in invited.text


def test_two_decide_on_a_role(bureau: Bureau) -> None:
    he = bureau.person("he", "viewer")
    chen, wu = (bureau.strong(bureau.person(name, "administrator")) for name in ("chen", "wu"))
    chen.get(PAGE)
    assert chen.send(f"{PAGE}/{he.id}/role", role="examiner", reason="代班").status_code == 303
    assert role_of(bureau, he) == "viewer"
    assert "/bureau/proposals/1/confirmation" not in buttons(chen)
    assert code_in(chen.send("/bureau/proposals/1/confirmation")) == "same_person"
    assert "代班" in wu.get(PAGE).text
    assert wu.send("/bureau/proposals/1/confirmation").status_code == 303
    assert role_of(bureau, he) == "examiner"
    assert code_in(wu.send("/bureau/proposals/1/withdrawal")) == "proposal_over"
    done = [one for one in bureau.acts("proposal") if one["outcome"] == "done"]
    assert [one["after"]["state"] for one in done] == ["open", "confirmed"]
    assert len({one["actor"] for one in done}) == len(done)


def test_an_invitation_of_two_shows_its_link_once(bureau: Bureau) -> None:
    chen, wu = (bureau.strong(bureau.person(name, "administrator")) for name in ("chen", "wu"))
    chen.get(PAGE)
    proposed = chen.send(PAGE, name="<b>新人</b>", login="new", role="administrator")
    assert proposed.status_code == 303
    wu.get(PAGE)
    confirmed = wu.send("/bureau/proposals/1/confirmation")
    assert "https://fapiao.test/invitation/" in confirmed.text
    assert "<b>新人</b>" not in confirmed.text
    assert 'action="/language"' not in confirmed.text  # the link would be gone with the page
    again = wu.get(PAGE).text
    assert "https://fapiao.test/invitation/" not in again
    assert 'action="/language"' in again


def test_a_refused_form_keeps_what_was_typed_and_its_switch_leads_back(bureau: Bureau) -> None:
    he = bureau.person("he", "viewer")
    chen, _ = (bureau.strong(bureau.person(name, "administrator")) for name in ("chen", "wu"))
    chen.get(PAGE)
    page = chen.send(PAGE, name='新"人', login="no such!", role="auditor", reason="代班").text
    assert 'value="新&#34;人"' in page
    assert 'value="no such!"' in page
    assert 'value="auditor" checked' in page
    assert page.partition("<main>")[2].count('value="代班"') == 1
    chen.send(f"{PAGE}/{he.id}/role", role="examiner")
    again = chen.send(f"{PAGE}/{he.id}/role", role="examiner", reason="替补")
    assert code_in(again)
    below = again.text.partition("<main>")[2]
    assert below.count("<details open>") == below.count('value="替补"') == 1
    assert hidden(again.text, "back") == PAGE
    assert hidden(chen.send("/bureau/proposals/9/confirmation").text, "back") == "/bureau"


def test_why_somebody_is_out_in_again_or_of_another_role_is_kept(bureau: Bureau) -> None:
    he = bureau.person("he", "viewer")
    chen = bureau.strong(bureau.person("chen", "administrator"))
    chen.get(PAGE)
    steps = ("suspension", "reinstatement", "role", "removal")
    for step in steps:
        path = f"{PAGE}/{he.id}/{step}"
        wrong = chen.send(path, role="examiner", reason="x" * 201)
        assert (code_in(wrong), wrong.text.count("<details open>")) == ("text_too_long", 1), step
        assert chen.send(path, role="examiner", reason=f"因{step}").status_code == 303
    said = [one for one in bureau.acts("role") if one["subject"] == f"person:{he.id}"]
    assert [one.get("reason") for one in said[-4:]] == [f"因{step}" for step in steps]


def test_an_auditor_reads_and_an_examiner_is_not_let_in(bureau: Bureau) -> None:
    he = bureau.person("he", "examiner")
    bureau.person("chen", "administrator")
    auditor = bureau.strong(bureau.person("ada", "auditor"))
    assert buttons(auditor) == set()
    assert code_in(auditor.post(f"{PAGE}/{he.id}/role")) == "role_required"
    examiner = bureau.strong(he)
    assert code_in(examiner.get(PAGE)) == "role_required"
    examiner.get("/bureau/")
    for path, sent in (
        (f"{PAGE}/{he.id}/role", {"role": "administrator"}),
        (PAGE, {"role": "administrator"}),
    ):
        assert code_in(examiner.send(path, **sent)) == "role_required"
    assert role_of(bureau, he) == "examiner"


def test_nobody_changes_their_own_place(bureau: Bureau) -> None:
    person = bureau.person("chen", "administrator")
    chen = bureau.strong(person)
    chen.get(PAGE)
    for what in ("role", "removal", "suspension", "invitation"):
        assert code_in(chen.send(f"{PAGE}/{person.id}/{what}", role="viewer")) == "role_required"


def test_the_old_page_leads_here_and_changes_nothing_of_the_bureau(bureau: Bureau) -> None:
    he = bureau.person("he", "viewer")
    chen = bureau.strong(bureau.person("chen", "administrator"))
    assert chen.get("/people").headers["Location"] == PAGE
    chen.get(PAGE)
    answer = chen.send(f"/people/{he.id}/role", role="administrator")
    assert code_in(answer) == "merchant_unknown"
    assert role_of(bureau, he) == "viewer"


def test_somebody_is_suspended_and_let_in_again(bureau: Bureau) -> None:
    he = bureau.person("he", "examiner")
    there = bureau.strong(he)
    chen = bureau.strong(bureau.person("chen", "administrator"))
    chen.get(PAGE)
    assert chen.send(f"{PAGE}/{he.id}/suspension").status_code == 303
    assert not there.is_in()
    assert there.sign_in(he).status_code == 403
    assert chen.send(f"{PAGE}/{he.id}/reinstatement").status_code == 303
    assert there.sign_in(he).status_code == 303
