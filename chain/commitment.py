"""From a document's groups to its password area and its anchor (format version 1).

Each group is hidden or shown as a whole, behind 16 random bytes of salt. The password area
opens the document to whoever holds it; the public log holds only the anchor, from which
nobody gets back to a password area.
"""

from collections.abc import Iterable

from chain.errors import MalformedError
from chain.hashing import Digest, digest_from_hex, sha256, sha256_each, to_digest

GROUPS = ("face", "buyer", "lines")
"""The groups of a document, in the order in which they are hashed."""

SALT_SIZE = 16
PASSWORD_AREA_VERSION = "01"  # noqa: S105  # public, on every face

_CHECK_CODE_LENGTH = 5
_ANCHOR = b"fapiao/v1/anchor\n"


def group_digest(group: str, salt: bytes, canonical_bytes: bytes) -> Digest:
    """Return the commitment to one group.

    Raises MalformedError: ``group_unknown``, ``salt_length``.
    """
    if group not in GROUPS:
        raise MalformedError("group_unknown", f"there is no group {group!r}")
    return _salted(f"fapiao/v1/{group}\n".encode(), salt, canonical_bytes)


def document_digest(face: Digest, buyer: Digest, lines: Digest) -> Digest:
    """Return the digest of the whole document from those of its three groups."""
    parts = to_digest(face) + to_digest(buyer) + to_digest(lines)
    return sha256(b"fapiao/v1/invoice\n" + parts)


def password_area(digest: Digest) -> str:
    """Write a document's digest as the 66 characters of its password area."""
    return PASSWORD_AREA_VERSION + to_digest(digest).hex()


def parse_password_area(text: str) -> Digest:
    """Read a password area; MalformedError ``password_area`` unless spelled exactly as written."""
    try:
        if text.startswith(PASSWORD_AREA_VERSION):
            return digest_from_hex(text[len(PASSWORD_AREA_VERSION) :])
    except MalformedError:
        pass
    raise MalformedError(
        "password_area", 'a password area is "01" and 64 lower-case hexadecimal digits'
    )


def check_code(digest: Digest) -> str:
    """Return the check code: the last five characters of the password area."""
    return password_area(digest)[-_CHECK_CODE_LENGTH:]


def anchor(digest: Digest) -> Digest:
    """Return what stands in the log for a document."""
    return sha256(_ANCHOR + to_digest(digest))


def anchors(digests: Iterable[Digest]) -> list[Digest]:
    """Return ``anchor`` of each document, at less cost than as many calls."""
    return sha256_each([_ANCHOR + to_digest(digest) for digest in digests])


def closing_digest(salt: bytes, canonical_bytes: bytes) -> Digest:
    """Return the commitment to a day's totals; MalformedError ``salt_length``."""
    return _salted(b"fapiao/v1/closing\n", salt, canonical_bytes)


def act_digest(salt: bytes, canonical_bytes: bytes) -> Digest:
    """Return the commitment to an act's document; MalformedError ``salt_length``."""
    return _salted(b"fapiao/v1/act\n", salt, canonical_bytes)


def _salted(domain: bytes, salt: bytes, content: bytes) -> Digest:
    # A salt of any other length could move the border between salt and content.
    if len(salt) != SALT_SIZE:
        raise MalformedError("salt_length", f"a salt has {SALT_SIZE} bytes, not {len(salt)}")
    return sha256(domain + salt + content)
