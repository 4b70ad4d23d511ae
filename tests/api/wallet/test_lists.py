"""Offers for who may have the whole invoice; status lists for anybody."""

import json
from urllib.parse import parse_qs, urlsplit

from invoice_service.commands.wallet import status_lists_of
from invoice_service.documents.wallet.credential import read_state, verify_credential
from tests.api.desk import OTHER_TAX_ID, Desk, problem
from tests.api.wallet.test_wallet import GRANT, ISSUER, Phone, anchored, phone

__all__ = ["phone"]


def offered(desk: Desk, hash_: str) -> str:
    """The code of an offer."""
    answer = desk.client.get(f"/v1/invoices/{hash_}/wallet", headers=desk.auth())
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    said = answer.get_json()
    assert said["expires_in"] == 600
    offer = json.loads(parse_qs(urlsplit(said["offer"]).query)["credential_offer"][0])
    assert offer["credential_issuer"] == ISSUER
    code: str = offer["grants"][GRANT]["pre-authorized_code"]
    return code


def test_its_merchant_offers_an_invoice_to_a_wallet(phone: Phone) -> None:
    desk = phone.desk
    hash_ = anchored(desk)["hash"]
    token = phone.token_for(offered(desk, hash_)).get_json()["access_token"]
    assert phone.ask(token, phone.proof()).status_code == 200


def test_nobody_else_does(phone: Phone) -> None:
    desk = phone.desk
    path = f"/v1/invoices/{anchored(desk)['hash']}/wallet"
    problem(desk.client.get(path), 401, "key_missing")
    other = desk.new_key(desk.new_merchant(OTHER_TAX_ID, "另一家餐厅").merchant.id)
    problem(desk.client.get(path, headers=desk.auth(other)), 404, "invoice_unknown")
    nothing = f"/v1/invoices/01{'0' * 64}/wallet"
    problem(desk.client.get(nothing, headers=desk.auth()), 404, "invoice_unknown")
    assert desk.client.get(path, headers=desk.official()).status_code == 200


def test_without_a_key_for_wallets_there_is_no_offer(desk: Desk) -> None:
    path = f"/v1/invoices/{anchored(desk)['hash']}/wallet"
    problem(desk.client.get(path, headers=desk.auth()), 404, "wallet_off")


def test_a_status_list_says_what_became_of_a_credential(phone: Phone) -> None:
    desk = phone.desk
    invoice = anchored(desk)
    answer = phone.ask(phone.token(invoice["hash"]), phone.proof())
    keys = desk.instance.keys.keys()
    found = verify_credential(answer.get_json()["credentials"][0]["credential"], keys, phone.now())
    lists = status_lists_of(desk.instance)
    lists.step(phone.now())

    def said() -> str:
        listed = desk.client.get(urlsplit(found.status).path)
        assert listed.headers["Content-Type"] == "application/statuslist+jwt"
        assert listed.headers["Access-Control-Allow-Origin"] == "*"
        return read_state(found, listed.text, keys, phone.now()).state

    assert said() == ""
    desk.reverse(invoice)
    lists.step(phone.now())
    assert said() == ""  # as of the published log
    desk.anchor()
    lists.step(phone.now())
    assert said() == "full"
    for number in ("9", "x", "-1", "1" * 10):
        problem(desk.client.get(f"/v1/wallet/status/{number}"), 404, "status_list_unknown")
