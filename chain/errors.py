"""The few errors of the whole system, named by whose fault they are.

``code`` is stable snake_case, for programs; ``detail`` is one English sentence, for people.
"""


class Problem(Exception):  # noqa: N818  # the base; those that are raised are named Error
    """Something that was asked for and cannot be done; the base of the six below.

    ``pointer`` is the RFC 6901 JSON Pointer of the offending part, or "". ``extra`` holds
    further members for the answer, such as the size that was expected.
    """

    def __init__(self, code: str, detail: str, *, pointer: str = "", **extra: int | str) -> None:
        super().__init__(code, detail)  # both in args, so that the error survives pickling
        self.code = code
        self.detail = detail
        self.pointer = pointer
        self.extra = extra

    def __str__(self) -> str:
        where = f" at {self.pointer}" if self.pointer else ""
        return f"{self.code}{where}: {self.detail}"


class MalformedError(Problem):
    """The input cannot be read, or is not what its format allows."""


class VerificationError(Problem):
    """The input can be read, and does not prove what it should."""


class ConflictError(Problem):
    """Somebody else was first, or the same name already stands for other content."""


class RefusedError(Problem):
    """Understood, and not allowed: rights, quotas, rules of the business."""


class NotFoundError(Problem):
    """There is no such thing."""


class UnavailableError(Problem):
    """Not now: the disk is full, the database busy, the clock wrong. Trying again may help."""
