"""A wallet fetches an invoice: from the offer's code to a credential that is bound to its key."""

import json
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from werkzeug.test import TestResponse

from chain.errors import NotFoundError, UnavailableError
from chain.hashing import sha256
from chain.signing.es256 import WalletSigner
from invoice_service.commands.wallet import wallet_signer, wallets_of
from invoice_service.documents.wallet.credential import jwk_of, verify_credential
from invoice_service.documents.wallet.sdjwt import Claims, sign
from invoice_service.keys.wallet import wallet_keys
from invoice_service.openapi.operation import FIELDS
from invoice_service.processes.wallet import SOCKET, WalletLine, WalletProcess
from invoice_service.services.claims.offers import (
    CODE_SECONDS,
    NONCE_SECONDS,
    OPEN_AT_ONCE,
    TOKEN_SECONDS,
)
from tests.api.desk import Desk, problem
from tests.api.orders.test_orders import COMPANY, made, path_of
from tests.web.claim.test_pages import browser, press

GRANT = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
VCT = "eu.we-build.ereceipt.1"
HOLDER = WalletSigner("holder", bytes(range(3, 35)))
ISSUER = "https://fapiao.test"


class Phone:
    """A wallet, and the desk whose invoices it fetches."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def now(self) -> int:
        """Its clock."""
        return int(self.desk.clock().timestamp())

    def token_for(self, code: str, **changes: str) -> TestResponse:
        """Redeem a code."""
        fields = {"grant_type": GRANT, "pre-authorized_code": code, **changes}
        return self.desk.client.post("/v1/wallet/token", data=fields)

    def token(self, hash_: str) -> str:
        """A token for an invoice."""
        answer = self.token_for(self.desk.instance.wallets.offers.code(hash_))
        assert answer.status_code == 200, answer.text
        found: str = answer.get_json()["access_token"]
        return found

    def proof(self, by: WalletSigner = HOLDER, **changes: Any) -> str:  # noqa: ANN401
        """A proof of the holder's key."""
        nonce = self.desk.client.post("/v1/wallet/nonce").get_json()["c_nonce"]
        header: Claims = {
            "alg": "ES256",
            "jwk": jwk_of(HOLDER.verifier),
            "typ": "openid4vci-proof+jwt",
        }
        header |= changes.pop("header", {})
        claims = {"aud": ISSUER, "iat": self.now(), "nonce": nonce, **changes}
        return sign(header, claims, by)

    def ask(self, token: str, *proofs: str, vct: str = VCT) -> TestResponse:
        """Ask for the credential."""
        body = {"credential_configuration_id": vct, "proofs": {"jwt": list(proofs)}}
        headers = {"Authorization": f"Bearer {token}"}
        return self.desk.client.post("/v1/wallet/credential", json=body, headers=headers)


@contextmanager
def signing(desk: Desk) -> Iterator[WalletProcess]:
    """Who has the key, in a thread of its own, as beside the issuing process."""
    instance = desk.instance
    instance.config.run_dir.mkdir(parents=True, exist_ok=True)
    process = WalletProcess(
        instance.config.run_dir / SOCKET, lambda: wallets_of(instance, wallet_signer(instance))
    )
    try:
        yield process
    finally:
        process.close()


@pytest.fixture
def phone(desk: Desk) -> Iterator[Phone]:
    """A wallet before a service that issues to wallets."""
    instance = desk.instance
    wallet_keys(instance.keys, instance.log_store, instance.randbytes).rotate()
    with signing(desk):
        yield Phone(desk)


def anchored(desk: Desk) -> dict[str, Any]:
    """An invoice that is in the log."""
    invoice = desk.issue()
    desk.anchor()
    return invoice


def test_a_wallet_gets_the_invoice_bound_to_its_key(phone: Phone) -> None:
    desk = phone.desk
    invoice = anchored(desk)
    answer = phone.ask(phone.token(invoice["hash"]), phone.proof())
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    [only] = answer.get_json()["credentials"]
    found = verify_credential(only["credential"], desk.instance.keys.keys(), phone.now())
    assert (found.hash, found.claims["cnf"]) == (
        invoice["hash"],
        {"jwk": jwk_of(HOLDER.verifier)},
    )


def test_what_wallets_read_first(phone: Phone) -> None:
    client = phone.desk.client
    said = client.get("/.well-known/openid-credential-issuer").get_json()
    assert said["credential_issuer"] == ISSUER
    assert said["credential_configurations_supported"][VCT]["format"] == "dc+sd-jwt"
    for name in ("credential_endpoint", "nonce_endpoint"):
        assert said[name].startswith(f"{ISSUER}/v1/wallet/")
    server = client.get("/.well-known/oauth-authorization-server").get_json()
    assert (server["issuer"], server["grant_types_supported"]) == (ISSUER, [GRANT])
    keys = client.get("/.well-known/jwt-vc-issuer").get_json()["jwks"]["keys"]
    known = phone.desk.instance.keys.keys().wallet
    assert [key["kid"] for key in keys] == [key.key_id.hex() for key in known]


def test_without_a_key_there_is_nothing_for_wallets(desk: Desk) -> None:
    for name in ("openid-credential-issuer", "oauth-authorization-server", "jwt-vc-issuer"):
        problem(desk.client.get(f"/.well-known/{name}"), 404, "wallet_off")


def test_a_code_is_good_once_and_for_a_while(phone: Phone) -> None:
    desk = phone.desk
    hash_ = anchored(desk)["hash"]
    code = desk.instance.wallets.offers.code(hash_)
    assert phone.token_for(code).status_code == 200
    said = problem(phone.token_for(code), 400, "grant_invalid")
    assert said["error"] == "invalid_grant"
    late = desk.instance.wallets.offers.code(hash_)
    desk.clock.forward(seconds=CODE_SECONDS)
    for text in (late, "", "x", late[:-1], "A" * 32):
        problem(phone.token_for(text), 400, "grant_invalid")
    problem(phone.token_for(late, grant_type="password"), 400, "grant_unsupported")


def test_of_a_form_each_field_stands_once_and_none_that_nobody_asked_for(phone: Phone) -> None:
    """RFC 6749, section 3.2; OpenID4VCI 1.0, section 6.3. Neither uses the code up."""
    offers = phone.desk.instance.wallets.offers
    hash_ = anchored(phone.desk)["hash"]
    one, other = offers.code(hash_), offers.code(hash_)
    both = f"grant_type={quote(GRANT)}&pre-authorized_code={one}&pre-authorized_code={other}"
    said = problem(
        phone.desk.client.post("/v1/wallet/token", data=both, content_type=FIELDS),
        400,
        "duplicate_parameter",
    )
    assert said["error"] == "invalid_request"
    said = problem(phone.token_for(one, tx_code="1234"), 400, "unknown_parameter")
    assert said["error"] == "invalid_request"
    assert [phone.token_for(code).status_code for code in (one, other)] == [200, 200]


def test_of_many_offers_the_newest_are_good(phone: Phone) -> None:
    desk = phone.desk
    hash_ = anchored(desk)["hash"]
    codes = []
    for _ in range(OPEN_AT_ONCE + 2):
        codes.append(desk.instance.wallets.offers.code(hash_))
        desk.clock.forward(seconds=1)
    good = [phone.token_for(code).status_code for code in codes]
    assert good == [400] * 2 + [200] * OPEN_AT_ONCE


def test_a_token_is_good_for_one_credential(phone: Phone) -> None:
    desk = phone.desk
    hash_ = anchored(desk)["hash"]
    token = phone.token(hash_)
    assert phone.ask(token, phone.proof()).status_code == 200
    said = problem(phone.ask(token, phone.proof()), 401, "wallet_token")
    assert said["error"] == "invalid_token"
    late = phone.token(hash_)
    desk.clock.forward(seconds=TOKEN_SECONDS)
    problem(phone.ask(late, phone.proof()), 401, "wallet_token")
    problem(phone.ask("", phone.proof()), 401, "wallet_token")
    body = {"credential_configuration_id": VCT, "proofs": {"jwt": [phone.proof()]}}
    problem(desk.client.post("/v1/wallet/credential", json=body), 401, "wallet_token")


def test_a_proof_is_of_the_key_and_of_now(phone: Phone) -> None:
    desk = phone.desk
    token = phone.token(anchored(desk)["hash"])
    stranger = WalletSigner("holder", bytes(range(4, 36)))
    for proof in (
        phone.proof(by=stranger),
        phone.proof(aud="https://elsewhere.example"),
        phone.proof(iat=phone.now() - 3600),
        phone.proof(iat=phone.now() + 3600),
        phone.proof(iat="now"),
        phone.proof(header={"typ": "jwt"}),
        phone.proof(header={"alg": "none"}),
        phone.proof(header={"jwk": {}}),
        phone.proof(header={"crit": ["exp"]}),
        phone.proof()[:-4],
        "",
        "a.b.c",
    ):
        said = problem(phone.ask(token, proof), 400, "proof_invalid")
        assert said["error"] == "invalid_proof"
    old = phone.proof()
    desk.clock.forward(seconds=NONCE_SECONDS + 1)
    for nonce in ("", "x", "A" * 60):
        said = problem(phone.ask(token, phone.proof(nonce=nonce)), 400, "nonce_invalid")
        assert said["error"] == "invalid_nonce"
    problem(phone.ask(token, old), 400, "proof_invalid")


def test_what_is_asked_for_is_what_there_is(phone: Phone) -> None:
    token = phone.token(anchored(phone.desk)["hash"])
    said = problem(phone.ask(token, phone.proof(), vct="other"), 400, "credential_request")
    assert said["error"] == "unknown_credential_configuration"
    for proofs in ((), (phone.proof(), phone.proof())):
        problem(phone.ask(token, *proofs), 400, "credential_request")
    assert phone.ask(token, phone.proof()).status_code == 200  # none of it used the token up


def test_what_cannot_be_signed_now_leaves_the_token_good(phone: Phone) -> None:
    desk = phone.desk
    invoice = desk.issue()  # not in the log yet
    token = phone.token(invoice["hash"])
    problem(phone.ask(token, phone.proof()), 409, "not_in_log")
    desk.anchor()
    assert phone.ask(token, phone.proof()).status_code == 200


def test_without_who_signs_the_answer_says_so(desk: Desk) -> None:
    instance = desk.instance
    wallet_keys(instance.keys, instance.log_store, instance.randbytes).rotate()
    phone, hash_ = Phone(desk), anchored(desk)["hash"]
    token = phone.token(hash_)
    said = problem(phone.ask(token, phone.proof()), 503, "wallet_unavailable")
    assert "Retry-After" in phone.ask(token, phone.proof()).headers
    assert said["code"] == "wallet_unavailable"
    with signing(desk):
        assert phone.ask(token, phone.proof()).status_code == 200


def test_a_web_process_names_an_invoice_and_says_nothing_of_it(phone: Phone) -> None:
    """What is sent over the line cannot make a credential of what is not stored."""
    with pytest.raises(NotFoundError):
        phone.desk.instance.wallets.credential(sha256(b"x"), frozenset(), HOLDER.verifier)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as line:
        line.connect(str(phone.desk.instance.config.run_dir / SOCKET))
        line.send(b"nonsense")
        assert b"internal_error" in line.recv(1 << 16)
    anchored(phone.desk)  # and it goes on


def test_the_customers_page_offers_what_she_has_claimed(phone: Phone) -> None:
    desk = phone.desk
    order, customer = made(desk), browser(desk)
    press(customer, path_of(order), **COMPANY)
    desk.anchor()
    path = f"{path_of(order)}/wallet"
    assert f'action="{path}#wallet"' in customer.get(path_of(order), base_url=ISSUER).text
    shown = unescape(customer.post(path, base_url=ISSUER).text)
    [link] = set(re.findall(r'href="(openid-credential-offer:[^"]+)"', shown))
    offer = json.loads(parse_qs(urlsplit(link).query)["credential_offer"][0])
    assert offer["credential_issuer"] == ISSUER
    code = offer["grants"][GRANT]["pre-authorized_code"]
    token = phone.token_for(code).get_json()["access_token"]
    assert phone.ask(token, phone.proof()).status_code == 200
    stranger = browser(desk).post(path, base_url=ISSUER)
    assert (stranger.status_code, stranger.headers["Location"]) == (303, path_of(order))


def test_a_silent_process_is_not_waited_for(desk: Desk) -> None:
    line = WalletLine(desk.config.run_dir / "nobody.sock", desk.instance.wallets.offers)
    with pytest.raises(UnavailableError):
        line.credential(b"", frozenset(), HOLDER.verifier)  # type: ignore[arg-type]
