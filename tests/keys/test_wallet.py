"""The key that signs for wallets: made, changed, stolen, and killed at any write of it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chain.errors import NotFoundError, Problem, UnavailableError
from chain.signing.es256 import WalletKey
from chain.signing.keyfile import is_encrypted
from chain.signing.keys import LogKeys
from chain.signing.statement import KeyStatement, follow
from invoice_service.config import Config, load
from invoice_service.keys.secrets import encrypt_keys
from invoice_service.keys.wallet import NEXT_WALLET_KEY, WALLET_KEY, WalletKeys, wallet_keys
from invoice_service.wiring import Instance, init_instance, open_instance, secret_keys

NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)


def _keys_of(instance: Instance) -> WalletKeys:
    return wallet_keys(instance.keys, instance.log_store, instance.randbytes)


class Office:
    """An instance that is opened anew for each step, as another process would."""

    def __init__(self, folder: Path) -> None:
        environ = {
            "FAPIAO_SERVICE_DATA_DIR": str(folder / "main"),
            "FAPIAO_SERVICE_PUBLIC_URL": "https://wallet.test",
        }
        self.config: Config = load(None, environ)
        init_instance(self.config, clock=lambda: NOON).close()

    @contextmanager
    def instance(self) -> Iterator[Instance]:
        """The instance, as a process that starts now sees it."""
        opened = open_instance(self.config, clock=lambda: NOON)
        try:
            yield opened
        finally:
            opened.close()

    def rotate(self) -> KeyStatement:
        """Make a key, or the next one."""
        with self.instance() as instance:
            return _keys_of(instance).rotate()

    def signs(self) -> WalletKey:
        """Whose secret signs now."""
        with self.instance() as instance:
            return _keys_of(instance).signer().verifier

    def known(self) -> LogKeys:
        """What whoever pinned the log's key makes of all statements."""
        with self.instance() as instance:
            notes = instance.keys.notes()
        return follow([KeyStatement.parse(notes[0]).keys.signing[0]], notes)

    def files(self) -> list[str]:
        """The files of these keys."""
        return [path.name for path in self.config.keys_dir.glob("wallet*")]


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """An instance without such a key."""
    return Office(tmp_path)


def test_there_is_none_until_it_is_made_and_every_one_counts(office: Office) -> None:
    with office.instance() as instance, pytest.raises(NotFoundError) as caught:
        _keys_of(instance).signer()
    assert caught.value.code == "wallet_off"
    first = office.rotate()
    assert (first.number, office.files()) == (2, [WALLET_KEY])
    assert (office.config.keys_dir / WALLET_KEY).stat().st_mode & 0o777 == 0o600
    assert office.known().wallet == first.keys.wallet == (office.signs(),)
    second = office.rotate()
    assert office.known().wallet == (*first.keys.wallet, office.signs())
    assert second.keys.wallet[0] != second.keys.wallet[1]


def test_a_stolen_one_counts_for_nothing_and_another_signs(office: Office) -> None:
    [old] = office.rotate().keys.wallet
    with office.instance() as instance:
        said = _keys_of(instance).revoke(old.key_id.hex())
        assert _keys_of(instance).revoke(old.key_id.hex()) == said
        with pytest.raises(NotFoundError):
            _keys_of(instance).revoke("00000000")
    assert office.known().wallet_revoked == (old,)
    assert office.known().wallet == (office.signs(),)
    office.rotate()
    with office.instance() as instance:  # one that does not sign any more needs no other
        _keys_of(instance).revoke(said.keys.wallet[0].key_id.hex())
    assert office.known().wallet == (office.signs(),)
    assert len(office.known().wallet_revoked) == 2


def test_the_logs_own_rotation_keeps_it(office: Office) -> None:
    office.rotate()
    signs = office.signs()
    with office.instance() as instance:
        instance.rotation().start()
    assert len(office.known().signing) == 2
    assert (office.known().wallet, office.signs()) == ((signs,), signs)
    office.rotate()
    assert len(office.known().wallet) == 2


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("writes", range(3))
def test_killed_at_any_write_the_same_command_goes_on(
    office: Office, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    """Every file comes by a rename: the secret, the statement, the secret's place."""
    office.rotate()
    before, left, rename = office.known(), writes, os.rename

    def killed(source: str, target: str) -> None:
        nonlocal left
        if left == 0:
            raise Killed
        left -= 1
        rename(source, target)

    with office.instance() as instance, monkeypatch.context() as patched:
        patched.setattr(os, "rename", killed)
        with pytest.raises(Killed):
            _keys_of(instance).rotate()
    assert office.signs() == office.known().wallet[-1]  # whatever is there is whole
    assert office.known().wallet[:1] == before.wallet
    after = office.rotate()
    assert office.signs() == after.keys.wallet[-1]
    assert office.files() == [WALLET_KEY]
    assert len(office.known().wallet) == (2 if writes < 2 else 3)


def test_a_secret_that_is_gone_is_said_and_not_made_anew(office: Office) -> None:
    office.rotate()
    kept = (office.config.keys_dir / WALLET_KEY).read_bytes()
    (office.config.keys_dir / WALLET_KEY).unlink()
    with pytest.raises(UnavailableError) as caught:
        office.signs()
    assert caught.value.code == "wallet_key_missing"
    (office.config.keys_dir / NEXT_WALLET_KEY).write_bytes(kept)  # it is found there as well
    office.signs()


def test_it_is_encrypted_as_the_logs_key_is(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.rotate()
    paths = secret_keys(office.config)
    assert office.config.keys_dir / WALLET_KEY in paths
    encrypt_keys(paths, b"open sesame", None, os.urandom)
    with pytest.raises(Problem) as caught:
        office.signs()
    assert caught.value.code == "passphrase_missing"
    monkeypatch.setenv("FAPIAO_PASSPHRASE", "open sesame")
    office.signs()
    office.rotate()
    assert is_encrypted((office.config.keys_dir / WALLET_KEY).read_bytes())
