"""How an audit names what is wrong."""

from chain.errors import VerificationError


class AuditError(VerificationError):
    """The first wrong thing: code ``audit_failed``, ``extra`` kind, place, expected, found.

    ``kind`` is entry, seal, block, checkpoint, tile, bundle, published or store; ``place`` the
    index, height, size or path of it.
    """

    def __init__(self, kind: str, place: int | str, expected: str, found: str) -> None:
        super().__init__(
            "audit_failed",
            f"{kind} {place}: expected {expected}, found {found}",
            kind=kind,
            place=place,
            expected=expected,
            found=found,
        )

    def __reduce__(self) -> tuple[type["AuditError"], tuple[int | str, ...]]:
        """Survive pickling: the arguments are not those that Exception keeps."""
        return AuditError, tuple(
            self.extra[name] for name in ("kind", "place", "expected", "found")
        )
