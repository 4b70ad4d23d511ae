"""Whatever a till's call may be refused for: a sentence in both languages that says what to do.

The codes are read from the code that raises them, and from the scripts that look at them; so one
that is new is asked for here by itself.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from invoice_service.api.catalog import CATALOG

ROOT: Final = Path(__file__).parents[3]
ROOMS: Final = (
    *("services/till", "web/till", "storage/sqlite/till", "services/issuing"),
    *("services/people/erase.py", "services/records.py", "web/people/gate.py"),
    *("storage/sqlite/issuing.py", "storage/sqlite/orders.py", "storage/sqlite/returns.py"),
    *("domain/invoice.py", "domain/lifecycle.py", "domain/lines.py", "domain/money.py"),
    *("domain/numbering.py", "domain/orders.py", "domain/quantity.py", "domain/returns.py"),
    *("domain/tax.py", "domain/text.py", "domain/titles.py", "domain/clock.py"),
)
"""Whatever a till's call runs through, to the invoice."""

OF_PROGRAMS: Final = frozenset(
    (
        *("amount_invalid", "duplicate_parameter", "empty_body", "idempotency_key_conflict"),
        *("key_expired", "key_revoked", "key_suspended", "key_unknown", "parameter_malformed"),
        *("missing_parameter", "unknown_parameter", "unsupported_media_type", "wrong_type"),
        *("lone_surrogate", "bill_num_invalid", "day_invalid", "unit_price_yuan_invalid"),
    )
)
"""A page of ours does not make these mistakes; a program's author reads the detail."""

DO_ZH: Final = re.compile("请|须|无需|需运维|不能为|应为|只能")
DO_EN: Final = re.compile(
    r"(^|[;:,] |, and |than to )(add|ask|branch|call|check|choose|close|divide|do|fill|finish|"
    r"give|keep|leave|load|look|make|name|open|operators have to|pay|remove|repeat|say|scan|sell|"
    r"send|set|settle|shorten|sign|split|take|there is nothing to|try|type|use|write)\b"
    r"|\b(is|are) written|needs?\b|must be\b|one column|can be erased|takes it back first",
    re.IGNORECASE,
)


def raised() -> Iterator[tuple[str, str]]:
    """(code, file) of every refusal that is made with a literal code in ``ROOMS``."""
    for room in ROOMS:
        place = ROOT / "invoice_service" / room
        for path in [place] if place.is_file() else sorted(place.rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and node.args:
                    first, name = node.args[0], getattr(node.func, "id", "")
                    is_code = isinstance(first, ast.Constant) and isinstance(first.value, str)
                    if is_code and (name.endswith("Error") or name == "named"):
                        code = str(getattr(first, "value", ""))
                        if re.fullmatch(r"[a-z_]+", code):
                            yield code, path.name


CODES: Final = sorted({code for code, _ in raised()} - {"salt_length"})


def test_the_codes_are_found() -> None:
    """Of each kind one."""
    assert {"bill_settled", "payments_differ", "quota_exhausted", "return_too_large"} <= {*CODES}
    assert not OF_PROGRAMS - set(CATALOG)


@pytest.mark.parametrize("code", CODES)
def test_it_says_what_to_do_in_both_languages(code: str) -> None:
    entry = CATALOG[code]
    if code in OF_PROGRAMS:
        return
    assert DO_EN.search(entry.title), entry.title
    assert DO_ZH.search(entry.title_zh), entry.title_zh
    ours = re.sub(r"[A-Za-z_-]+|（[^）]*）", "", entry.title_zh)
    assert len(re.findall(r"[\u4e00-\u9fff]", ours)) >= 5, entry.title_zh


def scripts() -> Iterator[tuple[str, str]]:
    """(code, file) of what a till's scripts look for, or say by themselves."""
    said = re.compile(
        r"(?:sentence|notice|PrintError)\(\"([a-z_]+)\"|code (?:===|!==) \"([a-z_]+)\""
        r"|push\(\"([a-z_]+)\"\)|\[\"([a-z_]+)\"\]"
    )
    for path in sorted((ROOT / "static" / "till").rglob("*.js")):
        for found in said.finditer(path.read_text(encoding="utf-8")):
            yield next(filter(None, found.groups())), path.name


def test_what_scripts_say_has_a_sentence() -> None:
    """Its own, in the catalogue of scripts, or the service's."""
    text = (ROOT / "static" / "till" / "sentences.js").read_text(encoding="utf-8")
    own = set(re.findall(r"^  ([a-z_]+): N_\(", text, re.MULTILINE))
    assert len(own) > 15
    unsaid = {(code, file) for code, file in scripts() if code not in own and code not in CATALOG}
    assert not unsaid
