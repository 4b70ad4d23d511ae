"""Reports at the desk: receipts, a bound on how many, what is erased, and who judged."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chain.errors import MalformedError, NotFoundError, RefusedError
from invoice_service.domain.acts import Act, By
from invoice_service.services.help.desk import ALLOWED, ReportDesk, plain, receipt_of
from invoice_service.services.help.ports import Sent
from invoice_service.services.people.tries import OwnCounts
from invoice_service.storage.help import HelpStore
from tests.storage.help.test_reports import BOUNDS, NOW

NONCE = "0123456789abcdef" * 3
SENT = Sent(said="x", message="the total is not what I paid", contact="13800000000")


class Trail:
    """Acts, in order."""

    def __init__(self) -> None:
        self.acts: list[Act] = []

    def record(self, act: Act) -> int:
        self.acts.append(act)
        return len(self.acts)


@pytest.fixture
def trail() -> Trail:
    return Trail()


@pytest.fixture
def desk(tmp_path: Path, trail: Trail) -> Iterator[ReportDesk]:
    store = HelpStore(tmp_path / "help", BOUNDS)
    yield ReportDesk(store, trail, OwnCounts(), lambda: NOW, bytes)
    store.close()


RECEIPT = receipt_of(NONCE, [])


def test_the_same_form_is_one_report_with_one_receipt(desk: ReportDesk) -> None:
    assert not desk.is_known(RECEIPT)
    for _ in range(2):
        desk.take(RECEIPT, SENT, [b"a"])
        assert desk.is_known(RECEIPT)
    assert len(desk.store.reports(None, 0, 9)) == 1
    others = [
        receipt_of("f" * 48, []),
        *(receipt_of(NONCE, p) for p in ([b""], [b"a"], [b"", b""])),
    ]
    assert len({RECEIPT, *others}) == 5


def test_a_receipt_is_read_as_people_type_it(desk: ReportDesk) -> None:
    receipt = RECEIPT
    desk.take(receipt, SENT, [])
    assert [len(group) for group in receipt.split("-")] == [5, 5, 5, 5]
    typed = receipt.replace("-", " ").lower().replace("0", "o").replace("1", "l")
    assert desk.look(f" {typed} ").sent == SENT
    for wrong in ("", receipt[:-1], f"{receipt}0", "0" * 20, "ü" * 20, f"{receipt}\n"):
        with pytest.raises(NotFoundError) as refused:
            desk.look(wrong)
        assert refused.value.code == "report_unknown"


@pytest.mark.parametrize("nonce", ["", "0" * 47, "0" * 49, "G" * 48, "0" * 48 + "\n"])
def test_only_what_a_page_of_ours_made_makes_a_receipt(nonce: str) -> None:
    with pytest.raises(MalformedError) as refused:
        receipt_of(nonce, [])
    assert refused.value.code == "form_incomplete"


def test_a_network_sends_a_bounded_number(desk: ReportDesk) -> None:
    for _ in range(ALLOWED.burst):
        desk.enter("192.0.2.7")
    with pytest.raises(RefusedError) as refused:
        desk.enter("192.0.2.7")
    assert refused.value.code == "reports_limited"
    assert int(refused.value.extra["retry_after"]) > 0
    desk.enter("192.0.2.8")


def test_what_is_erased_is_gone_and_the_report_stays(desk: ReportDesk) -> None:
    receipt = RECEIPT
    desk.take(receipt, SENT, [b"a"])
    assert desk.erase(receipt, "contact").sent == Sent(said="x", message=SENT.message)
    gone = desk.erase(receipt, "all")
    assert (gone.sent, gone.pictures, gone.erased, gone.state) == (Sent(said=""), (), True, "new")


def test_who_judges_stands_in_the_trail_without_the_note(desk: ReportDesk, trail: Trail) -> None:
    receipt = RECEIPT
    desk.take(receipt, SENT, [])
    judged = desk.judge(1, "closed", "Zhang was told\r\nby telephone", By("key:7", NOW + 5))
    assert (judged.state, judged.note) == ("closed", "Zhang was told\nby telephone")
    assert desk.look(receipt).told_at == NOW + 5
    (act,) = trail.acts
    assert (act.type, act.subject, act.actor) == ("report", "report:1", "key:7")
    assert (act.before, act.after, act.reason) == ({"state": "new"}, {"state": "closed"}, "")
    with pytest.raises(NotFoundError):
        desk.judge(2, "seen", "", By("key:7", NOW))
    assert len(trail.acts) == 1


def test_what_people_write_keeps_its_lines_and_loses_what_turns_it_round() -> None:
    assert plain(" a\r\nb\u202ec\x00d ", 9, "message") == "a\nb c d"
    with pytest.raises(MalformedError, match="at most 3") as refused:
        plain("four", 3, "message")
    assert (refused.value.code, refused.value.pointer) == ("text_too_long", "message")
