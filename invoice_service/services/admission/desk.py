"""The applicant's side: apply, follow what becomes of it, answer, add papers, withdraw.

A receipt leads back, as with reports of slips: 100 bits, of which the store has the digest. It is
made from all that was sent, so that what is sent twice is one application (ADR 0056).
"""

from collections.abc import Callable, Sequence
from typing import Final

from chain.errors import ConflictError, MalformedError, NotFoundError
from chain.hashing import Digest, sha256
from invoice_service.domain.acts import By
from invoice_service.domain.application import (
    LONGEST_MESSAGE,
    OPEN,
    ApplicationRequest,
    check_application,
)
from invoice_service.services.admission.ports import (
    APPLICANT,
    Application,
    ApplicationStore,
    Listed,
    Paper,
    PaperFiles,
    Room,
    Whose,
    erased_mark,
)
from invoice_service.services.help.desk import (
    NONCE_BYTES,
    is_nonce,
    plain,
    read_receipt,
    receipt_of,
)
from invoice_service.services.people.tries import Allowance, Counts, take_one

ALLOWED: Final = Allowance(10, 360)
"""Applications of one network: ten at once, and ten more an hour."""
ALLOWED_FOR_ONE: Final = Allowance(3, 8 * 3600)
"""Applications of one network with one tax id: three at once, and one more in eight hours."""
ALLOWED_MORE: Final = Allowance(30, 60)
"""Answers, papers and objections of one network: thirty at once, and one more a minute."""

_RECEIPT_OF: Final = b"fapiao/v1/application\n"


class Applications:
    """Takes applications, and lets who has the receipt follow them."""

    def __init__(
        self,
        store: ApplicationStore,
        files: PaperFiles,
        counts: Counts,
        clock: Callable[[], int],
        randbytes: Callable[[int], bytes],
        room: Room,
        listed: Listed,
    ) -> None:
        """``clock`` gives unix seconds; ``randbytes`` must be fit for secrets; ``listed`` is told
        the mark of what is withdrawn.
        """
        self.store, self.files, self.room, self._listed = store, files, room, listed
        self._counts, self._clock, self._randbytes = counts, clock, randbytes

    def nonce(self, before: str = "") -> str:
        """What a form brings with it; that of ``before`` if it is one, shown again."""
        return before if is_nonce(before) else self._randbytes(NONCE_BYTES).hex()

    def receipt(self, nonce: str, asked: ApplicationRequest, papers: Sequence[bytes]) -> str:
        """That of all that was sent; MalformedError ``form_incomplete`` for no nonce of ours."""
        texts = (asked.tax_id, asked.name, asked.industry, asked.district, asked.contact)
        more = (asked.address_phone, asked.message)
        return receipt_of(nonce, [*(text.encode() for text in (*texts, *more)), *papers])

    def is_known(self, receipt: str) -> bool:
        """Whether what has this receipt has come already."""
        return self.store.applied(_digest(receipt)) is not None

    def begin(self, site: str, asked: ApplicationRequest) -> None:
        """Somebody of this network applies: what is seen to be wrong in the form costs nothing.

        Raises MalformedError as ``check_application``; RefusedError ``applications_limited``.
        """
        check_application(asked)
        self.enter(site, new=True)

    def enter(self, site: str, *, new: bool) -> None:
        """Somebody of this network sends something; RefusedError ``applications_limited``."""
        name, allowed = ("apply", ALLOWED) if new else ("applied", ALLOWED_MORE)
        self._count(f"{name}\n{site}", allowed)

    def apply(
        self, receipt: str, asked: ApplicationRequest, papers: Sequence[bytes], site: str = ""
    ) -> Application:
        """Keep an application with the pages of its papers, made anew; on disk when this returns.

        ``site`` is the network it comes from, "" for the machine's own. Raises MalformedError as
        ``check_application``; ConflictError ``tax_id_taken``, ``application_pending``;
        RefusedError ``applications_full``, ``applications_limited``.
        """
        asked = check_application(asked)
        if site:
            self._count(f"apply for {asked.tax_id}\n{site}", ALLOWED_FOR_ONE)
        now = self._clock()
        kept = self._keep(papers, now)
        self.store.add_application(_digest(receipt), asked, kept, now, self.room)
        found = self.look(receipt)
        self.files.remove({one.name for one in kept} - {one.name for one in found.papers})
        return found

    def look(self, receipt: str) -> Application:
        """The application of a receipt as people type it; ``application_unknown``."""
        read = read_receipt(receipt)
        found = None if read is None else self.store.applied(_digest(read))
        if found is None:
            raise unknown()
        return found

    def comment(self, receipt: str, text: str) -> Application:
        """The applicant says something; MalformedError ``text_empty``, ``text_too_long``."""
        self._say(self.look(receipt).id, "applicant", text)
        return self.look(receipt)

    def object_to(self, id_: int, text: str) -> None:
        """Anybody says something against an application whose notice runs.

        NotFoundError ``application_unknown`` where none does.
        """
        self._say(self.noticed(id_).id, "public", text)

    def noticed(self, id_: int) -> Application:
        """One whose notice runs now; NotFoundError ``application_unknown``."""
        found = self.store.application(id_)
        until = None if found is None or found.state != "notice" else found.notice_until
        if found is None or until is None or until <= self._clock():
            raise unknown()
        return found

    def notices(self, after: int, limit: int) -> list[Application]:
        """Those whose notice runs now, in order."""
        return self.store.applications(["notice"], after, limit, noticed_at=self._clock())

    def add_papers(self, receipt: str, papers: Sequence[bytes]) -> Application:
        """More pages, made anew; one that is there is not kept twice.

        As ``ApplicationStore.add_papers``.
        """
        found = self.look(receipt)
        require_open(found)
        now = self._clock()
        twice = self.store.add_papers(found.id, self._keep(papers, now), now, self.room)
        self.files.remove(twice)
        return self.look(receipt)

    def withdraw(self, receipt: str) -> Application:
        """End it: contact and papers go at once; ConflictError ``application_closed``.

        UnavailableError ``erased_list_unusable``: it is listed first, so that a crash, or a copy
        of before, brings nothing back.
        """
        found = self.look(receipt)
        require_open(found)
        self._listed(erased_mark(_digest(read_receipt(receipt) or "")))
        names = self.store.withdraw_application(found.id, By(APPLICANT, self._clock()))
        # A crash here leaves files without rows, which the next tidying takes away.
        self.files.remove(names)
        return self.look(receipt)

    def _count(self, name: str, allowed: Allowance) -> None:
        take_one(self._counts, name, allowed, "applications_limited")

    def _say(self, id_: int, whose: Whose, text: str) -> None:
        self.store.add_comment(id_, whose, said(text), self._clock(), self.room)

    def _keep(self, papers: Sequence[bytes], now: int) -> list[Paper]:
        # A crash here leaves files without rows, which the next tidying takes away.
        names = [self.files.write(data) for data in papers]
        return [
            Paper(number, now, len(data), name, sha256(data))
            for number, (data, name) in enumerate(zip(papers, names, strict=True), 1)
        ]


def said(text: str) -> str:
    """A comment, in lines; MalformedError ``text_empty``, ``text_too_long``."""
    found = plain(text, LONGEST_MESSAGE, "/text")
    if not found:
        raise MalformedError("text_empty", "say something", pointer="/text")
    return found


def require_open(found: Application) -> None:
    """ConflictError ``application_closed`` for one that is decided or withdrawn."""
    if found.state not in OPEN:
        raise ConflictError("application_closed", f"it is {found.state}", state=found.state)


def unknown() -> NotFoundError:
    """There is no such application, or none that may be seen so."""
    return NotFoundError("application_unknown", "there is no such application")


def _digest(receipt: str) -> Digest:
    """By which it is found: whoever has the database has no receipts."""
    return sha256(_RECEIPT_OF + receipt.encode())
