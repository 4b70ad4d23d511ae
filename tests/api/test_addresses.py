"""How addresses are written: as Werkzeug does, by what is compiled when it is first needed."""

from collections.abc import Callable

import pytest
from werkzeug.routing import BuildError, Map, Rule

from invoice_service.api.addresses import Route

RULES = (
    ("/", {"endpoint": "start"}),
    ("/invoices/<number>/lines/<int:line>", {"endpoint": "line"}),
    ("/tiles/<path:tile>", {"endpoint": "tile"}),
    ("/pages/", {"endpoint": "pages", "defaults": {"page": 1}}),
    ("/pages/<int:page>", {"endpoint": "pages"}),
)


@pytest.mark.parametrize(
    ("endpoint", "values"),
    [
        ("start", {}),
        ("start", {"order": "T 1&2", "none": None}),
        ("line", {"number": "0001/ä", "line": 3}),
        ("line", {"number": "0001", "line": 3, "rule": "a", "values": "b"}),
        ("tile", {"tile": "0/x001/000.p/7"}),
        ("pages", {"page": 1}),
        ("pages", {"page": 2}),
        ("line", {"number": "0001"}),
        ("line", {"number": "0001", "line": "third"}),
    ],
)
def test_they_are_written_as_werkzeug_does(endpoint: str, values: dict[str, object]) -> None:
    def written(kind: type[Rule]) -> list[str]:
        places = Map([kind(place, **given) for place, given in RULES]).bind("fapiao.test")
        try:
            return [places.build(endpoint, values, append_unknown=some) for some in (True, False)]
        except (BuildError, ValueError) as error:
            return [type(error).__name__]

    assert written(Route) == written(Rule)


def test_nothing_is_compiled_before_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else each process that answers pays for hundreds when it starts."""
    compile_now = Rule._compile_builder
    called: list[str] = []

    def compile_and_tell(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        called.append(rule.rule)
        return compile_now(rule, append_unknown)

    monkeypatch.setattr(Rule, "_compile_builder", compile_and_tell)
    places = Map([Route("/<name>", endpoint="one"), Route("/x/<name>", endpoint="other")])
    assert not called
    for _ in range(2):
        assert places.bind("fapiao.test").build("one", {"name": "a"}) == "/a"
    assert called == ["/<name>"]
