"""What a log says of its keys, and who believes which of it."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.errors import MalformedError, Problem
from chain.hashing import sha256
from chain.signing.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from chain.signing.cosignature import Cosigner
from chain.signing.es256 import WalletKey, WalletSigner
from chain.signing.keys import Last, LogKey, LogKeys
from chain.signing.note import Note, Signature, SignerKey, VerifierKey, parse_note, sign_note
from chain.signing.statement import MAX_STATEMENT, KeyStatement, follow
from chain.tree.merkle import MAX_SIZE
from tests.vectors.proof_case import to_base64

ORIGIN = "log.example/a"
A, B, C, D = (SignerKey(ORIGIN, bytes([n]) * 32) for n in range(4))
PROMISE = SignerKey(f"{ORIGIN}/promise", bytes([8]) * 32).verifier
PROMISE_2 = SignerKey(f"{ORIGIN}/promise", bytes([7]) * 32).verifier
WALLET_1, WALLET_2 = (WalletSigner(f"{ORIGIN}/wallet", bytes([n]) * 32).verifier for n in (5, 6))
ROOT = sha256(b"root")
AT_10, AT_20 = Last(10, ROOT), Last(20, sha256(b"later"))


def keys(*signing: SignerKey, retired: object = (), revoked: Sequence[SignerKey] = ()) -> LogKeys:
    """The keys of a log; ``retired`` are pairs of a key and its last checkpoint."""
    assert isinstance(retired, tuple)
    return LogKeys(
        ORIGIN,
        (
            *(LogKey(key.verifier) for key in signing),
            *(LogKey(key.verifier, last=last) for key, last in retired),
            *(LogKey(key.verifier, revoked=True) for key in revoked),
        ),
        (PROMISE,),
    )


# Two planned rotations, then a theft: A, then B, then C, which is stolen, then D.
FIRST = KeyStatement(1, keys(A))
BOTH = KeyStatement(2, keys(A, B))
SECOND = KeyStatement(3, keys(B, retired=((A, AT_10),)))
BOTH_2 = KeyStatement(4, keys(B, C, retired=((A, AT_10),)))
THIRD = KeyStatement(5, keys(C, retired=((A, AT_10), (B, AT_20))))
STOLEN = KeyStatement(6, keys(D, retired=((A, AT_10), (B, AT_20)), revoked=(C,)))
NOTES = [
    FIRST.sign(A),
    BOTH.sign(A, B),
    SECOND.sign(A, B),
    BOTH_2.sign(B, C),
    THIRD.sign(B, C),
    STOLEN.sign(C, D),
]


def outcome(pinned: SignerKey | Sequence[SignerKey], notes: Sequence[bytes]) -> str | LogKeys:
    """What following says: the keys, or the code."""
    signers = [pinned] if isinstance(pinned, SignerKey) else pinned
    try:
        return follow([signer.verifier for signer in signers], notes)
    except Problem as problem:
        return problem.code


def test_the_text_is_as_the_format_says() -> None:
    assert SECOND.to_text() == (
        f"{ORIGIN}/keys\n"
        "3\n"
        f"log {B.verifier.text()}\n"
        f"retired {A.verifier.text()} 10 {to_base64(ROOT)}\n"
        f"promise {PROMISE.text()}\n"
    )
    assert f"revoked {C.verifier.text()}\npromise" in STOLEN.to_text()
    for note, statement in zip(NOTES, (FIRST, BOTH, SECOND, BOTH_2, THIRD, STOLEN), strict=True):
        assert KeyStatement.parse(note) == statement


@pytest.mark.parametrize("pinned", [A, B, C, D])
def test_every_pinned_key_leads_to_the_newest(pinned: SignerKey) -> None:
    assert outcome(pinned, NOTES) == STOLEN.keys


@pytest.mark.parametrize(("pinned", "first"), [(A, 1), (B, 2), (C, 4), (D, 5)])
def test_those_since_the_pinned_key_are_enough(pinned: SignerKey, first: int) -> None:
    assert outcome(pinned, NOTES[first:]) == STOLEN.keys


def test_the_newest_alone_is_enough_for_its_signers_only() -> None:
    assert outcome(D, NOTES[-1:]) == STOLEN.keys
    for pinned in (A, B):
        assert outcome(pinned, NOTES[-1:]) == "statement_untrusted"
    assert outcome(A, [NOTES[0], NOTES[-1]]) == "statement_untrusted"
    assert outcome(SignerKey(ORIGIN, bytes([99]) * 32), NOTES) == "statement_untrusted"


def test_without_statements_the_pinned_keys_are_all_there_is() -> None:
    assert outcome([A, B], []) == LogKeys.of(A.verifier, B.verifier)
    assert outcome([A, A], []) == LogKeys.of(A.verifier)
    assert outcome([A, SignerKey("x", bytes(32))], []) == "origin_mismatch"
    with pytest.raises(Problem) as caught:
        follow([Cosigner(A).verifier], [])
    assert caught.value.code == "key_type"


def test_it_never_goes_back() -> None:
    assert outcome(A, [NOTES[1], NOTES[0]]) == "statement_order"
    assert outcome(A, [NOTES[0], NOTES[0]]) == "statement_order"
    assert outcome(A, [*NOTES[:2], replace(BOTH, number=2).sign(A, B)]) == "statement_order"
    assert outcome(D, [NOTES[2], NOTES[1], NOTES[5]]) == "statement_order"  # also before D's own


@pytest.mark.parametrize("thief", [A, C])
def test_a_retired_or_revoked_key_says_nothing_any_more(thief: SignerKey) -> None:
    forged = KeyStatement(7, keys(thief)).sign(thief)
    assert outcome(A, [*NOTES, forged]) == "statement_untrusted"
    assert outcome(D, [*NOTES, forged]) == "statement_untrusted"
    again = KeyStatement(7, STOLEN.keys).sign(thief, D)
    assert outcome(A, [*NOTES, again]) == STOLEN.keys  # D says so


def test_every_key_that_signs_now_signs_the_statement() -> None:
    assert outcome(A, [BOTH.sign(A)]) == "statement_unsigned"
    assert outcome(B, [BOTH.sign(B)]) == "statement_unsigned"
    assert outcome(A, [SECOND.sign(A)]) == "statement_unsigned"
    assert outcome(B, [SECOND.sign(B)]) == SECOND.keys  # the retired one's secret may be gone


@pytest.mark.parametrize("wrong", [A, B])
def test_a_wrong_signature_is_refused_even_beside_good_ones(wrong: SignerKey) -> None:
    note = parse_note(NOTES[1])
    bad = Signature(ORIGIN, wrong.verifier.key_id, bytes(64))
    for signatures in ((*note.signatures, bad), (bad, *note.signatures), (bad,)):
        assert outcome([A, B], [Note(note.text, signatures).to_bytes()]) == "signature"
    assert outcome(B, [Note(FIRST.to_text(), (bad,)).to_bytes()]) == "signature"


@pytest.mark.parametrize(
    "said",
    [
        keys(B, C, retired=((A, AT_10),), revoked=()),
        keys(C, retired=((A, AT_10), (B, AT_20))),
        keys(C, retired=((B, AT_20),), revoked=(A,)),
        keys(C, revoked=(A, B)),
    ],
)
def test_what_may_follow(said: LogKeys) -> None:
    signers = [key for key in (B, C) if key.verifier in said.signing]
    note = KeyStatement(9, said).sign(B, *[key for key in signers if key is not B])
    assert outcome(A, [*NOTES[:4], note]) == said


@pytest.mark.parametrize(
    "said",
    [
        keys(C, retired=((B, AT_20),)),  # A forgotten
        keys(C, retired=((A, AT_10),)),  # B forgotten
        keys(C, A, retired=((B, AT_20),)),  # A back
        keys(C, retired=((A, AT_20), (B, AT_20))),  # at another size
        keys(C, retired=((A, Last(10, sha256(b"x"))), (B, AT_20))),  # at another root
        replace(keys(C, retired=((A, AT_10), (B, AT_20))), promise=(PROMISE_2,)),
    ],
)
def test_what_contradicts(said: LogKeys) -> None:
    note = KeyStatement(9, said).sign(A, B, C)
    assert outcome(A, [*NOTES[:4], note]) == "statement_contradicts"


def for_wallets(wallet: Sequence[WalletKey], revoked: Sequence[WalletKey] = ()) -> LogKeys:
    """A's keys, with those for wallets."""
    return replace(keys(A), wallet=tuple(wallet), wallet_revoked=tuple(revoked))


def test_keys_for_wallets_are_read_as_they_are_written() -> None:
    said = KeyStatement(3, for_wallets([WALLET_2, WALLET_1]))
    lines = [f"wallet {WALLET_2.text()}\n", f"wallet {WALLET_1.text()}\n"]
    text = FIRST.to_text().replace("\n1\n", "\n3\n")
    assert said.to_text() == text + "".join(lines)
    assert KeyStatement.parse(said.sign(A)) == said
    stolen = KeyStatement(3, for_wallets([WALLET_2], [WALLET_1]))
    assert stolen.to_text() == f"{text}{lines[0]}wallet-revoked {WALLET_1.text()}\n"
    assert KeyStatement.parse(stolen.sign(A)) == stolen
    elsewhere = WalletKey(f"{ORIGIN}/wallets", WALLET_1.x, WALLET_1.y)
    for other in (
        text + lines[0] * 2,
        f"{text}{lines[1]}wallet-revoked {WALLET_1.text()}\n",
        f"{text}wallet {elsewhere.text()}\n",
        text + lines[0].replace("wallet", "WALLET", 1),
    ):
        assert outcome(A, [sign_note(other, A)]) == "key_statement"


@pytest.mark.parametrize(
    ("before", "after", "good"),
    [
        (for_wallets([WALLET_1]), for_wallets([WALLET_1, WALLET_2]), True),
        (for_wallets([WALLET_1, WALLET_2]), for_wallets([WALLET_2], [WALLET_1]), True),
        (for_wallets([], [WALLET_1]), for_wallets([WALLET_2], [WALLET_1]), True),
        (for_wallets([WALLET_1]), for_wallets([WALLET_2]), False),
        (for_wallets([WALLET_1]), for_wallets([]), False),
        (for_wallets([], [WALLET_1]), for_wallets([WALLET_1]), False),
        (for_wallets([], [WALLET_1]), for_wallets([]), False),
    ],
)
def test_no_key_for_wallets_is_forgotten_or_comes_back(
    before: LogKeys, after: LogKeys, good: bool
) -> None:
    notes = [KeyStatement(2, before).sign(A), KeyStatement(3, after).sign(A)]
    assert outcome(A, notes) == (after if good else "statement_contradicts")


@pytest.mark.parametrize("said", [keys(D), keys(D, C), keys(D, retired=((C, AT_20),))])
def test_nothing_brings_a_revoked_key_back(said: LogKeys) -> None:
    more = [key for key in STOLEN.keys.keys[1:] if key.verifier not in said.verifiers]
    note = KeyStatement(9, LogKeys(ORIGIN, (*said.keys, *more), said.promise))
    if C.verifier not in said.verifiers:
        note = KeyStatement(9, said)
    assert outcome(D, [NOTES[-1], note.sign(C, D)]) == "statement_contradicts"


def test_a_pinned_key_must_stand_in_what_is_believed() -> None:
    note = KeyStatement(2, keys(B)).sign(A, B)
    assert outcome(A, [note]) == "statement_contradicts"
    assert outcome([A, B], [note]) == "statement_contradicts"
    assert outcome(B, [note]) == keys(B)


def test_another_log_s_statement_is_not_ours() -> None:
    other = SignerKey("log.example/b", bytes(32))
    said = LogKeys(
        other.name,
        (LogKey(other.verifier),),
        (SignerKey("log.example/b/promise", bytes(32)).verifier,),
    )
    assert outcome(A, [KeyStatement(1, said).sign(other)]) == "origin_mismatch"


GOOD = SECOND.to_text()
[HEAD, NUMBER, LOG, RETIRED, PROMISED] = GOOD.splitlines()


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}\n",
        f"{HEAD}\n3\n",
        f"{ORIGIN}\n3\n{LOG}\n{PROMISED}\n",
        f"/keys\n3\n{LOG}\n{PROMISED}\n",
        *(
            f"{HEAD}\n{number}\n{LOG}\n{PROMISED}\n"
            for number in ("0", "03", "+3", "3 ", "", "-1", "1_0", "\uff13", "9" * 10)
        ),
        f"{HEAD}\n3\n{LOG}\n",  # none for promises
        f"{HEAD}\n3\n{PROMISED}\n",  # none that signs
        f"{HEAD}\n3\n{RETIRED}\n{PROMISED}\n",
        f"{HEAD}\n3\n{PROMISED}\n{LOG}\n",
        f"{HEAD}\n3\n{RETIRED}\n{LOG}\n{PROMISED}\n",
        f"{HEAD}\n3\n{LOG}\n{PROMISED}\n{RETIRED}\n",
        f"{HEAD}\n3\n{LOG}\n{PROMISED}\n\n",
        f"{HEAD}\n3\n\n{LOG}\n{PROMISED}\n",
        f"{HEAD}\n3\n{LOG}\n{PROMISED}\n{PROMISED}\n",
        f"{HEAD}\n3\n{LOG}\nmore {PROMISED.split()[1]}\n{PROMISED}\n",
        f"{HEAD}\n3\n{LOG} \n{PROMISED}\n",
        f"{HEAD}\n3\n{LOG} 3\n{PROMISED}\n",
        f"{HEAD}\n3\n{LOG.replace(' ', '  ')}\n{PROMISED}\n",
        f"{HEAD}\n3\nlog {PROMISE.text()}\n{PROMISED}\n",
        f"{HEAD}\n3\n{LOG}\npromise {B.verifier.text()}\n",
        f"{HEAD}\n3\n{LOG}\nretired {A.verifier.text()}\n{PROMISED}\n",
        *(
            GOOD.replace(" 10 ", f" {size} ")
            for size in ("010", "+10", "-1", "1_0", "", "\uff11", str(2**63), "9" * 30)
        ),
        GOOD.replace(to_base64(ROOT), to_base64(ROOT)[:-1]),
        GOOD.replace(to_base64(ROOT), to_base64(bytes(31))),
        GOOD.replace(to_base64(ROOT), to_base64(bytes(33))),
        GOOD.replace(to_base64(ROOT), ROOT.hex()),
        GOOD.replace(to_base64(ROOT), ""),
    ],
)
def test_another_spelling_is_refused(text: str) -> None:
    assert outcome(B, [sign_note(text, B, A)]) == "key_statement"


def test_keys_in_it_are_read_as_everywhere() -> None:
    weak = GOOD.replace(B.verifier.text(), B.verifier.text()[:-2] + "A=")
    assert outcome(B, [sign_note(weak, B)]) in {"key_id", "key_text"}
    witness = GOOD.replace(A.verifier.text(), Cosigner(A).verifier.text())
    assert outcome(B, [sign_note(witness, B)]) == "key_type"
    twice = GOOD.replace(LOG, f"{LOG}\n{LOG}")
    assert outcome(B, [sign_note(twice, B)]) == "key_ambiguous"
    assert outcome(B, [sign_note(GOOD.replace(LOG, f"{LOG}\nrevoked {LOG[4:]}"), B)]) in {
        "key_statement",
        "key_ambiguous",
    }
    assert outcome(B, [b"x"]) == "note"


def test_a_statement_has_a_limit() -> None:
    line = Signature("somebody.example", b"\1\2\3\4", bytes(3000)).line().encode()
    room = (MAX_STATEMENT - len(NOTES[2])) // len(line)
    assert outcome(B, [NOTES[2] + line * room]) == SECOND.keys
    assert outcome(B, [NOTES[2] + line * (room + 1)]) == "key_statement"


KEYS = st.sampled_from([A, B, C, D])


@given(st.lists(KEYS, min_size=1, max_size=4), st.permutations(range(6)), st.integers(1, 6))
def test_no_order_of_true_statements_leads_anywhere_else(
    pinned: list[SignerKey], order: list[int], count: int
) -> None:
    """Whatever is left out or exchanged, what comes out is one of the log's own states."""
    notes = [NOTES[place] for place in order[:count]]
    found = outcome(pinned, notes)
    if isinstance(found, LogKeys):
        assert found == KeyStatement.parse(notes[-1]).keys
        assert order[:count] == sorted(order[:count])


def test_old_and_new_checkpoints_under_what_was_followed() -> None:
    def said(size: int, *signers: SignerKey, pinned: VerifierKey = A.verifier) -> str:
        root = ROOT if size == 10 else sha256(b"%d" % size)
        note = sign_checkpoint(Checkpoint(ORIGIN, size, root), *signers)
        try:
            open_checkpoint(note, follow([pinned], NOTES))
        except Problem as problem:
            return problem.code
        return "ok"

    assert said(10, A) == said(9, A, pinned=D.verifier) == "ok"
    assert said(11, A) == "key_retired"
    assert said(15, B) == "ok"
    assert said(30, C) == "key_revoked"
    assert said(30, C, D) == said(30, D) == "ok"


def test_a_key_may_be_retired_at_the_largest_size_and_no_larger_one() -> None:
    text = KeyStatement(3, keys(B, retired=((A, Last(MAX_SIZE, ROOT)),))).to_text()
    assert KeyStatement.parse(sign_note(text, B)).to_text() == text
    with pytest.raises(MalformedError, match=r"^key_statement\b"):
        KeyStatement.parse(sign_note(text.replace(str(MAX_SIZE), str(MAX_SIZE + 1)), B))


def test_a_statement_that_only_a_stranger_signed() -> None:
    stranger = SignerKey(ORIGIN, bytes([99]) * 32)
    assert outcome(A, [FIRST.sign(stranger)]) == "statement_untrusted"
    assert outcome(A, [FIRST.sign(A), BOTH.sign(stranger)]) == "statement_untrusted"
