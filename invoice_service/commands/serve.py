"""``fapiao serve``: the whole service in the foreground, as one tree of processes."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType
from typing import Final, NamedTuple

import click
import msgspec
import urllib3

from chain.errors import Problem, UnavailableError
from invoice_service.commands.address import can_change, change_address
from invoice_service.commands.session import Session
from invoice_service.commands.welcome import local_url, show_link
from invoice_service.config import Config
from invoice_service.keys.setup import AddressWish, SetupFile, open_setup
from invoice_service.processes.supervise import Output, Tree, free_port

READY_SECONDS = 60.0
LOOK_SECONDS = 0.2
DIED: Final = 3  # the exit status when the programs end by themselves
STRANGERS_ASKED = 12  # a stranger with as many processes is missed once in four thousand starts


@click.command()
@click.pass_obj
def serve(session: Session) -> int:
    """Run web, issuing process, worker and beat until Ctrl-C or SIGTERM.

    What they print is shown here and kept, bounded, in the folder `output` of the instance.
    """
    port = session.config.web.port or free_port(session.config.web.host)
    begun = _begin(session, offers=True)
    with stop_signals() as stop:
        while isinstance(end := _serve(session, port, begun, stop), AddressWish):
            moved = _move(session, end)
            begun = _begin(session, offers=False)
            if moved:
                _door(session).take_up(end.kept)
    return end


class Begun(NamedTuple):
    """What is said of setting up: the code ("": none is told), and whether it is wanted."""

    code: str
    wanted: bool


def _begin(session: Session, *, offers: bool) -> Begun:
    """Say what is missing before anything starts; who sets up may ask for another address."""
    instance = session.instance()
    instance.check_keys()
    instance.check_tiles()
    setup = open_setup(instance)
    wanted = setup.is_wanted()
    code = setup.offer() if wanted and offers else ""
    instance.close()
    _door(session).listen(hears=wanted and can_change(session))
    return Begun(code, wanted)


def _serve(session: Session, port: int, begun: Begun, stop: Event) -> int | AddressWish:
    """Run the programs until they end, which is told by a status, or another address is wished."""
    config, environ = with_port(session.config, port), session.environ()
    if session.config.web.port == 0:
        environ["FAPIAO_WEB_PORT"] = str(port)
    wish: AddressWish | None = None
    with Tree(config, environ) as tree:
        output = Output(config)
        tree.start()
        said_ready, deadline = False, time.monotonic() + READY_SECONDS
        while tree.alive() and wish is None and not stop.wait(LOOK_SECONDS):
            show(output)
            if not said_ready and (is_ready(config) or time.monotonic() > deadline):
                said_ready = True
                refuse_strangers(config, tree.name)
                _announce(config, begun.code)
            wish = _door(session).wished() if begun.wanted else None
        ended_by_itself = wish is None and not stop.is_set()
        if not ended_by_itself:
            click.echo("stopping", err=True)
        tree.stop()
        show(output)
    if ended_by_itself:
        click.secho("error: the supervisor ended; see output/supervisor.log", fg="red", err=True)
        return DIED
    return 0 if wish is None or stop.is_set() else wish


def _move(session: Session, wish: AddressWish) -> bool:
    """Have the instance made anew under the address that was wished; said aloud where not."""
    try:
        config = change_address(session, wish.url)
    except Problem as problem:
        click.secho(f"error: {problem}", fg="red", err=True)
        return False
    url, origin = config.service.public_url, config.log_origin
    click.echo(f"✓ 地址 address: {url}, log {origin}")
    click.echo("在网页中继续 Go on in the browser; another link: fapiao setup --link")
    return True


def _door(session: Session) -> SetupFile:
    return SetupFile(session.config.run_dir, lambda: int(time.time()), os.urandom)


def with_port(config: Config, port: int) -> Config:
    """The same settings with another port to listen on."""
    return msgspec.structs.replace(config, web=msgspec.structs.replace(config.web, port=port))


def show(output: Output) -> None:
    """Print what the programs have written since the last call, each line with its program."""
    for name, line in output.new_lines():
        click.echo(f"{click.style(f'{name:>10}', fg='cyan')} | {line}")


def is_ready(config: Config) -> bool:
    """Whether the service takes requests (GET /readyz)."""
    try:
        answer = urllib3.request("GET", f"{local_url(config)}/readyz", timeout=2, retries=False)
    except urllib3.exceptions.HTTPError:
        return False
    return answer.status == 200


def refuse_strangers(config: Config, run: str) -> None:
    """Ask several times who answers; UnavailableError ``port_in_use`` when it is not always us.

    Two programs can listen on one port, and the kernel gives the requests to both.
    """
    for name in filter(None, (_answers_as(config) for _ in range(STRANGERS_ASKED))):
        if not name.endswith(f"+{run}"):
            place = f"{config.web.host}:{config.web.port}"
            raise UnavailableError("port_in_use", f"{name} answers on {place}, too")


def _answers_as(config: Config) -> str:
    """Under which name the port answers a new connection; "" when it does not."""
    url = f"{local_url(config)}/readyz"
    try:
        with urllib3.PoolManager(retries=False, timeout=2) as pool:
            said = msgspec.json.decode(pool.request("GET", url).data)
    except (urllib3.exceptions.HTTPError, msgspec.MsgspecError):
        return ""
    return str(said.get("instance", "")) if isinstance(said, dict) else ""


@contextmanager
def stop_signals() -> Iterator[Event]:
    """An event that SIGINT, SIGTERM and SIGHUP set; a second one interrupts the stopping."""
    stop = Event()

    def handle(_signum: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {
        signum: signal.signal(signum, handle)
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield stop
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def _announce(config: Config, code: str) -> None:
    """Say that requests are taken, and where a new instance is set up with this ``code``."""
    if is_ready(config):
        click.echo(f"ready: {config.service.public_url} (listening on {local_url(config)})")
        if code:
            show_link(config, code)
    else:
        click.secho(
            f"not ready after {READY_SECONDS:.0f} s; what is wrong: {local_url(config)}/readyz",
            fg="yellow",
        )
