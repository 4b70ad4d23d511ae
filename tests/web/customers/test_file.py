"""The page that checks a proof file: what it may do, what it is told, and that it is found."""

import json
import re
from html import unescape
from pathlib import Path

from chain.proof.file import parse_proof
from chain.proof.verify import verify_proof
from invoice_service.app import STATIC
from invoice_service.web.customers.words import GROUPS, PROOF_STEPS
from tests.api.desk import Desk, slip
from tests.web.customers.test_scan import Page
from tests.witness.inside import cosigner


def test_the_page_runs_our_modules_and_nothing_else(desk: Desk) -> None:
    answer = desk.client.get("/verify/file")
    assert answer.status_code == 200
    rules = dict(
        rule.strip().split(" ", 1)
        for rule in answer.headers["Content-Security-Policy"].split(";")
        if " " in rule.strip()
    )
    assert rules["default-src"] == "'none'"
    assert rules["connect-src"] == "'self'"
    assert re.fullmatch("'self' 'sha256-[A-Za-z0-9+/]{43}='", rules["script-src"])
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    page = Page(answer.text)
    words, places, script = page.all("script")
    assert places == {"type": "importmap"}  # which the policy names by its digest
    assert words == {"type": "application/json", "id": "words"}  # which the browser does not run
    assert script.pop("type") == "module"
    assert re.fullmatch(r"/static/verify/page\.[0-9a-f]{16}\.js", str(script.pop("src")))
    assert not script
    for _, attributes in page.tags:
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]


def test_the_page_says_which_key_it_came_with(desk: Desk) -> None:
    text = unescape(desk.client.get("/verify/file").text)
    assert text.count(desk.instance.log_key.text()) == 3  # once in the key statement
    assert "只和本页一样可信" in text


def test_the_page_is_told_the_witnesses_of_the_policy(tmp_path: Path) -> None:
    text = cosigner(1).verifier.text()
    (tmp_path / "policy").write_text(f"witness w {text}\nquorum none\n")
    with Desk(tmp_path, FAPIAO_WITNESS_POLICY=str(tmp_path / "policy")) as desk:
        (whose,) = (
            tag for tag in Page(desk.client.get("/verify/file").text).all("p") if "data-ours" in tag
        )
        assert json.loads(str(whose["data-witnesses"])) == [text]


def test_the_steps_are_those_of_the_verifiers(desk: Desk) -> None:
    invoice = desk.issue()
    desk.anchor()
    file = desk.client.get(f"/v1/invoices/{invoice['hash']}/proof").data
    evidence = verify_proof(parse_proof(file), desk.instance.log_key)
    assert list(PROOF_STEPS) == [step.text for step in evidence.steps]
    names = ", ".join(f'"{step.name}"' for step in evidence.steps)
    assert f"STEPS = [{names}]" in (STATIC / "verify" / "verify.js").read_text("utf-8")
    assert {*GROUPS} == {*evidence.shown, *evidence.hidden}


def test_the_verdict_s_page_leads_there(desk: Desk) -> None:
    invoice = desk.issue()
    desk.anchor()
    scanned = Page(desk.client.get("/verify/scan", query_string=slip(invoice)).text)
    assert f"/verify/file?hash={invoice['hash']}" in [link["href"] for link in scanned.all("a")]
