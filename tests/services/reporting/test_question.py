"""What a report of a mix is asked: strictly, and written as it was read."""

import pytest

from chain.errors import MalformedError
from invoice_service.services.reporting.question import Question, ask


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ({"by": "day,day"}, "by_unknown"),
        ({"by": "day,colour"}, "by_unknown"),
        ({"by": ""}, "by_unknown"),
        ({"by": "day,"}, "by_unknown"),
        ({"by": "day,month,rate,type"}, "by_unknown"),
        ({"top": "0"}, "parameter_malformed"),
        ({"top": "01"}, "parameter_malformed"),
        ({"top": "1001"}, "parameter_malformed"),
        ({"top": "٣"}, "parameter_malformed"),
        ({"top": "2", "bottom": "2"}, "parameter_malformed"),
        ({"measure": "weight"}, "parameter_malformed"),
        ({"measure": "net,tax"}, "parameter_malformed"),
        ({"compare": "before,before"}, "parameter_malformed"),
        ({"compare": "before", "by": "week,month"}, "parameter_malformed"),
        ({"merchant": "123"}, "parameter_malformed"),
        ({"merchant": ""}, "parameter_malformed"),
        ({"industry": "62101"}, "parameter_malformed"),
        ({"industry": "%"}, "parameter_malformed"),
        ({"district": "110000"}, "parameter_malformed"),
        ({"rate": "6%"}, "parameter_malformed"),
        ({"at_block": "-1"}, "parameter_malformed"),
    ],
)
def test_bad_questions_are_refused_by_name(words: dict[str, str], code: str) -> None:
    with pytest.raises(MalformedError) as caught:
        ask(words)
    assert caught.value.code == code


def test_a_question_is_written_as_it_was_read() -> None:
    words = {
        "from": "2018-08-10",
        "by": "month,merchant,till",
        "measure": "tax",
        "compare": "before",
        "top": "10",
        "industry": "62",
    }
    assert ask(words).words() == words
    assert ask(Question(by=("day",)).words()) == Question(by=("day",))
