"""The ``fapiao`` command: finds a command's file, and turns errors into one line and a status.

Exit status: 0 yes or done; 1 the answer is no, or it was refused; 2 the command line is wrong;
3 not available now (busy, disk full, not initialised); 130 interrupted.
"""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Final

import click
import msgspec

from chain.errors import Problem, UnavailableError
from invoice_service.commands.session import Session

COMMANDS: Final = {
    "init": "init:init",
    "serve": "serve:serve",
    "demo": "demo:demo",
    "merchants": "merchants:merchants",
    "keys": "keys:keys",
    "issue": "issue:issue",
    "anchor": "anchor:anchor",
    "verify": "verify:verify",
    "proof": "proof:proof",
    "report": "report:report",
    "audit": "audit:audit",
    "export": "export:export",
    "mirror": "mirror:mirror",
    "replay": "replay:replay",
    "witness": "witness:witness",
    "issuer": "issuer:issuer",
}
INTERRUPTED: Final = 130  # 128 + SIGINT, as shells have it


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

    Exit status: 0 yes or done, 1 no or refused, 2 wrong usage, 3 not available now.
    """
    ctx.obj = Session(config_file)


def run(arguments: Sequence[str]) -> int:
    """Run one command line; returns its exit status."""
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
        return 3 if isinstance(problem, UnavailableError) else 1
    except BrokenPipeError:  # the reader of our output has gone, as in `fapiao export | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status if isinstance(status, int) else 0


def report_problem(problem: Problem, *, as_json: bool) -> None:
    """One line on the error output, for people or for programs."""
    if as_json:
        body = {"code": problem.code, "detail": problem.detail, "pointer": problem.pointer}
        click.echo(msgspec.json.encode(body | problem.extra), err=True)
    else:
        click.echo(f"{click.style('error', fg='red')}: {problem}", err=True)


def main() -> None:
    """Entry point of the installed command."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
