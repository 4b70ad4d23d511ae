"""``fapiao issuer``: the issuing process, as the process tree starts it."""

import click

from invoice_service.commands.session import Session
from invoice_service.processes.issuer import SOCKET, DirectIssuer, run_process
from invoice_service.wiring import now


@click.command(hidden=True)
@click.pass_obj
def issuer(session: Session) -> None:
    """Store what web processes hand over, committing in groups; `fapiao serve` starts it."""
    instance = session.instance()
    instance.promise_signer()  # what cannot be read is said now
    direct = DirectIssuer(instance.store, lambda: int(now().timestamp()), instance.promiser)
    run_process(instance.config.run_dir / SOCKET, direct)
