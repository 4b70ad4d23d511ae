"""The README's two screenshots: ``python -m tests.browser.pictures`` writes docs/pictures/ anew."""

import tempfile
import threading
from pathlib import Path
from urllib.parse import urlencode

from werkzeug.serving import make_server

from tests.api.desk import Desk, slip
from tests.browser.chrome import browser
from tests.patience import PATIENCE

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
PHONE = (390, 844)
BUYER = {"kind": "company", "name": "深圳市采购有限公司", "tax_id": "91440300708461136T"}
PROVED = (
    "new Promise((done, fail) => { const end = Date.now() + %d; const look = () => {"
    " if (document.querySelector('#verdict').dataset.asof === 'newest') done();"
    " else if (Date.now() > end) fail(Error('no verdict')); else setTimeout(look, 9) }; look() })"
)


def take(desk: Desk, base: str, profile: Path) -> None:
    """What a customer sees after a scan, and what her browser says of the proof file."""
    invoice = desk.issue("A-0001", buyer=BUYER)
    desk.anchor()
    with browser(profile) as chrome:
        chrome.window(*PHONE, phone=True)
        chrome.open(f"{base}/verify/scan?{urlencode(slip(invoice))}")
        (FOLDER / "scan.png").write_bytes(chrome.picture())
        chrome.open(f"{base}/verify/file?hash={invoice['hash']}")
        chrome.evaluate(PROVED % (PATIENCE * 1000))
        (FOLDER / "file.png").write_bytes(chrome.picture())


def main() -> None:
    """Take both in an instance of their own."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, Desk(Path(folder) / "desk") as desk:
        server = make_server("127.0.0.1", 0, desk.app, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        take(desk, f"http://127.0.0.1:{server.server_port}", Path(folder) / "profile")
        server.shutdown()
        thread.join()


if __name__ == "__main__":
    main()
