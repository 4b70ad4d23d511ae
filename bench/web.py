"""Small questions to a web server of our own on this machine."""

import socket
from urllib.error import HTTPError
from urllib.request import Request, urlopen


def free_port() -> int:
    """Return a port of this machine that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def get(url: str, key: str = "") -> bytes:
    """Return the body of a GET; raises HTTPError unless 2xx."""
    return _ask(Request(url, headers=_headers(key)))  # noqa: S310 # always our own http address


def post(url: str, body: bytes, key: str = "", kind: str = "application/json") -> bytes:
    """Return the body of the answer to a POST; raises HTTPError unless 2xx."""
    headers = {"Content-Type": kind, **_headers(key)}
    return _ask(Request(url, data=body, headers=headers))  # noqa: S310 # as above


def answers(url: str) -> bool:
    """Return whether ``url`` answers 2xx now; OSError while nobody listens."""
    try:
        get(url)
    except HTTPError:
        return False
    return True


def _headers(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"} if key else {}


def _ask(request: Request) -> bytes:
    with urlopen(request, timeout=60) as answer:  # noqa: S310 # as above
        body: bytes = answer.read()
        return body
