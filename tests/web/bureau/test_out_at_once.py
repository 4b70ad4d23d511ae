"""Who is suspended is out at the next request, in every process, by session and by key."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from invoice_service.services.people.ports import KeyTerms
from invoice_service.services.people.sessions import Visit
from tests.api.server import serving
from tests.web.people.visitors import SESSION, Bureau

PROCESSES = 3
MOST = 200  # connections until each process has taken one


def process_of(connection: HTTPConnection) -> str:
    """The process at the other end of a connection of this machine."""
    ours, port = connection.sock.getsockname()[1], connection.port
    ends = re.compile(rf"^ *\d+: \w+:{port:04X} \w+:{ours:04X} (?:\S+ +){{6}}(\d+)", re.M)
    found = ends.search(Path("/proc/net/tcp").read_text())
    assert found, "no such connection"
    wanted = f"socket:[{found[1]}]"
    return next(pid for pid, held in _sockets() if held == wanted)


def _sockets() -> Iterator[tuple[str, str]]:
    for folder in Path("/proc").glob("[0-9]*/fd"):
        with suppress(OSError):
            for one in folder.iterdir():
                with suppress(OSError):
                    yield folder.parent.name, str(one.readlink())


def test_a_suspended_official_is_out_in_all_processes(tmp_path: Path) -> None:
    with Bureau(tmp_path) as bureau, ExitStack() as opened:
        bureau.clock.now = datetime.now(UTC)  # the server has the machine's
        bureau.person("chen", "administrator")
        he = bureau.person("he", "administrator")
        sessions, staff = bureau.instance.people.sessions, bureau.instance.people.staff
        token = sessions.open(he, "strong", Visit("", ""), "totp")
        key = bureau.auth(bureau.new_key(None, KeyTerms(person=he.id)))
        url = opened.enter_context(serving(bureau, workers=PROCESSES))
        place = urlsplit(url)
        taken: dict[str, HTTPConnection] = {}

        def ask(connection: HTTPConnection, path: str, headers: dict[str, str]) -> tuple[int, str]:
            connection.request("GET", path, headers={"Host": place.netloc, **headers})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

        def seen(connection: HTTPConnection) -> tuple[int, int]:
            page, _ = ask(connection, "/bureau/people", {"Cookie": f"{SESSION}={token}"})
            call, _ = ask(connection, "/v1/merchants", key)
            return page, call

        for _ in range(MOST):
            connection = HTTPConnection(place.hostname or "", place.port or 0)
            opened.callback(connection.close)
            assert seen(connection) == (200, 200)
            taken.setdefault(process_of(connection), connection)
            if len(taken) == PROCESSES:
                break
        assert len(taken) == PROCESSES
        by = bureau.instance.operator()
        staff.suspend(he, by)
        for connection in taken.values():
            assert seen(connection) == (303, 401)
        staff.reinstate(he, by)
        for connection in taken.values():  # the key is good again, and the session stays ended
            assert seen(connection) == (303, 200)
