"""Record an example of every call from the service itself: ``python -m scripts.examples``.

They are what ``/openapi.json`` shows. The clock and the randomness are fixed, so the same service
records the same examples; a test makes every call again and holds the recorded ones to it.
"""

import json
import random
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from copy import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, Final, NamedTuple

from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

import invoice_service.openapi.document as described
from chain.signing.es256 import WalletSigner
from invoice_service.api.wallet.contract import GRANT
from invoice_service.app import create_app, doors
from invoice_service.commands.wallet import status_lists_of, wallet_signer, wallets_of
from invoice_service.config import load
from invoice_service.documents.wallet.claims import VCT
from invoice_service.documents.wallet.credential import jwk_of
from invoice_service.documents.wallet.holder import PROOF_TYPE
from invoice_service.documents.wallet.sdjwt import Claims, sign
from invoice_service.domain.merchant import MerchantRequest
from invoice_service.keys.wallet import wallet_keys
from invoice_service.openapi.operation import Operation
from invoice_service.processes.wallet import SOCKET, WalletProcess
from invoice_service.services.anchoring.anchor import anchor_pending
from invoice_service.services.people.admit import admit, create_key
from invoice_service.services.people.ports import SCOPES, KeyTerms
from invoice_service.web.help.form import Filled
from invoice_service.wiring import Instance, init_instance
from scripts.applying import OCTETS, admission_calls, admitted, asked
from scripts.bureau import two_administrators
from scripts.paid import PaymentServices, Wallet
from scripts.walked import explorer_calls

FILE: Final = Path(described.__file__).with_name(described.EXAMPLES)
NOW: Final = datetime(2026, 11, 21, 4, 30, tzinfo=UTC)
URL: Final = "https://fapiao.example"
JSON, NDJSON = "application/json", "application/x-ndjson"
FORM, CSV = "application/x-www-form-urlencoded", "text/csv"
PARTS, PDF, SD_JWT = "multipart/form-data", "application/pdf", "application/dc+sd-jwt"

LINE: Final = {"name": "*餐饮服务*餐费", "unit_price": 49810, "tax_rate": "0.06"}
BUYER: Final = {"kind": "company", "name": "深圳市采购有限公司", "tax_id": "91330100799655058B"}
ORDER: Final = {"order_id": "T12-0815", "lines": [LINE], "buyer": BUYER}
GREENS: Final = {
    "name": "*蔬菜*青菜",
    "unit_price_yuan": "0.0125",
    "quantity": "400",
    "tax_rate": "0",
    "tax_kind": "exempt",
}
SALE: Final = {
    "order_id": "T12-0816",
    "discount": 200,
    "lines": [
        {"name": "*餐饮服务*套餐", "unit_price": 3000, "tax_rate": "0.06", "discount": 500},
        {"name": "*水果*苹果", "total": 10000, "quantity": "3", "unit": "千克", "tax_rate": "0.09"},
        {
            "name": "*蔬菜*青菜",
            "unit_price_yuan": "0.0125",
            "quantity": "400",
            "tax_rate": "0",
            "tax_kind": "exempt",
        },
        {"name": "*餐饮服务*小菜", "unit_price": 0, "tax_rate": "0.06"},
    ],
    "buyer": {"kind": "organisation", "name": "深圳市某某局"},
}
CAFE: Final = {
    "tax_id": "91330100799655058B",
    "name": "海岸咖啡馆",
    "industry": "6220",
    "district": "440305",
    "quota": 10000,
}


HOLDER: Final = WalletSigner("holder", bytes(range(1, 33)))


class Call(NamedTuple):
    """One call; ``kind`` is the type of its body."""

    name: str
    parameters: dict[str, Any] = {}  # noqa: RUF012 # never changed
    body: Any = None
    kind: str = JSON


def calls(known: dict[str, Any]) -> Iterator[Call]:
    """All calls in an order that works; ``known`` has what earlier ones answered."""
    yield Call("issue", {"Idempotency-Key": "till-3-0815"}, ORDER)
    yield Call("issueBatch", {}, SALE, NDJSON)
    blue = known["issue"]
    here = {"hash": blue["hash"]}
    slip = {**here, "bill_num": blue["number"], "total_amount": blue["total"]}
    guest = {"order_id": "T12-0820", "lines": [LINE], "till": "T3", "parts": 2}
    yield Call("makeOrder", {}, guest)
    order = {"order": known["makeOrder"]["id"]}
    token = {"token": known["makeOrder"]["link"].rpartition("/")[2]}
    yield Call("claimPage", token)
    mine = "0123456789abcdef0123456789abcdef"
    claim = {"kind": "company", **{name: BUYER[name] for name in ("name", "tax_id")}}
    yield Call("claim", token, {**claim, "mine": mine}, FORM)
    yield Call("readOrder", order)
    yield Call("listOrders", {"business_day": "2026-11-21", "limit": 10})
    yield Call("orderPaid", order)
    yield Call("orderSlip", {**order, "width": "58"})
    yield Call("orderPicture", {**order, "width": "58"})
    services: PaymentServices = known["SERVICES"]
    proof, notice = services.wechat(known["makeOrder"], int(NOW.timestamp()))
    yield Call("wechatPaid", proof, notice)
    yield Call("alipayPaid", {}, services.alipay(known["makeOrder"]), FORM)
    yield Call("CANCELLED")
    yield Call("cancelOrder", {"order": known["CANCELLED"]["id"]})
    yield Call("ANCHOR")
    yield Call("claimShare", {**token, "form": "proof"})
    yield Call("listInvoices", {"limit": 10, "from": "2026-11-21", "to": "2026-11-21"})
    yield Call("invoiceStates", {}, here, NDJSON)
    yield Call("readInvoice", here)
    yield Call("proof", {**here, "format": "fapiao"})
    yield Call("qrSvg", {**here, "module": 4})
    yield Call("qrPng", {**here, "module": 4})
    asked = {"width": "58", "form": "full", "copy": "0"}
    yield Call("slip", {**here, **asked, "drawer": "1"})
    yield Call("slipPrinted", here)
    yield Call("slipPicture", {**here, **asked})
    yield Call("paper", here)
    yield Call("verifyPaper", {}, known["paper"], PDF)
    yield Call("claimedPaper", token)
    yield Call("mailClaimed", token, {"mail": "guest@example.com"}, FORM)
    yield Call("checkPaper", {}, {"pdf": known["paper"]}, PARTS)
    yield Call("receiptPage", {**here, **asked})
    yield Call("verify", slip)
    yield Call("verifyMany", {}, slip, NDJSON)
    yield Call("queryBillDetail", {}, {"tx_hash": slip.pop("hash"), **slip})
    yield Call("scanPage", {**here, **slip})
    yield Call("typedPage", {**here, "number": blue["number"], "total": "498.10"})
    yield Call("filePage", here)
    yield Call("checkList", {}, {"text": blue["qr"]}, PARTS)
    yield Call("orderTemplate", {"form": "csv"})
    yield Call("chooseLanguage", {}, {"language": "en", "back": "/verify/list"}, FORM)
    for name in (
        *("landingPage", "checkPage", "listPage", "paperPage"),
        *("receiptFilePage", "problemsPage", "docsPage", "componentsPage"),
    ):
        yield Call(name)
    yield Call("reverse", here, {"reason": "ISSUE_ERROR"})
    yield Call("PERSON")
    yield Call("eraseBuyer", {"hash": known["PERSON"]["hash"]})
    yield Call("CLAIMED")
    yield Call("claimErasure", {"token": known["CLAIMED"]}, {"sure": "yes"}, FORM)
    yield Call("listActs", {"limit": 10})
    yield Call("listRefusals", {"limit": 10})
    yield Call("listDecisions", {"limit": 10})
    yield Call("proveDecision", {"commitment": known["listDecisions"]["acts"][0]["act"]})
    yield Call("countActs")
    yield Call("totals", {"by": "industry", "from": "2026-11-21", "to": "2026-11-21"})
    yield Call("checkTotals", {"by": "month,district", "from": "2026-11-21", "to": "2026-11-21"})
    yield Call("admit", {}, CAFE)
    cafe = {"merchant": known["admit"]["id"]}
    yield Call("listMerchants", {"limit": 10})
    yield Call("readMerchant", cafe)
    yield Call("suspend", cafe, {"reason": "多次扫码不符"})
    yield Call("resume", cafe, {"reason": "已整改"})
    yield Call("setQuota", cafe, {"quota": 20000})
    terms = {"scopes": ["issue", "reverse", "read"], "till": "T3"}
    yield Call("createKey", cafe, {"label": "till 3", **terms})
    key = {**cafe, "key": known["createKey"]["id"]}
    yield Call("rotateKey", key, {"overlap_seconds": 3600})
    yield Call("listKeys", cafe)
    yield Call("revokeKey", key, {"reason": "密钥外泄"})
    yield Call("invite", {}, {"name": "李四", "login": "li", "role": "cashier"})
    person = {"person": known["invite"]["id"]}
    yield Call("inviteAgain", person)
    yield Call("listPeople")
    yield Call("removePerson", person, {"reason": "离职"})
    yield Call("addDevice", {}, {"till": "T1", "label": "bar"})
    device = {"device": known["addDevice"]["id"]}
    yield Call("rotateDevice", device, {"overlap_seconds": 3600})
    yield Call("listDevices")
    yield Call("removeDevice", device, {"reason": "设备停用"})
    yield Call("checkpoint")
    yield Call("tile", {"tile": "0/000.p/5"})
    yield Call("publicKeys")
    yield Call("signedKeys")
    yield Call("keyStatement", {"number": 1})
    yield Call("listBlocks", {"after": 0, "limit": 10})
    yield Call("readBlock", {"height": 1})
    yield from _help(here, slip, blue["qr"])
    yield from prepaid_calls(known)
    for name in ("alive", "ready", "metrics", "description"):
        yield Call(name)
    yield Call("orderRest", order)
    yield Call("WALLET")
    for name in ("credentialIssuer", "authorizationServer", "credentialKeys"):
        yield Call(name)
    yield Call("claimWallet", token)
    code = {"grant_type": GRANT, "pre-authorized_code": known["WALLET"]}
    yield Call("walletToken", {}, code, FORM)
    yield Call("walletNonce")
    claims = {
        "aud": URL,
        "iat": int(NOW.timestamp()),
        "nonce": known["walletNonce"]["c_nonce"],
    }
    header: Claims = {"alg": "ES256", "jwk": jwk_of(HOLDER.verifier), "typ": PROOF_TYPE}
    proofs = {"jwt": [sign(header, claims, HOLDER)]}
    yield Call("walletCredential", {}, {"credential_configuration_id": VCT, "proofs": proofs})
    yield Call("walletOffer", {"hash": known["issue"]["hash"]})
    shown = known["walletCredential"]["credentials"][0]["credential"]
    yield from (Call("walletStatus", {"number": 0}), Call("verifyFile", {}, shown, SD_JWT))
    yield Call("checkReceiptFile", {}, {"receipt": shown.encode()}, PARTS)
    yield from (Call(*made) for made in admission_calls(known))
    yield Call("revoke", {"merchant": known["admit"]["id"]}, {"reason": "伪造发票"})
    yield from _bureau(known)
    yield from (Call(*made) for made in explorer_calls())


def _bureau(known: dict[str, Any]) -> Iterator[Call]:
    """Two administrators decide on a third person's place."""
    yield Call("BUREAU")
    bureau = known["BUREAU"]
    yield Call("changeRole", {"person": bureau["cashier"]}, {"role": "owner", "reason": "店长交接"})
    here = {"person": bureau["examiner"]}
    yield Call("suspendPerson", here, {"reason": "停职"})
    yield Call("reinstatePerson", here, {"reason": "复职"})
    yield Call("listLookups", {"from": "2026-11-21", "to": "2026-11-21", "limit": 10})
    yield Call("propose", {}, {"kind": "role", **here, "role": "auditor", "reason": "换岗"})
    yield Call("listProposals", {"limit": 10})
    proposal = {"proposal": known["propose"]["id"]}
    yield Call("readProposal", proposal)
    yield Call("withdrawProposal", proposal)
    yield Call("confirmProposal", {"proposal": bureau["proposal"]})


def _help(here: dict[str, Any], slip: dict[str, Any], code: str) -> Iterator[Call]:
    """A report of a slip, from the form to what its sender is told."""
    nonce = "0123456789abcdef" * 3
    yield Call("reportPage", {**here, **slip})
    told = {"said": code, "message": "金额与付款不符", "place": "旋转餐厅"}
    yield Call("reportSlip", {}, {"nonce": nonce, **told}, PARTS)
    yield Call("PICTURED")
    yield Call("listReports", {"limit": 10, "state": "new"})
    report = {"report": 1}
    yield Call("readReport", report)
    yield Call("judgeReport", report, {"state": "closed", "note": "已联系商家更正"})
    yield Call("reportPicture", {"report": 2, "picture": 1})
    yield Call("eraseReport", {"report": 2})
    yield Call("receiptForm")
    receipt = Filled(nonce, told, []).receipt
    yield Call("reportStatus", {}, {"receipt": receipt, "erase": "contact"}, FORM)
    yield Call("listMismatches", {"from": "2026-11-21", "to": "2026-11-21", "limit": 10})
    yield Call("whyPage")


def prepaid_calls(known: dict[str, Any]) -> Iterator[Call]:
    """A meal that was paid in advance, refused, and all of it paid back."""
    wallet: Wallet = known["WALLET"]
    at = int(NOW.timestamp())

    def said(name: str, path: str, body: dict[str, Any], **more: str) -> Call:
        return Call(name, {**more, **wallet.proof(path, body, at)}, body)

    opened = {
        "request_id": "2026-0001",
        "merchant": "91440300708461136T",
        "amount": 300000,
        "terms": "十次午餐",
        "expires_at": "2027-11-21T04:30:00Z",
    }
    yield said("openPrepaid", "/v1/prepaid", opened)
    account = known["openPrepaid"]["id"]
    here, path = {"account": account}, f"/v1/prepaid/{account}"
    yield Call("MEAL")
    meal = {"hash": known["MEAL"]["hash"]}
    yield Call("releasePrepaid", here, meal)
    yield Call("readPrepaid", here)
    yield Call("listPrepaid", {"limit": 10})
    no = {"request_id": "2026-0002", **meal, "reason": "顾客未确认"}
    yield said("refusePrepaid", f"{path}/refusal", no, **here)
    token = {"token": known["openPrepaid"]["link"].rpartition("/")[2]}
    yield Call("prepaidPage", token)
    yield Call("askBack", token, {"ask": "back"}, FORM)
    yield said("refundPrepaid", f"{path}/refund", {"request_id": "2026-0003"}, **here)


class Recorder:
    """A fresh instance, and the calls that were made to it."""

    def __init__(
        self,
        instance: Instance,
        keys: dict[str, str],
        services: PaymentServices,
        wallet: Wallet,
    ) -> None:
        self._instance = instance
        self._client = FlaskClient(create_app(instance))
        self._keys = keys
        self._operations = {it.name: it for it in doors(instance.config).operations}
        self.known: dict[str, Any] = {"SERVICES": services, "WALLET": wallet}
        self.closing = ExitStack()
        self.examples: dict[str, Any] = {}

    def all(self) -> dict[str, Any]:
        """Make every call; the examples by the operation's name."""
        made: dict[str, Callable[[], object]] = {
            "WALLET": self._offer,
            "PERSON": self._sell_to_person,
            "BUREAU": lambda: two_administrators(self._instance, self._keys),
            "ADMITTED": lambda: admitted(self._instance),
            "ASKED": lambda: asked(self._instance),
            "PICTURED": self._report_with_picture,
            "MEAL": lambda: self._sell({"order_id": "T12-0822", "lines": [LINE]}),
            "CANCELLED": lambda: self._order("T12-0821"),
            "CLAIMED": self._claimed,
        }
        for call in calls(self.known):
            if call.name == "ANCHOR":
                now = NOW + timedelta(days=call.parameters.get("days", 0))
                anchor_pending(replace(self._instance, clock=partial(copy, now)).anchoring())
            elif call.name in made:
                self.known[call.name] = made[call.name]()
            else:
                self._make(self._operations[call.name], call)
        return self.examples

    def _offer(self) -> str:
        """The code of an offer to a wallet, which this process signs for."""
        instance = self._instance
        wallet_keys(instance.keys, instance.log_store, instance.randbytes).rotate()
        status_lists_of(instance).step(int(NOW.timestamp()))
        instance.config.run_dir.mkdir(exist_ok=True)
        place = instance.config.run_dir / SOCKET
        process = WalletProcess(place, lambda: wallets_of(instance, wallet_signer(instance)))
        self.closing.callback(process.close)
        return instance.wallets.offers.code(self.known["issue"]["hash"])

    def _sell_to_person(self) -> Any:  # noqa: ANN401 # JSON
        """An invoice that is no example."""
        return self._sell({"order_id": "T12-0817", "lines": [LINE], "buyer": {"name": "张三"}})

    def _sell(self, order: dict[str, Any]) -> Any:  # noqa: ANN401 # JSON
        headers = {"Authorization": f"Bearer {self._keys['merchant']}"}
        return self._client.post("/v1/invoices", json=order, headers=headers).get_json()

    def _order(self, order_id: str) -> Any:  # noqa: ANN401 # JSON
        """An order that is no example."""
        headers = {"Authorization": f"Bearer {self._keys['merchant']}"}
        order = {"order_id": order_id, "lines": [LINE]}
        return self._client.post("/v1/orders", json=order, headers=headers).get_json()

    def _claimed(self) -> str:
        """The token of one that a person has claimed in this browser."""
        token: str = self._order("T12-0822")["link"].rpartition("/")[2]
        self._client.post(f"/claim/{token}", data={"mine": "0" * 32, "name": "张三"})
        return token

    def _report_with_picture(self) -> None:
        """A report that is no example: files are not shown."""
        picture = BytesIO()
        Image.new("RGB", (8, 8), "white").save(picture, "PNG")
        picture.seek(0)
        form = {"nonce": "f" * 48, "picture": (picture, "slip.png")}
        answer = self._client.post("/report", data=form, content_type=PARTS)
        if answer.status_code != 200:
            raise RuntimeError(answer.text)

    def _make(self, operation: Operation, call: Call) -> None:
        answer = self._client.open(
            _address(operation, call),
            method=operation.method.upper(),
            data=_body(call),
            headers=self._headers(operation, call),
        )
        if answer.status_code not in operation.statuses:
            raise RuntimeError(f"{call.name}: {answer.status_code} {answer.text}")
        kind = (answer.content_type or "").partition(";")[0]
        shown = _shown(kind, answer)
        if kind in (JSON, PDF):
            self.known[call.name] = answer.data if kind == PDF else shown
        example: dict[str, Any] = {"parameters": call.parameters}
        if call.body is not None and call.kind not in (PDF, OCTETS):
            example["request"] = {call.kind: _written(call.body)}
        if shown is not None:
            example["answers"] = {str(answer.status_code): {kind: shown}}
        self.examples[call.name] = example

    def _headers(self, operation: Operation, call: Call) -> dict[str, str]:
        headers = {p.name: call.parameters[p.name] for p in _of(operation, "header", call)}
        role = {"any": "merchant", "optional": "merchant", "": ""}.get(operation.key, operation.key)
        if role:
            headers["Authorization"] = f"Bearer {self._keys[role]}"
        if operation.name == "walletCredential":
            headers["Authorization"] = f"Bearer {self.known['walletToken']['access_token']}"
        if call.body is not None:
            headers["Content-Type"] = call.kind
        return headers


def _of(operation: Operation, place: str, call: Call) -> list[Any]:
    return [p for p in operation.parameters if p.place == place and p.name in call.parameters]


def _address(operation: Operation, call: Call) -> str:
    path = re.sub(r"{([a-z]+)}", lambda name: str(call.parameters[name[1]]), operation.path)
    query = "&".join(f"{p.name}={call.parameters[p.name]}" for p in _of(operation, "query", call))
    return f"{path}?{query}" if query else path


def _written(body: Any) -> Any:  # noqa: ANN401 # JSON
    """As it stands in the description, where files do not."""
    if not isinstance(body, dict):
        return body
    return {name: "…" if isinstance(it, bytes) else it for name, it in body.items()}


def _body(call: Call) -> Any:  # noqa: ANN401 # what the client takes: bytes, or a form's fields
    if call.kind == PARTS:
        return {
            name: (BytesIO(it), name) if isinstance(it, bytes) else it
            for name, it in call.body.items()
        }
    if call.body is None or call.kind in (FORM, PDF, SD_JWT, OCTETS):
        return call.body
    return json.dumps(call.body, ensure_ascii=False).encode()


def _shown(kind: str, answer: TestResponse) -> Any:  # noqa: ANN401 # whatever JSON holds
    """What is shown of an answer: nothing of pages, pictures and long texts."""
    if kind == JSON:
        return answer.get_json() if "openapi" not in answer.request.path else None
    if kind == NDJSON:
        return json.loads(answer.text.splitlines()[0])
    return answer.text if kind == "text/plain" and "/log/" in answer.request.path else None


def _people(instance: Instance, randbytes: Callable[[int], bytes]) -> dict[str, str]:
    """A restaurant and an official: their keys by role."""
    store, by = instance.store, instance.operator()
    restaurant = MerchantRequest(
        tax_id="91440300708461136T",
        name="深圳市旋转餐厅有限公司",
        industry="6210",
        district="440303",
    )
    owner = admit(store, restaurant, by).merchant.id
    terms = KeyTerms(scopes=SCOPES["merchant"])
    _, merchant = create_key(
        store, "merchant", owner, "till 1", by=by, randbytes=randbytes, terms=terms
    )
    _, official = create_key(store, "official", None, "bureau", by=by, randbytes=randbytes)
    return {"merchant": merchant, "official": official}


@contextmanager
def fresh() -> Iterator[Recorder]:
    """A recorder over an instance of its own."""
    draw = random.Random(2018)  # noqa: S311 # the same keys each time, and good for nothing else
    with tempfile.TemporaryDirectory() as folder:
        chance = random.Random(2019).randbytes  # noqa: S311 # apart: what else is drawn stays
        services = PaymentServices(Path(folder) / "payments", chance)
        wallet = Wallet(Path(folder) / "wallets")
        environ = {"FAPIAO_SERVICE_DATA_DIR": f"{folder}/data", "FAPIAO_SERVICE_PUBLIC_URL": URL}
        mail = {"FAPIAO_MAIL_HOST": "mail.example", "FAPIAO_MAIL_FROM": "fapiao@example.com"}
        config = load(None, {**environ, **services.settings, **mail, **wallet.settings})
        instance = init_instance(config, clock=lambda: NOW, randbytes=draw.randbytes)
        try:
            keys = _people(instance, draw.randbytes)
            recorder = Recorder(instance, keys, services, wallet)
            with recorder.closing:
                yield recorder
        finally:
            instance.close()


def main() -> None:
    """Write the examples anew."""
    with fresh() as recorder:
        FILE.write_text(json.dumps(recorder.all(), ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
