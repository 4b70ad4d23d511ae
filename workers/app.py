"""The Celery application: ``celery --app workers.app beat``, and
``… worker --include workers.tasks``: beat only sends, and need not load what a task works with.

Reads the settings that the environment variable FAPIAO_CONFIG names, like every other process.
"""

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from celery import Celery
from celery.signals import after_setup_logger, after_setup_task_logger

from invoice_service.config import Config, load
from invoice_service.processes.log_lines import plain_handlers

QUEUE: Final = "anchoring"
ANCHOR_PENDING: Final = "anchor_pending"
LET_GO: Final = "let_go"
LET_GO_SECONDS: Final = 60.0
SEND_LETTERS: Final = "send_letters"
LETTERS_EVERY: Final = 5.0
"""Seconds between two looks for letters."""
FINISH_CLAIMS: Final = "finish_claims"
CLAIMS_SECONDS: Final = 5.0
"""How often claims are looked for that nobody finishes."""

STATUS_LISTS: Final = "status_lists"
STATUS_SECONDS: Final = 60.0
"""How old at most what wallets' status lists say of the published log is."""

_FOLDER_URL: Final = "filesystem://"
_POLLING_SECONDS: Final = 0.1
_CHATTY: Final = ("celery.app.trace", "celery.beat", "celery.worker.strategy")


def settings() -> Config:
    """Read the settings: of FAPIAO_CONFIG, else config.toml where we stand, else the defaults."""
    named = os.environ.get("FAPIAO_CONFIG", "config.toml")
    path = Path(named) if "FAPIAO_CONFIG" in os.environ or Path(named).is_file() else None
    return load(path, os.environ)


def make_app(config: Config) -> Celery:
    """Build the application; it opens neither database nor broker yet."""
    app = Celery("fapiao")
    app.conf.update(_conf(config))
    return app


def _conf(config: Config) -> dict[str, Any]:
    own = config.broker.url == _FOLDER_URL
    return {
        **(_folder(config) if own else {"broker_url": config.broker.url}),
        # A broker that is away is waited for, at the start and later, without end.
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "task_default_queue": QUEUE,
        "task_ignore_result": True,  # what a task did stands in the databases
        # Acknowledged before it runs: a tick lost with its worker is made up for by the next, and
        # one that is given out again after a crash loop would only feed the loop.
        "task_acks_late": False,
        "worker_prefetch_multiplier": 1,
        # Anchoring is a single line of work: one process, one task at a time, no child to lose.
        "worker_pool": "solo",
        "worker_concurrency": 1,
        # Nobody listens to events and remote commands; their messages would pile up.
        "worker_enable_remote_control": False,
        "worker_send_task_events": False,
        "beat_scheduler": "workers.schedule:SteadyScheduler",
        "beat_schedule": dict(_schedule(config)),
    }


def _schedule(config: Config) -> Iterator[tuple[str, dict[str, Any]]]:
    # By then others have come. Not less: two machines' clocks may differ, and a worker that finds
    # every message expired would anchor nothing.
    options = {"expires": config.anchor.max_delay}
    yield (
        "anchor pending",
        {
            "task": ANCHOR_PENDING,
            "schedule": config.anchor.interval,
            "options": options,
        },
    )
    yield (
        "finish claims",
        {
            "task": FINISH_CLAIMS,
            "schedule": CLAIMS_SECONDS,
            "options": options,
        },
    )
    yield (
        "let go",
        {
            "task": LET_GO,
            "schedule": LET_GO_SECONDS,
            "options": {"expires": LET_GO_SECONDS},
        },
    )
    yield (
        "status lists",
        {
            "task": STATUS_LISTS,
            "schedule": STATUS_SECONDS,
            "options": {"expires": STATUS_SECONDS},
        },
    )
    if config.mail.host:
        yield (
            "send letters",
            {
                "task": SEND_LETTERS,
                "schedule": LETTERS_EVERY,
                "options": options,
            },
        )


def _folder(config: Config) -> dict[str, Any]:
    folder = str(config.broker_dir)
    return {
        "broker_url": f"{_FOLDER_URL}localhost",  # else kombu warns that it is
        "broker_transport": "workers.folder:Transport",
        "broker_transport_options": {
            "data_folder_in": folder,
            "data_folder_out": folder,
            "polling_interval": _POLLING_SECONDS,
        },
    }


@after_setup_task_logger.connect  # type: ignore[untyped-decorator]  # celery has no types
@after_setup_logger.connect  # type: ignore[untyped-decorator]  # the same
def hush(logger: logging.Logger, **_: object) -> None:
    """Keep what Celery says every second out of the logs; the tasks say what they did."""
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    plain_handlers(logger.handlers)


app = make_app(settings())
