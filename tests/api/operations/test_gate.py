"""Whom the state concerns: requests that began on this machine, or that carry the token."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from chain.errors import MalformedError
from invoice_service.app import create_app
from invoice_service.config import load
from tests.api.desk import Desk, problem

TOKEN = "a-token-of-operations"


def ask(desk: Desk, path: str, peer: str = "127.0.0.1", **headers: str) -> TestResponse:
    """A request as it comes from ``peer``."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return desk.client.get(path, headers=named, environ_overrides={"REMOTE_ADDR": peer})


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_this_machine_sees_everything(desk: Desk, peer: str) -> None:
    desk.issue()
    assert ask(desk, "/readyz", peer).get_json()["issued"] == 1
    assert "fapiao_issued 1" in ask(desk, "/metrics", peer).text


@pytest.mark.parametrize("peer", ["203.0.113.9", "10.0.0.1", "2001:db8::1", "::ffff:10.0.0.1", ""])
def test_others_learn_only_whether_we_are_ready(desk: Desk, peer: str) -> None:
    desk.issue()
    answer = ask(desk, "/readyz", peer)
    assert answer.status_code == 200
    assert set(answer.get_json()) == {"ready", "instance"}
    problem(ask(desk, "/metrics", peer), 403, "operations_only")
    assert ask(desk, "/healthz", peer).get_json() == {"alive": True}


@pytest.mark.parametrize(
    "header", ["X_Forwarded_For", "X_Forwarded_Host", "X_Real_IP", "Forwarded", "Via"]
)
def test_what_a_proxy_here_passes_on_did_not_begin_here(desk: Desk, header: str) -> None:
    assert "issued" not in ask(desk, "/readyz", **{header: "127.0.0.1"}).get_json()
    assert ask(desk, "/metrics", **{header: "127.0.0.1"}).status_code == 403


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Desk]:
    """A desk with an operations token."""
    with Desk(tmp_path, FAPIAO_OPERATIONS_ACCESS="token", FAPIAO_OPERATIONS_TOKEN=TOKEN) as desk:
        yield desk


def test_with_a_token_the_token_alone_counts(guarded: Desk) -> None:
    for peer in ("127.0.0.1", "203.0.113.9"):
        for said in ("", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {guarded.key}"):
            answer = ask(guarded, "/metrics", peer, Authorization=said)
            assert answer.status_code == 403
            assert "issued" not in ask(guarded, "/readyz", peer, Authorization=said).get_json()
        answer = ask(guarded, "/metrics", peer, Authorization=f"bearer {TOKEN}")
        assert answer.status_code == 200
        assert "issued" in ask(guarded, "/readyz", peer, Authorization=f"Bearer {TOKEN}").get_json()


@pytest.mark.parametrize(
    "settings",
    [
        {"FAPIAO_OPERATIONS_ACCESS": "token"},
        {"FAPIAO_OPERATIONS_ACCESS": "token", "FAPIAO_OPERATIONS_TOKEN": "short"},
        {"FAPIAO_OPERATIONS_ACCESS": "everybody"},
    ],
)
def test_half_a_token_is_refused_at_the_start(settings: dict[str, str]) -> None:
    with pytest.raises(MalformedError, match="config_invalid"):
        load(None, settings)


def test_the_name_is_public_and_says_which_log(desk: Desk) -> None:
    name = ask(desk, "/readyz", "203.0.113.9").get_json()["instance"]
    key = desk.instance.log_key
    assert name == f"{key.name}+{key.key_id.hex()}"


def test_a_start_that_has_a_name_says_it_and_counts_its_web_processes(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAPIAO_RUN", "abcd")
    client = create_app(desk.instance).test_client()
    found = client.get("/readyz")
    assert found.status_code == 503
    said = found.get_json()
    assert said["instance"].endswith("+abcd")
    assert [one["code"] for one in said["problems"]] == ["web_starting"]
    create_app(desk.instance)
    create_app(desk.instance)
    said = client.get("/readyz").get_json()
    assert (said["ready"], said["web_processes"]) == (True, 3)
    assert "worker_silent" in [one["code"] for one in said["warnings"]]
