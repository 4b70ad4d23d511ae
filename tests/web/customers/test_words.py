"""Every verdict and every check has its words."""

import inspect
import re

from chain.errors import (
    ConflictError,
    MalformedError,
    NotFoundError,
    Problem,
    RefusedError,
    UnavailableError,
)
from invoice_service.api.catalog import CATALOG
from invoice_service.domain.verdict import Verdict
from invoice_service.services.checking import verify
from invoice_service.web.customers.pages import shanghai, yuan
from invoice_service.web.customers.words import (
    BROKEN,
    BY_CODE,
    LIST_UNREADABLE,
    MALFORMED,
    NO_VERDICT,
    NOT_ALLOWED,
    NOT_DONE,
    NOT_FOUND,
    NOT_HELD,
    NOT_SO,
    OF_LISTS,
    STEPS,
    TOO_OFTEN,
    UNAVAILABLE,
    VERDICTS,
    words_for,
)
from invoice_service.web.ground.catalogs import translations

CHINESE = translations("zh").gettext


def test_every_verdict_has_words() -> None:
    assert set(VERDICTS) == set(Verdict)
    for words in (*VERDICTS.values(), *BY_CODE.values()):
        assert re.search(r"[\u4e00-\u9fff]", CHINESE(words.name) + CHINESE(words.text))


def test_no_two_verdicts_look_the_same() -> None:
    assert len({words.name for words in VERDICTS.values()}) == len(VERDICTS)
    assert len({CHINESE(words.name) for words in VERDICTS.values()}) == len(VERDICTS)


def test_a_step_is_said_in_the_verifier_s_own_words() -> None:
    source = inspect.getsource(verify)
    assert all(f'"{step}"' in source for step in STEPS if step != NOT_HELD)
    steps = r'^        \(\d, "[a-z]+", "([^"]+)"\),$|^_WAITS = .*"([^"]+)"\)$'
    named = re.findall(steps, source, re.MULTILINE)
    assert len(named) > 8
    assert {one or other for one, other in named} == {*STEPS} - {NOT_HELD}


def test_what_is_said_without_a_verdict() -> None:
    assert words_for(MalformedError("qr_invalid", "y"), 400) is MALFORMED
    assert words_for(MalformedError("value_unknown", "y"), 422) is NOT_DONE
    assert words_for(ConflictError("x", "y"), 409) is NOT_DONE
    for code, words in BY_CODE.items():
        assert words_for(MalformedError(code, "y"), 400) is words
    assert words_for(UnavailableError("x", "y"), 503) is UNAVAILABLE
    assert words_for(RefusedError("x", "y"), 403) is NOT_ALLOWED
    assert words_for(NotFoundError("x", "y"), 404) is NOT_FOUND
    assert words_for(MalformedError("x", "y"), 405) is NOT_SO
    assert words_for(RefusedError("x", "y"), 429) is TOO_OFTEN
    assert words_for(Problem("x", "y"), 500) is BROKEN
    not_csv = MalformedError("not_csv", "y")
    assert words_for(not_csv, 400, listing=True) is LIST_UNREADABLE
    assert words_for(not_csv, 400) is NOT_DONE


def test_what_is_said_without_a_verdict_never_says_anything_about_the_invoice() -> None:
    for words in (MALFORMED, UNAVAILABLE, TOO_OFTEN, BROKEN, NO_VERDICT):
        assert "不代表发票真假" in CHINESE(words.text)
        assert "nothing about the invoice" in words.text


def test_codes_of_lists_are_codes() -> None:
    assert set(CATALOG) >= OF_LISTS


def test_money_and_times_as_people_write_them() -> None:
    assert yuan(49810) == "¥498.10"
    assert yuan(-5) == "-¥0.05"
    assert yuan(123456789012) == "¥1,234,567,890.12"
    assert shanghai("2026-11-21T16:00:00Z") == "2026-11-22 00:00:00"
    assert shanghai("2026-11-21T12:30:00+08:00") == "2026-11-21 12:30:00"
