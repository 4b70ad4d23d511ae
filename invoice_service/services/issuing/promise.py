"""The promise in every answer to an issue: by when the invoice will be in the log.

``chain.proof.promise`` says what stands in it, signs and reads it. Whoever commits invoices signs
once for those of one transaction (ADR 0022). A repeat is promised anew, by the same deadline.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import msgspec
import structlog

from chain.commitment import parse_password_area
from chain.errors import Problem
from chain.proof.promise import sign_group
from chain.signing.note import SignerKey
from invoice_service.domain.clock import longest_wait
from invoice_service.domain.invoice import Issued, Prepared
from invoice_service.services.issuing.issue import Issuer

_log = structlog.get_logger()
_replace = msgspec.structs.replace


class Promised:
    """An issuer of what a promise will be made of: new invoices only while it can be kept.

    What was issued before is answered all the same. The others get UnavailableError ``log_behind``.
    ``signed`` is whether the answers carry their promises.
    """

    def __init__(self, issuer: Issuer, max_delay: int, *, signed: bool = True) -> None:
        self._issuer = issuer
        self._max_wait = longest_wait(max_delay)
        self._signed = signed

    def issue(self, batch: Sequence[Prepared]) -> list[Issued | Problem]:
        """Answer each record in order."""
        return self._issuer.issue([self.bound(prepared) for prepared in batch])

    def bound(self, prepared: Prepared) -> Prepared:
        """The same, to be issued only while what it is promised can be kept."""
        return _replace(prepared, max_wait=self._max_wait, promised=self._signed)


class Promiser:
    """Puts promises into the answers of one transaction."""

    def __init__(
        self,
        read_signer: Callable[[], SignerKey],
        max_delay: int,
        clock: Callable[[], int],
        taken: Callable[[], int],
        randbytes: Callable[[int], bytes],
    ) -> None:
        """``read_signer`` is asked when there is something to sign, until it answers.

        ``clock`` gives unix seconds, ``taken`` how many the published log has; ``randbytes`` must
        be fit for secrets.
        """
        self._read_signer = read_signer
        self._signer: SignerKey | None = None
        self._max_delay = max_delay
        self._clock = clock
        self._taken = taken
        self._randbytes = randbytes

    def promise(
        self, batch: Sequence[Prepared], answers: Sequence[Issued | Problem]
    ) -> list[Issued | Problem]:
        """The answers, those that want one with a promise, or with why they have none.

        One signature serves all of the same time of issue, so that nobody's deadline moves.
        """
        found = list(answers)
        groups: dict[int, list[tuple[int, Issued]]] = {}
        for place, (record, answer) in enumerate(zip(batch, answers, strict=True)):
            if record.promised and isinstance(answer, Issued):
                groups.setdefault(answer.issued_at, []).append((place, answer))
        for issued_at, group in groups.items():
            for (place, _), answer in zip(group, self._group(issued_at, group), strict=True):
                found[place] = answer
        return found

    def _group(self, issued_at: int, group: Sequence[tuple[int, Issued]]) -> list[Issued]:
        """Those of one time of issue. They are on disk: whatever happens, they are answered."""
        issued = [one for _, one in group]
        try:
            broken = self._broken(issued_at, issued)
            kept = [one for one in issued if one.seq not in broken]
            texts = iter(self._sign(issued_at, kept))
        except Exception as error:  # noqa: BLE001 # an invoice is not lost with its promise
            _log.warning("promise.unsigned", error=repr(error), count=len(issued))
            return [_replace(one, no_promise="unsigned") for one in issued]
        return [
            _replace(one, no_promise="overdue")
            if one.seq in broken
            else _replace(one, promise=next(texts))
            for one in issued
        ]

    def _broken(self, issued_at: int, issued: Sequence[Issued]) -> set[int]:
        """Those whose time is over without their being in the log: nothing is promised of them."""
        if self._clock() <= issued_at + self._max_delay:
            return set()
        taken = self._taken()
        return {one.seq for one in issued if one.seq > taken}

    def _sign(self, issued_at: int, issued: Sequence[Issued]) -> list[str]:
        if not issued:
            return []
        if self._signer is None:
            self._signer = self._read_signer()
        return sign_group(
            self._signer,
            [parse_password_area(one.hash) for one in issued],
            datetime.fromtimestamp(issued_at, UTC),
            datetime.fromtimestamp(issued_at + self._max_delay, UTC),
            self._randbytes,
        )
