"""Handing a letter to the mail server that the settings name (SMTP, RFC 5321)."""

import smtplib
import ssl
from contextlib import ExitStack, suppress
from email.message import EmailMessage
from typing import Final

from invoice_service.sections import Mail
from invoice_service.services.mailing.ports import Carried

PATIENCE: Final = 15.0
"""Seconds for each answer of the server; a letter as a whole has its process's."""

_FOR_EVER: Final = 500
"""From this reply code on, the same will be refused again."""


class Post:
    """One connection a letter: there are few, and a server that is away takes none with it."""

    def __init__(self, settings: Mail, patience: float = PATIENCE) -> None:
        self._settings, self._patience = settings, patience

    def send(self, message: EmailMessage, address: str) -> Carried:
        """What the server made of it; of what it said only the code: the rest may name people."""
        try:
            with ExitStack() as opened:
                server = self._connected(opened)
                server.send_message(message, self._settings.from_, [address])
        except smtplib.SMTPRecipientsRefused as refused:
            return _refused(min(code for code, _ in refused.recipients.values()))
        except smtplib.SMTPDataError as refused:
            return _refused(refused.smtp_code)
        except smtplib.SMTPResponseException as refused:  # of the sender, of whoever signs in
            return Carried(None, f"smtp_{refused.smtp_code}")
        except (OSError, smtplib.SMTPException) as error:
            return Carried(None, type(error).__name__)
        return Carried("sent")

    def _connected(self, opened: ExitStack) -> smtplib.SMTP:
        """A server that takes letters; left when ``opened`` is."""
        settings, patience = self._settings, self._patience
        name = settings.from_.rpartition("@")[2]
        trusted = ssl.create_default_context(cafile=settings.ca or None)
        server: smtplib.SMTP
        if settings.security == "tls":
            server = smtplib.SMTP_SSL(
                settings.host, settings.port, name, timeout=patience, context=trusted
            )
        else:
            server = smtplib.SMTP(settings.host, settings.port, name, timeout=patience)
        opened.callback(_leave, server)
        if settings.security == "starttls":
            server.starttls(context=trusted)
        if settings.user:
            server.login(settings.user, settings.password)
        return server


def _leave(server: smtplib.SMTP) -> None:
    """Politely, if it still listens: what it has taken it has taken."""
    with suppress(OSError, smtplib.SMTPException):
        server.quit()
    server.close()


def _refused(code: int) -> Carried:
    return Carried("failed" if code >= _FOR_EVER else None, f"smtp_{code}")
