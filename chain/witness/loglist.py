"""How a log asks to be witnessed: its item in a list of the public witness network, ``logs/v0``.

A list is the line ``logs/v0`` and, for each log, the lines ``vkey``, ``qpd`` (requests a day) and
``contact``. ``origin`` is left out: our logs have the name of their keys.
"""

from typing import Final

from chain.errors import MalformedError
from chain.signing.note import ED25519, VerifierKey

HEADER: Final = "logs/v0"
MAX_REQUESTS: Final = 2**31 - 1
"""A day; what the format can say."""


def list_item(key: VerifierKey, requests: int, contact: str) -> str:
    """Return a log's lines for the list.

    Raises MalformedError ``key_type`` for a key that no log of such a list can have,
    ``list_requests``, ``list_contact``.
    """
    if key.kind != ED25519:
        raise MalformedError("key_type", "the list takes logs with Ed25519 keys")
    if not 0 < requests <= MAX_REQUESTS:
        detail = f"requests a day are from 1 to {MAX_REQUESTS}"
        raise MalformedError("list_requests", detail)
    if contact != contact.strip() or not contact or not contact.isprintable():
        detail = "a contact is one line without blanks around it: an address, or a page"
        raise MalformedError("list_contact", detail)
    return f"vkey {key.text()}\nqpd {requests}\ncontact {contact}\n"
