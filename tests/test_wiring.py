"""Opening an instance: a policy that cannot be read, or is another log's, is said at once."""

from pathlib import Path

import msgspec
import pytest

from chain.errors import MalformedError, Problem, UnavailableError
from chain.signing.cosignature import Cosigner
from chain.signing.note import SignerKey
from invoice_service.config import Config, Service
from invoice_service.inventory import MOST_WITNESSES
from invoice_service.sections import Witness
from invoice_service.services.anchoring.anchor import anchor_pending
from invoice_service.wiring import init_instance, open_instance
from tests.witness.inside import cosigner

ELSEWHERE = Service(data_dir="/nowhere", public_url="http://a.example")
WITNESS = f"witness w {cosigner(1).verifier.text()} http://127.0.0.1:1\n"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Settings of a new instance whose policy is the file ``policy``."""
    return Config(
        service=Service(data_dir=str(tmp_path / "data"), public_url="http://a.example"),
        witness=Witness(policy=str(tmp_path / "policy"), timeout=0.5),
    )


def write(config: Config, text: str) -> None:
    """Put the policy there."""
    Path(config.witness.policy).write_text(text)


def refusal(config: Config) -> Problem:
    """What opening and making an instance say, which is the same."""
    with pytest.raises(Problem) as opened:
        init_instance(config)
    assert not Path(config.service.data_dir).exists(), "nothing is made that would be in the way"
    return opened.value


def test_a_policy_that_is_not_there(config: Config) -> None:
    problem = refusal(config)
    assert isinstance(problem, UnavailableError)
    assert problem.code == "policy_unreadable"
    assert config.witness.policy in problem.detail


def test_a_policy_that_is_none(config: Config) -> None:
    write(config, "quorum most\n")
    problem = refusal(config)
    assert isinstance(problem, MalformedError)
    assert problem.code == "policy"


def test_a_policy_for_another_log(config: Config) -> None:
    other = SignerKey("b.example/log", bytes(range(32))).verifier.text()
    write(config, f"log {other}\n{WITNESS}quorum w\n")
    assert refusal(config).code == "policy_of_another_log"


def test_a_policy_with_more_witnesses_than_a_note_has_room_for(config: Config) -> None:
    keys = [Cosigner(SignerKey("w.example", bytes([n]) * 32)).verifier for n in range(1, 52)]
    for count in (50, 51):
        lines = [f"witness w{n} {key.text()}\n" for n, key in enumerate(keys[:count])]
        write(config, "".join(lines) + "quorum none\n")
        if count > MOST_WITNESSES:
            assert refusal(msgspec.structs.replace(config, service=ELSEWHERE)).code == "policy"
        else:
            init_instance(config).close()


def test_an_instance_under_a_policy_publishes_the_empty_log_alone(config: Config) -> None:
    write(config, f"{WITNESS}quorum w\n")
    init_instance(config).close()
    instance = open_instance(config)
    assert [key.name for key in instance.policy.witnesses] == [cosigner(1).verifier.name]
    assert instance.log.latest_checkpoint()[0].size == 0
    done = anchor_pending(instance.anchoring())
    assert (done.published, done.missing) == (0, None)
    instance.close()


def test_without_a_policy_nobody_is_asked(config: Config) -> None:
    alone = msgspec.structs.replace(config, witness=Witness())
    instance = init_instance(alone)
    assert instance.anchoring().cosigners is None
    instance.close()
