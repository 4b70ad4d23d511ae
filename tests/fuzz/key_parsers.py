"""The parsers of what says who may sign, and of where witnesses are reached."""

from collections.abc import Sequence

from chain.exchange import Address
from chain.hashing import sha256
from chain.signing.keys import Last, LogKey, LogKeys
from chain.signing.note import SignerKey, VerifierKey, parse_note, sign_note
from chain.signing.statement import KeyStatement, follow
from chain.signing.trusted import read_trusted
from tests.chain.books import ORIGIN, SIGNER
from tests.fuzz.parser import OtherSpellingError, Parser, same, text_of, void

_NEXT = SignerKey(ORIGIN, bytes(range(3, 35)))
_PROMISE = SignerKey(f"{ORIGIN}/promise", bytes(range(1, 33))).verifier
_RETIRED = LogKey(SIGNER.verifier, last=Last(11, sha256(b"root")))
_STATEMENTS = (
    KeyStatement(1, LogKeys.of(SIGNER.verifier)),
    KeyStatement(2, LogKeys.of(SIGNER.verifier, _NEXT.verifier)),
    KeyStatement(3, LogKeys(ORIGIN, (LogKey(_NEXT.verifier), _RETIRED))),
    KeyStatement(
        4, LogKeys(ORIGIN, (LogKey(_NEXT.verifier), LogKey(SIGNER.verifier, revoked=True)))
    ),
)
_SIGNERS: Sequence[Sequence[SignerKey]] = ((SIGNER,), (SIGNER, _NEXT), (SIGNER, _NEXT), (_NEXT,))
_TEXTS = tuple(f"{statement.to_text()}promise {_PROMISE.text()}\n" for statement in _STATEMENTS)
_NOTES = tuple(sign_note(text, *signers) for text, signers in zip(_TEXTS, _SIGNERS, strict=True))
_BETWEEN = b"\n--\n"

_KEY = frozenset({"key_text", "key_type", "key_weak", "key_id"})
_STATEMENT = _KEY | {"note", "key_statement", "key_ambiguous", "origin_mismatch"}
_FOLLOWED = _STATEMENT | {
    *("signature", "statement_order", "statement_untrusted", "statement_unsigned"),
    "statement_contradicts",
}


def _verifier_key(data: bytes) -> None:
    same(VerifierKey.parse(text_of(data)).text, text_of(data))


def _signer_key(data: bytes) -> None:
    same(SignerKey.parse(text_of(data)).text, text_of(data))


def _statement(data: bytes) -> None:
    same(KeyStatement.parse(data).to_text, parse_note(data).text)


def _signed_statement(data: bytes) -> None:
    """A text that all of the log's keys have signed, whatever it says."""
    note = sign_note(text_of(data), SIGNER, _NEXT)
    known = follow([SIGNER.verifier], [_NOTES[0], note])
    if not set(known.signing) <= {SIGNER.verifier, _NEXT.verifier}:
        raise OtherSpellingError("a key signs that has not signed the statement")


def _followed(data: bytes) -> None:
    """Several statements; only keys that all led to are believed."""
    known = follow([SIGNER.verifier], data.split(_BETWEEN))
    if not set(known.verifiers) <= {SIGNER.verifier, _NEXT.verifier}:
        raise OtherSpellingError("a key is believed that no statement named")


def _address(data: bytes) -> None:
    address = Address.parse(text_of(data), "add-checkpoint", "witness_url")
    if not address.host or not 0 < address.port < 65536 or not address.path.startswith("/"):
        raise OtherSpellingError(f"{data!r} was read as {address}")


KEY_PARSERS = (
    Parser(
        "verifier key",
        _verifier_key,
        (SIGNER.verifier.text().encode(), _PROMISE.text().encode()),
        _KEY,
    ),
    Parser(
        "signer key",
        _signer_key,
        (SIGNER.text().encode(), _NEXT.text().encode()),
        _KEY - {"key_weak"},
    ),
    Parser(
        "keys on a command line",
        lambda data: void(read_trusted([text_of(data)])),
        (SIGNER.verifier.text().encode(),),
        _STATEMENT | {"key_unreadable"},
    ),
    Parser("key statement", _statement, _NOTES, _STATEMENT),
    Parser(
        "key statement, signed",
        _signed_statement,
        tuple(text.encode() for text in _TEXTS[1:2]),
        _FOLLOWED,
    ),
    Parser("key statements", _followed, (_BETWEEN.join(_NOTES),), _FOLLOWED),
    Parser(
        "address",
        _address,
        (b"https://witness.example/w1", b"http://127.0.0.1:8100", b"http://[::1]:8100/a/b/"),
        frozenset({"witness_url"}),
    ),
)
