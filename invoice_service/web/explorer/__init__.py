"""The public log for everybody to walk through: pages for people, JSON for programs."""

from functools import partial
from typing import Final, Protocol

from flask import Blueprint, Request

from chain.log.database import SqliteLogStore
from chain.log.log import Log
from chain.signing.policy import Policy
from invoice_service.config import Config
from invoice_service.services.checking.acts import ActReader, count_acts
from invoice_service.services.explorer import Explorer, Statements
from invoice_service.web.explorer.contract import OPERATIONS, WORDS
from invoice_service.web.explorer.pages import PREFIX, ExplorerPages
from invoice_service.web.explorer.told import wants_json

__all__ = ["OPERATIONS", "WORDS", "blueprint", "for_program"]

_BELOW: Final = f"{PREFIX}/"


class Instance(Protocol):
    """An open instance, as far as the explorer needs it."""

    @property
    def config(self) -> Config: ...
    @property
    def store(self) -> ActReader: ...
    @property
    def log(self) -> Log: ...
    @property
    def log_store(self) -> SqliteLogStore: ...
    @property
    def keys(self) -> Statements: ...
    @property
    def policy(self) -> Policy: ...


def blueprint(instance: Instance) -> Blueprint:
    """What anybody sees."""
    views = Explorer(instance.log, instance.log_store, instance.keys, instance.policy)
    acts = partial(count_acts, instance.store, instance.log)
    return ExplorerPages(views, acts, instance.config.service.public_url).blueprint()


def for_program(asked: Request) -> bool:
    """Whether a request is for the explorer, and by a program: then problems are JSON, too."""
    return asked.path.startswith(_BELOW) and wants_json(asked)
