"""``fapiao erase-buyer``: on the machine, for ever, and in the trail."""

import shutil
from pathlib import Path

import msgspec

from invoice_service.commands.issue import desk_of
from invoice_service.config import load
from invoice_service.services.issuing.issue import issue_one
from invoice_service.wiring import open_instance
from tests.cli.town import Town
from tests.domain.samples import order

NAME = "欧阳娜娜"


def sold(town: Town) -> str:
    """The hash of an invoice to a person."""
    instance = open_instance(load(town.folder / "config.toml", {}))
    body = msgspec.json.encode(order(buyer={"name": NAME}))
    issued = issue_one(desk_of(instance), 1, body)
    instance.close()
    assert NAME in town.run("export")
    return issued.hash


def test_a_buyer_is_erased_once(town: Town) -> None:
    hash_ = sold(town)
    done = town.asked("erase-buyer", hash_)
    assert done["hash"] == hash_
    assert "is erased" in town.run("erase-buyer", hash_)
    assert NAME not in town.run("export")
    acts = town.run("trail", "--type", "erasure")
    assert acts.count("machine:") == 1
    assert NAME not in acts
    found = town.asked("audit")
    assert (found["clean"], found["buyers_erased"]) == (True, 1)
    assert "1 documents whose buyers were erased" in town.run("audit")


def test_the_file_is_written_anew_when_asked(town: Town) -> None:
    hash_ = sold(town)
    assert town.asked("erase-buyer", hash_, "--rewrite")["hash"] == hash_
    assert town.run("erase-buyer", "--rewrite") == ""
    assert town.asked("audit")["buyers_erased"] == 1


def test_what_cannot_be_erased(town: Town) -> None:
    assert "name an INVOICE" in town.refusal("erase-buyer", status=2)
    assert "invoice_unknown" in town.refusal("erase-buyer", "01" + "0" * 64)
    assert "invoice_unknown" in town.refusal("erase-buyer", "invoice:144031809110-00000001")
    assert "password_area" in town.refusal("erase-buyer", "01", status=2)


def test_an_older_copy_whose_list_is_lost_knows_the_person_until_it_is_told(town: Town) -> None:
    """What docs/operations.md says of backups."""
    hash_ = sold(town)
    data = town.folder / "var/main/invoices.db"
    copy = Path(shutil.copy2(data, town.folder / "older.db"))
    town.run("erase-buyer", hash_)
    act = town.asked("trail", "--type", "erasure")
    shutil.copy2(copy, data)
    for name in ("-wal", "-shm"):
        data.with_name(data.name + name).unlink(missing_ok=True)
    data.with_name("erased.list").unlink()
    assert NAME in town.run("export")
    town.run("erase-buyer", act["subject"])
    assert NAME not in town.run("export")
    assert town.asked("audit")["buyers_erased"] == 1
