"""What only shows behind a real server: raw bytes, streams, several processes."""

import json
import re
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import urllib3

from tests.api.desk import JSON, MEAL, NDJSON, Desk
from tests.api.server import serving
from tests.patience import PATIENCE, wait_until


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Desk, str]]:
    """One instance and one server for all tests here; each uses orders of its own."""
    with Desk(tmp_path_factory.mktemp("server")) as desk, serving(desk) as url:
        yield desk, url


def post(url: str, desk: Desk, body: bytes, kind: str = JSON, **more: str) -> Any:  # noqa: ANN401 # urllib3's answer
    headers = {"Content-Type": kind, **desk.auth(), **more}
    return urllib3.request("POST", url, body=body, headers=headers, retries=False, timeout=PATIENCE)


def order(name: str) -> bytes:
    return json.dumps({"order_id": name, "lines": [MEAL]}).encode()


def raw(url: str, request: bytes) -> bytes:
    """What the server answers to exactly these bytes."""
    place = urlsplit(url)
    with socket.create_connection(
        (place.hostname or "", place.port or 0), timeout=PATIENCE
    ) as line:
        line.sendall(request)
        answer = b""
        while data := line.recv(65536):
            answer += data
    return answer


def call(url: str, desk: Desk, path: str, body: object) -> tuple[int, Any]:
    """One call with JSON, and what is answered."""
    answer = post(url + path, desk, json.dumps(body).encode())
    return answer.status, json.loads(answer.data)


def look(url: str, path: str) -> Any:  # noqa: ANN401 # any JSON
    """What anybody is told."""
    return json.loads(urllib3.request("GET", url + path, timeout=PATIENCE).data)


def test_an_order_that_was_returned_wholly_is_sold_again_and_each_names_the_other(
    shop: tuple[Desk, str],
) -> None:
    """Not without saying which it replaces, nor in the place of another; then from both sides."""
    desk, url = shop
    sale = {"order_id": "AGAIN", "business_day": "2026-11-21", "lines": [MEAL]}
    anew = {**sale, "remark": "anew"}
    _, first = call(url, desk, "/v1/invoices", sale)
    status, refused = call(url, desk, "/v1/invoices", anew | {"replaces": first["hash"]})
    assert (status, refused["code"]) == (409, "order_total_exceeded")  # nothing was returned yet
    back = f"/v1/invoices/{first['hash']}/reversals"
    status, red = call(url, desk, back, {"reason": "ISSUE_ERROR"})
    assert (status, red["total"]) == (201, -first["total"])
    status, refused = call(url, desk, "/v1/invoices", anew)
    assert (status, refused["code"]) == (409, "order_id_conflict")
    assert (refused["first_hash"], refused["first_state"]) == (first["hash"], "reversed")
    for words in (refused["detail"], refused["detail_zh"]):
        assert "first_hash" in words
        assert "replaces" in words
    status, refused = call(url, desk, "/v1/invoices", anew | {"replaces": red["hash"]})
    assert (status, refused["code"]) == (409, "replaces_not_first")
    status, second = call(url, desk, "/v1/invoices", anew | {"replaces": refused["first_hash"]})
    assert (status, second["replaces"]) == (201, first["hash"])
    assert call(url, desk, "/v1/invoices", anew | {"replaces": first["hash"]})[0] == 200  # again
    for one, other, side in ((first, second, "replaced_by"), (second, first, "replaces")):
        query = f"hash={one['hash']}&bill_num={one['number']}&total_amount={one['total']}"
        verdict = look(url, f"/v1/verifications?{query}")
        (named,) = verdict[side] if isinstance(verdict[side], list) else [verdict[side]]
        assert (named["hash"], named["number"]) == (other["hash"], other["number"])
        assert one["hash"] not in str(named)
    assert look(url, f"/v1/invoices/{second['hash']}")["replaces"] == first["hash"]


def test_what_was_sold_in_its_place_is_returned_and_sold_once_more(shop: tuple[Desk, str]) -> None:
    """Each time the order's first invoice is named; never is more sold than at first."""
    desk, url = shop
    order = {"order_id": "THRICE", "business_day": "2026-11-21", "lines": [MEAL]}
    _, first = call(url, desk, "/v1/invoices", order)
    one = first
    for remark in ("a", "b"):
        back = f"/v1/invoices/{one['hash']}/reversals"
        assert call(url, desk, back, {"reason": "SALES_RETURN"})[0] == 201
        named = {**order, "remark": remark, "replaces": first["hash"]}
        larger = {**named, "lines": [MEAL, MEAL]}
        status, refused = call(url, desk, "/v1/invoices", larger)
        assert (status, refused["code"], refused["left"]) == (
            *(409, "order_total_exceeded", first["total"]),
        )
        status, one = call(url, desk, "/v1/invoices", named)
        assert status == 201
    hash_ = f"hash={first['hash']}&bill_num={first['number']}&total_amount={first['total']}"
    later = look(url, f"/v1/verifications?{hash_}")["replaced_by"]
    assert [row["number"] for row in later] == [one["number"]]


def test_one_order_sent_by_many_at_once_is_issued_once(shop: tuple[Desk, str]) -> None:
    desk, url = shop
    before = desk.count()
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _: post(f"{url}/v1/invoices", desk, order("RUSH")), range(24))
        )
    assert sorted(answer.status for answer in answers) == [200] * 23 + [201]
    assert len({json.loads(answer.data)["hash"] for answer in answers}) == 1
    assert desk.count() == before + 1


def test_numbers_have_no_gap_when_many_issue_at_once(shop: tuple[Desk, str]) -> None:
    desk, url = shop
    before = desk.count()
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda n: post(f"{url}/v1/invoices", desk, order(f"GAP{n}")), range(60))
        )
    numbers = sorted(int(json.loads(answer.data)["number"]) for answer in answers)
    assert numbers == list(range(before + 1, before + 61))


def test_a_batch_streams_through_the_server(shop: tuple[Desk, str]) -> None:
    desk, url = shop
    body = b"\n".join(order(f"BATCH{n}") for n in range(700))
    answer = post(f"{url}/v1/invoices/batch", desk, body, NDJSON, Prefer="return=minimal")
    results = [json.loads(line) for line in answer.data.splitlines()]
    assert [result["line"] for result in results] == list(range(1, 701))
    assert {result["status"] for result in results} == {201}


def test_a_batch_without_a_length_is_read_to_its_end(shop: tuple[Desk, str]) -> None:
    desk, url = shop

    def chunks() -> Iterator[bytes]:
        for number in range(150):
            yield order(f"CHUNK{number}") + b"\n"

    answer = urllib3.request(
        "POST",
        f"{url}/v1/invoices/batch",
        body=chunks(),
        headers={"Content-Type": NDJSON, **desk.auth()},
        timeout=PATIENCE,
    )
    assert len(answer.data.splitlines()) == 150


def test_a_body_that_hides_its_length_is_still_cut_off(shop: tuple[Desk, str]) -> None:
    desk, url = shop
    before = desk.count()
    answer = urllib3.request(
        "POST",
        f"{url}/v1/invoices",
        body=iter([b"x" * 50_000] * 30),
        headers={"Content-Type": JSON, **desk.auth()},
        retries=False,
        timeout=PATIENCE,
    )
    assert answer.status == 413
    assert json.loads(answer.data)["code"] == "body_too_large"
    assert desk.count() == before


@pytest.mark.parametrize(
    "header",
    [
        b"Idempotency-Key: a\r\n Set-Cookie: b=c",
        b"Idempotency-Key: a\rSet-Cookie: b=c",
        b"Idempotency-Key: a\nSet-Cookie: b=c",
        b"Idempotency-Key: a\x00b",
        b"Idempotency-Key: \xe9\xa4\x90",
        b"Idempotency-Key: a\tb",
    ],
)
def test_a_header_that_could_forge_an_answer_issues_nothing(
    shop: tuple[Desk, str], header: bytes
) -> None:
    desk, url = shop
    before = desk.count()
    answer = raw(url, issue_with(desk, header, "INJECT"))
    assert answer.startswith(b"HTTP/1.1 4")
    assert b"set-cookie" not in answer.lower()
    assert desk.count() == before


def issue_with(desk: Desk, header: bytes, name: str) -> bytes:
    body = order(name)
    return b"\r\n".join(
        [
            b"POST /v1/invoices HTTP/1.1",
            b"Host: fapiao.test",
            b"Connection: close",
            b"Content-Type: application/json",
            f"Authorization: Bearer {desk.key}".encode(),
            f"Content-Length: {len(body)}".encode(),
            header,
            b"",
            body,
        ]
    )


@pytest.mark.parametrize(
    "line",
    [
        b"GET /log/../keys/log.key HTTP/1.1",
        b"GET /log/tile/../../keys/log.key HTTP/1.1",
        b"GET /log/tile/..%2f..%2fkeys%2flog.key HTTP/1.1",
        b"GET /static/../data/keys/log.key HTTP/1.1",
        b"GET /static/%2e%2e/config.toml HTTP/1.1",
        b"GET //etc/passwd HTTP/1.1",
    ],
)
def test_no_path_leads_out_of_the_public_folders(shop: tuple[Desk, str], line: bytes) -> None:
    _, url = shop
    answer = raw(url, line + b"\r\nHost: fapiao.test\r\nConnection: close\r\n\r\n")
    assert b"PRIVATE" not in answer
    assert b" 404 " in answer.splitlines()[0] or b" 400 " in answer.splitlines()[0]


@pytest.mark.parametrize(
    "host", [b"a..b", b"a" * 64, b'"', b"\xff", b"a b", b"[.]", b"a\r\nHost: b"]
)
def test_a_host_that_is_no_name_is_a_refusal_on_pages_too(
    shop: tuple[Desk, str], host: bytes
) -> None:
    _, url = shop
    for path in (b"/", b"/nothing", b"/v1/invoices"):
        head = b"GET %b HTTP/1.1\r\nHost: %b\r\nAccept: text/html\r\nConnection: close\r\n\r\n"
        answer = raw(url, head % (path, host))
        assert b" 400 " in answer.splitlines()[0]
        assert b"host_invalid" in answer


ODD = [
    *("//log/checkpoint", "/log//checkpoint", "///log/checkpoint", "/./log/checkpoint"),
    *("/log/./checkpoint", "/log/../log/checkpoint", "/log%2Fcheckpoint", "/log%2fcheckpoint"),
    *("/%2Flog/checkpoint", "/log/%2e/checkpoint", "/log/checkpoint/", "/log/checkpoint/."),
    *("/static/css/./docs.css", "/static/css//docs.css", "/static/x/../css/docs.css"),
    "//static/css/docs.css",
    *("//healthz", "//verify/scan", "/docs//", "//"),
]


@pytest.mark.parametrize("path", ODD)
@pytest.mark.parametrize("base", ["", "http://fapiao.test"])
def test_an_address_has_one_spelling(shop: tuple[Desk, str], path: str, base: str) -> None:
    _, url = shop
    request = f"GET {base}{path} HTTP/1.1\r\nHost: fapiao.test\r\nConnection: close\r\n\r\n"
    assert raw(url, request.encode()).startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize("path", ["/log/checkpoint", "/%6cog/checkpoint", "/healthz?a=%2F//./"])
def test_what_is_no_other_spelling_is_answered(shop: tuple[Desk, str], path: str) -> None:
    _, url = shop
    request = f"GET {path} HTTP/1.1\r\nHost: fapiao.test\r\nConnection: close\r\n\r\n"
    assert raw(url, request.encode()).startswith(b"HTTP/1.1 200 ")


def test_options_of_all_name_the_methods_that_there_are(shop: tuple[Desk, str]) -> None:
    _, url = shop
    head = b" HTTP/1.1\r\nHost: fapiao.test\r\nConnection: close\r\n\r\n"
    answer = raw(url, b"OPTIONS *" + head)
    assert answer.startswith(b"HTTP/1.1 204 ")
    assert b"\r\nAllow: DELETE, GET, HEAD, OPTIONS, POST, PUT\r\n" in answer
    assert raw(url, b"GET *" + head).startswith(b"HTTP/1.1 400 ")


def test_a_file_has_one_date(shop: tuple[Desk, str]) -> None:
    _, url = shop
    for path in (b"/static/css/docs.css", b"/log/checkpoint", b"/static/nothing", b"/healthz"):
        answer = raw(url, b"GET " + path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert answer.lower().count(b"\r\ndate: ") == 1, path


def test_head_has_no_body_behind_the_server_either(shop: tuple[Desk, str]) -> None:
    _, url = shop
    request = b"HEAD /log/checkpoint HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = raw(url, request)
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"\r\n\r\n")


def test_metrics_are_the_same_whichever_process_answers(shop: tuple[Desk, str]) -> None:
    _, url = shop

    def count() -> int:
        answer = urllib3.request("GET", f"{url}/metrics", headers={"Connection": "close"})
        found = re.search(
            r'^fapiao_answers_total{endpoint="operations.healthz",status="2xx"} (\S+)$',
            answer.data.decode(),
            re.MULTILINE,
        )
        return int(float(found[1])) if found else 0

    before = count()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: urllib3.request("GET", f"{url}/healthz").status, range(40)))
    assert {count() for _ in range(8)} == {before + 40}


def test_waiters_leave_a_thread_for_the_others(shop: tuple[Desk, str]) -> None:
    """Two processes of two threads: at most one waits in each, so health is always answered."""
    desk, url = shop
    answered: list[Any] = []

    def wait(number: int) -> None:
        body, prefer = order(f"WAIT{number}"), {"Prefer": "wait=30"}
        answered.append(post(f"{url}/v1/invoices", desk, body, **prefer))

    waiting = [threading.Thread(target=wait, args=(number,)) for number in range(6)]
    for thread in waiting:
        thread.start()
    wait_until(lambda: len(answered) >= 4, "those are answered who found no place to wait")
    for _ in range(10):
        answer = urllib3.request("GET", f"{url}/healthz", timeout=PATIENCE, retries=False)
        assert answer.status == 200
    assert len(answered) < len(waiting)
    desk.anchor()
    for thread in waiting:
        thread.join()


def test_nothing_is_written_about_requests_that_went_well(shop: tuple[Desk, str]) -> None:
    desk, url = shop
    post(f"{url}/v1/invoices", desk, order("QUIET"))
    log = Path(desk.config.data_dir, "server.log").read_text(encoding="utf-8")
    assert "QUIET" not in log
    assert desk.key not in log
    assert "Traceback" not in log
