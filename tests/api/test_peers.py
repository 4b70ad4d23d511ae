"""A peer is an address that nobody made up, whatever a client sends in front of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoice_service.api.peers import Peers, site_of
from tests.api.desk import Desk

PROXY, OTHER_PROXY, CLIENT, MADE_UP = "10.0.0.1", "10.0.0.2", "203.0.113.7", "198.51.100.9"

BEHIND = Peers(["10.0.0.0/24", "fd00::1"])


@pytest.mark.parametrize(
    ("remote", "forwarded", "peer"),
    [
        (CLIENT, "", CLIENT),
        (CLIENT, MADE_UP, CLIENT),
        (CLIENT, PROXY, CLIENT),
        (PROXY, "", PROXY),
        (PROXY, CLIENT, CLIENT),
        (PROXY, f"{MADE_UP}, {CLIENT}", CLIENT),
        (PROXY, f"{MADE_UP},{CLIENT} , {OTHER_PROXY}", CLIENT),
        (PROXY, f"{PROXY}, {CLIENT}", CLIENT),
        (PROXY, OTHER_PROXY, OTHER_PROXY),
        (PROXY, f"{CLIENT}:50123", CLIENT),
        (PROXY, "[2001:db8::7]:50123", "2001:db8::7"),
        (PROXY, "2001:DB8:0::7", "2001:db8::7"),
        (PROXY, f"::ffff:{CLIENT}", CLIENT),
        (f"::ffff:{PROXY}", CLIENT, CLIENT),
        ("fd00::1", CLIENT, CLIENT),
        ("fd00::2", CLIENT, "fd00::2"),
        # What is no address ends the way: who wrote it is the last that is known.
        (PROXY, f"{CLIENT}, unknown", PROXY),
        (PROXY, f"{CLIENT}, ", PROXY),
        (PROXY, f"{CLIENT}, 10.0.0.2.", PROXY),
        (PROXY, f"{CLIENT}, 10.0.0.2\x00", PROXY),
        ("", CLIENT, ""),
    ],
)
def test_the_first_address_that_is_no_proxy_of_ours(remote: str, forwarded: str, peer: str) -> None:
    assert BEHIND.behind(remote, forwarded) == peer


@given(sent=st.text(max_size=60))
def test_nothing_that_a_client_sends_moves_it(sent: str) -> None:
    assert BEHIND.behind(PROXY, f"{sent}, {CLIENT}") == CLIENT
    assert BEHIND.behind(CLIENT, sent) == CLIENT


@given(sent=st.text(max_size=60))
def test_without_proxies_no_header_counts(sent: str) -> None:
    environ = {"REMOTE_ADDR": PROXY, "HTTP_X_FORWARDED_FOR": sent}
    Peers(()).place(environ)
    assert environ["REMOTE_ADDR"] == PROXY


@pytest.mark.parametrize(
    ("peer", "site"),
    [
        (CLIENT, CLIENT),
        (f"::ffff:{CLIENT}", CLIENT),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("", ""),
    ],
)
def test_all_addresses_that_one_caller_has_are_one(peer: str, site: str) -> None:
    assert site_of(peer) == site


def test_a_forged_scheme_or_host_stands_in_no_answer(desk: Desk) -> None:
    forged = {
        "Host": "evil.example",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "gopher",
        "X-Forwarded-Prefix": "/evil.example",
        "Forwarded": "for=203.0.113.1;host=evil.example;proto=gopher",
    }
    invoice = desk.issue()
    paths = {rule.rule for rule in desk.app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    for path in sorted(paths):
        place = path.replace("<hash_>", invoice["hash"])
        answer = desk.client.get(place, headers={**forged, **desk.official()})
        everything = answer.get_data() + str(answer.headers).encode()
        assert b"evil.example" not in everything, path
        assert b"gopher" not in everything, path
        assert answer.status_code != 429
