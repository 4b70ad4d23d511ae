"""``--reason`` of every command that has one: refused, or printed as a text alone."""

from collections.abc import Iterator

import click

from invoice_service.cli import fapiao
from tests.cli.test_strangers_words import CONTROLS
from tests.cli.town import Town
from tests.reasons import HOSTILE, LINES, NO_REASONS, SHOWN

WHOM = {
    **{f"merchants {act}": ("1",) for act in ("suspend", "resume", "leave", "readmit", "revoke")},
    "merchants quota": ("1", "7"),
    "people role": ("1", "auditor"),
    **{f"people {act}": ("1",) for act in ("suspend", "reinstate", "remove")},
    "keys revoke": ("1",),
}
"""What each command is told beside, in an order in which each can be done."""
ELSEWHERE = {"reverse"}
"""Where a reason is one of a list."""


def with_reasons(command: click.Command, name: str = "") -> Iterator[str]:
    """The commands below one that take a reason."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for part in command.list_commands(context):
            one = command.get_command(context, part)
            assert one is not None
            yield from with_reasons(one, f"{name} {part}".strip())
    elif any("--reason" in one.opts for one in command.params):
        yield name


def test_reasons_are_refused_or_texts(town: Town) -> None:
    assert set(with_reasons(fapiao)) - ELSEWHERE == WHOM.keys()
    town.run("keys", "create", "--merchant", "1", "--label", "a")
    town.run("people", "invite", "--role", "viewer", "--name", "何", "--login", "he")
    before = town.run("trail")
    for command, whom in WHOM.items():
        for text, code in (*NO_REASONS, LINES):
            status, out, err = town.tried(*command.split(), *whom, "--reason", text)
            assert (status, code in err) == (2, True), (command, err)
            assert CONTROLS.findall(out + err) == [], command
    assert town.run("trail") == before
    for command, whom in WHOM.items():
        status, out, err = town.tried(*command.split(), *whom, "--reason", HOSTILE)
        assert status == 0 or "error" in err, (command, err)
        assert CONTROLS.findall(out + err) == [], command
    assert town.run("trail").count(SHOWN) > len(WHOM) // 2
