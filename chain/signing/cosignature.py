"""What a witness says of a checkpoint, with the time: C2SP tlog-cosignature.

With Ed25519 (type 4), and with ML-DSA-44 (type 6), which no quantum computer would break.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol, Self

from Crypto.PublicKey import MLDSA
from Crypto.Signature import mldsa

from chain.errors import MalformedError, VerificationError
from chain.signing.note import (
    COSIGNATURE_V1,
    KEY_SIZE,
    ML_DSA_44,
    Note,
    Signature,
    SignerKey,
    VerifierKey,
    open_note,
    parse_note,
    parse_secret_key,
    secret_key_text,
)
from chain.signing.subtree import whole_tree_message

MAX_LINES_BYTES: Final = 1 << 16
"""Of what a witness answers; room for several post-quantum cosignatures of 3.3 kB."""

_MAX_TIME: Final = 2**63 - 1
_TIME_SIZE: Final = 8


class Signer(Protocol):
    """A witness's secret key of either kind."""

    @property
    def verifier(self) -> VerifierKey:
        """The public key."""
        ...

    def cosign(self, text: str, time: int) -> Signature:
        """Sign a checkpoint's whole text as of ``time``, POSIX seconds.

        Raises MalformedError ``cosignature_time`` or ``note`` for what cannot be signed.
        """
        ...


class Cosigner:
    """A witness's secret key, which must sign nothing else: the message does not name its signer.

    It is kept in the text form of a plain Ed25519 signer's key, as other witnesses keep theirs;
    only its public form has the type of a cosigner.
    """

    def __init__(self, key: SignerKey) -> None:
        self._key = key
        self.verifier: Final = VerifierKey(key.name, COSIGNATURE_V1, key.verifier.public)

    def cosign(self, text: str, time: int) -> Signature:
        """Sign; see ``Signer``."""
        stamp = _stamp(time)
        plain = self._key.sign(f"cosignature/v1\ntime {time}\n{text}")
        return Signature(self._key.name, self.verifier.key_id, stamp + plain.payload)


class SubtreeCosigner:
    """A witness's secret ML-DSA-44 key, made from 32 secret bytes; never shown by ``repr``."""

    def __init__(
        self, name: str, seed: bytes, randbytes: Callable[[int], bytes] | None = None
    ) -> None:
        """Sign with fresh ``randbytes`` each time, as FIPS 204 advises; without, always the same.

        Raises MalformedError ``key_text`` for a name or a seed that cannot be.
        """
        if len(seed) != KEY_SIZE:
            raise MalformedError("key_text", f"a secret key has {KEY_SIZE} bytes")
        secret = MLDSA.construct(param_set=MLDSA.ML_DSA_44, seed=seed)
        self._seed = seed
        self._scheme = mldsa.new(secret, deterministic=randbytes is None, randfunc=randbytes)
        self.verifier: Final = VerifierKey(name, ML_DSA_44, secret.pk)

    @classmethod
    def parse(cls, text: str, randbytes: Callable[[int], bytes] | None = None) -> Self:
        """Read what ``text`` writes; errors as ``SignerKey.parse``."""
        name, key_id, seed = parse_secret_key(text, ML_DSA_44)
        key = cls(name, seed, randbytes)
        if key.verifier.key_id.hex() != key_id:
            raise MalformedError("key_id", "the key id does not belong to this name and key")
        return key

    def text(self) -> str:
        """Return the secret key: ``PRIVATE+KEY+name+<8 hex key id>+base64(type || seed)``."""
        return secret_key_text(self.verifier, self._seed)

    def cosign(self, text: str, time: int) -> Signature:
        """Sign; see ``Signer``. Extension lines of the checkpoint are not signed."""
        stamp = _stamp(time)
        raw = self._scheme.sign(whole_tree_message(self.verifier.name, time, text))
        return Signature(self.verifier.name, self.verifier.key_id, stamp + raw)


def open_cosignatures(
    text: str, lines: bytes, keys: Sequence[VerifierKey]
) -> dict[VerifierKey, Signature]:
    """Return the cosignatures of ``keys`` among a witness's answer ``lines``, all of them checked.

    Raises MalformedError ``cosignature_lines`` for what is not signature lines;
    VerificationError ``signature`` when one by a known key fails, ``signature_missing`` when
    there is none.
    """
    if len(lines) > MAX_LINES_BYTES:
        raise _malformed(f"they are longer than {MAX_LINES_BYTES} bytes")
    joined = text.encode() + b"\n" + lines
    try:
        # An empty line among them would move the end of the text that the signatures are over.
        alone = parse_note(joined).text == text
    except MalformedError as error:
        raise _malformed("they cannot be read") from error
    if not alone:
        raise _malformed("there is an empty line among them")
    found = checked_cosignatures(joined, keys)
    if not found:
        raise VerificationError("signature_missing", "none of the keys asked for has cosigned")
    return found


def checked_cosignatures(note: bytes, keys: Sequence[VerifierKey]) -> dict[VerifierKey, Signature]:
    """Return which of ``keys`` have cosigned ``note``; VerificationError for a wrong signature."""
    try:
        opened = open_note(note, keys)
    except VerificationError as error:
        if error.code == "signature_missing":
            return {}
        raise
    known = {(key.name, key.key_id): key for key in keys}
    return {known[signed.name, signed.key_id]: signed for signed in opened.signatures}


def add_signatures(note: bytes, more: Iterable[Signature]) -> bytes:
    """Return ``note`` with ``more`` signature lines below, in order, one for each key.

    A key that has signed keeps the line it has: who has read the note finds it unchanged.
    """
    parsed = parse_note(note)
    known = {(signature.name, signature.key_id) for signature in parsed.signatures}
    added: dict[tuple[str, bytes], Signature] = {}
    for signature in more:
        if (signature.name, signature.key_id) not in known:
            added.setdefault((signature.name, signature.key_id), signature)
    return Note(parsed.text, (*parsed.signatures, *added.values())).to_bytes()


def _stamp(time: int) -> bytes:
    if not 0 <= time <= _MAX_TIME:
        raise MalformedError("cosignature_time", "a cosignature's time is from 0 to 2^63 - 1")
    return time.to_bytes(_TIME_SIZE, "big")


def _malformed(why: str) -> MalformedError:
    return MalformedError("cosignature_lines", f"these are not signature lines: {why}")
