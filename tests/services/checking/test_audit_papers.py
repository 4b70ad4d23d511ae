"""The audit names a page of the register's paper that was exchanged after the decision."""

from collections.abc import Callable
from functools import partial

import pytest

from chain.audit.finding import AuditError
from chain.hashing import sha256
from invoice_service.domain.application import papers_digest
from invoice_service.services.checking.audit_papers import PapersAudit, audit_papers
from tests.api.admission.office import apply, examined, mine, stepped, trail
from tests.api.conftest import desk, made
from tests.api.desk import Desk
from tests.web.help.conftest import photograph

__all__ = ["desk", "made", "photograph"]


@pytest.fixture
def audit(desk: Desk) -> Callable[[], PapersAudit]:
    store = desk.instance.store
    return partial(audit_papers, store, desk.instance.admission_store.papers)


@pytest.fixture
def admitted(desk: Desk, photograph: bytes) -> int:
    """One with a page, decided on."""
    id_, _ = examined(desk, photograph)
    stepped(desk, id_, "admit", batch="1")
    return id_


def test_what_the_act_says_of_the_papers_is_what_is_kept(
    desk: Desk, admitted: int, audit: Callable[[], PapersAudit]
) -> None:
    path = f"/v1/applications/{admitted}"
    shown = desk.client.get(path, headers=desk.official()).get_json()
    page = desk.client.get(f"{path}/papers/1", headers=desk.official()).data
    assert shown["paper_sha256"] == [sha256(page).hex()]
    acts = [act for act in trail(desk, "admission") if act["subject"] == f"application:{admitted}"]
    said = {"pages": 1, "papers": papers_digest([sha256(page)]).hex()}
    assert len(acts) == 3
    assert all(said.items() <= act["after"].items() for act in acts)
    assert audit() == PapersAudit(pages=1, missing=0)


def test_a_page_that_was_exchanged_on_the_disk_is_named(
    desk: Desk, admitted: int, audit: Callable[[], PapersAudit]
) -> None:
    (file,) = desk.config.admission_dir.iterdir()
    data = file.read_bytes()
    file.write_bytes(data[:-1] + b"\0")
    with pytest.raises(AuditError, match=f"page.*1 of application {admitted}"):
        audit()
    file.unlink()
    assert audit() == PapersAudit(pages=0, missing=1)


def test_a_page_that_was_exchanged_with_its_row_is_named_by_the_act(
    desk: Desk, admitted: int, audit: Callable[[], PapersAudit]
) -> None:
    (file,) = desk.config.admission_dir.iterdir()
    file.write_bytes(b"another page")
    changes: tuple[tuple[str, list[bytes]], ...] = (
        ("UPDATE application_papers SET digest = ?", [sha256(b"another page")]),
        ("UPDATE application_papers SET digest = NULL", []),
        ("DELETE FROM application_papers", []),
    )
    for change, values in changes:
        with desk.instance.store.connections.writing() as connection:
            connection.execute(change, values)
        with pytest.raises(AuditError, match=f"application.*{admitted}"):
            audit()


def test_pages_that_came_after_an_act_and_those_of_before_are_in_order(
    desk: Desk, photograph: bytes, audit: Callable[[], PapersAudit]
) -> None:
    receipt = apply(desk)["receipt"]
    id_ = 1
    mine(desk, receipt, "/papers", photograph)
    stepped(desk, id_, "notice")
    connections = desk.instance.store.connections
    papers = desk.instance.admission_store.papers
    with connections.writing() as connection:  # as an older release has kept one more
        old = papers.write(b"old page")
        row = (id_, 2, 0, 8, old)
        connection.execute(
            "INSERT INTO application_papers (application, number, at, bytes, name)"
            " VALUES (?, ?, ?, ?, ?)",
            row,
        )
    stepped(desk, id_, "refuse", reason="x")
    assert "papers" not in trail(desk, "admission")[-1]["after"]
    assert audit() == PapersAudit(pages=1, missing=0)


def test_what_was_erased_is_not_missed(
    desk: Desk, photograph: bytes, audit: Callable[[], PapersAudit]
) -> None:
    _, receipt = examined(desk, photograph)
    mine(desk, receipt, "/withdrawal")
    assert audit() == PapersAudit()
    assert list(desk.config.admission_dir.iterdir()) == []


def test_the_same_page_sent_twice_is_one(desk: Desk, photograph: bytes) -> None:
    receipt = apply(desk)["receipt"]
    version = mine(desk, receipt, "/papers", photograph).get_json()["version"]
    again = mine(desk, receipt, "/papers", photograph).get_json()
    assert (again["papers"], again["version"]) == ([1], version)
    assert len(list(desk.config.admission_dir.iterdir())) == 1
