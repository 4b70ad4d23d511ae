"""A served instance with a page of every kind, for whoever looks at all of them."""

import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from werkzeug.serving import make_server

from chain.errors import Problem, RefusedError, UnavailableError
from invoice_service.app import PROBLEM
from invoice_service.documents.paper.fitting import fitted
from invoice_service.services.checking.prove import FACE_ONLY
from tests.api.checking.test_papers import paper
from tests.api.desk import TAX_ID, UNKNOWN, Desk, slip
from tests.api.orders.test_orders import made, path_of

REFUSED: Final[dict[str, Problem]] = {
    "busy": UnavailableError("database_busy", "another transaction holds the database"),
    "often": RefusedError("rate_limited", "100 requests a second are answered"),
    "broken": Problem("internal_error", "it is recorded", incident="4f0c2a9e7b11"),
}
"""What some addresses are answered, whatever stands behind them: ``?answer=busy``."""

EXPLORER: Final = {
    "log": "",
    "blocks": "blocks",
    "block": "blocks/1",
    "entry": "entries/3",
    "closings": "closings",
    "acts": "acts",
    "keys": "keys",
    "log search": "search?q=00000001",
    "no block": "blocks/999",
    "compare": "compare",
}
"""The log for everybody, by name."""

LONG_NAME: Final = "深圳市非常非常长的旋转餐厅与咖啡馆及停车场管理服务有限公司" * 3


@dataclass
class Site:
    """Where it is, its pages by name, one code to paste, and PDFs to be read there."""

    desk: Desk
    base: str
    pages: dict[str, str]
    text: str
    papers: dict[str, Path]


@contextmanager
def served(folder: Path) -> Iterator[Site]:
    """The site, until the end of the block."""
    with Desk(folder) as desk:

        def answer(environ: Any, start: Any) -> Iterable[bytes]:  # noqa: ANN401 # WSGI
            for name, problem in REFUSED.items():
                if f"answer={name}" in environ["QUERY_STRING"]:
                    environ[PROBLEM] = problem
            return desk.app(environ, start)

        server = make_server("127.0.0.1", 0, answer, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield filled(desk, f"http://127.0.0.1:{server.server_port}", folder)
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def filled(desk: Desk, base: str, folder: Path) -> Site:
    """A page of every kind, of a service that is reached at ``base``; papers in ``folder``."""
    company = {"kind": "company", "name": "深圳市采购有限公司", "tax_id": "91440300708461136T"}
    authentic = desk.issue("A-0001", buyer=company)
    long = desk.issue("T1", buyer=company | {"name": LONG_NAME})
    taken_back = desk.issue("T2")
    red = desk.reverse(taken_back)
    part, back = _partly(desk)
    wrong = desk.issue("R1", buyer=company)
    desk.reverse(wrong)
    right = desk.issue("R1", buyer=company, remark="改正抬头", replaces=wrong["hash"])
    desk.anchor()
    said = {
        "authentic": slip(authentic),
        "long": slip(long),
        "reversed": slip(taken_back),
        "red": slip(red),
        "part": slip(part),
        "red part": slip(back),
        "replaced": slip(wrong),
        "replacing": slip(right),
        "pending": slip(desk.issue("T3")),
        "mismatch": slip(authentic, total_amount="1"),
        "unknown": slip(authentic, hash=UNKNOWN),
        "malformed": slip(authentic, total_amount="1e3"),
    }
    pages = {name: f"{base}/verify/scan?{urlencode(fields)}" for name, fields in said.items()}
    pages |= {
        "landing": f"{base}/",
        "problems": f"{base}/problems",
        "found": f"{base}/problems?q=log",
        "customers' codes": f"{base}/problems?for=customer",
        "report": f"{base}/report?{urlencode(said['mismatch'])}",
        "receipt asked": f"{base}/report/status",
        "why": f"{base}/why",
        "list": f"{base}/verify/list",
        "file": f"{base}/verify/file",
        "paper": f"{base}/verify/paper",
        "proved": f"{base}/verify/file?hash={authentic['hash']}",
        "proved part": f"{base}/verify/file?hash={part['hash']}",
        "proved red": f"{base}/verify/file?hash={back['hash']}",
        "nothing": f"{base}/nothing",
        "not so": f"{base}/language",
        "components": f"{base}/components",
        "sign in": f"{base}/sign-in",
        "invitation": f"{base}/invitation/used",
        "receipt": f"{base}/v1/invoices/{authentic['hash']}/receipt",
        "docs": f"{base}/docs",
        "call": f"{base}/docs#/checking/verify",
    }
    pages |= {name: f"{base}/explorer/{path}" for name, path in EXPLORER.items()}
    pages |= {name: f"{base}/verify/scan?answer={name}" for name in REFUSED}
    pages |= {name: f"{base}{path}" for name, path in _prepaid(desk).items()}
    papers = {"paper fits": folder / "fits.pdf", "paper differs": folder / "differs.pdf"}
    papers["paper fits"].write_bytes(paper(desk, part["hash"], FACE_ONLY))
    bent = paper(desk, authentic["hash"], total="￥9,498.10", remark=fitted("已付款", 68, 19))
    papers["paper differs"].write_bytes(bent)
    pages["claim"] = base + path_of(made(desk, "C1"))
    return Site(desk, base, pages, authentic["qr"], papers)


def _prepaid(desk: Desk) -> dict[str, str]:
    """An account with meals of every kind, one whose rest was asked for, and none."""
    said = {"merchant": TAX_ID, "terms": "十次商务午餐，节假日通用", "amount": 300_000}
    paths = {"no prepaid": f"/prepaid/{'A' * 24}"}
    prepaid = desk.instance.prepaid
    for name in ("prepaid", "prepaid asked"):
        asked = {**said, "request_id": name, "expires_at": "2027-11-21T04:30:00Z"}
        account = prepaid.open("digital-yuan", json.dumps(asked).encode()).whole.account
        meals = [desk.issue(f"{name} {number}", prepaid=account.id) for number in range(4)]
        desk.reverse(meals[1])
        no = {"request_id": f"no {name}", "hash": meals[2]["hash"]}
        prepaid.refuse("digital-yuan", account.id, json.dumps(no).encode())
        address = prepaid.links.address(account.sealed)
        paths[name] = address.removeprefix("https://fapiao.test")
    prepaid.ask_back(paths["prepaid asked"].rpartition("/")[2])
    back = {"request_id": "back", "amount": 50_000, "reason": "第一笔退款"}
    prepaid.refund("digital-yuan", account.id, json.dumps(back).encode())
    return paths


def _partly(desk: Desk) -> tuple[dict[str, Any], dict[str, Any]]:
    """An invoice of which a coffee and some money came back, and the red one of the money."""
    coffee = {"name": "*餐饮服务*拿铁", "unit_price": 2800, "quantity": "3", "tax_rate": "0.06"}
    cake = {"name": "*餐饮服务*蛋糕", "unit_price": 1000, "tax_rate": "0.13"}
    part = desk.issue("P1", lines=[coffee | {"discount": 100}, cake])
    path = f"/v1/invoices/{part['hash']}/reversals"
    one = {"reason": "SALES_RETURN", "lines": [{"line": 1, "quantity": "1"}]}
    money = {"reason": "SALES_DISCOUNT", "amount": 500, "rate": "0.13"}
    assert desk.post(path, one).status_code == 201
    back: dict[str, Any] = desk.post(path, money).get_json()
    return part, back
