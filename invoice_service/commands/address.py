"""The public address: asked for, written into the settings, changed while nothing hangs on it."""

import os
import re
import tomllib
from pathlib import Path
from typing import Final

import msgspec

from chain.durable import write_file
from chain.errors import ConflictError, MalformedError, UnavailableError
from invoice_service.commands.session import Session
from invoice_service.config import Config, env_name, load
from invoice_service.inventory import is_untouched
from invoice_service.processes.supervise import take_lock
from invoice_service.wiring import Instance, init_instance, open_instance

SETTINGS: Final = Path("config.toml")
_VARIABLE: Final = env_name("service", "public_url")
_LINE: Final = re.compile(r"^public_url[ \t]*=.*$", re.MULTILINE)
_SECTION: Final = re.compile(r"^\[service\][ \t]*(#.*)?$", re.MULTILINE)


def change_address(session: Session, url: str) -> Config:
    """Write the address into the settings, and have an instance be named by it.

    One in which there is nobody and nothing yet is made anew under that name; what was there
    stands beside, in a folder of its own. MalformedError ``config_invalid``; ConflictError
    ``address_fixed`` for an instance that is in use; UnavailableError ``already_running``.
    """
    before, after = session.config, _checked(session, url)
    if is_untouched(before) or before.log_origin == after.log_origin:
        _write(session.config_file or SETTINGS, url)
        return _renewed(session)
    aside = _set_aside(before)
    # A crash here: nothing is at the place of the instance, and the settings are as before.
    try:
        _write(session.config_file or SETTINGS, url)
    except MalformedError:
        aside.rename(before.data_dir)
        raise
    config = _renewed(session)
    init_instance(config).close()
    return config


def can_change(session: Session) -> bool:
    """Whether the address is the settings' own, and these can be written."""
    folders = ((session.config_file or SETTINGS).resolve().parent, session.config.data_dir.parent)
    return _VARIABLE not in os.environ and all(os.access(one, os.W_OK) for one in folders)


def is_fixed(instance: Instance) -> bool:
    """Whether anybody or anything depends on the address already."""
    store = instance.store
    return bool(
        store.last_seq() or instance.log.head().size or store.accounts(0, 1) or store.people(None)
    )


def _checked(session: Session, url: str) -> Config:
    if _VARIABLE in os.environ:
        raise MalformedError(
            "config_invalid",
            f"{_VARIABLE} in the environment says the address: change it there",
            pointer="/service/public_url",
        )
    return load(session.config_file, {**os.environ, _VARIABLE: url})


def _renewed(session: Session) -> Config:
    """The settings as they are now."""
    session.config_file = session.config_file or SETTINGS
    session.__dict__.pop("config", None)
    return session.config


def _set_aside(config: Config) -> Path:
    """Have nothing at the instance's place, once sure that nobody uses it; where it is now."""
    instance = open_instance(config)
    fixed = is_fixed(instance)
    instance.close()
    if fixed:
        raise ConflictError(
            "address_fixed",
            f"the log is named {config.log_origin} for ever: there are people, merchants or"
            " entries. With log.origin set to this name, service.public_url may be another",
        )
    lock = take_lock(config.run_dir / "tree.lock", wait=0)
    try:
        return config.data_dir.rename(_free_name(config.data_dir))
    except OSError as error:
        raise UnavailableError(
            "data_unreadable", f"cannot set {config.data_dir} aside: {error.strerror}"
        ) from error
    finally:
        os.close(lock)


def _free_name(folder: Path) -> Path:
    names = (folder.with_name(f"{folder.name}.unused-{number}") for number in range(1, 1000))
    return next(name for name in names if not name.exists())


def _write(path: Path, url: str) -> None:
    """Put the address into the file, all else left as it is; MalformedError ``config_invalid``."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    line = f"public_url = {msgspec.json.encode(url).decode()}"
    section = _SECTION.search(text)
    if section is None:
        written = f"[service]\n{line}\n\n{text}" if text else f"[service]\n{line}\n"
    else:
        head, body = text[: section.end()], text[section.end() :]
        end = re.search(r"^\[", body, re.MULTILINE)
        own, rest = (body[: end.start()], body[end.start() :]) if end else (body, "")
        own = _LINE.sub(lambda _: line, own, count=1) if _LINE.search(own) else f"\n{line}{own}"
        written = head + own + rest
    if tomllib.loads(written).get("service", {}).get("public_url") != url:
        raise MalformedError(
            "config_invalid", f"{path}: set service.public_url = {url!r} by hand, please"
        )
    try:
        write_file(path, written.encode())
    except OSError as error:
        raise MalformedError(
            "config_invalid", f"{path} cannot be written: {error.strerror}"
        ) from error
