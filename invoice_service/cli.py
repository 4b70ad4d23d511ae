"""The ``fapiao`` command: finds a command's file, and turns errors into one line and a status.

Exit status: 0 yes or done; 1 the answer is no, or it was refused; 2 the command line, the
settings or a file that it names cannot be read, so nothing was judged; 3 not available now (busy,
disk full, not initialised); 70 a fault of ours; 130 interrupted; 141 the reader of our output has
gone. Only the answer makes it 0 or 1: what a terminal cannot show is replaced, and what cannot be
written is said.
"""

import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import Final

import click

from chain.errors import MalformedError, Problem, UnavailableError
from invoice_service.commands.output import Guarded, print_json
from invoice_service.commands.session import Session

COMMANDS: Final = {
    "init": "init:init",
    "setup": "setup:setup",
    "serve": "serve:serve",
    "demo": "demo:demo",
    "merchants": "merchants:merchants",
    "keys": "keys:keys",
    "people": "people:people",
    "clock": "clock:clock",
    "issue": "issue:issue",
    "reverse": "reverse:reverse",
    "anchor": "anchor:anchor",
    "verify": "verify:verify",
    "proof": "proof:proof",
    "report": "report:report",
    "audit": "audit:audit",
    "acts": "acts:acts",
    "trail": "trail:trail",
    "export": "export:export",
    "erase-buyer": "erase_buyer:erase_buyer",
    "retention": "retention:retention",
    "backup": "backup:backup",
    "mirror": "mirror:mirror",
    "replay": "replay:replay",
    "witness": "witness:witness",
    "print": "print_paper:print_paper",
    "wallet": "wallet:wallet",
    "print-bridge": "print_bridge:print_bridge",
    "issuer": "issuer:issuer",
}
WRONG_USAGE: Final = 2
UNAVAILABLE: Final = 3
OUR_FAULT: Final = 70  # EX_SOFTWARE of sysexits.h
INTERRUPTED: Final = 130  # 128 + SIGINT, as shells have it
READER_GONE: Final = 141  # 128 + SIGPIPE, likewise


class Commands(click.Group):
    """Loads a command's file only when asked for: ``fapiao verify`` needs no web framework."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 # click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, _, name = place.partition(":")
        command: click.Command = getattr(import_module(f"invoice_service.commands.{module}"), name)
        return command


@click.group(cls=Commands)
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    envvar="FAPIAO_CONFIG",
    help="Settings; without it ./config.toml, or the defaults. FAPIAO_<SECTION>_<KEY> overrides.",
)
@click.version_option(package_name="fapiao", message="fapiao %(version)s")
@click.pass_context
def fapiao(ctx: click.Context, config_file: Path | None) -> None:
    """E-invoices that anyone can check.

    Exit status: 0 yes or done, 1 no or refused, 2 wrong usage, settings or files (nothing was
    judged), 3 not available now.
    """
    ctx.obj = Session(config_file)


def run(arguments: Sequence[str]) -> int:
    """Run one command line; returns its exit status."""
    _show_anything()
    with _guarded():
        return _run(arguments)


@contextmanager
def _guarded() -> Iterator[None]:
    """Meanwhile nothing that a stranger wrote moves the cursor of whoever reads our output."""
    streams = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = map(Guarded, streams)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = streams


def _run(arguments: Sequence[str]) -> int:
    try:
        status = fapiao.main(list(arguments), prog_name="fapiao", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except Problem as problem:
        report_problem(problem, as_json="--json" in arguments)
        return _status_of(problem)
    except (BrokenPipeError, SystemExit):
        # The reader of our output has gone, as in `fapiao export | head`; click then exits.
        _forget_output()
        return READER_GONE
    except OSError as error:  # the output's disk is full, for instance
        _forget_output()
        click.echo(f"error: {error.strerror or error}", err=True)
        return UNAVAILABLE
    except UnicodeEncodeError as error:
        if not _has_no_text(arguments):
            traceback.print_exc()
            return OUR_FAULT
        click.echo(f"error: an argument is not text in UTF-8: {error.reason}", err=True)
        return WRONG_USAGE
    except Exception:  # noqa: BLE001 # a crash must not look like the answer no
        traceback.print_exc()
        return OUR_FAULT
    return status if isinstance(status, int) else 0


def _has_no_text(arguments: Sequence[str]) -> bool:
    """Whether bytes were typed that are no characters; file names may have such."""
    return any("\udc80" <= sign <= "\udcff" for text in arguments for sign in text)


def _status_of(problem: Problem) -> int:
    """What cannot be read was not judged, unless it failed at a step of judging it."""
    if isinstance(problem, MalformedError) and "step" not in problem.extra:
        return WRONG_USAGE
    return UNAVAILABLE if isinstance(problem, UnavailableError) else 1


def _show_anything() -> None:
    """What a terminal has no letter for is shown as a question mark; no stream is no trouble."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by the caller: there is nobody to tell
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 # for the process's life
        elif isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def _forget_output() -> None:
    """What is still held for an output that takes no more would fail again at the exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def report_problem(problem: Problem, *, as_json: bool) -> None:
    """One line on the error output, for people or for programs."""
    if as_json:
        body = {"code": problem.code, "detail": problem.detail, "pointer": problem.pointer}
        print_json(body | problem.extra, err=True)
    else:
        click.echo(f"{click.style('error', fg='red')}: {problem}", err=True)


def main() -> None:
    """Entry point of the installed command."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
