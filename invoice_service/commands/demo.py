"""``fapiao demo``: the whole story on this machine, in a fresh instance under var/demo."""

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from secrets import token_urlsafe
from types import FrameType
from typing import Final, NoReturn

import click
from rich.console import Console
from rich.markup import escape

from chain.errors import ConflictError, Problem, UnavailableError
from invoice_service.commands.demo_day import Day
from invoice_service.commands.demo_living import Living
from invoice_service.commands.demo_till import set_the_tables
from invoice_service.commands.remote import Remote
from invoice_service.commands.serve import READY_SECONDS, is_ready
from invoice_service.config import Config, env_name, load
from invoice_service.domain.qrtext import scan_url
from invoice_service.processes.supervise import Tree, free_port, port_is_free, take_lock
from invoice_service.services.people.admit import create_key
from invoice_service.services.people.person import Whose
from invoice_service.services.people.sessions import Visit
from invoice_service.services.till.days import Days
from invoice_service.web.setup.doors import LOGIN, MARK
from invoice_service.wiring import Instance, init_instance, open_instance

FOLDER: Final = Path("var/demo")
HOST: Final = "127.0.0.1"
PORT: Final = 8000


@click.command()
@click.option("--once", is_flag=True, help="Stop by itself; exit 0 only if everything held.")
def demo(*, once: bool) -> int:
    """Start everything, issue a day of a restaurant's orders, verify each, compare the totals.

    Works in var/demo below the current folder, which it deletes first if it has made it. The
    pages stay up until Ctrl-C.
    """
    console = Console()
    with only_demo(), terminable():
        clear(FOLDER)
        config, environ = settle(FOLDER)
        instance = init_instance(config)
        key = official_key(instance)
        with Tree(config, environ) as tree:
            day = Day(config.service.public_url, key, FOLDER.resolve(), console)
            try:
                with day.step("start web, issuing process, worker and beat") as say:
                    tree.start()
                    wait_ready(tree, config)
                    say(config.service.public_url)
                day.run()
            except Problem:
                console.print(f"what the processes said: {FOLDER}/output", style="yellow")
                raise
            if not once:
                invite_people(config)
                show(console, config, day)
                console.print("\n按 Ctrl-C 停止。 Ctrl-C stops everything.", style="bold")
                stay(tree, _living(config, day.merchant_key))
    console.print("Everything held." if once else "Everything is stopped.", style="green")
    return 0


def _living(config: Config, merchant_key: str) -> Living:
    """What goes on while somebody looks: after midnight it is still the evening's day."""
    till = Remote(config.service.public_url, merchant_key, patience=0)
    days = Days(config.till.day_begins)
    return Living(till, lambda: days.of(int(time.time())))


@contextmanager
def only_demo() -> Iterator[None]:
    """Hold the lock of the demo in this folder; UnavailableError ``already_running``."""
    FOLDER.parent.mkdir(exist_ok=True)
    try:
        lock = take_lock(FOLDER.with_suffix(".lock"), wait=0)
    except UnavailableError:
        raise UnavailableError(
            "already_running", f"another demo runs in {FOLDER.resolve()}; stop it first"
        ) from None
    try:
        yield
    finally:
        os.close(lock)


def clear(folder: Path) -> None:
    """Delete the last demo, once its processes are gone; nothing that we have not made."""
    if not folder.exists():
        return
    if not (folder / MARK).exists():
        raise ConflictError(
            "not_a_demo", f"{folder.resolve()} was not made by the demo; move it away"
        )
    lock = folder / "run" / "tree.lock"
    if lock.exists():
        os.close(take_lock(lock))
    shutil.rmtree(folder)


def settle(folder: Path) -> tuple[Config, dict[str, str]]:
    """Write the demo's settings, with a port that is free; they and the environment for them.

    Settings in the environment are for the real instance, and are left out but for the port.
    """
    port = choose_port()
    folder.mkdir()
    (folder / MARK).touch()
    settings = folder.resolve() / "config.toml"
    settings.write_text(
        f'[service]\npublic_url = "http://{HOST}:{port}"\ndata_dir = "."\n\n'
        f'[web]\nhost = "{HOST}"\nport = {port}\n',
        encoding="utf-8",
    )
    others = {name: text for name, text in os.environ.items() if not name.startswith("FAPIAO_")}
    return load(settings, {}), {**others, "FAPIAO_CONFIG": str(settings)}


def choose_port() -> int:
    """FAPIAO_WEB_PORT, or else 8000 if that is free, or else one that is.

    Raises MalformedError ``config_invalid``; UnavailableError ``port_in_use`` for a port that was
    asked for and is taken.
    """
    name = env_name("web", "port")
    if name not in os.environ:
        return PORT if port_is_free(HOST, PORT) else free_port(HOST)
    port = load(None, {name: os.environ[name]}).web.port
    if port and not port_is_free(HOST, port):
        raise UnavailableError("port_in_use", f"another program listens on {HOST}:{port} ({name})")
    return port or free_port(HOST)


def official_key(instance: Instance) -> str:
    """The first official's key: made on the machine, as `fapiao keys create --official` does."""
    _, text = create_key(
        *(instance.store, "official", None, "demo"),
        by=instance.operator(),
        randbytes=instance.randbytes,
    )
    instance.close()
    return text


def invite_people(config: Config) -> None:
    """Those whom the page of doors signs in; nobody is told their passwords."""
    with closing(open_instance(config)) as instance:
        by, staff = instance.operator(), instance.people.staff
        invited = staff.invite(Whose(1), "owner", "样本店主", LOGIN, by)
        staff.accept(invited.token, token_urlsafe(), Visit("", ""), by.at)
        set_the_tables(instance.till, 1, invited.person.id, by)
        official = staff.invite(Whose(None), "administrator", "样本税务人员", LOGIN, by)
        staff.accept(official.token, token_urlsafe(), Visit("", ""), by.at)


def wait_ready(tree: Tree, config: Config) -> None:
    """Return when requests are taken; UnavailableError ``not_ready``."""
    deadline = time.monotonic() + READY_SECONDS
    while not is_ready(config):
        if time.monotonic() > deadline or not tree.alive():
            raise UnavailableError("not_ready", "the service did not start")
        time.sleep(0.1)


@contextmanager
def terminable() -> Iterator[None]:
    """Let SIGTERM and SIGHUP interrupt as Ctrl-C does, so that everything is stopped."""

    def handle(_signum: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    before = {signum: signal.signal(signum, handle) for signum in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def stay(tree: Tree, living: Living) -> None:
    """Until Ctrl-C, which is the way to end it; meanwhile the day goes on."""
    try:
        while tree.alive():
            living.step()
            time.sleep(0.2)
    except KeyboardInterrupt:
        return
    raise UnavailableError("supervisor_ended", f"the supervisor ended; see {FOLDER}/output")


def show(console: Console, config: Config, day: Day) -> None:
    """Where to look, and with which keys."""
    url, invoice = config.service.public_url, day.invoices[0]
    forged = scan_url(url, invoice.hash, invoice.number, invoice.total + 100)
    rows = [
        (
            "an invoice, as a customer scans it",
            scan_url(url, invoice.hash, invoice.number, invoice.total),
        ),
        ("the same with another amount", forged),
        ("its QR code", f"{url}/v1/invoices/{invoice.hash}/qr.png"),
        ("on A4, with its proof inside", f"{url}/v1/invoices/{invoice.hash}/pdf"),
        ("start page", f"{url}/"),
        ("the log", f"{url}/log/checkpoint"),
        ("its key", f"{url}/log/key"),
        ("description of all calls", f"{url}/openapi.json"),
        ("merchant's key", day.merchant_key),
        ("official's key", day.official_key),
        (
            "verify one alone",
            f"{sys.executable} -m chain verify {FOLDER}/proofs/{invoice.number}.fapiao.json"
            f' --key "$(cat {FOLDER}/log.vkey)"',
        ),
        ("totals", f"curl -H 'Authorization: Bearer {day.official_key}' '{url}/v1/reports/totals'"),
    ]
    console.print(
        f"\n从这里开始 Begin here: [bold]{escape(url)}/demo[/]", soft_wrap=True, highlight=False
    )
    console.print()
    for name, text in rows:
        console.print(
            f"[bold]{name:<36}[/]", escape(text), soft_wrap=True, highlight=False, markup=True
        )
