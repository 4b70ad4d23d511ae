"""Rotating the log's key: an overlap in which two sign, its end, and a key that was stolen.

What is true is what the newest key statement says; the files with secrets follow it. So every
command first brings them to where the statement is (``_tidy``), and a kill between any two
writes is repaired by the same command again. Meanwhile nobody signs: ``KeyFolder.changing``.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

from chain.block import Block, StoredCheckpoint
from chain.durable import fsync_dir, write_file
from chain.errors import NotFoundError, RefusedError, UnavailableError, VerificationError
from chain.hashing import EMPTY_ROOT
from chain.log.publish import checkpoint_of
from chain.signing.checkpoint import Checkpoint, open_checkpoint
from chain.signing.keys import Last, LogKey, LogKeys
from chain.signing.note import Signature, SignerKey, VerifierKey, open_note
from chain.signing.receipt import with_receipts
from chain.signing.statement import KeyStatement
from invoice_service.keys.folder import LOG_KEY, LOG_VKEY, NEXT_KEY, NEXT_VKEY, KeyFolder
from invoice_service.keys.secrets import forget_asides

_SIGNED_AGAIN: Final = 64
"""As many signed checkpoints back as a late quorum is looked for (``chain.log.publish``)."""


class SignedStore(Protocol):
    """What rotation needs of the log's database."""

    def block_of_size(self, size: int) -> Block | None:
        """The block after which the log had that size."""
        ...

    def checkpoints(self, after: int, limit: int) -> list[StoredCheckpoint]:
        """At most ``limit`` signed checkpoints of sizes above ``after``, in order."""
        ...

    def add_signatures(self, size: int, signatures: Iterable[Signature]) -> None:
        """Store more signatures over the checkpoint of ``size``, durably."""
        ...

    def bind_statement(self, number: int, digest: str) -> None:
        """Remember that this statement was made: its loss is noticed then."""
        ...


class Publishing(Protocol):
    """What rotation needs of publishing; ``chain.log.publish.Publisher``."""

    def published(self) -> tuple[Checkpoint, bytes] | None:
        """What the file ``checkpoint`` says, and its note."""
        ...

    def put(self) -> None:
        """Publish the largest signed checkpoint that the policy allows, with all signatures."""
        ...


@dataclass(frozen=True, slots=True)
class Rotation:
    """What rotating works with; ``write`` keeps a secret key as its operator wants it kept."""

    keys: KeyFolder
    store: SignedStore
    publisher: Publishing
    read: Callable[[Path], SignerKey]
    write: Callable[[Path, SignerKey], None]
    randbytes: Callable[[int], bytes]

    def start(self) -> KeyStatement:
        """Have a new key sign beside the old one; with an overlap under way, nothing changes.

        UnavailableError ``log_key_missing`` where the secret of a key that signs is not here.
        """
        with self.keys.changing():
            _require_secrets(self)
            said = _tidy(self)
            if len(said.keys.signing) == 1:
                # A crash before the statement leaves a key that nobody has heard of: used again.
                new = _next_signer(self, said.keys)
                _state(self, said, (*said.keys.keys, LogKey(new.verifier)))
            return _tidy(self)

    def finish(self) -> KeyStatement:
        """Retire the older key at the published checkpoint; its secret is gone afterwards.

        Raises RefusedError ``rotation_not_seen`` unless both have signed that, ``no_rotation``
        when there was none; UnavailableError ``log_key_missing`` as ``start``.
        """
        with self.keys.changing():
            _require_secrets(self)
            said = _tidy(self)
            old, *newer = said.keys.signing
            if newer:
                last = _seen_by_all(self, said.keys)
                _state(self, said, _changed(said.keys, LogKey(old, last=last)))
            elif len(said.keys.keys) == 1:
                raise RefusedError("no_rotation", "no rotation of the log's key is under way")
            return _tidy(self)

    def revoke(self, key_id: str) -> KeyStatement:
        """Revoke the key with this id (8 hex digits), whatever its state; make a new one if needed.

        NotFoundError ``no_log_key``. A key that is revoked already stays so.
        """
        with self.keys.changing():
            said = _tidy(self)
            stolen = _named(said.keys, key_id)
            if not stolen.revoked:
                keys = _changed(said.keys, LogKey(stolen.verifier, revoked=True))
                if not any(key.signs for key in keys):
                    keys.append(LogKey(_next_signer(self, said.keys).verifier))
                # Before anyone hears of it, what is published gets a signature that counts. A
                # crash in between leaves one line more, which readers pass over.
                _sign_again(self, replace(said.keys, keys=tuple(keys)))
                _state(self, said, keys)
            return _tidy(self)


def _changed(keys: LogKeys, one: LogKey) -> list[LogKey]:
    """The keys, with another thing said of one of them."""
    return [one if key.verifier == one.verifier else key for key in keys.keys]


def _state(parts: Rotation, said: KeyStatement, keys: Iterable[LogKey]) -> None:
    """Add the statement after ``said``, signed by all that sign before or after it."""
    ordered = sorted(keys, key=lambda key: (key.revoked, key.last is not None))
    new = KeyStatement(said.number + 1, replace(said.keys, keys=tuple(ordered)))
    signing = {*said.keys.signing, *new.keys.signing}
    # A crash before this returns leaves the statement before; after it, ``_tidy`` goes on, and
    # whoever opens the instance next remembers the statement.
    parts.keys.add(new.sign(*(one for one in _secrets(parts) if one.verifier in signing)))
    parts.store.bind_statement(new.number, parts.keys.digest(new.number))


def _require_secrets(parts: Rotation) -> None:
    """Before any file moves: a lost key may come back, in its place, and is not followed unasked.

    Raises UnavailableError ``log_key_missing``.
    """
    here = {signer.verifier for signer in _secrets(parts)}
    if missing := [key for key in parts.keys.keys().signing if key not in here]:
        current = parts.keys.folder / LOG_KEY
        file = parts.keys.folder / NEXT_KEY if current.exists() else current
        raise UnavailableError(
            "log_key_missing",
            f"{file} with the secret of {missing[0].text()} is not there: put it back from the"
            " backup of keys/; if it is lost for ever, `fapiao keys rotate-log --stolen"
            f" {missing[0].key_id.hex()}`",
        )


def _secrets(parts: Rotation) -> list[SignerKey]:
    """The secret keys of the log that are here, the older first, each once."""
    signers = (parts.read(path) for path in parts.keys.secret_paths())
    return list({signer.verifier: signer for signer in signers}.values())


def _next_signer(parts: Rotation, keys: LogKeys) -> SignerKey:
    """The key that an interrupted call has left, or a new one."""
    path = parts.keys.folder / NEXT_KEY
    if path.exists():
        signer = parts.read(path)
        if signer.verifier not in keys.verifiers:
            return signer
    signer = SignerKey.generate(keys.origin, parts.randbytes)
    parts.write(path, signer)
    return signer


def _tidy(parts: Rotation) -> KeyStatement:
    """Bring the files to where the newest statement is; return that."""
    said = parts.keys.newest()
    folder, signing = parts.keys.folder, said.keys.signing
    for name in (LOG_KEY, NEXT_KEY):
        forget_asides(folder / name)
    current, following = _read(parts, LOG_KEY), _read(parts, NEXT_KEY)
    gone = current is None or current.verifier not in signing
    if gone and following is not None and following.verifier in signing:
        # The old secret is gone with this; a crash after it leaves the new one twice.
        parts.write(folder / LOG_KEY, following)
        current = following
    if current is not None:
        write_file(folder / LOG_VKEY, _line(current.verifier))
    if following is not None and _is_used_up(following.verifier, current, said.keys):
        _remove(folder / NEXT_KEY)
        following = None
    if following is None:
        _remove(folder / NEXT_VKEY)
    else:
        write_file(folder / NEXT_VKEY, _line(following.verifier))
    return said


def _is_used_up(following: VerifierKey, current: SignerKey | None, keys: LogKeys) -> bool:
    """Whether the file of the next key is of no use: it has moved, or its key signs no more."""
    if current is not None and current.verifier == following:
        return True
    return following in keys.verifiers and following not in keys.signing


def _read(parts: Rotation, name: str) -> SignerKey | None:
    path = parts.keys.folder / name
    return parts.read(path) if path.exists() else None


def _remove(path: Path) -> None:
    if path.exists():
        path.unlink()
        fsync_dir(path.parent)


def _line(key: VerifierKey) -> bytes:
    return f"{key.text()}\n".encode()


def _named(keys: LogKeys, key_id: str) -> LogKey:
    for key in keys.keys:
        if key.verifier.key_id.hex() == key_id:
            return key
    raise NotFoundError("no_log_key", f"the log has no key {key_id}: see `fapiao keys log`")


def _seen_by_all(parts: Rotation, keys: LogKeys) -> Last:
    """The published checkpoint, once every key that signs now has signed it."""
    published = parts.publisher.published()
    signed: set[tuple[str, bytes]] = set()
    if published is not None:
        try:
            note = open_note(published[1], keys.signing)
            signed = {(one.name, one.key_id) for one in note.signatures}
        except VerificationError as error:
            if error.code != "signature_missing":
                raise
    if published is None or len(signed) < len(keys.signing):
        raise RefusedError(
            "rotation_not_seen",
            "the published checkpoint is not signed by both keys yet: let the worker publish one",
        )
    return Last(published[0].size, published[0].root)


def _sign_again(parts: Rotation, keys: LogKeys) -> None:
    """Have the keys that sign from now on sign what is published, and what may be yet.

    That is what waits for its witnesses. Raises VerificationError ``root_mismatch`` for a
    checkpoint that our blocks do not lead to: a thief may have left one.
    """
    signers = with_receipts([one for one in _secrets(parts) if one.verifier in keys.signing])
    for stored in _publishable(parts):
        checkpoint = checkpoint_of(stored)
        block = parts.store.block_of_size(checkpoint.size)
        root = block.root if block is not None else EMPTY_ROOT
        if checkpoint.root != root:
            raise VerificationError(
                "root_mismatch", f"the checkpoint of size {checkpoint.size} is not of our blocks"
            )
        lines = [signer.sign(checkpoint.to_text()) for signer in signers]
        parts.store.add_signatures(checkpoint.size, lines)
    parts.publisher.put()
    published = parts.publisher.published()
    if published is not None:
        open_checkpoint(published[1], keys)


def _publishable(parts: Rotation) -> list[StoredCheckpoint]:
    """The published checkpoint, and the newest of those that are signed since."""
    published = parts.publisher.published()
    found = parts.store.checkpoints(-1 if published is None else published[0].size - 1, 1)
    recent: deque[StoredCheckpoint] = deque(found, maxlen=_SIGNED_AGAIN)
    while more := parts.store.checkpoints(recent[-1].size, _SIGNED_AGAIN) if recent else []:
        recent += more
    return list({one.size: one for one in (*found, *recent)}.values())
