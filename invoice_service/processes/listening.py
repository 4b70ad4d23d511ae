"""The one socket on which an instance listens, for as long as it is served.

Whoever starts the processes opens it, so that nobody else can listen there, and that clients wait
instead of being refused while the web server starts again. It is inherited, by its number.
"""

import errno
import fcntl
import os
import socket
from collections.abc import Mapping
from typing import Final

from chain.errors import UnavailableError

BACKLOG: Final = 1024
VARIABLE: Final = "FAPIAO_LISTENER"
FIRST_DESCRIPTOR: Final = 64
"""Supervisord closes what it inherits below ``minfds``, which is set to this."""


def listen(host: str, port: int) -> socket.socket:
    """Listen there and alone; port 0 is any free one. Host may be a name, IPv4 or IPv6.

    Raises UnavailableError: "port_in_use", "address_unusable".
    """
    try:
        return _listen(host, port)
    except (OSError, UnicodeError) as error:
        number = error.errno if isinstance(error, OSError) else None
        if number == errno.EADDRINUSE:
            raise UnavailableError(
                "port_in_use",
                f"another program listens on {host}:{port}; stop it, or set web.port"
                " in config.toml (FAPIAO_WEB_PORT in the environment)",
            ) from None
        reason = error.strerror if isinstance(error, OSError) else None
        raise UnavailableError(
            "address_unusable", f"cannot listen on {host}:{port}: {reason or error}"
        ) from None


def _listen(host: str, port: int) -> socket.socket:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, address = found[0]
    listener = socket.socket(family, kind, protocol)
    try:
        # Without SO_REUSEPORT: two who bind at the same moment cannot both listen.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(host != "::"))
        listener.bind(address)
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def port_of(listener: socket.socket) -> int:
    """The port on which it listens."""
    port: int = listener.getsockname()[1]
    return port


def to_inherit(listener: socket.socket) -> int:
    """A descriptor of it that supervisord passes on; the caller closes it."""
    return fcntl.fcntl(listener, fcntl.F_DUPFD_CLOEXEC, FIRST_DESCRIPTOR)


def inherited(environ: Mapping[str, str]) -> socket.socket | None:
    """The socket that whoever started us opened, if they did."""
    number = environ.get(VARIABLE)
    return None if number is None else socket.socket(fileno=os.dup(int(number)))
