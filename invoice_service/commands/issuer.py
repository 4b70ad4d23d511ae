"""``fapiao issuer``: the issuing process, as the process tree starts it."""

from contextlib import closing

import click

from invoice_service.commands.session import Session
from invoice_service.commands.wallet import wallet_signers, wallets_of
from invoice_service.documents.wallet.issue import Wallets
from invoice_service.processes.issuer import SOCKET, DirectIssuer, run_process
from invoice_service.processes.wallet import SOCKET as WALLET_SOCKET
from invoice_service.processes.wallet import WalletProcess
from invoice_service.wiring import now


@click.command(hidden=True)
@click.pass_obj
def issuer(session: Session) -> None:
    """Store what web processes hand over, committing in groups; `fapiao serve` starts it."""
    instance = session.instance()
    instance.promise_signer()  # what cannot be read is said now
    signer = wallet_signers(instance)

    def wallets() -> Wallets:
        return wallets_of(instance, signer())

    direct = DirectIssuer(instance.store, lambda: int(now().timestamp()), instance.promiser)
    with closing(WalletProcess(instance.config.run_dir / WALLET_SOCKET, wallets)):
        run_process(instance.config.run_dir / SOCKET, direct)
