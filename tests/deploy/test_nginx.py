"""The proxy configuration that is shipped, in a real nginx before a real server, over TLS."""

import json
import os
import re
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
import urllib3

from invoice_service.processes.supervise import free_port
from invoice_service.services.people.person import Whose
from invoice_service.services.people.sessions import Visit
from invoice_service.web.people.gate import SESSION, cookie_name
from invoice_service.wiring import open_instance
from tests.api.desk import MEAL, NDJSON, Desk, slip
from tests.api.server import serving
from tests.outside import need
from tests.patience import PATIENCE, wait_until

SHIPPED = Path(__file__).parents[2] / "deploy" / "nginx.conf"
NAME = "fapiao.example.cn"
OTHER = "127.0.0.2"
BURST = 40


class Site(NamedTuple):
    """A service behind nginx."""

    desk: Desk
    port: int
    plain_port: int
    trust: ssl.SSLContext

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        source: str = "127.0.0.1",
        preload: bool = True,
        **headers: str,
    ) -> urllib3.HTTPResponse:
        """One call over TLS, from an address of this machine."""
        pool = urllib3.HTTPSConnectionPool(
            "127.0.0.1",
            self.port,
            ssl_context=self.trust,
            server_hostname=NAME,
            assert_hostname=NAME,
            source_address=(source, 0),
            timeout=PATIENCE,
            retries=False,
        )
        answer = pool.request(
            method,
            path,
            body=body,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
            preload_content=preload,
            redirect=False,
        )
        assert isinstance(answer, urllib3.HTTPResponse)
        return answer


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("FAPIAO_WEB_TRUSTED_PROXIES", '["127.0.0.1"]')
    monkeypatch.setenv("FAPIAO_RATE_PEER_PER_SECOND", "1")
    monkeypatch.setenv("FAPIAO_RATE_PEER_BURST", str(BURST))
    with (
        Desk(tmp_path) as desk,
        serving(desk, workers=1, threads=4) as url,
        proxied(tmp_path, url, desk) as site,
    ):
        yield site


@contextmanager
def proxied(folder: Path, url: str, desk: Desk) -> Iterator[Site]:
    """nginx before the server at ``url``, as configured, but for ports and places."""
    port, plain_port = free_port("127.0.0.1"), free_port("127.0.0.1")
    certificate, key = make_certificate(folder)
    text = SHIPPED.read_text(encoding="utf-8")
    for shipped, ours in (
        ("    server 127.0.0.1:8000;", f"    server {url.removeprefix('http://')};"),
        ("    listen 80;", f"    listen 127.0.0.1:{plain_port};"),
        ("    listen [::]:80;\n", ""),
        ("    listen 443 ssl http2;", f"    listen 127.0.0.1:{port} ssl http2;"),
        ("    listen [::]:443 ssl http2;\n", ""),
        ("/etc/ssl/fapiao/fullchain.pem", str(certificate)),
        ("/etc/ssl/fapiao/key.pem", str(key)),
    ):
        assert text.count(shipped) == 1, shipped
        text = text.replace(shipped, ours)
    (folder / "site.conf").write_text(text, encoding="utf-8")
    (folder / "nginx.conf").write_text(around(folder), encoding="utf-8")
    command = [need("nginx"), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]
    with (folder / "nginx.out").open("wb") as output:
        nginx = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        wait_until(lambda: listens(port) or nginx.poll() is not None, "nginx listens")
        assert nginx.poll() is None, (folder / "nginx.out").read_text()
        trust = ssl.create_default_context(cafile=str(certificate))
        yield Site(desk, port, plain_port, trust)
    finally:
        nginx.terminate()
        nginx.wait(timeout=PATIENCE)


def around(folder: Path) -> str:
    """What Debian's own nginx.conf has around the file, with all it writes in ``folder``."""
    places = "".join(
        f"    {kind}_temp_path {folder / kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return (
        ("user root;\n" if os.geteuid() == 0 else "")
        + f"daemon off;\npid {folder / 'nginx.pid'};\nevents {{}}\n"
        + f"http {{\n    access_log off;\n{places}    include {folder / 'site.conf'};\n}}\n"
    )


def make_certificate(folder: Path) -> tuple[Path, Path]:
    certificate, key = folder / "fullchain.pem", folder / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", f"/CN={NAME}"),
            *("-addext", f"subjectAltName=DNS:{NAME}", "-out", certificate, "-keyout", key),
        ],
        check=True,
        capture_output=True,
    )
    return certificate, key


def listens(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_sale_from_the_till_to_the_phone(site: Site) -> None:
    key = site.desk.auth()["Authorization"]
    body = json.dumps({"order_id": "T1", "lines": [MEAL]}).encode()
    issued = site.ask(
        "POST", "/v1/invoices", body, Authorization=key, Content_Type="application/json"
    )
    assert issued.status == 201, issued.data
    assert issued.headers["Strict-Transport-Security"].startswith("max-age=")
    said = slip(issued.json())
    page = site.ask("GET", "/verify/scan?" + "&".join(f"{k}={v}" for k, v in said.items()))
    assert page.status == 200
    assert issued.json()["number"] in page.data.decode()
    assert site.ask("GET", "/static/css/pages.css").status == 200


def anything(version: ssl.TLSVersion, ciphers: str = "ALL:!PSK:!SRP") -> ssl.SSLContext:
    """A client that takes whatever it gets: the other side has to refuse."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    client.set_ciphers(f"{ciphers}:@SECLEVEL=0")  # or this side would not even ask
    client.minimum_version = client.maximum_version = version
    return client


def is_taken(site: Site, client: ssl.SSLContext) -> bool:
    """Whether nginx agrees; it says why not."""
    with socket.create_connection(("127.0.0.1", site.port), PATIENCE) as plain:
        try:
            client.wrap_socket(plain, server_hostname=NAME).close()
        except ssl.SSLError as refused:
            said = str(refused).lower()
        else:
            return True
    assert re.search("alert.(protocol.version|handshake.failure)", said), said
    return False


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # asking for them is the point
def test_old_versions_and_weak_ciphers_of_tls_are_refused(site: Site) -> None:
    for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        assert not is_taken(site, anything(version))
    new = ssl.TLSVersion.TLSv1_2
    tried = [
        one["name"]
        for one in anything(new).get_ciphers()
        if one["protocol"] != "TLSv1.3" and is_taken(site, anything(new, one["name"]))
    ]
    assert sorted(tried) == [  # for its certificate, which is for elliptic curves
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
    ]
    (named,) = re.findall(r"ssl_ciphers (\S+);", SHIPPED.read_text(encoding="utf-8"))
    new_ones = [one for one in anything(new, named).get_ciphers() if one["protocol"] != "TLSv1.3"]
    assert len(new_ones) == named.count(":") + 1
    for one in new_ones:
        assert (one["aead"], one["kea"]) == (True, "kx-ecdhe"), one["name"]


def test_an_address_that_lets_somebody_in_is_written_nowhere() -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    quiet = r"access_log off;\s+error_log /dev/null crit;"
    (secret,) = re.findall(rf"location ~ (\S+) {{\s+{quiet}", text)
    for address in ("/claim/x", "/prepaid/x/", "/invitation/x", "/setup", "/sign-in/provider/back"):
        assert re.search(secret, address), address
    for address in ("/", "/sign-in", "/setup/merchant", "/v1/invoices", "/static/claim/page.js"):
        assert not re.search(secret, address), address
    assert "access_log off;" in text.partition("listen 443")[0]


def test_without_tls_it_only_says_where_to_go(site: Site) -> None:
    answer = urllib3.request(
        "GET",
        f"http://127.0.0.1:{site.plain_port}/verify/scan?hash=1",
        headers={"Host": "evil.example"},
        redirect=False,
        retries=False,
    )
    assert answer.status == 308
    assert answer.headers["Location"] == f"https://{NAME}/verify/scan?hash=1"


def test_results_come_through_while_the_rest_is_being_issued(site: Site) -> None:
    line = '{"order_id":"B-%d","lines":[{"name":"x","unit_price":100,"tax_rate":"0.06"}]}\n'
    body = "".join(line % number for number in range(5000)).encode()
    answer = site.ask(
        "POST",
        "/v1/invoices/batch",
        body,
        preload=False,
        Authorization=site.desk.auth()["Authorization"],
        Content_Type=NDJSON,
    )
    lines = iter(answer)
    first = json.loads(next(lines))
    assert site.desk.count() < 5000
    assert (first["line"], first["status"]) == (1, 201)
    assert len(list(lines)) == 4999


def test_events_come_through_one_by_one(site: Site) -> None:
    people, now = site.desk.instance.people, int(site.desk.clock().timestamp())
    by, visit = site.desk.instance.operator(), Visit("", "")
    whose = Whose(site.desk.restaurant.merchant.id)
    invited = people.staff.invite(whose, "owner", "Zhang", "zhang", by)
    person = people.staff.accept(invited.token, "seven ducks cross a river", visit, now)
    with closing(open_instance(site.desk.config)) as instance:  # by the clock of the server
        token = instance.people.sessions.open(person, "full", visit, "password")
    cookie = f"{cookie_name(site.desk.config.service.public_url, SESSION)}={token}"
    answer = site.ask("GET", "/till/events", preload=False, Cookie=cookie)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/event-stream")
    lines = iter(answer)
    assert next(lines).startswith(b"retry: ")
    invoice = site.desk.issue()
    told = next(line for line in lines if line.startswith(b"data: "))
    assert json.loads(told[6:])["hash"] == invoice["hash"]
    answer.close()


def test_a_list_above_the_limit_is_refused_in_our_words(site: Site) -> None:
    body = b"x" * (site.desk.config.limits.batch_bytes + 1)
    answer = site.ask("POST", "/v1/verifications", body, Content_Type="text/plain")
    assert (answer.status, answer.json()["code"]) == (413, "body_too_large")


def test_an_address_that_a_client_writes_buys_nothing(site: Site) -> None:
    """Each call names another address; they are one peer's all the same, and only its own."""
    for number in range(5 * BURST):
        forged = f"198.51.100.{number}"
        answer = site.ask("GET", "/", X_Forwarded_For=forged, Forwarded=f"for={forged}")
        if answer.status == 429:
            break
    assert (answer.status, number >= BURST // 2) == (429, True)
    assert int(answer.headers["Retry-After"]) > 0
    assert site.ask("GET", "/", source=OTHER).status == 200
