"""What a log says of its keys, signed by them: which sign now, which did, which are revoked.

The text of the signed note: ``<origin>/keys``, a number that only grows, then one line for each
key, in this order: ``log <key>`` for those that sign now (the oldest first), ``retired <key>
<size> <base64 root>`` of the last checkpoint that it counts for, ``revoked <key>``, ``promise
<key>``, ``wallet <key>``, ``wallet-revoked <key>``. Each statement says everything, so the newest
is enough for whoever knows one of its signers; who knows an older key follows those in between.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Self

from chain.errors import MalformedError, VerificationError
from chain.hashing import to_digest
from chain.signing.es256 import WalletKey
from chain.signing.keys import Last, LogKey, LogKeys
from chain.signing.note import SignerKey, VerifierKey, open_note, parse_note, sign_note
from chain.tree.merkle import MAX_SIZE

MAX_STATEMENT: Final = 1 << 16
"""In bytes, signatures included; room for some hundred keys."""

NAME: Final = "/keys"
PROMISE: Final = "/promise"
WALLET: Final = "/wallet"

_NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}")
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class KeyStatement:
    """The ``number``-th statement of a log, counted from 1, and what it says."""

    number: int
    keys: LogKeys

    def to_text(self) -> str:
        """Return the lines that are signed."""
        lines = [f"{self.keys.origin}{NAME}", str(self.number), *map(_line, self.keys.keys)]
        lines += [f"promise {key.text()}" for key in self.keys.promise]
        lines += [f"wallet {key.text()}" for key in self.keys.wallet]
        lines += [f"wallet-revoked {key.text()}" for key in self.keys.wallet_revoked]
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def parse(cls, note: bytes) -> Self:
        """Read a statement without believing it; only what ``to_text`` writes is read.

        Raises MalformedError: ``note``, ``key_statement``, and those of ``VerifierKey.parse``.
        """
        if len(note) > MAX_STATEMENT:
            raise _malformed(f"it is longer than {MAX_STATEMENT} bytes")
        text = parse_note(note).text
        head, _, rest = text.partition("\n")
        number, _, lines = rest.partition("\n")
        if not head.endswith(NAME) or not _NUMBER.fullmatch(number):
            raise _malformed("it does not begin with the log's name and a number")
        statement = cls(int(number), _keys(head.removesuffix(NAME), lines.split("\n")[:-1]))
        if statement.to_text() != text:
            raise _malformed("its lines stand in another order or spelling")
        return statement

    def sign(self, *signers: SignerKey) -> bytes:
        """Return it as a note; MalformedError if it cannot be read back."""
        note = sign_note(self.to_text(), *signers)
        KeyStatement.parse(note)
        return note


def follow(pinned: Sequence[VerifierKey], notes: Sequence[bytes]) -> LogKeys:
    """Return what is known of a log's keys, from one or more that are ``pinned`` and statements.

    1. all are of one log, and each statement's number is above that of the one before;
    2. those before the first that a pinned key signed are passed over; there is such a one;
    3. from there on, a key signed each that signed by what the one before says (at first, a
       pinned one), every key signed that it says signs now, and no signature is wrong;
    4. it says no less than the one before: every key still stands there, and what was retired
       or revoked is still so, a retired one at the same checkpoint or revoked.

    Without statements the pinned keys are all there is. Raises MalformedError as
    ``KeyStatement.parse``, and ``key_type``; VerificationError: ``origin_mismatch``,
    ``signature``, ``statement_order``, ``statement_untrusted``, ``statement_unsigned``,
    ``statement_contradicts``.
    """
    known = LogKeys.of(*pinned)
    walk = _Walk(known)
    for note in notes:
        walk.take(KeyStatement.parse(note), note)
    if notes and not walk.begun:
        raise _untrusted()
    return walk.known


class _Walk:
    """Where ``follow`` has come to."""

    def __init__(self, pinned: LogKeys) -> None:
        self.known = pinned
        self.begun = False
        self._number = 0

    def take(self, statement: KeyStatement, note: bytes) -> None:
        """Take the next statement; errors as ``follow``."""
        new, old = statement.keys, self.known
        if new.origin != old.origin:
            raise VerificationError("origin_mismatch", "the key statement is of another log")
        if statement.number <= self._number:
            raise VerificationError(
                "statement_order", f"statement {statement.number} comes after {self._number}"
            )
        self._number = statement.number
        signed = _signers(note, (*old.verifiers, *new.verifiers))
        if signed.isdisjoint(old.signing):
            if self.begun:
                raise _untrusted()
            return  # from before the keys that are pinned
        if not signed.issuperset(new.signing):
            raise VerificationError(
                "statement_unsigned", "a key that is said to sign now did not sign the statement"
            )
        _check_keeps(old, new)
        self.known, self.begun = new, True


def _signers(note: bytes, keys: Iterable[VerifierKey]) -> set[VerifierKey]:
    """Which of ``keys`` signed; VerificationError ``signature`` where one of them did not."""
    known = {(key.name, key.key_id): key for key in keys}
    try:
        opened = open_note(note, list(known.values()))
    except VerificationError as error:
        if error.code != "signature_missing":
            raise
        return set()
    return {known[who.name, who.key_id] for who in opened.signatures}


def _check_keeps(old: LogKeys, new: LogKeys) -> None:
    """Check that nothing is forgotten and nobody comes back."""
    now = {key.verifier: key for key in new.keys}
    for key in old.keys:
        stands = now.get(key.verifier)
        if stands is None or not (stands.revoked or key.signs or stands == key):
            raise _contradicts()
    if not (
        set(old.promise) <= set(new.promise)
        and set(old.wallet) <= {*new.wallet, *new.wallet_revoked}
        and set(old.wallet_revoked) <= set(new.wallet_revoked)
    ):
        raise _contradicts()


def _line(key: LogKey) -> str:
    if key.revoked:
        return f"revoked {key.verifier.text()}"
    if key.last is None:
        return f"log {key.verifier.text()}"
    root = base64.b64encode(key.last.root).decode()
    return f"retired {key.verifier.text()} {key.last.size} {root}"


def _keys(origin: str, lines: Sequence[str]) -> LogKeys:
    promises = [_promise(origin, text) for text in _after("promise ", lines)]
    wallet = tuple(_wallet(origin, text) for text in _after("wallet ", lines))
    stolen = tuple(_wallet(origin, text) for text in _after("wallet-revoked ", lines))
    others = ("promise ", "wallet ", "wallet-revoked ")
    keys = [_log_key(line) for line in lines if not line.startswith(others)]
    keys.sort(key=lambda key: (key.revoked, key.last is not None))
    if not promises or not any(key.signs for key in keys):
        raise _malformed("it names no key that signs now, or none for promises")
    if (
        len(set(promises)) != len(promises)
        or len({*wallet, *stolen}) != len(wallet) + len(stolen)
        or any(key.verifier.name != origin for key in keys)
    ):
        raise _malformed("a key stands twice, or is of another log")
    return LogKeys(origin, tuple(keys), tuple(promises), wallet, stolen)


def _after(start: str, lines: Sequence[str]) -> list[str]:
    return [line.removeprefix(start) for line in lines if line.startswith(start)]


def _wallet(origin: str, text: str) -> WalletKey:
    key = WalletKey.parse(text)
    if key.name != origin + WALLET:
        raise _malformed("a wallet's key has another name")
    return key


def _promise(origin: str, text: str) -> VerifierKey:
    key = VerifierKey.parse(text)
    if key.name != origin + PROMISE:
        raise _malformed("a promise key has another name")
    return key


def _log_key(line: str) -> LogKey:
    match line.split(" "):
        case ["log", key]:
            return LogKey(VerifierKey.parse(key))
        case ["retired", key, size, root] if _SIZE.fullmatch(size) and int(size) <= MAX_SIZE:
            return LogKey(VerifierKey.parse(key), last=_last(size, root))
        case ["revoked", key]:
            return LogKey(VerifierKey.parse(key), revoked=True)
    raise _malformed("a line is none of its six kinds")


def _last(size: str, root: str) -> Last:
    try:
        last = Last(int(size), to_digest(base64.b64decode(root)))  # leniently: compared below
    except (binascii.Error, ValueError, MalformedError):
        raise _malformed("a retired key's root is no digest") from None
    if base64.b64encode(last.root).decode() != root:
        raise _malformed("a retired key's root is no digest")
    return last


def _malformed(why: str) -> MalformedError:
    return MalformedError("key_statement", f"this is not a statement of a log's keys: {why}")


def _untrusted() -> VerificationError:
    return VerificationError(
        "statement_untrusted", "no key that is trusted signed the statement of the log's keys"
    )


def _contradicts() -> VerificationError:
    return VerificationError(
        "statement_contradicts", "the statement forgets a key, or brings one back"
    )
