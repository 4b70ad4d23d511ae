"""The register and the keys from the console."""

import json
import re

from tests.cli.town import TAX_ID, Town


def test_a_merchant_is_admitted_listed_suspended_and_resumed(town: Town) -> None:
    [listed] = town.asked("merchants", "list")
    assert listed["merchant"]["tax_id"] == TAX_ID
    assert town.asked("merchants", "suspend", TAX_ID)["merchant"]["status"] == "suspended"
    assert {result["code"] for result in town.sell(2, status=1)} == {"merchant_suspended"}
    assert town.asked("merchants", "resume", "1")["merchant"]["status"] == "active"
    assert {result["status"] for result in town.sell(2)} == {"issued"}


def test_each_command_that_takes_a_reason_keeps_it(town: Town) -> None:
    said = ("suspend", "resume", "leave", "readmit", "revoke")
    for what in said:
        town.run("merchants", what, TAX_ID, "--reason", f"why {what}")
    acts = town.run("trail", "--type", "suspension", "--json").splitlines()
    assert [json.loads(act)["reason"] for act in acts] == [f"why {what}" for what in said]
    wrong = town.refusal("merchants", "suspend", TAX_ID, "--reason", "x" * 201, status=2)
    assert "text_too_long at /reason" in wrong
    town.run("keys", "create", "--official")
    town.run("keys", "revoke", "1", "--reason", "lost")
    (act,) = town.run("trail", "--type", "key_revocation", "--json").splitlines()
    assert json.loads(act)["reason"] == "lost"
    for login in ("a", "b"):
        town.run("people", "invite", "--role", "viewer", "--name", "N", "--login", login)
    town.run("people", "role", "1", "auditor", "--reason", "rotates")
    town.run("people", "remove", "2", "--reason", "left")
    acts = town.run("trail", "--type", "role", "--json").splitlines()
    assert [json.loads(act).get("reason") for act in acts[-2:]] == ["rotates", "left"]


def test_a_quota_is_set_used_up_and_lifted(town: Town) -> None:
    town.asked("merchants", "quota", TAX_ID, "2")
    results = town.sell(3, status=1)
    assert [result["status"] for result in results] == ["issued", "issued", "refused"]
    assert results[2]["code"] == "quota_exhausted"
    assert town.asked("merchants", "quota", TAX_ID, "none")["merchant"]["quota"] is None
    (listed,) = town.asked("merchants", "list")
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", listed["created_at"])
    assert [result["status"] for result in town.sell(3)] == ["issued"] * 3


def test_what_is_wrong_with_a_merchant_is_named(town: Town) -> None:
    add = ("merchants", "add", "--name", "n", "--industry", "6210", "--district", "440303")
    wrong = town.refusal(*add, "--tax-id", "914403006188102082", status=2)
    assert "tax_id_invalid at /tax_id" in wrong
    assert "tax_id_taken" in town.refusal(*add, "--tax-id", TAX_ID)
    assert "merchant_unknown" in town.refusal("merchants", "suspend", "77")
    assert "merchant_unknown" in town.refusal("keys", "create", "--merchant", "nobody")
    assert "quota is a number" in town.refusal("merchants", "quota", "1", "1e3", status=2)


def test_a_key_is_shown_once_and_revoked_for_ever(town: Town) -> None:
    made = town.asked("keys", "create", "--merchant", "1", "--label", "till")
    assert made["key"].startswith("fk_")
    listed = town.run("keys", "list", "--merchant", "1", "--json")
    assert made["key"] not in listed
    assert town.asked("keys", "revoke", str(made["id"]))["revoked_at"] is not None
    assert "revoked" in town.run("keys", "list", "--merchant", TAX_ID)
    assert "api_key_unknown" in town.refusal("keys", "revoke", "99")


def test_a_key_has_terms_and_is_replaced_with_an_overlap(town: Town) -> None:
    terms = ("--scope", "issue", "--scope", "read", "--till", "T3", "--days", "9")
    made = town.asked("keys", "create", "--merchant", "1", *terms)
    assert (made["scopes"], made["till"]) == (["issue", "read"], "T3")
    assert made["expires_at"] > made["created_at"]
    new = town.asked("keys", "rotate", str(made["id"]), "--merchant", "1", "--overlap", "60")
    assert (new["scopes"], new["till"], new["key"] == made["key"]) == (
        ["issue", "read"],
        "T3",
        False,
    )
    old = next(
        key for key in town.asked("keys", "list", "--merchant", "1") if key["id"] == made["id"]
    )
    assert old["expires_at"] < new["expires_at"]
    shown = town.run("keys", "list", "--merchant", "1")
    assert "issue read" in shown
    assert "until 20" in shown
    wrong = ("keys", "rotate", str(made["id"]), "--official")
    assert "api_key_unknown" in town.refusal(*wrong)


def test_a_key_has_an_owner(town: Town) -> None:
    assert town.asked("keys", "create", "--official")["merchant_id"] is None
    assert "say whose" in town.refusal("keys", "create", status=2)
    assert "say whose" in town.refusal("keys", "list", "--official", "--merchant", "1", status=2)


def test_the_public_keys_are_those_on_disk(town: Town) -> None:
    keys = town.folder / "var/main/keys"
    expected = (keys / "log.vkey").read_text() + (keys / "promise.vkey").read_text()
    assert town.run("keys", "log") == expected
