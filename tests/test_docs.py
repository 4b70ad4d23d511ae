"""Documentation that fails the build when it lies: links, commands, settings, decisions."""

import re
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import click
import pytest

from invoice_service.cli import COMMANDS, fapiao
from invoice_service.config import Config

ROOT = Path(__file__).parents[1]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
INTERNAL = {"issuer"}
"""Commands that the supervisor runs, not people."""


def text(page: str) -> str:
    """What a page says."""
    return (ROOT / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    for link in links:
        if "://" not in link:
            assert (page.parent / link).exists(), link


def test_every_decision_is_listed() -> None:
    listed = set(re.findall(r"\((\d{4}[^)]*\.md)\)", text("docs/adr/README.md")))
    assert listed == {page.name for page in (ROOT / "docs/adr").glob("[0-9]*.md")}


COMMAND_LINE = text("README.md").partition("## Command line")[2].partition("\n## ")[0]


def _spans(words: str) -> list[str]:
    """What stands there as code."""
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", words)]


def test_every_command_is_in_the_readme() -> None:
    listed = _spans(COMMAND_LINE)[0].removeprefix("fapiao ").split(" · ")
    assert listed == [name for name in COMMANDS if name not in INTERNAL]


def _commands(group: click.Group, *before: str) -> Iterator[tuple[str, click.Command]]:
    """Every command with its whole name."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from _commands(command, *before, name)
        elif command is not None:
            yield " ".join((*before, name)), command


def test_the_readme_says_which_commands_have_no_json() -> None:
    _, but, exceptions = COMMAND_LINE.partition("`--json`, with all but")
    assert but
    without = {
        name
        for name, command in _commands(fapiao)
        if not any("--json" in option.opts for option in command.params)
    }
    assert set(_spans(exceptions)) == without - INTERNAL


def test_every_make_target_in_the_docs_is_there() -> None:
    targets = set(re.findall(r"^([a-z]+):", text("Makefile"), re.MULTILINE))
    for page in PAGES:
        for target in re.findall(r"`make ([a-z]+)", page.read_text(encoding="utf-8")):
            assert target in targets, (page.name, target)


def test_config_toml_names_every_setting_with_its_default_and_a_comment() -> None:
    written = text("config.toml")
    tables = tomllib.loads(written)
    for section in Config.__struct_fields__:
        struct = getattr(Config(), section)
        defaults = dict(zip(struct.__struct_encode_fields__, struct.__struct_fields__, strict=True))
        assert set(tables[section]) == set(defaults), section
        for key, field in defaults.items():
            default = getattr(struct, field)
            assert tables[section][key] == (
                list(default) if isinstance(default, tuple) else default
            )
            paragraph = re.search(rf"(?:^.+\n)*^{re.escape(key)} = ", written, re.MULTILINE)
            assert paragraph, key
            assert "#" in paragraph.group(), key


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads(text("pyproject.toml"))["project"]
    reasons = text("docs/dependencies.md").lower()
    everything = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    for requirement in everything:
        name = re.split(r"[\[~=<>]", requirement)[0].lower()
        if not name.startswith("types-"):
            assert name in reasons or name.replace("pytest-", "") in reasons, name


def test_nothing_of_ours_makes_digests_but_the_chain() -> None:
    """The lint rule says so too; this holds for files that the linter is not shown."""
    for folder in ("chain", "invoice_service", "workers", "bench", "scripts"):
        for path in (ROOT / folder).rglob("*.py"):
            code = path.read_text(encoding="utf-8")
            assert not re.search(r"^\s*(import|from) (hashlib|hmac)\b", code, re.MULTILINE), path
            if (
                "Crypto.Hash" in code and folder != "bench"
            ):  # which measures the machine's own limit
                assert path == ROOT / "chain/hashing.py", path
