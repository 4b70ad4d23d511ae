"""An invoice's proof in each of its forms: what it proves, and what it shows."""

import pytest

from chain.commitment import GROUPS, anchor, parse_password_area
from chain.entry import anchor_entry
from chain.proof.file import HiddenGroup, parse_proof
from chain.proof.receipt import parse_receipt, verify_receipt
from chain.proof.tlogproof import parse_tlog_proof, verify_tlog_proof
from chain.proof.verify import verify_proof
from tests.api.desk import Desk, problem


@pytest.mark.parametrize(
    ("signed_in", "query", "hidden"),
    [
        (False, "", {"buyer", "lines"}),
        (False, "?hide=buyer", {"buyer", "lines"}),
        (True, "", set()),
        (True, "?hide=buyer", {"buyer"}),
        (True, "?hide=buyer&hide=lines", {"buyer", "lines"}),
    ],
)
def test_a_proof_verifies_and_shows_what_the_holder_may_see(
    desk: Desk,
    signed_in: bool,
    query: str,
    hidden: set[str],
) -> None:
    invoice = desk.issue()
    desk.anchor()
    headers = desk.auth() if signed_in else {}
    answer = desk.client.get(f"/v1/invoices/{invoice['hash']}/proof{query}", headers=headers)
    assert answer.content_type == "application/json"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="00000001.fapiao.json"'
    proof = parse_proof(answer.data)
    evidence = verify_proof(proof, desk.instance.log_key)
    assert evidence.hash == invoice["hash"]
    found = {name for name in GROUPS if isinstance(proof.groups[name], HiddenGroup)}
    assert found == hidden


@pytest.mark.parametrize("query", ["hide=face", "hide=", "hide=all", "show=buyer"])
def test_only_buyer_and_lines_can_be_hidden(desk: Desk, query: str) -> None:
    invoice = desk.issue()
    desk.anchor()
    answer = desk.client.get(f"/v1/invoices/{invoice['hash']}/proof?{query}")
    code = "unknown_parameter" if query.startswith("show") else "parameter_malformed"
    problem(answer, 400, code)


@pytest.mark.parametrize("signed_in", [False, True])
@pytest.mark.parametrize("query", ["?format=tlog", "?hide=buyer&format=tlog"])
def test_a_tlog_proof_says_that_the_entry_is_in_the_log_and_nothing_else(
    desk: Desk, signed_in: bool, query: str
) -> None:
    invoice = desk.issue()
    desk.anchor()
    headers = desk.auth() if signed_in else {}
    answer = desk.client.get(f"/v1/invoices/{invoice['hash']}/proof{query}", headers=headers)
    assert answer.content_type == "text/plain; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="00000001.tlog-proof"'
    proof = parse_tlog_proof(answer.data)
    entry = anchor_entry("invoice", anchor(parse_password_area(invoice["hash"])))
    assert verify_tlog_proof(proof, entry, desk.instance.log_key).index == proof.index
    assert (proof.extra, invoice["hash"][2:] in answer.text) == (entry, False)


def test_a_red_invoices_entry_is_in_its_tlog_proof(desk: Desk) -> None:
    blue = desk.issue()
    path = f"/v1/invoices/{blue['hash']}/reversals"
    red = desk.post(path, {"reason": "SALES_RETURN"}).get_json()
    desk.anchor()
    answer = desk.client.get(f"/v1/invoices/{red['hash']}/proof?format=tlog")
    proof = parse_tlog_proof(answer.data)
    digests = (anchor(parse_password_area(one["hash"])) for one in (red, blue))
    ours, reversed_ = digests
    assert proof.extra == anchor_entry("invoice", ours, reverses=reversed_, reversal="full")
    verify_tlog_proof(proof, proof.extra, desk.instance.log_key)


@pytest.mark.parametrize("signed_in", [False, True])
def test_a_cose_receipt_says_that_the_entry_is_in_the_log_and_nothing_else(
    desk: Desk, signed_in: bool
) -> None:
    blue = desk.issue()
    red = desk.post(f"/v1/invoices/{blue['hash']}/reversals", {"reason": "SALES_RETURN"}).get_json()
    desk.anchor()
    headers = desk.auth() if signed_in else {}
    for invoice in (blue, red):
        path = f"/v1/invoices/{invoice['hash']}/proof?format=cose"
        answer = desk.client.get(path, headers=headers)
        assert answer.content_type == "application/cose"
        name = f'attachment; filename="{invoice["number"]}.cose"'
        assert answer.headers["Content-Disposition"] == name
        receipt, document = parse_receipt(answer.data), parse_password_area(invoice["hash"])
        logged = verify_receipt(receipt, receipt.entry(document), desk.instance.log_key)
        assert (logged.index, document in answer.data) == (receipt.index, False)


def test_a_log_signed_before_there_were_receipts_has_them_with_the_next_run(desk: Desk) -> None:
    """The newest checkpoint gets its line without a new block, and nothing that it had changes."""
    invoice, log = desk.issue(), desk.instance.log
    head = log.head()
    entry = anchor_entry("invoice", anchor(parse_password_area(invoice["hash"])))
    log.sequence(head, [entry], sealed_at=desk.clock(), cursor=1)
    log.publish(*desk.instance.log_signers())
    path, before = f"/v1/invoices/{invoice['hash']}/proof?format=cose", log.latest_checkpoint()[1]
    problem(desk.client.get(path), 409, "receipt_missing")
    desk.anchor()
    after = log.latest_checkpoint()[1]
    assert after.startswith(before)
    assert after != before
    assert desk.client.get(path).status_code == 200
    desk.anchor()
    assert log.latest_checkpoint()[1] == after


@pytest.mark.parametrize("query", ["format=", "format=pdf", "format=tlog&hide=face"])
def test_there_are_three_forms(desk: Desk, query: str) -> None:
    path = f"/v1/invoices/{desk.issue()['hash']}/proof"
    problem(desk.client.get(f"{path}?{query}"), 400, "parameter_malformed")
    twice = desk.client.get(f"{path}?format=tlog&format=tlog")
    problem(twice, 400, "duplicate_parameter")


def test_there_is_no_proof_before_the_log_has_it(desk: Desk) -> None:
    path = f"/v1/invoices/{desk.issue()['hash']}/proof"
    problem(desk.client.get(path), 409, "not_in_log")
    problem(desk.client.get(f"{path}?format=tlog"), 409, "not_in_log")
    problem(desk.client.get(f"{path}?format=cose"), 409, "not_in_log")
    desk.anchor()
    assert desk.client.get(path).status_code == 200
