"""Sending what is due, one letter after the other, each with an end.

1. *Take.* One transaction puts the letter off to its next try: killed from here on, it is tried
   again then, with the same Message-ID.
2. *Write.* The paper is made now, so that it says what is so now; while the invoice waits for the
   log, so does the letter, for a while.
3. *Hand on.* The mail server takes it, refuses it, or is asked again later.
4. *End.* One transaction writes down which, and destroys the key of the address.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from invoice_service.services.mailing.ports import GIVEN_UP, Carrier, Letter, MailStore, Writer

PAUSES: Final = (60, 300, 900, 3600, 10_800)
"""Seconds to the next try; the last one again and again."""

FOR_THE_LOG: Final = 600
"""Seconds for which a letter waits for its invoice to be in the log."""

_LOOK_AGAIN: Final = 5
_AT_ONCE: Final = 50
"""Letters of one run; the next one goes on."""


class Sent(NamedTuple):
    """What a run did."""

    sent: int = 0
    failed: int = 0
    later: int = 0
    codes: tuple[str, ...] = ()


def send_due(
    store: MailStore, write: Writer, carrier: Carrier, now: Callable[[], int], life: int
) -> Sent:
    """Send what is due; ``life`` is for how many seconds addresses are known apart.

    Raises UnavailableError where a letter cannot be written; it is tried again like others.
    """
    store.forget_marks(now() - life)
    done = Sent()
    for _ in range(_AT_ONCE):
        letter = store.take_letter(now(), PAUSES)
        if letter is None:
            break
        done = _count(done, *_send(store, write, carrier, letter, now()))
    return done


def _send(
    store: MailStore, write: Writer, carrier: Carrier, letter: Letter, now: int
) -> tuple[str, str]:
    """(sent, failed, or later; why)."""
    if now >= letter.until or not letter.address:
        store.end_letter(letter.id, "failed", GIVEN_UP)
        return "failed", GIVEN_UP
    message = write(letter, late=now >= letter.at + FOR_THE_LOG)
    if message is None:
        store.put_off(letter.id, now + _LOOK_AGAIN)
        return "later", "pending"
    state, code = carrier.send(message, letter.address)
    if state is not None:
        # A crash before this is on disk: it is sent once more, as the same message.
        store.end_letter(letter.id, state, code)
    return state or "later", code


def _count(done: Sent, what: str, code: str) -> Sent:
    counted = done._replace(**{what: getattr(done, what) + 1})
    return counted._replace(codes=(*done.codes, code)) if code else counted
