"""What a witness says of a checkpoint, with the time: C2SP tlog-cosignature, Ed25519 (type 4)."""

from collections.abc import Iterable, Sequence
from typing import Final

from chain.errors import MalformedError, VerificationError
from chain.signing.note import (
    COSIGNATURE_V1,
    Note,
    Signature,
    SignerKey,
    VerifierKey,
    open_note,
    parse_note,
)

MAX_LINES_BYTES: Final = 1 << 16
"""Of what a witness answers; room for several post-quantum cosignatures of 3.3 kB."""

_MAX_TIME: Final = 2**63 - 1
_TIME_SIZE: Final = 8


class Cosigner:
    """A witness's secret key, which must sign nothing else: the message does not name its signer.

    It is kept in the text form of a plain Ed25519 signer's key, as other witnesses keep theirs;
    only its public form has the type of a cosigner.
    """

    def __init__(self, key: SignerKey) -> None:
        self._key = key
        self.verifier: Final = VerifierKey(key.name, COSIGNATURE_V1, key.verifier.public)

    def cosign(self, text: str, time: int) -> Signature:
        """Sign a checkpoint's whole text as of ``time``, POSIX seconds.

        Raises MalformedError ``cosignature_time`` or ``note`` for what cannot be signed.
        """
        if not 0 <= time <= _MAX_TIME:
            raise MalformedError("cosignature_time", "a cosignature's time is from 0 to 2^63 - 1")
        plain = self._key.sign(f"cosignature/v1\ntime {time}\n{text}")
        payload = time.to_bytes(_TIME_SIZE, "big") + plain.payload
        return Signature(self._key.name, self.verifier.key_id, payload)


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


def _malformed(why: str) -> MalformedError:
    return MalformedError("cosignature_lines", f"these are not signature lines: {why}")
