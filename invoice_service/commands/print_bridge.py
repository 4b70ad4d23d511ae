"""``fapiao print-bridge``: lets the till's page print on a printer of this network."""

from functools import partial

import click

from chain.errors import Problem
from invoice_service.config import LARGEST_PORT
from invoice_service.front.answer import write_problem
from invoice_service.front.door import Door, run
from invoice_service.front.limits import Limits
from invoice_service.processes.listening import listen, port_of
from invoice_service.processes.print_bridge import (
    MAX_BYTES,
    PATH,
    SECONDS,
    Bridge,
    NetworkPrinter,
    parse_origin,
    parse_place,
)

HOST = "127.0.0.1"
THREADS = 4
GRACE_SECONDS = 3.0
LIMITS = Limits(
    body_bytes=MAX_BYTES, held_bytes=16 * MAX_BYTES, connections=32, peer_connections=32
)


@click.command(name="print-bridge")
@click.option("--printer", required=True, help="The printer's address, like 192.168.1.50[:9100].")
@click.option(
    "--origin",
    "origins",
    required=True,
    multiple=True,
    help="The till's page, like https://fapiao.example.cn; may be given again.",
)
@click.option(
    "--port",
    type=click.IntRange(0, LARGEST_PORT),
    default=9101,
    show_default=True,
    help="Of this bridge.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(1, 600),
    default=SECONDS,
    show_default=True,
    help="For a printer to take a slip.",
)
def print_bridge(*, printer: str, origins: tuple[str, ...], port: int, seconds: float) -> int:
    """Hand slips from the till's page to a network printer.

    Listens on 127.0.0.1 alone, for pages of the given origins alone, until it is stopped.
    """
    place = parse_place(printer)
    bridge = Bridge(NetworkPrinter(place, seconds), [parse_origin(text) for text in origins])
    with listen(HOST, port) as listener:
        address = f"http://{HOST}:{port_of(listener)}{PATH}"
        told = f"printing on {place.host}:{place.port} what is posted to {address}; Ctrl-C stops it"
        door = partial(Door, bridge, LIMITS, _plain, threads=THREADS)
        run(door, listener, GRACE_SECONDS, partial(click.echo, told))
    return 0


def _plain(problem: Problem) -> bytes:
    """The answer to what is no request."""
    return write_problem("400 Bad Request", "text/plain", problem.code.encode())
