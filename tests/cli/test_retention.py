"""``fapiao retention`` and ``fapiao backup``: what goes when, copies by their time, nobody back."""

import os
import shutil
from pathlib import Path

import msgspec
import pytest

from invoice_service.commands.issue import desk_of
from invoice_service.config import load
from invoice_service.domain.application import ApplicationRequest
from invoice_service.retention.folder import backups_in
from invoice_service.services.checking.audit_trail import audit_trail
from invoice_service.services.help.desk import receipt_of
from invoice_service.services.help.ports import Sent
from invoice_service.services.issuing.issue import issue_one
from invoice_service.wiring import open_instance
from tests.cli.test_erase_buyer import NAME, sold
from tests.cli.town import Town
from tests.domain.samples import order


@pytest.fixture
def backups(town: Town) -> Path:
    """Where the settings say that backups are."""
    folder = town.folder / "backups"
    settings = town.folder / "config.toml"
    settings.write_text(f'{settings.read_text()}\n[retention]\nbackups = "backups"\n')
    return folder


def test_what_goes_is_shown_before_it_does(town: Town) -> None:
    found = {one["name"]: one for one in town.asked("retention")["retention"]}
    assert found["person_days"] == {"name": "person_days", "days": 0, "due": 0, "next": None}
    assert found["claim_days"]["days"] == 400
    said = town.run("retention")
    assert "person_days  who the buyers were, of people: kept for ever" in said
    old = town.folder / "var/main/output/web.log.1"
    old.parent.mkdir(exist_ok=True)
    old.write_text("")
    os.utime(old, (1, 1))
    assert "older output: 30 days; 1 due" in town.run("retention")
    assert old.exists()
    assert "older output: 30 days; 0 due" in town.run("retention", "--apply")
    assert not old.exists()


def test_a_backup_brings_nobody_back_and_goes_in_its_time(town: Town, backups: Path) -> None:
    hash_ = sold(town)
    instance = open_instance(load(town.folder / "config.toml", {}))
    issue_one(
        desk_of(instance), 1, msgspec.json.encode(order(order_id="B2", buyer={"name": "王五"}))
    )
    instance.close()
    town.run("anchor")
    made = town.asked("backup")
    copy = Path(made["folder"])
    assert copy.parent == backups
    assert made["kept_until"] is not None
    town.run("erase-buyer", hash_)
    data, damaged = town.folder / "var/main", town.folder / "damaged"
    data.rename(damaged)
    shutil.copytree(copy, data)
    shutil.copytree(damaged / "keys", data / "keys")
    exported = town.run("export")
    assert NAME not in exported
    assert "王五" in exported
    found = town.asked("audit")
    assert (found["clean"], found["buyers_erased"]) == (True, 1)
    assert town.run("trail", "--type", "erasure").count("service") == 1


def test_reports_are_in_a_backup_and_those_erased_since_do_not_come_back(
    town: Town, backups: Path
) -> None:
    """Erased before the copy is put back, by its sender: all of one, how to reach another."""
    instance = open_instance(load(town.folder / "config.toml", {}))
    receipts = [receipt_of(f"{n}" * 48, [b"x"]) for n in range(3)]
    for receipt in receipts:
        sent = Sent(said="", message=f"about {receipt}", contact="13800000000")
        instance.reports.take(receipt, sent, [b"\xff\xd8"])
    copy = Path(town.asked("backup")["folder"])
    instance.reports.erase(receipts[0], "all")
    instance.reports.erase(receipts[1], "contact")
    instance.close()
    data, damaged = town.folder / "var/main", town.folder / "damaged"
    data.rename(damaged)
    shutil.copytree(copy, data)
    shutil.copytree(damaged / "keys", data / "keys")
    instance = open_instance(load(town.folder / "config.toml", {}))
    found = [instance.reports.look(receipt) for receipt in receipts]
    assert [(one.erased, one.sent.contact) for one in found] == [
        (True, ""),
        (False, ""),
        (False, "13800000000"),
    ]
    assert [len(one.pictures) for one in found] == [0, 1, 1]
    assert instance.help_store.picture(2, 1) == b"\xff\xd8"
    assert instance.help_store.picture(1, 1) is None
    instance.close()
    left = b"".join(path.read_bytes() for path in data.rglob("help/**/*") if path.is_file())
    assert receipts[0].encode() not in left


def test_papers_are_in_a_backup_and_what_was_withdrawn_since_does_not_come_back(
    town: Town, backups: Path
) -> None:
    instance = open_instance(load(town.folder / "config.toml", {}))
    desk = instance.admission.applications
    receipts = []
    for number in range(3):
        asked = ApplicationRequest(
            tax_id="91330100799655058B",
            name="面馆",
            industry="6210",
            district="440303",
            contact="王",
        )
        receipts.append(desk.receipt(f"{number:048x}", asked, []))
        desk.apply(receipts[-1], asked, [b"page %d" % number])
    pages = [desk.look(one).papers[0].name for one in receipts]
    (town.folder / "var/main/admission" / f"{pages[2]}.jpg").write_bytes(b"another")
    made = town.asked("backup")
    copy = Path(made["folder"])
    assert made["papers"] == {"whole": 2, "gone": 0, "damaged": 1}
    assert (copy / "admission").stat().st_mode & 0o777 == 0o700
    desk.withdraw(receipts[0])
    instance.close()
    data, damaged = town.folder / "var/main", town.folder / "damaged"
    data.rename(damaged)
    shutil.copytree(copy, data)
    shutil.copytree(damaged / "keys", data / "keys")
    instance = open_instance(load(town.folder / "config.toml", {}))
    desk = instance.admission.applications
    assert [desk.look(one).state for one in receipts] == ["withdrawn", "received", "received"]
    assert (desk.look(receipts[0]).contact, desk.look(receipts[1]).contact) == ("", "王")
    assert instance.admission.bench.paper(2, 1) == b"page 1"
    os.utime(data / "admission" / f"{pages[0]}.jpg", (1, 1))
    instance.admission_store.tidy(0)
    assert sorted(path.stem for path in (data / "admission").iterdir()) == sorted(pages[1:])
    audit_trail(instance.store)
    instance.close()
    assert town.run("trail", "--type", "admission").count("service") == 1
    found = town.asked("audit", status=1)
    assert found["kind"] == "page"


def test_old_backups_are_deleted_but_not_the_newest_nor_what_is_none(
    town: Town, backups: Path
) -> None:
    first = Path(town.asked("backup")["folder"])
    older = first.rename(backups / "20200101T000000Z")
    stranger = backups / "20200102T000000Z"
    stranger.mkdir()
    assert [one.path for one in backups_in(backups)] == [older]
    assert "0 due" in next(
        line for line in town.run("retention").splitlines() if line.startswith("backup_days")
    )
    made = town.asked("backup", "--prune")
    assert made["deleted"] == 1
    assert not older.exists()
    assert stranger.exists()
    assert [str(one.path) for one in backups_in(backups)] == [made["folder"]]


def test_a_backup_needs_a_place_and_says_what_failed(town: Town) -> None:
    assert "name a FOLDER" in town.refusal("backup", status=2)
    inside = town.folder / "var/main/backups"
    assert "backup_failed" in town.refusal("backup", str(inside), status=3)
