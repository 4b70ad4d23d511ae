"""The first administrator, and the way back in when the last has lost everything."""

from tests.cli.town import TAX_ID, Town


def test_the_first_administrator_is_invited_and_again(town: Town) -> None:
    add = ("people", "invite", "--role", "administrator", "--name", "陈", "--login", "chen")
    made = town.asked(*add)
    assert (made["login"], made["state"]) == ("chen@bureau", "invited")
    assert "/invitation/" in made["link"]
    again = town.asked("people", "invite-again", str(made["id"]))
    assert again["link"] != made["link"]
    assert made["link"].rpartition("/")[2] not in town.run("people", "list", "--json")
    assert "chen@bureau" in town.run("people", "list")
    acts = town.run("trail", "--subject", f"person:{made['id']}")
    assert acts.count("machine:") == 3
    assert "login_taken" in town.refusal(*add)
    assert town.asked("people", "remove", str(made["id"]))["state"] == "removed"


def test_people_of_a_merchant(town: Town) -> None:
    add = ("people", "invite", "--merchant", TAX_ID, "--name", "张三", "--login", "zhang")
    assert town.asked(*add, "--role", "owner")["login"] == "zhang@1"
    assert "role_of_another" in town.refusal(*add, "--role", "administrator", status=2)
    assert town.asked("people", "list", "--merchant", "1")[0]["role"] == "owner"
    assert town.asked("people", "list") == []
    assert "person_unknown" in town.refusal("people", "remove", "77")
