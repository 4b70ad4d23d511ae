"""Verdicts: each of them, every kind of forged slip, and every kind of damage."""

import random
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from chain.commitment import anchor, parse_password_area, password_area
from chain.entry import anchor_entry
from chain.errors import MalformedError, Problem, UnavailableError
from chain.hashing import sha256
from chain.proof.file import parse_proof
from chain.proof.verify import verify_proof
from chain.signing.note import SignerKey, VerifierKey
from invoice_service.domain.invoice import Issued, parse_request, prepare
from invoice_service.domain.numbering import shanghai_day
from invoice_service.domain.qrtext import QrText
from invoice_service.domain.verdict import Verdict, Verification
from invoice_service.services.checking.prove import build
from invoice_service.services.checking.verify import Verifier
from tests.domain.samples import company, line, order
from tests.services.town import ORIGIN, RATES, TEN_FEN, Town
from tests.storage.shop import tamper


def slip(issued: Issued) -> QrText:
    """What the invoice's QR code says."""
    return QrText(hash=issued.hash, number=issued.number, total=issued.total)


def verifier(town: Town, key: VerifierKey | None = None) -> Verifier:
    """A verifier that remembers nothing yet."""
    return Verifier(town.store, town.log, lambda: key or town.signer.verifier)


def check(town: Town, issued: Issued) -> Verification:
    """The verdict on the true slip of an invoice."""
    return verifier(town).verify(slip(issued))


def numbers(found: Verification) -> list[int]:
    """Which steps were checked."""
    return [step.number for step in found.steps]


class TestVerdicts:
    """The life of an invoice, as whoever scans it sees it."""

    def test_pending_then_authentic_then_reversed(self, town: Town) -> None:
        (issued,) = town.issue(1)
        waiting = check(town, issued)
        assert (waiting.verdict, waiting.block, numbers(waiting)) == (Verdict.PENDING, None, [1, 2])
        town.anchor()
        found = check(town, issued)
        assert (found.verdict, found.block, found.index) == (Verdict.AUTHENTIC, 1, 0)
        assert (found.log_size, found.sealed_at) == (2, "2018-08-10T04:00:00Z")
        assert numbers(found) == [1, 2, 3, 4, 5, 6, 7, 8]
        red = town.reverse(issued)
        # It counts from the moment the red invoice is issued, in the log or not.
        reversed_ = check(town, issued)
        assert (reversed_.verdict, reversed_.reversed_by) == (Verdict.REVERSED, (red.hash,))
        assert numbers(reversed_) == [1, 2, 3, 4, 5, 6, 7, 8, 9]
        assert "does not say so yet" in reversed_.steps[7].text
        assert check(town, red).verdict is Verdict.PENDING
        town.anchor()
        anchored = check(town, issued)
        assert anchored.verdict is Verdict.REVERSED
        assert "says the same" in anchored.steps[7].text
        assert check(town, red).verdict is Verdict.AUTHENTIC

    def test_reversed_before_it_reached_the_log(self, town: Town) -> None:
        (issued,) = town.issue(1)
        town.reverse(issued)
        found = check(town, issued)
        assert (found.verdict, numbers(found)) == (Verdict.REVERSED, [1, 2, 9])

    def test_taken_back_in_parts(self, town: Town) -> None:
        issued = town.sell(order(lines=[line(unit_price=2800, quantity="3")]))[0]
        town.anchor()
        first = town.reverse(issued, TEN_FEN)
        waiting = check(town, issued)
        assert (waiting.verdict, waiting.left) == (Verdict.PARTLY_REVERSED, 8390)
        assert "does not say so yet" in waiting.steps[7].text
        town.anchor()
        found = check(town, issued)
        assert (found.verdict, found.reversed_by) == (Verdict.PARTLY_REVERSED, (first.hash,))
        assert [(one.hash, one.total) for one in found.returns] == [(first.hash, 10)]
        assert "says the same" in found.steps[7].text
        second = town.reverse(issued)
        between = check(town, issued)  # the map still says part: the second red one waits
        assert (between.verdict, between.left) == (Verdict.REVERSED, 0)
        assert "does not say so yet" in between.steps[7].text
        town.anchor()
        full = check(town, issued)
        assert (full.verdict, full.reversed_by) == (Verdict.REVERSED, (first.hash, second.hash))
        assert "says the same" in full.steps[7].text
        proof = parse_proof(build(town.store, town.log, parse_password_area(issued.hash)))
        assert verify_proof(proof, town.signer.verifier).state == {"reversal": "full"}
        assert town.audit().pending == 0

    def test_red_rows_that_come_to_something_else(self, town: Town) -> None:
        issued = town.sell(order(lines=[line(unit_price=2800, quantity="3")]))[0]
        town.reverse(issued, TEN_FEN)
        tamper(town.folder, "UPDATE invoices SET total = -11 WHERE type = 'red'")
        with pytest.raises(UnavailableError, match="record_damaged"):
            check(town, issued)

    def test_sequenced_but_not_published_is_pending(self, town: Town) -> None:
        town.issue(1)
        town.anchor()
        (issued,) = town.issue(1)
        checkpoint = town.log.latest_checkpoint()
        town.anchor()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(town.log, "latest_checkpoint", lambda: checkpoint)
            assert check(town, issued).verdict is Verdict.PENDING
        assert check(town, issued).verdict is Verdict.AUTHENTIC

    def test_unknown(self, town: Town) -> None:
        town.issue(1)
        town.anchor()
        nothing = QrText(hash=password_area(sha256(b"nothing")), number="00000001", total=1)
        found = verifier(town).verify(nothing)
        assert found == Verification(verdict=Verdict.UNKNOWN, hash=nothing.hash)

    def test_what_is_no_password_area_has_no_verdict(self, town: Town) -> None:
        with pytest.raises(MalformedError) as caught:
            verifier(town).verify(QrText(hash="02" + "0" * 64, number="00000001", total=1))
        assert caught.value.code == "password_area"

    def test_the_same_place_as_the_verifier_without_a_store(self, town: Town) -> None:
        issued = []
        for size in (3, 300, 1):
            issued += town.issue(size)
            town.anchor()
        one = verifier(town)
        for invoice in issued[::29]:
            found = one.verify(slip(invoice))
            proof = parse_proof(build(town.store, town.log, parse_password_area(invoice.hash)))
            evidence = verify_proof(proof, town.signer.verifier)
            assert (found.index, found.log_size) == (evidence.index, evidence.size)
            assert found.block == town.log.block_of(evidence.index).height

    def test_the_face_is_shown_whole_and_an_individuals_name_masked(self, town: Town) -> None:
        private = _issue_to(town, {"kind": "individual", "name": "王小明"})
        firm = _issue_to(town, company())
        found = check(town, private)
        assert found.buyer_name == "王**"
        assert found.face is not None
        assert found.face["total"] == 11300
        assert "王小明" not in msgspec.json.encode(found).decode()
        assert check(town, firm).buyer_name == company()["name"]
        assert company()["tax_id"] not in msgspec.json.encode(check(town, firm)).decode()


class TestForgedSlips:
    """A known password area with anything else changed."""

    @pytest.fixture
    def issued(self, town: Town) -> Issued:
        """An invoice in the log."""
        (issued,) = town.issue(1)
        town.anchor()
        return issued

    @pytest.mark.parametrize("change", [{"number": "00000002"}, {"total": 1}, {"total": -1}])
    def test_the_url_form(self, town: Town, issued: Issued, change: dict[str, object]) -> None:
        forged = msgspec.structs.replace(slip(issued), **change)
        found = verifier(town).verify(forged)
        assert found == Verification(verdict=Verdict.MISMATCH, hash=issued.hash, steps=found.steps)
        assert numbers(found) == [1]

    def _comma(self, town: Town, issued: Issued, **change: object) -> Verdict:
        said = QrText(
            hash=issued.hash,
            number=issued.number,
            code=issued.code,
            seller_tax_id=town.merchants[0].tax_id,
            amount=issued.amount,
            day=shanghai_day(issued.issued_at),
        )
        return verifier(town).verify(msgspec.structs.replace(said, **change)).verdict

    def test_the_comma_form(self, town: Town, issued: Issued) -> None:
        assert self._comma(town, issued) is Verdict.AUTHENTIC

    @pytest.mark.parametrize(
        "change",
        [
            {"number": "00000009"},
            {"code": "144031909110"},
            {"seller_tax_id": "9144030071526726XG"},
            {"amount": 1},
            {"day": "2018-08-11"},
        ],
    )
    def test_the_comma_form_with_one_field_changed(
        self, town: Town, issued: Issued, change: dict[str, object]
    ) -> None:
        assert self._comma(town, issued, **change) is Verdict.MISMATCH

    def test_a_reversed_invoices_forged_slip_is_forged(self, town: Town, issued: Issued) -> None:
        town.reverse(issued)
        forged = msgspec.structs.replace(slip(issued), total=1)
        assert verifier(town).verify(forged).verdict is Verdict.MISMATCH


ROW_CHANGES = [
    "face = x'00'",
    "face = CAST('[]' AS BLOB)",
    "face = CAST('[]' AS BLOB), form = NULL",
    "form = NULL",
    "form = (SELECT max(id) FROM forms)",
    "buyer = CAST('{}' AS BLOB)",
    "lines = CAST('[]' AS BLOB)",
    "salts = zeroblob(48)",
    "salts = x''",
    "hash = randomblob(32)",
    "hash = x'00'",
    "total = total + 1",
    "amount = amount + 1",
    "tax = tax + 1",
    "code = '144031909110'",
    "number = '00000099'",
    "industry = '6210'",
    "district = '440305'",
    "type = 'red'",
    "type = 'green'",
    "order_id = 'B'",
    "issued_at = issued_at + 1",
    "rates = '{'",
]


class TestDamage:
    """Whatever is damaged: an error with its code, never a verdict."""

    @pytest.fixture
    def issued(self, town: Town) -> Issued:
        """The second invoice of five, in the log."""
        issued = town.issue(5)
        town.anchor()
        return issued[1]

    def _damaged(self, town: Town, issued: Issued) -> None:
        for said in (slip(issued), msgspec.structs.replace(slip(issued), total=1)):
            with pytest.raises(UnavailableError) as caught:
                verifier(town).verify(said)
            assert caught.value.code == "record_damaged"

    def _damaged_entry(self, town: Town, issued: Issued) -> None:
        with pytest.raises(UnavailableError) as caught:
            check(town, issued)
        assert caught.value.code == "record_damaged"

    @pytest.mark.parametrize("change", ROW_CHANGES)
    def test_any_change_of_the_row(self, town: Town, issued: Issued, change: str) -> None:
        tamper(town.folder, f"UPDATE invoices SET {change} WHERE seq = {issued.seq}")
        self._damaged(town, issued)

    def test_a_row_that_is_gone(self, town: Town, issued: Issued) -> None:
        tamper(town.folder, f"DELETE FROM invoices WHERE seq = {issued.seq}")
        self._damaged(town, issued)

    def test_another_sound_invoice_in_its_place(self, town: Town, issued: Issued) -> None:
        """Its digest is right, but the log has taken another one at that number."""
        (fresh,) = town.issue(1)
        swap = f"UPDATE invoices SET seq = {issued.seq} WHERE seq = {fresh.seq}"
        tamper(town.folder, f"DELETE FROM invoices WHERE seq = {issued.seq}")
        tamper(town.folder, swap)
        with pytest.raises(UnavailableError) as caught:
            check(town, fresh)
        assert caught.value.code == "record_damaged"

    @pytest.mark.parametrize(
        "change", ["hash = randomblob(32)", "face = CAST('{}' AS BLOB)", "reverses = 3"]
    )
    def test_a_red_invoice_that_is_damaged(self, town: Town, issued: Issued, change: str) -> None:
        red = town.reverse(issued)
        town.anchor()
        tamper(town.folder, f"UPDATE invoices SET {change} WHERE seq = {red.seq}")
        target = town.store.invoice_at(3) if "reverses" in change else issued
        assert target is not None
        with pytest.raises(UnavailableError) as caught:
            verifier(town).verify(
                QrText(hash=target.hash, number=target.number, total=target.total)
            )
        assert caught.value.code == "record_damaged"

    @pytest.mark.parametrize("entry", [0, 1, 5])
    @pytest.mark.parametrize("tail", [b"", b" ", b"}}"])
    def test_entries_and_seal(self, town: Town, issued: Issued, entry: int, tail: bytes) -> None:
        (data,) = _log_rows(town.folder, f"SELECT entry FROM entries WHERE idx = {entry}")[0]
        bent = data[:-1] + tail
        _log_write(town.folder, "UPDATE entries SET entry = ? WHERE idx = ?", bent, entry)
        if entry == 0:  # somebody else's: this invoice's proof does not read it
            assert check(town, issued).verdict is Verdict.AUTHENTIC
            return
        self._damaged_entry(town, issued)

    def test_an_entry_that_is_found_by_the_key_of_another(self, town: Town, issued: Issued) -> None:
        """It is sound, and under the root, and somebody else's."""
        ((other,),) = _log_rows(town.folder, "SELECT key FROM entries WHERE idx = 2")
        own = anchor(parse_password_area(issued.hash))
        _log_write(town.folder, "UPDATE entries SET key = ? WHERE idx = ?", b"nobody's", 1)
        _log_write(town.folder, "UPDATE entries SET key = ? WHERE idx = ?", own, 2)
        assert other != own
        self._damaged_entry(town, issued)

    def test_an_entry_that_reverses_nothing_for_a_face_that_does(
        self, town: Town, issued: Issued
    ) -> None:
        """Whoever has the log's key could have anchored this; path and signature are right."""
        red = town.reverse(issued)
        entry = anchor_entry("invoice", anchor(parse_password_area(red.hash)))
        head = town.log.head()
        town.log.sequence(head, [entry], sealed_at=town.now, cursor=red.seq)
        town.log.publish(town.signer)
        with pytest.raises(UnavailableError) as caught:
            check(town, red)
        assert caught.value.code == "record_damaged"
        assert "reverse" in caught.value.detail

    def test_a_map_that_says_nothing_of_a_reversal_that_is_in_the_log(
        self, town: Town, issued: Issued
    ) -> None:
        """Only while the red invoice waits may the map be silent."""
        red = town.reverse(issued)
        assert check(town, issued).verdict is Verdict.REVERSED
        head = town.log.head()
        entry = anchor_entry("invoice", anchor(parse_password_area(red.hash)))
        town.log.sequence(head, [entry], sealed_at=town.now, cursor=red.seq)
        town.log.publish(town.signer)
        with pytest.raises(UnavailableError, match=r"^record_damaged\b.*another reversal"):
            check(town, issued)

    def test_a_block_that_is_gone(self, town: Town, issued: Issued) -> None:
        """The next block's seal does not close this entry's block."""
        town.issue(1)
        town.anchor()
        _log_write(town.folder, "DELETE FROM blocks WHERE height = ?", 1)
        self._damaged_entry(town, issued)

    @pytest.mark.parametrize("place", [0, 40, -3])
    def test_the_checkpoint(self, town: Town, issued: Issued, place: int) -> None:
        published = town.folder / "log" / "checkpoint"
        bent = bytearray(published.read_bytes())
        bent[place] ^= 1
        published.write_bytes(bent)
        self._damaged_entry(town, issued)

    def test_a_checkpoint_of_another_key(self, town: Town, issued: Issued) -> None:
        other = SignerKey.generate(ORIGIN, random.Random(9).randbytes).verifier
        with pytest.raises(UnavailableError) as caught:
            verifier(town, other).verify(slip(issued))
        assert caught.value.code == "record_damaged"

    @pytest.mark.parametrize("place", [0, 31, 32 * 5, -1])
    def test_tiles(self, town: Town, issued: Issued, place: int) -> None:
        for tile in (town.folder / "log" / "tile" / "0").rglob("*"):
            if tile.is_file():
                data = bytearray(tile.read_bytes())
                data[place] ^= 1
                tile.write_bytes(data)
        town.close()
        self._damaged_entry(Town(town.folder), issued)

    def test_no_tile_at_all(self, town: Town, issued: Issued) -> None:
        for tile in (town.folder / "log" / "tile" / "0").rglob("*"):
            if tile.is_file():
                tile.unlink()
        town.close()
        self._damaged_entry(Town(town.folder), issued)

    def test_a_store_that_cannot_be_read_is_not_unknown(self, town: Town, issued: Issued) -> None:
        town.close()
        (town.folder / "invoices.db").unlink()
        with pytest.raises(UnavailableError) as caught:
            check(town, issued)
        assert caught.value.code == "database_unavailable"


class TestRemembering:
    """What is remembered saves work and changes no verdict."""

    def test_a_checkpoints_signature_is_checked_once(
        self, town: Town, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        issued = town.issue(3)
        town.anchor()
        one = verifier(town)
        checked: list[str] = []
        real = VerifierKey.verify

        def counting(key: VerifierKey, text: str, signature: object) -> None:
            checked.append(text)
            real(key, text, signature)  # type: ignore[arg-type]

        monkeypatch.setattr(VerifierKey, "verify", counting)
        for invoice in issued:
            assert one.verify(slip(invoice)).verdict is Verdict.AUTHENTIC
        assert len(checked) == 1
        town.issue(1)
        town.anchor()
        assert one.verify(slip(issued[0])).log_size == 6
        assert one.verify(slip(issued[0])).log_size == 6
        assert len(set(checked)) == 2

    def test_a_remembered_seal_does_not_cover_a_damaged_entry(self, town: Town) -> None:
        issued = town.issue(2)
        town.anchor()
        one = verifier(town)
        one.verify(slip(issued[0]))
        _log_write(town.folder, "UPDATE entries SET entry = ? WHERE idx = ?", b"{}", 1)
        with pytest.raises(UnavailableError):
            one.verify(slip(issued[1]))

    def test_verdicts_while_the_log_grows(self, town: Town) -> None:
        """Checkpoints are replaced and partial tiles removed under the readers' hands."""
        issued = town.issue(20)
        town.anchor()
        one, stop, failed = verifier(town), threading.Event(), list[Problem]()

        def read() -> None:
            while not stop.is_set():
                for invoice in issued:
                    try:
                        assert one.verify(slip(invoice)).verdict is Verdict.AUTHENTIC
                    except Problem as problem:
                        failed.append(problem)

        readers = [threading.Thread(target=read) for _ in range(2)]
        for reader in readers:
            reader.start()
        for _ in range(40):
            town.issue(17)
            town.anchor()
        stop.set()
        for reader in readers:
            reader.join()
        assert failed == []


def _issue_to(town: Town, buyer: dict[str, object]) -> Issued:
    body = order(order_id=str(town.random.random()), buyer=buyer)
    request = parse_request(msgspec.json.encode(body))
    salts = town.random.randbytes(48)
    return town.hand_in(
        [
            prepare(
                request, town.merchants[0], salts=salts, rates=RATES, new_key=town.random.randbytes
            )
        ]
    )[0]


def _log_rows(folder: Path, query: str) -> list[tuple[bytes, ...]]:
    with closing(sqlite3.connect(folder / "log.db")) as log:
        return log.execute(query).fetchall()


def _log_write(folder: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(folder / "log.db")) as log:
        for (name,) in log.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'"):
            log.execute(f"DROP TRIGGER {name}")
        log.execute(statement, values)
        log.commit()
