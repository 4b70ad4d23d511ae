"""A mail server on this machine, with TLS and passwords, that does as it is told."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.patience import PATIENCE

USER, PASSWORD = "fapiao", "mail-password-4711"


@dataclass
class Inbox:
    """What came in; ``says`` is the answer to letters, ``to_people`` that to their addresses."""

    port: int = 0
    says: str = "250 OK"
    to_people: str = "250 OK"
    letters: list[EmailMessage] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    passwords: list[bytes] = field(default_factory=list)
    secure: list[bool] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 # its name there
        self, _server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Somebody is named."""
        if self.to_people.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.to_people

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 # its name there
        """A letter has come."""
        if self.says.startswith("250"):
            content = envelope.content
            assert isinstance(content, bytes)
            message = BytesParser(policy=policy.default).parsebytes(content)
            assert isinstance(message, EmailMessage)
            self.letters.append(message)
            self.people += envelope.rcpt_tos
            self.secure.append(session.ssl is not None)
        return self.says

    def signs_in(self, _server: Any, _session: Any, _envelope: Any, _how: Any, said: Any) -> Any:  # noqa: ANN401 # aiosmtpd's
        """Whether name and password are right."""
        assert isinstance(said, LoginPassword)
        self.passwords.append(said.password)
        right = (said.login, said.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=right)


@contextmanager
def mail_server(tls: ssl.SSLContext | None = None, *, at_once: bool = False) -> Iterator[Inbox]:
    """One that listens until the end of the block; with ``tls`` it wants STARTTLS and a password,
    or speaks it ``at_once``."""
    inbox = Inbox()
    loop = asyncio.new_event_loop()

    def protocol() -> SMTP:
        starts = tls is not None and not at_once
        return SMTP(
            inbox,
            hostname="mail.test",
            loop=loop,
            tls_context=tls if starts else None,
            require_starttls=starts,
            auth_required=starts,
            authenticator=inbox.signs_in,
            auth_require_tls=starts,
        )

    serving = loop.create_server(protocol, "127.0.0.1", 0, ssl=tls if at_once else None)
    server = loop.run_until_complete(serving)
    inbox.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield inbox
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        server.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
