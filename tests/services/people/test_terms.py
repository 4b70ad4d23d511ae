"""Keys with scopes and an end; replacing one with an overlap; when they were used."""

import random
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from chain.errors import MalformedError, NotFoundError, RefusedError, UnavailableError
from invoice_service.services.checking.audit_trail import audit_trail
from invoice_service.services.people.admit import (
    LONGEST_OVERLAP,
    create_key,
    revoke_key,
    rotate_key,
)
from invoice_service.services.people.kept import LOOK_SECONDS, KeptSignIns
from invoice_service.services.people.ports import (
    NO_TERMS,
    OF_A_TILL,
    SCOPES,
    ApiKey,
    KeyTerms,
    Role,
    Scope,
)
from invoice_service.services.people.sign_in import merchant_of, scoped, sign_in
from invoice_service.services.people.uses import EVERY, KeyUses
from tests.domain.samples import BY, NOON
from tests.patience import wait_until
from tests.storage.shop import Shop

END = NOON + 100


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A shop without keys."""
    return Shop(tmp_path)


RANDOM = random.Random(11)


def make(shop: Shop, role: Role = "merchant", terms: KeyTerms = NO_TERMS) -> tuple[ApiKey, str]:
    """A key with these terms."""
    owner = 1 if role == "merchant" else None
    return create_key(shop.store, role, owner, "x", by=BY, randbytes=RANDOM.randbytes, terms=terms)


def refused(shop: Shop, text: str, now: int) -> str:
    """With which code a key is refused then."""
    with pytest.raises(RefusedError) as caught:
        sign_in(shop.store, text, now)
    return caught.value.code


def test_a_key_may_do_what_it_is_for(shop: Shop) -> None:
    _, text = make(shop, terms=KeyTerms(scopes=("issue", "read")))
    principal = sign_in(shop.store, text, NOON)
    assert merchant_of(principal, "issue") == 1
    scoped(principal, "read")
    scopes: tuple[Scope, ...] = ("reverse", "manage")
    for scope in scopes:
        with pytest.raises(RefusedError, match="scope_required"):
            merchant_of(principal, scope)
    _, text = make(shop)
    plain = sign_in(shop.store, text, NOON)
    assert [scope for scope in SCOPES["merchant"] if plain.may(scope)] == [*OF_A_TILL]
    _, text = make(shop, "official")
    assert sign_in(shop.store, text, NOON).may("manage")


@pytest.mark.parametrize(
    ("role", "terms", "code"),
    [
        ("official", KeyTerms(scopes=("issue",)), "value_unknown"),
        ("merchant", KeyTerms(scopes=()), "value_unknown"),
        ("merchant", KeyTerms(expires_at=NOON), "amount_out_of_range"),
        ("merchant", KeyTerms(till="x" * 33), "text_too_long"),
        ("merchant", KeyTerms(till="a  b"), "identifier_ambiguous"),
        ("merchant", KeyTerms(till="A/1"), "identifier_ambiguous"),
        ("merchant", KeyTerms(till=".."), "identifier_ambiguous"),
    ],
)
def test_terms_that_cannot_be(shop: Shop, role: Role, terms: KeyTerms, code: str) -> None:
    with pytest.raises(MalformedError, match=code):
        make(shop, role, terms)
    assert shop.store.keys(None) == shop.store.keys(1) == []


def test_a_key_ends_at_its_second_everywhere(shop: Shop) -> None:
    key, text = make(shop, terms=KeyTerms(expires_at=END))
    sign_in(shop.store, text, END - 1)
    assert refused(shop, text, END) == "key_expired"
    shop.now = END - 1
    shop.issue(shop.draft("A", key_id=key.id))
    shop.now = END
    assert shop.refused(shop.draft("B", key_id=key.id)) == "key_expired"


def test_a_sign_in_that_is_kept_ends_with_its_key(shop: Shop) -> None:
    _, text = make(shop, terms=KeyTerms(expires_at=END))
    _, other = make(shop)
    now = [0.0]
    kept = KeptSignIns(shop.store, clock=lambda: now[0], wall=lambda: NOON + now[0])
    assert kept.seller(text)
    assert kept.seller(other)
    now[0] = 100 - LOOK_SECONDS
    assert kept.seller(text)
    now[0] = 100.0
    with pytest.raises(RefusedError, match="key_expired"):
        kept.seller(text)
    assert kept.seller(other)


def test_a_key_without_the_scope_is_not_kept(shop: Shop) -> None:
    _, text = make(shop, terms=KeyTerms(scopes=("read",)))
    kept = KeptSignIns(shop.store, wall=lambda: NOON)
    with pytest.raises(RefusedError, match="scope_required"):
        kept.seller(text)


def replace(
    shop: Shop, key_id: int, overlap: int, merchant_id: int | None = 1
) -> tuple[ApiKey, str]:
    """Make a new key in the place of that one."""
    randbytes = RANDOM.randbytes
    return rotate_key(shop.store, key_id, overlap, BY, merchant_id=merchant_id, randbytes=randbytes)


def test_a_key_is_replaced_with_an_overlap(shop: Shop) -> None:
    old, before = make(shop, terms=KeyTerms(scopes=("issue",), till="T1"))
    new, after = replace(shop, old.id, 60)
    assert (new.terms, new.label) == (KeyTerms(scopes=("issue",), till="T1"), "x")
    for text in (before, after):
        sign_in(shop.store, text, NOON + 59)
    assert refused(shop, before, NOON + 60) == "key_expired"
    sign_in(shop.store, after, NOON + 10**9)
    audit_trail(shop.store)


def test_an_overlap_never_makes_a_key_last_longer(shop: Shop) -> None:
    old, before = make(shop, terms=KeyTerms(expires_at=NOON + 10))
    replace(shop, old.id, 60)
    assert refused(shop, before, NOON + 10) == "key_expired"


def test_what_is_not_good_is_not_replaced(shop: Shop) -> None:
    old, _ = make(shop)
    for key_id, owner in ((old.id, None), (old.id, 2), (99, 1)):
        with pytest.raises(NotFoundError, match="api_key_unknown"):
            replace(shop, key_id, 60, owner)
    for overlap in (-1, LONGEST_OVERLAP + 1):
        with pytest.raises(MalformedError, match="amount_out_of_range"):
            replace(shop, old.id, overlap)
    revoke_key(shop.store, old.id, BY)
    with pytest.raises(NotFoundError, match="api_key_unknown"):
        replace(shop, old.id, 60)
    assert len(shop.store.keys(1)) == 1


@pytest.mark.parametrize("change", ["scopes = 'manage'", "expires_at = NULL", "till = 'T2'"])
def test_the_audit_holds_terms_to_the_trail(shop: Shop, change: str) -> None:
    make(shop, terms=KeyTerms(scopes=("read",), expires_at=END, till="T1"))
    audit_trail(shop.store)
    with shop.store.connections.writing() as connection:
        connection.execute(f"UPDATE api_keys SET {change}")
    with pytest.raises(Exception, match=change.split(" ")[0]):
        audit_trail(shop.store)


def test_without_terms_an_act_says_what_it_said(shop: Shop) -> None:
    """A key of before and one without terms are the same key."""
    assert make(shop)[0].terms == NO_TERMS
    assert make(shop)[0].used_at is None


def test_uses_are_noted_now_and_then(shop: Shop) -> None:
    key, _ = make(shop)
    now = [NOON]
    uses = KeyUses(shop.store, lambda: now[0], pause=0)

    def used_at() -> int | None:
        return shop.store.keys(1)[0].used_at

    uses.note(key.id)
    wait_until(lambda: used_at() == NOON, "the use is written")
    for later in (1, EVERY - 1):
        now[0] = NOON + later
        uses.note(key.id)
        uses.flush()
        assert used_at() == NOON
    now[0] = NOON + EVERY
    uses.note(key.id)
    wait_until(lambda: used_at() == NOON + EVERY, "the next use is written")


def test_a_use_that_cannot_be_written_harms_nobody() -> None:
    called = threading.Event()

    class Broken:
        def note_uses(self, uses: Mapping[int, int]) -> None:
            called.set()
            raise UnavailableError("disk_full", "full")

    uses = KeyUses(Broken(), lambda: NOON, pause=0)
    uses.note(7)
    wait_until(called.is_set, "it was tried")
    uses.flush()
