"""A customer's link stands in nothing that the service writes: logs, trail, databases, counts.

Nor does who claimed, once they are erased by its secret.
"""

import json
import re
from pathlib import Path
from urllib.parse import urlencode

import urllib3

from tests.api.desk import MEAL, TAX_ID, Desk
from tests.api.server import serving


def written(folder: Path) -> dict[str, bytes]:
    """All files below a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def opened(desk: Desk) -> str:
    """The token of a new prepaid account's link."""
    said = {
        "request_id": "1",
        "merchant": TAX_ID,
        "amount": 100,
        "terms": "午餐",
        "expires_at": "2027-11-21T04:30:00Z",
    }
    prepaid = desk.instance.prepaid
    account = prepaid.open("bank", json.dumps(said).encode()).whole.account
    return prepaid.links.address(account.sealed).rpartition("/")[2]


def test_no_file_of_the_service_has_the_link_or_the_browser_s_secret(tmp_path: Path) -> None:
    with Desk(tmp_path) as desk, serving(desk, workers=1) as url:
        order = urllib3.request(
            "POST",
            f"{url}/v1/orders",
            json={"order_id": "J1", "lines": [MEAL]},
            headers=desk.auth(),
        ).json()
        token = order["link"].rpartition("/")[2]
        page = urllib3.request("GET", f"{url}/claim/{token}").data.decode()
        mine = re.search(r'name="mine" value="([^"]+)"', page)
        assert mine is not None
        fields = {"mine": mine[1], "kind": "individual", "name": "王小明"}
        for path in (token, f"{token}%2F", f"{token}/x", token):
            pool = urllib3.PoolManager(retries=False)
            pool.request(
                "POST",
                f"{url}/claim/{path}",
                body=urlencode(fields),
                headers={"Content-Type": "application/x-www-form-urlencoded"},
                redirect=False,
            )
            pool.request("GET", f"{url}/claim/{path}", redirect=False)
            pool.request("PATCH", f"{url}/claim/{path}", redirect=False)
        account = opened(desk)
        for path in (account, f"{account}/x"):
            for method in ("GET", "POST", "PATCH"):
                urllib3.request(method, f"{url}/prepaid/{path}", retries=False)
        state = urllib3.request("GET", f"{url}/v1/orders/{order['id']}", headers=desk.auth()).json()
        assert state["state"] == "claimed"
        with desk.instance.store.connections.reading() as connection:
            (key,) = connection.execute("SELECT key FROM buyer_keys").fetchone()
        assert any(key in data for data in written(desk.config.data_dir).values())
        urllib3.request(
            "POST",
            f"{url}/claim/{token}/erasure",
            body="sure=yes",
            headers={
                "Content-Type": "application/x-www-form-urlencoded",
                "Cookie": f"fapiao-claim={mine[1]}",
            },
            redirect=False,
        )
        trail = urllib3.request("GET", f"{url}/v1/trail", headers=desk.official()).data
        found = {**written(desk.config.data_dir), "trail": trail}
        assert "server.log" in found
        assert b"claimer" in trail
        for name, data in found.items():
            for secret in (*(one.encode() for one in (token, mine[1], "王小明", account)), key):
                assert secret not in data, (name, secret)
