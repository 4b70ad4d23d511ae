"""Two libraries of others read our credentials as we do; and what both pass over, we refuse."""

import json
import random
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from chain.errors import VerificationError
from invoice_service.documents.wallet.credential import jwk_of, verify_credential
from invoice_service.documents.wallet.sdjwt import Disclosure
from tests.documents.wallet.purse import KEYS, LATER, WALLET, Purse
from tests.outside import need
from tests.scale import share
from tests.strangers.homes import HERE, asked, home, told

pytestmark = pytest.mark.slow
CORE = Path(__file__).parents[1] / "browser/vendor/node_modules/@sd-jwt/core/dist/index.mjs"

AT_ONCE = 500
"""What a program is given in one run: on a busy machine, too, it ends in time."""


def _order(credentials: list[str]) -> dict[str, object]:
    return {"key": jwk_of(WALLET.verifier), "credentials": credentials}


def by_python(credentials: list[str]) -> list[Any]:
    """The claims as PyPI's sd-jwt has them."""
    found: list[Any] = told(home("sd-jwt"), "sdjwt.py", _order(credentials))
    return found


def by_node(credentials: list[str]) -> list[Any]:
    """The claims as npm's @sd-jwt/core has them."""
    program, order = HERE / "programs" / "sdjwt.mjs", json.dumps(_order(credentials))
    found: list[Any] = asked(Path(need("node")), program, CORE, stdin=order)
    return found


READERS = (by_python, by_node)


@pytest.mark.scaled
@pytest.mark.parametrize("read", READERS)
def test_it_reads_the_same_claims(read: Any) -> None:  # noqa: ANN401  # one of the two
    """Whole: 10,000 credentials, of which every second one keeps something back."""
    purse = Purse(share(10_000, 50), seed=7)
    texts = [purse.credential(at) for at in range(len(purse.invoices))]
    for at in range(0, len(texts), 2):
        parts = texts[at].split("~")
        del parts[purse.draw.randrange(1, len(parts) - 1)]
        texts[at] = "~".join(parts)
    runs = (read(texts[at : at + AT_ONCE]) for at in range(0, len(texts), AT_ONCE))
    for at, (text, claims) in enumerate(zip(texts, chain.from_iterable(runs), strict=True)):
        brought = purse.receipt(at).to_bytes()
        assert verify_credential(text, KEYS, LATER, brought).claims == claims


@pytest.mark.parametrize("read", READERS)
def test_it_passes_over_a_claim_that_was_changed_and_we_do_not(read: Any) -> None:  # noqa: ANN401
    jwt, _, *rest = Purse(4).credential(0).split("~")
    forged = Disclosure.make("products", [], random.Random(1).randbytes)
    text = "~".join([jwt, forged.text, *rest])
    [claims] = read([text])
    assert "products" not in claims  # it is gone, without a word
    with pytest.raises(VerificationError) as caught:
        verify_credential(text, KEYS, LATER)
    assert caught.value.code == "disclosure_unknown"
