"""Names are searched alike wherever they are: merchants, applications, buyers at a till."""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from chain.hashing import sha256
from invoice_service.domain.application import STATES, ApplicationRequest
from invoice_service.services.admission.ports import Room
from invoice_service.services.ports import MerchantFilter
from invoice_service.services.till.ports import Sought, Span
from tests.domain.samples import BY, NOON
from tests.storage.shop import TAX_IDS, Shop, request

NAME = "海岸 Café（南山）Straße İz ＡＢ１２"
FOUND = (
    *("海岸", "café", "CAFÉ", "cafe\u0301", "ＣＡＦÉ", "（南山）", "(南山)", "é(南"),
    *("STRASSE", "straße", "İZ", "i\u0307z", "ab12", "ａｂ１２", "AB１2"),
)
NOT_FOUND = ("海岸 cafe（南", "海岸咖", "iz", "ız", "南山〕", "strase", "%", "_", "發")

Find = Callable[[str], bool]


@pytest.fixture(scope="module")
def searches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Find]]:
    """Each search, as whether it finds the one that is called ``NAME``."""
    shop = Shop(tmp_path_factory.mktemp("shop"))
    store = shop.store
    called = store.add_merchant(msgspec.structs.replace(request(1), name=NAME), BY).merchant.id
    asked = ApplicationRequest(
        tax_id=TAX_IDS[2], name=NAME, industry="6210", district="440303", contact="x"
    )
    store.add_application(sha256(b"r"), asked, [], NOON, Room(open=9, paper_bytes=9))
    firm = {"kind": "company", "name": NAME, "tax_id": TAX_IDS[2]}
    day = "2018-08-10"
    person = {"kind": "individual", "name": NAME}
    for number, buyer in enumerate((None, firm, person)):
        shop.issue(shop.draft(f"B{number}", buyer=buyer))
    span = Span(day, day, 0, 2**40)

    def at_till(seq: int) -> Find:
        return lambda text: (
            seq
            in {
                one.invoice.seq
                for one in store.searched(shop.merchant.id, span, Sought(text), 99, 99)
            }
        )

    yield {
        "merchants": lambda text: called in store.merchants_found(MerchantFilter(text), 0, 9),
        "applications": lambda text: len(store.applications(STATES, 0, 9, text=text)) == 1,
        "titles": lambda text: len(store.titles(shop.merchant.id, text, 9)) == 1,
        "a till's companies": at_till(2),
        "a till's people": at_till(3),
    }
    store.close()


def test_what_is_no_text_is_none_in_sql_as_well(tmp_path: Path) -> None:
    """A buyer that was damaged by hand may have a number for a name, or none."""
    shop = Shop(tmp_path)
    assert shop.rows("SELECT folded(NULL), folded(1), folded(x'41'), folded('É')") == [
        (None, None, None, "é")
    ]
    shop.store.close()


@pytest.mark.parametrize(
    "search",
    ["merchants", "applications", "titles", "a till's companies", "a till's people"],
)
def test_a_name_is_found_whatever_its_width_and_case(
    searches: dict[str, Find], search: str
) -> None:
    assert [text for text in FOUND if not searches[search](text)] == []
    assert [text for text in NOT_FOUND if searches[search](text)] == []


@pytest.mark.parametrize(
    ("search", "tax_id"), [("merchants", 1), ("applications", 2), ("titles", 2)]
)
def test_a_tax_id_is_found_as_it_is_typed(
    searches: dict[str, Find], search: str, tax_id: int
) -> None:
    plain = TAX_IDS[tax_id]
    wide = "".join(chr(ord(sign) + 0xFEE0) for sign in plain)
    for text in (plain.lower(), wide, f"{plain[:4]} {plain[4:9]}"):
        assert searches[search](text), text
