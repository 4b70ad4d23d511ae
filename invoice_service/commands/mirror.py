"""``fapiao mirror``: copy a log and check it while copying."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import click

from chain.audit.fetch import HttpSource
from chain.audit.mirror import MirrorReport, Progress, mirror_log
from chain.errors import VerificationError
from chain.signing.trusted import read_trusted
from invoice_service.commands.log_keys import KEY_HELP
from invoice_service.commands.options import judged
from invoice_service.commands.output import json_option, print_json, progress


@click.command()
@click.argument("url")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--key", "keys", required=True, multiple=True, help=KEY_HELP)
@json_option
def mirror(*, url: str, folder: Path, keys: tuple[str, ...], as_json: bool) -> int:
    """Copy the log at URL into DIR, which any static web server can serve as the log.

    Everything is checked before it counts. Run it again at any time to follow the log, or to go on
    where it was interrupted. A log that contradicts what was seen before is refused: its
    checkpoint, and the evidence where it is one, stand in DIR/refused.
    """
    log_keys = read_trusted(keys)
    with closing(HttpSource(url)) as source, progress("copying", None) as advance, judged():
        try:
            report = mirror_log(source, folder, log_keys, steps(advance))
        except VerificationError as error:
            if "kept" in error.extra and not as_json:
                for name in ("kept", "evidence"):
                    if name in error.extra:
                        click.echo(f"{name}: {folder / str(error.extra[name])}", err=True)
            raise
    if as_json:
        print_json(described(report))
    else:
        click.echo(
            f"{report.origin}: {report.size:,} entries in {report.blocks:,} blocks,"
            f" {report.size - report.before:,} of them new, root {report.root.hex()}"
        )
    return 0


def steps(advance: Callable[[int], None]) -> Progress:
    """A bar that moves by so many, from counts that only grow."""
    seen = 0

    def report(done: int, _total: int) -> None:
        nonlocal seen
        advance(done - seen)
        seen = done

    return report


def described(report: MirrorReport) -> dict[str, int | str]:
    """What a mirror holds, for programs."""
    return {
        "origin": report.origin,
        "before": report.before,
        "size": report.size,
        "root": report.root.hex(),
        "blocks": report.blocks,
        "sealed_at": report.sealed_at,
    }
