"""How commands speak: tables and progress for people, JSON for programs."""

import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, TextIO

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from invoice_service.domain.text import visible

REFRESH_SECONDS: Final = 0.1
WIDE: Final = 240

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
reason_option = click.option("--reason", default="", help="Why, as the trail keeps it.")


_OUR_STYLES: Final = re.compile(r"(\x1b\[(?:[0-2]|3[0-7])?(?:;(?:[0-2]|3[0-7]))*m)")
"""What click and rich write for a colour, bold or dim."""


class Guarded:
    """A stream for people: of controls it passes on line ends, tabs and our own colours alone.

    Names and answers come from strangers, and a terminal obeys what it is sent. ``unguarded`` is
    the stream itself, for a bar that moves; data for programs goes to its ``buffer``.
    """

    def __init__(self, stream: TextIO) -> None:
        self.unguarded = stream

    def write(self, text: str) -> int:
        """Write it as it may be shown; returns how many characters were given."""
        if not isinstance(text, str):
            raise TypeError("a stream of text")
        pieces = _OUR_STYLES.split(text)
        pieces[::2] = map(visible, pieces[::2])
        self.unguarded.write("".join(pieces))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write each."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 # whatever a stream has
        return getattr(self.unguarded, name)


def unguarded(stream: Any) -> Any:  # noqa: ANN401 # a stream, or one that is guarded
    """The stream itself."""
    return stream.unguarded if isinstance(stream, Guarded) else stream


def print_data(data: bytes) -> None:
    """A file's bytes as they are; on a terminal as it may be shown them."""
    if sys.stdout.isatty():
        sys.stdout.write(data.decode("utf-8", "replace"))
    else:
        sys.stdout.buffer.write(data)


def print_json(value: object, *, err: bool = False) -> None:
    """One JSON text on a line of its own; what is no text in it, as file names may be, is "?"."""
    try:
        text = msgspec.json.encode(value)
    except UnicodeEncodeError:
        text = msgspec.json.encode(_shown(msgspec.to_builtins(value)))
    click.echo(text.decode(), err=err)


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
    table = Table(title=Text(title) if title else None, title_justify="left")
    for place, column in enumerate(columns):
        table.add_column(Text(column), justify="left" if place < left else "right", overflow="fold")
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))  # a text alone would be markup
    # Into a file or a pipe nothing is folded or cut.
    width = None if sys.stdout.isatty() else WIDE
    Console(highlight=False, width=width).print(table)


@contextmanager
def progress(label: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar on the error output, when that is a terminal; yields what moves it by so many."""
    console = Console(file=unguarded(sys.stderr))
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}", markup=False),
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
