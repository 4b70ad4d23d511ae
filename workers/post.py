"""``python -m workers.post``: send the letters that are due, and end."""

import logging
import signal
import sys
from contextlib import closing
from typing import Final

from chain.errors import Problem
from invoice_service.config import Config
from invoice_service.documents.letters import Letters
from invoice_service.documents.paper.assemble import Printers
from invoice_service.documents.paper.sealing import maker_of
from invoice_service.processes.log_lines import plain_handlers
from invoice_service.services.mailing.post import Post
from invoice_service.services.mailing.sending import Sent, send_due
from invoice_service.wiring import Instance, open_instance
from workers.app import settings

logger = logging.getLogger(__name__)

LONGEST: Final = 300
"""Seconds after which it ends, whatever it does; what it had in hand is tried again."""


def main() -> int:
    """Send them; the exit status is 1 where something stands in the way of all."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    plain_handlers(logging.root.handlers)
    signal.alarm(LONGEST)
    config = settings()
    try:
        with closing(open_instance(config)) as instance:
            done = send(config, instance)
    except Problem as problem:
        logger.error("letters are left for later: %s", problem)
        return 1
    logger.info(
        "letters: %d sent, %d failed, %d later%s",
        done.sent,
        done.failed,
        done.later,
        f" ({', '.join(sorted(set(done.codes)))})" if done.codes else "",
    )
    return 0


def send(config: Config, instance: Instance) -> Sent:
    """Send what is due in an open instance."""
    url, bureau = config.service.public_url, config.bureau.name
    printers = Printers(instance.store, instance.log, url, bureau)
    return send_due(
        instance.store,
        Letters(instance.store, printers, config.mail.from_, maker_of(config.paper)),
        Post(config.mail),
        lambda: int(instance.clock().timestamp()),
        config.mail.hours * 3600,
    )


if __name__ == "__main__":
    sys.exit(main())
