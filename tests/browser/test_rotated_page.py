"""The page after the log's key has changed: proofs by either key hold, with the network gone."""

import json
import threading
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from chain.signing.note import SignerKey
from tests.api.desk import Desk
from tests.browser.chrome import Chrome, Pipe, page
from tests.browser.test_file_page import _said, _text

pytestmark = pytest.mark.slow


def _proof(desk: Desk, invoice: dict[str, str], path: Path) -> Path:
    answer = desk.client.get(f"/v1/invoices/{invoice['hash']}/proof", headers=desk.auth(desk.key))
    path.write_bytes(answer.data)
    return path


def test_old_and_new_proofs_hold_on_the_page_and_stolen_keys_do_not(
    tmp_path: Path, chromium: Pipe
) -> None:
    with Desk(tmp_path) as desk:
        old = desk.instance.log_key.text()
        invoice = desk.issue()
        desk.anchor()
        before = _proof(desk, invoice, tmp_path / "before.json")
        rotation = desk.instance.rotation()
        rotation.start()
        desk.anchor()
        rotation.finish()
        desk.issue("T2")
        desk.anchor()
        after = _proof(desk, invoice, tmp_path / "after.json")
        new = desk.instance.log_key.text()
        server = make_server("127.0.0.1", 0, desk.app, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        base = f"http://127.0.0.1:{server.server_port}"
        with page(chromium) as chrome:
            chrome.open(f"{base}/verify/file")
            assert chrome.evaluate("document.querySelector('#key').value") == new
            rotation.revoke(desk.instance.log_key.key_id.hex())
            with page(chromium) as later:
                later.open(f"{base}/verify/file")
                server.shutdown()
                thread.join()
                server.server_close()
                for file in (before, after):
                    chrome.choose("#file", file)
                    assert _said(chrome) == "proved"
                    for key in (old, new, f" {old}\n"):
                        _use(chrome, key)
                        assert _said(chrome, "none") == "proved"
                    stranger = SignerKey(old.split("+")[0], bytes(range(32))).verifier.text()
                    _use(chrome, stranger)
                    assert _said(chrome, "proved") == "refused"
                    assert "signature_missing" in _text(chrome, "#code")
                    _use(chrome, new)
                    assert _said(chrome, "refused") == "proved"
                later.choose("#file", after)
                assert _said(later) == "refused"
                assert "key_revoked" in _text(later, "#code")


def _use(chrome: Chrome, key: str) -> None:
    """Type another key."""
    changed = f"document.querySelector('#key').value = {json.dumps(key)}"
    chrome.evaluate(f"{changed}, document.querySelector('#key').dispatchEvent(new Event('input'))")
