"""A wallet's call is proven by what docs/formats.md says, and by nothing else."""

import re
from base64 import b64encode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chain.errors import Problem
from invoice_service.services.prepaid.wallets import WINDOW, Call, prove

PAGE = Path(__file__).parents[3] / "docs" / "formats.md"
AT = 1_795_235_400
GET = Call("GET", f"/v1/prepaid/{'0' * 32}", str(AT), b"")
KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))


@pytest.fixture
def folder(tmp_path: Path) -> str:
    """One wallet's key, the one of the page's example."""
    pem = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "example.pem").write_bytes(pem)
    return str(tmp_path)


def test_the_page_s_example_is_taken(folder: str) -> None:
    example = re.search(r"`([A-Za-z0-9+/]{86}==)`", PAGE.read_text("utf-8"))
    assert example is not None
    prove(folder, "example", example[1], GET, AT)
    for off in (-WINDOW, WINDOW):
        prove(folder, "example", example[1], GET, AT + off)


@pytest.mark.parametrize(
    "changed",
    [
        {"method": "POST"},
        {"path": f"/v1/prepaid/{'0' * 31}1"},
        {"time": str(AT + 1)},
        {"body": b"x"},
        {"path": f"{GET.path}\n{AT}", "time": str(AT)},
    ],
)
def test_a_change_of_anything_is_seen(folder: str, changed: dict[str, str]) -> None:
    signature = b64encode(KEY.sign(GET.text())).decode()
    with pytest.raises(Problem, match="wallet_signature_invalid"):
        prove(folder, "example", signature, GET._replace(**changed), AT)  # type: ignore[arg-type] # one field
