"""The tasks: ten lines that call services. Each may run twice, at once, late, or never."""

import faulthandler
import logging
from functools import cache
from typing import Final

from celery.signals import worker_ready

from chain.errors import Problem
from invoice_service.commands.wallet import status_lists_of
from invoice_service.documents.wallet.lists import StatusLists
from invoice_service.processes.heartbeat import Heartbeat
from invoice_service.retention.rules import Rule
from invoice_service.services.anchoring import anchor
from invoice_service.wiring import Instance, open_instance
from workers.app import (
    ANCHOR_PENDING,
    FINISH_CLAIMS,
    LET_GO,
    SEND_LETTERS,
    STATUS_LISTS,
    app,
    settings,
)
from workers.postman import Postman

logger = logging.getLogger(__name__)

HUNG_SECONDS: Final = 600
"""For which one block may take; whatever waits (witnesses, databases) has shorter limits."""


@app.task(name=ANCHOR_PENDING)  # type: ignore[untyped-decorator]  # celery has no types
def anchor_pending() -> None:
    """Anchor and publish what is pending, close days that have ended, add up totals."""
    beat = _heartbeat()
    _alive()
    try:
        done = anchor.anchor_pending(_anchoring(), _alive)
    except Problem as problem:
        beat.failed(problem)
        logger.error("anchoring stopped, to be tried again: %s", problem)
        return
    except Exception as error:
        beat.failed(Problem("internal_error", repr(error)))
        raise
    finally:
        faulthandler.cancel_dump_traceback_later()
    beat.done(done.left)
    if done.blocks:
        logger.info(
            "anchored %d invoices in %d blocks; the log has %d entries, %d published",
            done.invoices,
            done.blocks,
            done.size,
            done.published,
        )
    if done.missing is not None:
        _tell_missing(done.missing)
    _tell_left([str(problem) for problem in done.left])


@app.task(name=LET_GO)  # type: ignore[untyped-decorator]  # celery has no types
def let_go() -> None:
    """Let a little of what has been kept for long enough go, and finish what is being erased."""
    _alive()
    try:
        gone = _instance().keeping.step(_rules())
    except Problem as problem:
        logger.error("retention stopped, to be tried again: %s", problem)
        return
    finally:
        faulthandler.cancel_dump_traceback_later()
    for name, count in gone.items():
        logger.info("retention: %d of %s went", count, name)


@app.task(name=SEND_LETTERS)  # type: ignore[untyped-decorator]  # celery has no types
def send_letters() -> None:
    """Have the letters that are due sent by a process apart."""
    instance = _instance()
    try:
        if instance.store.letters_due(int(instance.clock().timestamp())):
            _postman().ring()
    except Problem as problem:
        logger.error("letters are left for later: %s", problem)


@app.task(name=FINISH_CLAIMS)  # type: ignore[untyped-decorator]  # celery has no types
def finish_claims() -> None:
    """Issue what customers have claimed, and what is to issue itself, where a process died."""
    _alive()
    try:
        _turn["after"] = _instance().claims.finish_begun(_turn["after"])
    except Problem as problem:
        logger.error("claims are left for a later run: %s", problem)
    finally:
        faulthandler.cancel_dump_traceback_later()


@app.task(name=STATUS_LISTS)  # type: ignore[untyped-decorator]  # celery has no types
def status_lists() -> None:
    """Say in the lists of wallets what the published log has taken back since."""
    _alive()
    try:
        signed = _status_lists().step(int(_instance().clock().timestamp()))
    except Problem as problem:
        logger.error("status lists are left for a later run: %s", problem)
        return
    finally:
        faulthandler.cancel_dump_traceback_later()
    if signed:
        logger.info("signed %d status lists", signed)


@worker_ready.connect  # type: ignore[untyped-decorator]  # celery has no types
def at_start(**_: object) -> None:
    """Do at once what a killed worker left, before the first message."""
    anchor_pending()
    finish_claims()


def _alive(_done: int = 0) -> None:
    """End this process, with a trace of where it stands, unless a run or a block of it ends soon.

    Nothing is lost: the next one does what it left. Nobody else would notice.
    """
    faulthandler.dump_traceback_later(HUNG_SECONDS, exit=True, file=2)


@cache
def _heartbeat() -> Heartbeat:
    return Heartbeat(settings().run_dir)


@cache
def _instance() -> Instance:
    return open_instance(settings())


@cache
def _anchoring() -> anchor.Anchoring:
    return _instance().anchoring()


@cache
def _rules() -> list[Rule]:
    return _instance().keeping.rules()


@cache
def _status_lists() -> StatusLists:
    return status_lists_of(_instance())


@cache
def _postman() -> Postman:
    return Postman()


def _tell_missing(missing: tuple[str, ...]) -> None:
    """Say once of each witness that it is away, not every second."""
    for witness in sorted(set(missing) - _told):
        logger.warning("not cosigned by %s", witness)
    _told.clear()
    _told.update(missing)


def _tell_left(left: list[str]) -> None:
    """The same, of what could not be brought up to date while invoices went on."""
    for problem in left:
        if problem not in _told_left:
            logger.error("totals or closings are left for a later run: %s", problem)
    _told_left[:] = left


_turn = {"after": 0}
_told: set[str] = set()
_told_left: list[str] = []
