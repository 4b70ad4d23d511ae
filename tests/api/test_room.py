"""What large bodies take: which addresses take them, and what becomes of those without room."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import urllib3

from invoice_service.app import doors
from invoice_service.openapi.operation import CSV, NDJSON, PDF, Operation
from invoice_service.services.people.ports import SCOPES, KeyTerms
from tests.api.desk import Desk
from tests.api.server import serving
from tests.front.stage import Client, Place, json_of, soon, status

FORM = "multipart/form-data"
OCTETS = "application/octet-stream"  # the papers of an application
SMALL = {"/verify/receipt"}  # a form whose file has some KiB

HELD = 400_000
BATCH = "/v1/invoices/batch"


def operations(desk: Desk) -> list[Operation]:
    """All that take a body."""
    return [one for one in doors(desk.config).operations if one.body]


def head(desk: Desk, operation: Operation, length: int) -> bytes:
    """Of a request that may do what it asks for, with so large a body."""
    key = desk.official_key if operation.key == "official" else desk.key
    path = operation.path.replace("{hash}", f"01{'0' * 64}").replace("{id}", "1")
    lines = [
        f"{operation.method.upper()} {path} HTTP/1.1",
        *("Host: x", "Connection: close", f"Authorization: Bearer {key}"),
        *(f"Content-Type: {operation.body[0][0]}", f"Content-Length: {length}", "", ""),
    ]
    return "\r\n".join(lines).encode()


def test_whoever_takes_a_list_says_so_and_nobody_else_does(desk: Desk) -> None:
    """Asked without the server in front, which goes by what is said."""
    large = b" " * (desk.config.limits.body_bytes + 1)
    manager = desk.new_key(desk.restaurant.merchant.id, KeyTerms(scopes=SCOPES["merchant"]))
    for one in operations(desk):
        path = one.path.replace("{hash}", f"01{'0' * 64}").replace("{id}", "1")
        key = desk.official_key if one.key in ("official", "any") else manager
        type_ = FORM if FORM in dict(one.body) else one.body[0][0]
        answer = desk.client.open(
            path, method=one.method, data=large, headers=desk.auth(key), content_type=type_
        )
        codes = (
            *("body_too_large", '"retcode":1', "payments_off", "prepaid_off", "claim_unknown"),
            "application_unknown",
        )
        refused = answer.status_code == 413 or any(code in answer.text for code in codes)
        if one.path in SMALL:
            refused = answer.status_code == 400
        if one.path == "/apply/status":  # all was read, and no receipt was in it
            refused = answer.status_code != 404
        assert one.large == (not refused), (one.path, answer.text)
        takes = {NDJSON, CSV, FORM, PDF, OCTETS} & dict(one.body).keys()
        assert one.large == bool(takes and one.path not in SMALL)
        assert not (one.large and "{" in one.path)  # the server in front knows whole paths


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, str]]:
    """One process with little room."""
    held = str(HELD)
    with (
        Desk(tmp_path_factory.mktemp("room")) as desk,
        serving(desk, workers=1, limits_held_bytes=held, rate_key_burst="99") as url,
    ):
        yield desk, url


def place_of(url: str) -> Place:
    """Where it listens."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or 0


def test_the_server_in_front_goes_by_it(shop: tuple[Desk, str]) -> None:
    desk, url = shop
    size = desk.config.limits.body_bytes + 1
    for one in operations(desk):
        with Client(place_of(url)) as client:
            answer = client.say(head(desk, one, size), b" " * size).rest()
        too_large = b"body_too_large" in answer or b'"retcode":1' in answer
        assert one.large == (not too_large), (one.path, answer)


def test_without_room_a_list_costs_a_token_is_counted_and_said_once(shop: tuple[Desk, str]) -> None:
    desk, url = shop
    batch = next(one for one in operations(desk) if one.path == BATCH)
    key = desk.new_key(1)
    with Client(place_of(url)) as holder:
        holder.say(head(desk, batch, HELD), b" " * (HELD // 2 - 1_000))  # its head counts
        _wait_until_held(desk, url, batch)
        desk.key, before = key, _turned_away(url)
        answers = []
        for _ in range(5):
            with Client(place_of(url)) as client:
                answers.append(client.say(head(desk, batch, 2_000), b" " * 2_000).rest())
    assert [status(answer) for answer in answers] == [503] * 5
    found = json_of(answers[0])
    assert (found["code"], found["title_zh"] != "", "incident" in found) == (
        *("too_busy", True, False),
    )
    assert b'RateLimit: "key";r=98;' in answers[0]
    assert _turned_away(url) == before + 5
    warnings = urllib3.request("GET", f"{url}/readyz").json()["warnings"]
    assert "bodies_full" in [one["code"] for one in warnings]
    written = (desk.config.data_dir / "server.log").read_text()
    assert "not answered" not in written
    assert 1 <= written.count("bodies_full") < 5


def _wait_until_held(desk: Desk, url: str, batch: Operation) -> None:
    def is_full() -> bool:
        with Client(place_of(url)) as client:
            return status(client.say(head(desk, batch, 2_000), b" " * 2_000).rest()) == 503

    assert soon(is_full)


def _turned_away(url: str) -> int:
    lines = urllib3.request("GET", f"{url}/metrics").data.decode().splitlines()
    name = 'fapiao_turned_away_total{reason="bodies_full"} '
    return int(float(next(line.removeprefix(name) for line in lines if line.startswith(name))))
