"""The officials' side: examine applications, decide; answer who asks for more quota."""

from collections.abc import Callable

from chain.errors import MalformedError, NotFoundError, UnavailableError
from chain.hashing import sha256
from invoice_service.domain.acts import By
from invoice_service.domain.quota import Quotas
from invoice_service.domain.text import given_text
from invoice_service.services.admission.desk import said, unknown
from invoice_service.services.admission.ports import (
    Application,
    ApplicationStore,
    Decision,
    PaperFiles,
    QuotaRequest,
    QuotaRequestStore,
    RequestKind,
    Room,
)
from invoice_service.services.people.trail import ActStore, refusals_recorded

LONGEST_REASON = 500  # characters
LONGEST_BATCH = 40
LONGEST_SEARCH = 100


class Bench:
    """What officials do with applications."""

    def __init__(
        self,
        store: ApplicationStore,
        acts: ActStore,
        files: PaperFiles,
        clock: Callable[[], int],
        room: Room,
        notice_days: int,
        offer_seconds: int,
    ) -> None:
        """An account is offered for ``offer_seconds`` to whoever is admitted (``owner``)."""
        self.store, self._acts, self._files = store, acts, files
        self._clock, self._room, self._notice_days = clock, room, notice_days
        self._offer_seconds = offer_seconds

    def one(self, id_: int) -> Application:
        """By its number; NotFoundError ``application_unknown``."""
        found = self.store.application(id_)
        if found is None:
            raise unknown()
        return found

    def paper(self, id_: int, number: int) -> bytes:
        """A page of its papers, JPEG; NotFoundError ``application_unknown``.

        UnavailableError ``record_damaged`` for one that is not what was sent: what an official
        sees is what is decided on.
        """
        found = [paper for paper in self.one(id_).papers if paper.number == number]
        data = self._files.read(found[0].name) if found else None
        if data is None:
            raise unknown()
        if found[0].digest and sha256(data) != found[0].digest:
            raise UnavailableError("record_damaged", f"page {number} of application {id_}")
        return data

    def comment(self, id_: int, text: str) -> Application:
        """Ask or tell the applicant something; ConflictError ``application_closed``."""
        self.store.add_comment(self.one(id_).id, "official", said(text), self._clock(), self._room)
        return self.one(id_)

    def decide(self, id_: int, decision: Decision, by: By) -> Application:
        """Take a step; what is refused becomes an act, too.

        MalformedError ``finding_missing``, ``text_too_long``; ``text_empty`` without a
        reason to refuse, or a batch; else as ``ApplicationStore.decide``.
        """
        reason = given_text(decision.reason, "/reason")
        batch = given_text(decision.batch, "/batch")
        _bound(reason, LONGEST_REASON, "/reason")
        _bound(batch, LONGEST_BATCH, "/batch")
        if decision.step == "refuse" and not reason:
            raise MalformedError("text_empty", "say why: the applicant reads it", pointer="/reason")
        if decision.step == "examine" and decision.finding is None:
            raise MalformedError("finding_missing", "what was found?", pointer="/risk")
        if decision.step == "admit" and not batch:
            raise MalformedError("text_empty", "name the batch of the pilot", pointer="/batch")
        days = self._notice_days
        step = Decision(
            step=decision.step,
            version=decision.version,
            finding=decision.finding,
            batch=batch,
            quotas=decision.quotas,
            reason=reason,
            notice_days=days,
            offer_seconds=self._offer_seconds,
            rivals=decision.rivals,
            crowd=self._room.rivals,
        )
        with refusals_recorded(self._acts, by, "admission", f"application:{id_}"):
            self.store.decide(id_, step, by)
        return self.one(id_)


class QuotaDesk:
    """Merchants ask for more, or to leave; officials answer."""

    def __init__(self, store: QuotaRequestStore, acts: ActStore) -> None:
        self.store, self._acts = store, acts

    def ask(
        self, merchant_id: int, kind: RequestKind, quotas: Quotas, reason: str, by: By
    ) -> QuotaRequest:
        """Keep what a merchant asks for.

        MalformedError ``text_empty``, ``limits_missing`` where it asks for nothing; ConflictError
        ``request_pending``; RefusedError ``merchant_left``.
        """
        reason = given_text(reason, "/reason")
        _bound(reason, LONGEST_REASON, "/reason")
        if kind == "quota" and not reason:
            raise MalformedError("text_empty", "say what it is needed for", pointer="/reason")
        if kind == "quota" and quotas == Quotas():
            raise MalformedError("limits_missing", "say how much", pointer="/month_quota")
        return self.store.add_quota_request(merchant_id, kind, quotas, reason, by)

    def answer(
        self, id_: int, version: int, granted: Quotas | None, answer: str, by: By
    ) -> QuotaRequest:
        """Grant or refuse (None); a refusal says why.

        As ``QuotaRequestStore.answer_quota_request``; MalformedError ``text_empty``.
        """
        answer = given_text(answer, "/answer")
        _bound(answer, LONGEST_REASON, "/answer")
        if granted is None and not answer:
            raise MalformedError("text_empty", "say why: the merchant reads it", pointer="/answer")
        with refusals_recorded(self._acts, by, "quota", f"quota_request:{id_}"):
            self.store.answer_quota_request(id_, version, granted, answer, by)
        return self.one(id_)

    def withdraw(self, id_: int, merchant_id: int, by: By) -> QuotaRequest:
        """The merchant takes it back; as ``QuotaRequestStore.withdraw_quota_request``."""
        with refusals_recorded(self._acts, by, "quota", f"quota_request:{id_}"):
            return self.store.withdraw_quota_request(id_, merchant_id, by)

    def one(self, id_: int) -> QuotaRequest:
        """By its number; NotFoundError ``request_unknown``."""
        found = self.store.quota_request(id_)
        if found is None:
            raise NotFoundError("request_unknown", "there is no such request")
        return found


def _bound(text: str, longest: int, pointer: str) -> None:
    if len(text) > longest:
        raise MalformedError(
            "text_too_long",
            f"at most {longest} characters",
            pointer=pointer,
            detail_zh=f"最多 {longest} 个字符",
        )
