"""``/till/events``: what changes at a merchant's tills, as server-sent events (WHATWG HTML 9.2).

The connection is held by the server in front without a thread; all feeds are asked in one pass.
"""

from collections.abc import Sequence
from typing import Final, cast

import msgspec
from flask import Blueprint, Response, request

from invoice_service.front.feeds import NOTHING, Feed, Said
from invoice_service.services.till.watch import News, Watch, Watching
from invoice_service.web.till.session import TillGate, asked

RETRY_MS: Final = 2_000
"""After which a browser asks again; also after a restart."""

KIND: Final = "text/event-stream"
_PULSE: Final = b": \n\n"
_encode: Final = msgspec.json.Encoder().encode


class EventCalls:
    """The feed of a merchant's events."""

    def __init__(self, session: TillGate) -> None:
        self._session = session
        self._source = _Source(session.desk.watch)

    def add_to(self, routes: Blueprint) -> None:
        """The routes."""
        routes.get("/events")(self.events)

    def events(self) -> Response:
        """What changes from now on, or from what was seen last."""
        after = asked("after").get("after", "")
        seen = request.headers.get("Last-Event-ID", "") or after
        watching = self._session.desk.watch.begin(
            self._session.visitor(), self._session.merchant_id(), self._session.gate.token(), seen
        )
        answer = Response(
            _Feed(self._source, watching),
            headers={
                "Content-Type": KIND,
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",  # a proxy passes each event on as it comes
            },
        )
        answer.direct_passthrough = True  # the server in front knows a feed by its class
        return answer


class _Feed(Feed):
    def __init__(self, source: "_Source", watching: Watching) -> None:
        super().__init__(
            source,
            beginning=b"retry: %d\n%b" % (RETRY_MS, _written([], watching)),
            pulse=_PULSE,
            farewell=b'retry: %d\nevent: bye\ndata: {"why":"stopping"}\n\n' % RETRY_MS,
        )
        self.watching = watching


class _Source:
    """All feeds of this process."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def look(self, feeds: Sequence[Feed]) -> list[Said]:
        """What is new for each."""
        watching = [cast("_Feed", feed).watching for feed in feeds]
        told = self._watch.look(watching)
        return [
            Said(_written(news, one), last=one.ended) if news else NOTHING
            for news, one in zip(told, watching, strict=True)
        ]


def _written(news: Sequence[News], watching: Watching) -> bytes:
    """Events; the last one's id says that all of them were seen."""
    blocks = [b"event: %b\ndata: %b\n" % (one.kind.encode(), _encode(one.data)) for one in news]
    blocks = blocks or [b": here\n"]
    blocks[-1] += b"id: %b\n" % str(watching.cursor).encode()
    return b"".join(block + b"\n" for block in blocks)
