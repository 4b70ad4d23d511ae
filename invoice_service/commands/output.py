"""How commands speak: tables and progress for people, JSON for programs."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

REFRESH_SECONDS: Final = 0.1
WIDE: Final = 240

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


def print_json(value: object, *, err: bool = False) -> None:
    """One JSON text on a line of its own; what is no text in it, as file names may be, is "?"."""
    try:
        text = msgspec.json.encode(value)
    except UnicodeEncodeError:
        text = msgspec.json.encode(_shown(msgspec.to_builtins(value)))
    click.echo(text, err=err)


def _shown(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_shown(key): _shown(item) for key, item in value.items()}
    return [_shown(item) for item in value] if isinstance(value, list | tuple) else value


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "", left: int = 99
) -> None:
    """A table on the standard output; the columns after the first ``left`` hold numbers."""
    table = Table(title=title or None, title_justify="left")
    for place, column in enumerate(columns):
        table.add_column(column, justify="left" if place < left else "right", overflow="fold")
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    # Into a file or a pipe nothing is folded or cut.
    width = None if sys.stdout.isatty() else WIDE
    Console(highlight=False, width=width).print(table)


@contextmanager
def progress(label: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar on the error output, when that is a terminal; yields what moves it by so many."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(label, total=total, rate="")
        began = shown = time.monotonic()
        done = 0

        def advance(count: int) -> None:
            nonlocal done, shown
            done += count
            now = time.monotonic()
            if now - shown >= REFRESH_SECONDS:  # the bar is slower than what it shows
                shown = now
                bar.update(task, completed=done, rate=f"{done / (now - began):,.0f}/s")

        yield advance
        bar.update(task, completed=done)
