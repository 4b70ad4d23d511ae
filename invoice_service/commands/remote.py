"""The service from outside, over HTTP: what a merchant's or an official's own program would do."""

import time
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import urllib3

from chain.errors import (
    ConflictError,
    MalformedError,
    NotFoundError,
    Problem,
    RefusedError,
    UnavailableError,
)

PATIENCE: Final = 60.0  # seconds for which a service that is away is asked again
TIMEOUT: Final = urllib3.Timeout(connect=5, read=60)
FAULTS: Final[dict[int, type[Problem]]] = {
    401: RefusedError,
    403: RefusedError,
    404: NotFoundError,
    409: ConflictError,
    429: UnavailableError,
}


class Remote:
    """One service; keeps its connections. Safe for threads."""

    def __init__(self, url: str, key: str = "", *, patience: float = PATIENCE) -> None:
        """Raises MalformedError ``url_invalid``."""
        if not url.startswith(("http://", "https://")):
            raise MalformedError("url_invalid", f"{url!r} is no http:// or https:// address")
        self.url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._patience = patience
        self._pool = urllib3.PoolManager(maxsize=32)

    def get(self, path: str, query: Mapping[str, str] | None = None, *, accept: str = "") -> bytes:
        """The body that GET answers; a Problem with the service's own code otherwise."""
        return self._ask("GET", path, query=query, accept=accept).data

    def get_json(self, path: str, query: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 # any JSON
        """``get``, decoded."""
        return msgspec.json.decode(self.get(path, query))

    def post(self, path: str, body: bytes, kind: str = "application/json") -> bytes:
        """The body that POST answers. Only for what is safe to repeat: it is asked again."""
        return self._ask("POST", path, body=body, kind=kind).data

    def post_named(self, path: str, body: bytes, idempotency_key: str = "") -> tuple[int, bytes]:
        """``post`` of JSON under a key of its own; the status with the body."""
        answer = self._ask("POST", path, body=body, kind="application/json", key=idempotency_key)
        return answer.status, answer.data

    def _ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        kind: str = "",
        key: str = "",
        accept: str = "",
    ) -> urllib3.BaseHTTPResponse:
        """Ask until there is an answer, for ``patience`` seconds when there is none."""
        more = {"Content-Type": kind, "Idempotency-Key": key, "Accept": accept}
        headers = {**self._headers, **{name: text for name, text in more.items() if text}}
        deadline, pause = time.monotonic() + self._patience, 0.1
        while True:
            asked = 0  # seconds that the service wants to be left alone
            try:
                answer = self._pool.request(
                    method,
                    f"{self.url}{path}",
                    fields=query,
                    body=body,
                    headers=headers,
                    timeout=TIMEOUT,
                    retries=False,
                )
                if answer.status < 400:
                    return answer
                problem, asked = _problem(answer), _retry_after(answer)
            except urllib3.exceptions.LocationValueError:
                raise MalformedError("url_invalid", f"{self.url} is not an address") from None
            except urllib3.exceptions.HTTPError as error:
                problem = UnavailableError("service_unreachable", f"{self.url}: {error}")
            wait = max(pause, asked)
            if not isinstance(problem, UnavailableError) or time.monotonic() + wait > deadline:
                raise problem
            time.sleep(wait)
            pause = min(pause * 2, 2.0)


def _problem(answer: urllib3.BaseHTTPResponse) -> Problem:
    """The service's error as ours, by its status; proxies in between answer in other forms."""
    try:
        body = msgspec.json.decode(answer.data, type=_ProblemBody)
        more = msgspec.json.decode(answer.data, type=dict[str, Any])
    except msgspec.MsgspecError:
        body = _ProblemBody(code=f"http_{answer.status}", detail=f"HTTP status {answer.status}")
        more = {}
    fault = FAULTS.get(answer.status, UnavailableError if answer.status >= 500 else MalformedError)
    extra = {name: more[name] for name in _MORE if isinstance(more.get(name), int | str)}
    return fault(body.code, body.detail, pointer=body.pointer, **extra)


def _retry_after(answer: urllib3.BaseHTTPResponse) -> int:
    """Seconds; 0 where the answer names none, or a date."""
    text = answer.headers.get("Retry-After", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0


class _ProblemBody(msgspec.Struct):
    code: str
    detail: str = ""
    pointer: str = ""


_MORE: Final = (
    *("first_hash", "first_number", "first_issued_at", "first_state"),
    *("reversed_by", "left", "line", "quantity_left", "rates"),
)
"""What a conflict says beside its code: which invoice came first, and what is left."""
