"""Reports of wrong slips: anybody sends one, without an account, and has a receipt for it.

The receipt is all that leads back to a report: 100 bits, of which the store has the digest. It
is made from all that a form brought, so a form that is sent twice is one report.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from chain.errors import MalformedError, NotFoundError
from chain.hashing import Digest, sha256
from invoice_service.domain.acts import By, act_by
from invoice_service.services.help.ports import Erased, Report, ReportState, ReportStore, Sent
from invoice_service.services.people.trail import ActStore
from invoice_service.services.people.tries import Allowance, Counts, take_one

ALLOWED: Final = Allowance(10, 360)
"""Of one network: ten at once, and ten more an hour."""

LONGEST_NOTE: Final = 500
NONCE_BYTES: Final = 24
_NONCE: Final = re.compile(r"[0-9a-f]{48}", re.ASCII)
_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's, without I, L, O and U
_READ_AS: Final = str.maketrans({"O": "0", "I": "1", "L": "1", "-": "", " ": ""})
_RECEIPT: Final = re.compile(f"[{_LETTERS}]{{20}}", re.ASCII)
_BITS: Final = 5
_REPORT: Final = b"fapiao/v1/report\n"
_RECEIPT_OF: Final = b"fapiao/v1/receipt\n"


class ReportDesk:
    """Takes reports, says what became of them, and lets officials judge."""

    def __init__(
        self,
        store: ReportStore,
        trail: ActStore,
        counts: Counts,
        clock: Callable[[], int],
        randbytes: Callable[[int], bytes],
    ) -> None:
        """``clock`` gives unix seconds; ``randbytes`` must be fit for secrets."""
        self.store = store
        self._trail = trail
        self._counts = counts
        self._clock = clock
        self._randbytes = randbytes

    def nonce(self, before: str = "") -> str:
        """What a form brings with it; that of ``before`` if it is one, shown again."""
        return before if is_nonce(before) else self._randbytes(NONCE_BYTES).hex()

    def enter(self, site: str) -> None:
        """Somebody from this network sends one; RefusedError ``reports_limited``."""
        take_one(self._counts, f"report\n{site}", ALLOWED, "reports_limited")

    def is_known(self, receipt: str) -> bool:
        """Whether the form of this receipt has come already."""
        return self.store.receipted(_digest(receipt)) is not None

    def take(self, receipt: str, sent: Sent, pictures: Sequence[bytes]) -> None:
        """Keep a report, on disk when this returns; once, however often it comes."""
        self.store.add_report(_digest(receipt), sent, pictures, self._clock())

    def look(self, receipt: str) -> Report:
        """The report of a receipt, as people type it; NotFoundError ``report_unknown``."""
        read = read_receipt(receipt)
        found = None if read is None else self.store.receipted(_digest(read))
        if found is None:
            raise unknown()
        return found

    def erase(self, receipt: str, what: Erased) -> Report:
        """What its sender wants to be gone goes; the report as it is then."""
        self.store.erase(self.look(receipt).id, what)
        return self.look(receipt)

    def one(self, id_: int) -> Report:
        """By its number; NotFoundError ``report_unknown``."""
        found = self.store.report(id_)
        if found is None:
            raise unknown()
        return found

    def judge(self, id_: int, state: ReportState, note: str, by: By) -> Report:
        """An official says how it stands; an act of the trail, which has no word of the note.

        MalformedError ``text_too_long``; NotFoundError ``report_unknown``.
        """
        note, before = plain(note, LONGEST_NOTE, "/note"), self.one(id_)
        # A crash between the two leaves an act of what is not so yet: the official does it again.
        self._trail.record(
            act_by(
                by,
                "report",
                f"report:{id_}",
                before={"state": before.state},
                after={"state": state},
            )
        )
        self.store.judge(id_, state, note, by.at)
        return self.one(id_)

    def forget(self, id_: int, by: By) -> Report:
        """An official erases what its sender wants to be gone, and has no receipt for any more."""
        self.one(id_)
        self.store.erase(id_, "all")
        self._trail.record(act_by(by, "report", f"report:{id_}", after={"erased": 1}))
        return self.one(id_)


def is_nonce(text: str) -> bool:
    """Whether it is one that forms bring."""
    return _NONCE.fullmatch(text) is not None


def receipt_of(nonce: str, parts: Iterable[bytes]) -> str:
    """Four groups of five letters, for all that a form brought.

    MalformedError ``form_incomplete`` for no nonce of ours.
    """
    if not is_nonce(nonce):
        raise MalformedError("form_incomplete", "load the page again, and send the form from there")
    brought = b"".join([nonce.encode(), *map(sha256, parts)])
    number = int.from_bytes(sha256(_REPORT + brought)[:13]) >> 4
    letters = [_LETTERS[number >> _BITS * place & 31] for place in range(20)]
    return _grouped("".join(letters))


def read_receipt(typed: str) -> str | None:
    """A receipt as it is written, however somebody has typed it; None for what is none."""
    read = typed.upper().translate(_READ_AS)
    return _grouped(read) if _RECEIPT.fullmatch(read) else None


def plain(text: str, longest: int, pointer: str) -> str:
    """What people write, in lines; what cannot be seen, or turns the writing round, is a blank.

    MalformedError ``text_too_long`` for more than ``longest`` characters.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if len(lines) > longest:
        raise MalformedError("text_too_long", f"at most {longest} characters", pointer=pointer)
    return "".join(sign if sign.isprintable() or sign == "\n" else " " for sign in lines)


def unknown() -> NotFoundError:
    """There is no such report, or there is none any more."""
    return NotFoundError("report_unknown", "there is no such report")


def _grouped(letters: str) -> str:
    return "-".join(letters[place : place + 5] for place in range(0, len(letters), 5))


def _digest(receipt: str) -> Digest:
    """By which it is found: whoever has the database has no receipts."""
    return sha256(_RECEIPT_OF + receipt.encode())
