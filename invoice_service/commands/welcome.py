"""What a first run says: where to go on, and what to keep; in both languages, few lines."""

import shutil
import sys
from pathlib import Path
from typing import Final

import click

from invoice_service.config import Config

ANY_ADDRESS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 # compared with, not listened on


def local_url(config: Config) -> str:
    """Where this machine reaches the web server, whatever the public address is."""
    host = ANY_ADDRESS.get(config.web.host, config.web.host)
    return f"http://{f'[{host}]' if ':' in host else host}:{config.web.port}"


def our_name() -> str:
    """How this command is called from here."""
    if shutil.which("fapiao"):
        return "fapiao"
    called = Path(sys.argv[0])
    try:
        return str(called.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(called)


def show_link(config: Config, code: str) -> None:
    """Where to set the instance up in a browser."""
    click.echo("初始设置：在浏览器打开下面的链接（一小时内有效，只能用一次）")
    click.echo("Set it up: open this in a browser (good for an hour, once)")
    for url in _places(config):
        click.secho(f"  {url}/setup?code={code}", bold=True)
    click.echo(f"或在另一个终端 or in another terminal: {our_name()} setup")


def _places(config: Config) -> list[str]:
    """Where the pages are: the public address alone, if it has https or is this very place.

    On https pages set cookies that plain http would not be sent.
    """
    public, local = config.service.public_url, local_url(config)
    return [public] if public.startswith("https:") or public == local else [local, public]
