"""Every verdict and every check has its words."""

import re

from chain.errors import MalformedError, NotFoundError, RefusedError, UnavailableError
from invoice_service.domain.verdict import Verdict
from invoice_service.services.checking import verify
from invoice_service.web.customers.pages import shanghai, yuan
from invoice_service.web.customers.words import (
    BY_CODE,
    MALFORMED,
    NOT_FOUND,
    STEPS_ZH,
    UNAVAILABLE,
    VERDICTS,
    words_for,
)


def test_every_verdict_is_said_in_both_languages() -> None:
    assert set(VERDICTS) == set(Verdict)
    for words in (*VERDICTS.values(), *BY_CODE.values()):
        assert re.search(r"[\u4e00-\u9fff]", words.zh + words.text_zh)
        assert not re.search(r"[\u4e00-\u9fff]", words.en + words.text_en)


def test_no_two_verdicts_look_the_same() -> None:
    assert len({words.zh for words in VERDICTS.values()}) == len(VERDICTS)
    assert len({words.en for words in VERDICTS.values()}) == len(VERDICTS)


def test_every_step_of_the_verifier_has_a_chinese_name() -> None:
    names = set(re.findall(r"^    \d\. ([a-z]+):", verify.Verifier.__doc__ or "", re.MULTILINE))
    assert len(names) > 5
    assert names <= set(STEPS_ZH)


def test_what_is_said_without_a_verdict() -> None:
    assert words_for(MalformedError("x", "y"), 400) is MALFORMED
    for code, words in BY_CODE.items():
        assert words_for(MalformedError(code, "y"), 400) is words
    assert words_for(UnavailableError("x", "y"), 503) is UNAVAILABLE
    assert words_for(RefusedError("x", "y"), 403) is UNAVAILABLE
    assert words_for(NotFoundError("x", "y"), 404) is NOT_FOUND


def test_money_and_times_as_people_write_them() -> None:
    assert yuan(49810) == "¥498.10"
    assert yuan(-5) == "-¥0.05"
    assert yuan(123456789012) == "¥1,234,567,890.12"
    assert shanghai("2026-11-21T16:00:00Z") == "2026-11-22 00:00:00"
    assert shanghai("2026-11-21T12:30:00+08:00") == "2026-11-21 12:30:00"
