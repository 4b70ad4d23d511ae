"""``fapiao replay``: a simulated year of a city, for benchmarks and charts."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import msgspec

from invoice_service.commands.output import json_option, print_json, progress
from invoice_service.commands.session import Session
from invoice_service.config import Config
from invoice_service.domain.money import format_yuan
from invoice_service.domain.numbering import SHANGHAI
from invoice_service.replay.apart import anchors_apart
from invoice_service.replay.produce import Plan, batches_apart
from invoice_service.replay.run import Outcome, admit_city, issue_city, open_simulated, plan_clock
from invoice_service.wiring import init_instance


@click.command()
@click.option("--invoices", type=click.IntRange(1, 100_000_000), default=50_000, show_default=True)
@click.option("--merchants", type=click.IntRange(1, 1_000_000), default=2_000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed, another city.")
@click.option("--days", type=click.IntRange(1, 3_650), default=365, show_default=True)
@click.option(
    "--from",
    "first",
    type=click.DateTime(["%Y-%m-%d"]),
    help="First day; else so that the last is yesterday.",
)
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("var/replay"),
    show_default=True,
    help="The instance to fill: a new one is made there. Never the one of config.toml by itself.",
)
@json_option
@click.pass_obj
def replay(
    session: Session,
    *,
    invoices: int,
    merchants: int,
    seed: int,
    days: int,
    first: datetime | None,
    folder: Path,
    as_json: bool,
) -> None:
    """Issue a simulated year of a city, on a simulated clock, into an instance of its own.

    Merchants, industries and districts are those of the data files; orders come with the rush of
    noon and evening; a few are reversed. The same seed and first day make the same year.
    """
    yesterday = datetime.now(UTC).astimezone(SHANGHAI).date() - timedelta(days=1)
    plan = Plan(
        invoices=invoices,
        merchants=merchants,
        seed=seed,
        days=days,
        first_day=first.date() if first else yesterday - timedelta(days=days - 1),
    )
    config = _elsewhere(session.config, folder)
    began = time.monotonic()
    outcome = run_plan(config, plan)
    seconds = time.monotonic() - began
    if as_json:
        print_json(
            {"data_dir": str(config.data_dir), "seconds": round(seconds, 1), **_as_dict(outcome)}
        )
        return
    click.echo(
        f"issued {outcome.invoices:,} invoices and {outcome.reversals:,} reversals of"
        f" {merchants:,} merchants, net ¥{format_yuan(outcome.total)}; the log has"
        f" {outcome.log_size:,} entries; {seconds:,.0f} s, {outcome.invoices / seconds:,.0f}/s"
    )
    click.echo(f"look at it: FAPIAO_SERVICE_DATA_DIR={config.data_dir} fapiao report --by industry")


def run_plan(config: Config, plan: Plan) -> Outcome:
    """Make the instance and fill it."""
    init_instance(config, clock=plan_clock(plan)).close()
    instance, clock = open_simulated(config, plan)
    merchants = admit_city(instance, plan)
    with (
        batches_apart(plan, merchants, config.tax.rates) as batches,
        anchors_apart(config, plan.seed) as anchors,
        progress("replaying", plan.invoices) as advance,
    ):
        outcome = issue_city(instance, clock, plan, batches, anchors.order, advance)
        outcome.log_size = anchors.finish()
    instance.close()
    return outcome


def _elsewhere(config: Config, folder: Path) -> Config:
    service = msgspec.structs.replace(config.service, data_dir=str(folder.resolve()))
    return msgspec.structs.replace(config, service=service)


def _as_dict(outcome: Outcome) -> dict[str, int]:
    return {
        "invoices": outcome.invoices,
        "reversals": outcome.reversals,
        "net_total": outcome.total,
        "log_size": outcome.log_size,
    }
