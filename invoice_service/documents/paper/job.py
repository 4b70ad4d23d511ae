"""What is to be printed, as it goes to the process that sets it."""

import msgspec

from invoice_service.documents.paper.face import Face


class Attached(msgspec.Struct, frozen=True):
    """A file inside the PDF."""

    name: str
    text: str
    about: str


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes one PDF; ``made`` is the time that it says it was made, in unix seconds."""

    faces: list[Face]
    attached: list[Attached]
    made: int
    two_up: bool = False
