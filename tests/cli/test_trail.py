"""What was done at the console stands in the trail, by the name of the user who did it."""

import json
import os
import pwd
from typing import Any

import pytest

from tests.cli.town import TAX_ID, Town

ME = f"machine:{pwd.getpwuid(os.getuid()).pw_name}"


def acts(town: Town, *arguments: str) -> list[dict[str, Any]]:
    """The acts that match."""
    return [json.loads(line) for line in town.run("trail", "--json", *arguments).splitlines()]


def test_every_command_that_changes_something_leaves_an_act(town: Town) -> None:
    town.run("merchants", "suspend", TAX_ID)
    town.run("merchants", "resume", TAX_ID)
    town.run("merchants", "quota", TAX_ID, "5")
    town.run("keys", "create", "--merchant", TAX_ID)
    town.run("keys", "create", "--official")
    town.run("keys", "revoke", "1")
    town.refusal("keys", "revoke", "9")
    found = acts(town)
    assert [(act["seq"], act["type"], act["subject"], act["outcome"]) for act in found] == [
        (1, "init", "instance", "done"),
        (2, "admission", "merchant:1", "done"),
        (3, "suspension", "merchant:1", "done"),
        (4, "suspension", "merchant:1", "done"),
        (5, "quota", "merchant:1", "done"),
        (6, "key", "key:1", "done"),
        (7, "key", "key:2", "done"),
        (8, "key_revocation", "key:1", "done"),
        (9, "key_revocation", "key:9", "refused"),
    ]
    assert {act["actor"] for act in found} == {ME}
    assert {act["origin"] for act in found} == {""}


def test_rotating_the_logs_key_says_when_it_began_and_what_came_of_it(town: Town) -> None:
    town.run("anchor")
    town.run("keys", "rotate-log")
    town.refusal("keys", "rotate-log", "--stolen", "00000000")
    found = acts(town, "--type", "log_key")
    assert [(act["outcome"], act["after"]) for act in found] == [
        ("begun", {"step": "start"}),
        ("done", {"step": "start", "statement": 2}),
        ("begun", {"key": "00000000", "step": "revoke"}),
        ("refused", {"key": "00000000", "step": "revoke"}),
    ]


def test_encrypting_the_keys_is_an_act(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAPIAO_PASSPHRASE", "six random words of no poem")
    town.run("keys", "encrypt")
    (act,) = acts(town, "--type", "encryption")
    assert (act["subject"], act["after"]) == ("keys", {"files": 2})
    assert "poem" not in json.dumps(act)


def test_the_trail_is_searched(town: Town) -> None:
    town.run("merchants", "suspend", TAX_ID)
    assert [act["seq"] for act in acts(town, "--subject", "merchant:1")] == [2, 3]
    assert [act["seq"] for act in acts(town, "--after", "2")] == [3]
    assert len(acts(town, "--actor", ME)) == 3
    assert acts(town, "--actor", "key:1") == []
    assert acts(town, "--to", "2018-08-10") == []
    assert len(acts(town, "--from", "2018-08-10")) == 3
    table = town.run("trail")
    assert "suspension" in table
    assert ME in table


def test_there_are_no_refusals_at_the_console(town: Town) -> None:
    assert town.run("trail", "--refusals", "--json") == ""
    assert "count" in town.run("trail", "--refusals")


def test_the_audit_counts_the_trail_and_names_what_is_wrong(town: Town) -> None:
    found = town.asked("audit")
    assert (found["acts"], found["refusals"]) == (2, 0)
    assert found["trail_head"] == acts(town)[-1]["hash"]
    assert found["trail_head"] in town.run("audit")
