"""Erasing a person among the buyers, as everybody sees it who reads the invoice afterwards."""

import csv
import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import msgspec
import pytest

from chain.commitment import parse_password_area
from chain.errors import NotFoundError, Problem, RefusedError
from chain.proof.file import parse_proof
from chain.proof.verify import Evidence, verify_proof
from invoice_service.documents.slip import Asked, Text, slip_of
from invoice_service.domain.acts import By
from invoice_service.domain.invoice import Issued, Prepared, StoredInvoice
from invoice_service.domain.persons import ERASED_NAME, Kept
from invoice_service.domain.qrtext import parse_qr_text, scan_url
from invoice_service.domain.verdict import Verdict
from invoice_service.services.checking.prove import ALL_GROUPS, build
from invoice_service.services.checking.verify import Verifier
from invoice_service.services.issuing.reverse import ReversingDesk, reverse
from invoice_service.services.people.erase import Erased, erase_buyer
from invoice_service.services.people.trail import ActFilter
from invoice_service.services.ports import InvoiceFilter
from invoice_service.services.reporting.export import COLUMNS, export_csv, export_ndjson
from tests.domain.samples import company, order
from tests.services.tampering import first_wrong, tamper
from tests.services.town import TEN_FEN, WHOLE, Town

NAME = "欧阳娜娜"
PERSON = {"name": NAME, "address_phone": "13800138000"}
BY = By("key:7", 1_533_900_000, "192.0.2.7")


def sell(town: Town, buyer: dict[str, str] | None = None) -> Issued:
    """A meal to a person unless told; in the log."""
    body = order(order_id=f"A-{town.store.last_seq()}", buyer=buyer or PERSON)
    (issued,) = town.sell(body)
    town.anchor()
    return issued


def erase(town: Town, issued: Issued, merchant_id: int | None = None) -> Erased:
    return erase_buyer(town.store, parse_password_area(issued.hash), merchant_id, BY)


def refused(town: Town, issued: Issued, merchant_id: int | None = None) -> str:
    with pytest.raises((RefusedError, NotFoundError)) as caught:
        erase(town, issued, merchant_id)
    return caught.value.code


def proof_of(town: Town, issued: Issued) -> bytes:
    return build(town.store, town.log, parse_password_area(issued.hash), ALL_GROUPS)


def checked(town: Town, proof: bytes) -> Evidence:
    return verify_proof(parse_proof(proof), town.signer.verifier)


def read(town: Town, issued: Issued) -> StoredInvoice:
    found = town.store.invoice_at(issued.seq)
    assert found is not None
    return found


class TestWho:
    """Its merchant or the bureau, and people only."""

    def test_its_merchant_may_and_the_bureau_may(self, town: Town) -> None:
        for merchant_id in (town.merchants[0].id, None):
            issued = sell(town)
            found = erase(town, issued, merchant_id)
            assert (found.invoice.hash, found.at) == (issued.hash, BY.at)

    def test_anothers_invoice_answers_like_none(self, town: Town) -> None:
        issued = sell(town)
        assert refused(town, issued, town.merchants[1].id) == "invoice_unknown"
        assert read(town, issued).erased == b""
        assert town.store.acts(ActFilter(type="erasure"), 0, 9) == []

    @pytest.mark.parametrize(
        "buyer", [company(), {"kind": "organisation", "name": "市政府"}, {"kind": "individual"}]
    )
    def test_whoever_is_no_person_is_kept(self, town: Town, buyer: dict[str, str]) -> None:
        issued = sell(town, buyer)
        assert refused(town, issued) == "buyer_not_erasable"
        (found,) = town.store.acts(ActFilter(type="erasure"), 0, 9)
        assert (found.act.outcome, found.act.code) == ("refused", "buyer_not_erasable")
        assert town.audit().trail.erased == 0

    def test_a_red_invoice_stands_for_its_sale(self, town: Town) -> None:
        blue = sell(town)
        red = town.reverse(blue, TEN_FEN)
        assert erase(town, red).invoice.hash == blue.hash
        assert read(town, blue).erased
        assert read(town, red).erased
        again = town.reverse(blue, WHOLE)
        assert erase(town, again) == erase(town, blue)


class TestReading:
    """Everybody is told, and everything else still holds."""

    def test_a_verdict_is_as_good_and_says_so(self, town: Town) -> None:
        issued = sell(town)
        verifier = Verifier(town.store, town.log, lambda: town.signer.verifier)
        slip = parse_qr_text(scan_url("https://a.test", issued.hash, issued.number, issued.total))
        before = verifier.verify(slip)
        assert (before.buyer_name, before.buyer_erased) == ("欧**", False)
        erase(town, issued)
        after = verifier.verify(slip)
        assert after.verdict is Verdict.AUTHENTIC
        assert (after.buyer_name, after.buyer_erased) == (ERASED_NAME, True)
        assert (after.face, after.steps, after.index) == (before.face, before.steps, before.index)

    def test_a_proof_file_from_before_still_proves_and_one_from_after_hides(
        self, town: Town
    ) -> None:
        issued = sell(town)
        before = proof_of(town, issued)
        erase(town, issued)
        town.issue(3)
        town.anchor()
        after = proof_of(town, issued)
        old, new = checked(town, before), checked(town, after)
        assert old.shown["buyer"] == {**_FIELDS, **PERSON}
        assert (old.hidden, new.hidden) == ((), ("buyer",))
        assert set(new.shown) == {"face", "lines"}
        assert old.hash == new.hash == issued.hash
        assert NAME.encode() in before
        assert NAME.encode() not in after

    def test_exports_say_so(self, town: Town) -> None:
        issued = sell(town)
        erase(town, issued)
        every = InvoiceFilter()
        (line,) = b"".join(export_ndjson(town.store, every)).splitlines()
        found = msgspec.json.decode(line)
        stored = read(town, issued)
        assert found["buyer"] == {"digest": stored.erased.hex()}
        assert found["salts"][32:64] == "0" * 32
        table = b"".join(export_csv(town.store, every)).decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(table, newline="")))
        assert dict(zip(COLUMNS, rows[1], strict=True))["购买方 buyer"] == ERASED_NAME

    @pytest.mark.parametrize("shown", [ALL_GROUPS, frozenset({"face"})])
    def test_a_slip_says_so(self, town: Town, shown: frozenset[str]) -> None:
        issued = sell(town)
        erase(town, issued)
        slip = slip_of(read(town, issued), Asked(), "https://fapiao.test", shown, sample=False)
        texts = [block.text for block in slip.blocks if isinstance(block, Text)]
        assert f"购买方: {ERASED_NAME}" in texts


class TestReturning:
    """A return that is under way while its buyer is erased."""

    def test_it_is_made_again_in_nobodys_name(self, town: Town) -> None:
        issued = sell(town)

        class Meanwhile:
            """Whoever erases the buyer when the return was prepared, and not issued yet."""

            tries = 0

            def issue(self, batch: Sequence[Prepared]) -> list[Issued | Problem]:
                self.tries += 1
                erase(town, issued)
                return town.store.issue(batch, lambda: int(town.now.timestamp()))

        meanwhile = Meanwhile()
        desk = ReversingDesk(town.store, meanwhile, town.random.randbytes)
        digest = parse_password_area(issued.hash)
        red = reverse(desk, issued.merchant_id, digest, b'{"reason":"SALES_RETURN"}')
        assert meanwhile.tries == 2
        assert (red.total, read(town, red).erased) == (-issued.total, b"")
        assert NAME.encode() not in read(town, red).buyer
        town.anchor()
        assert town.audit().trail.erased == 1


class TestAtOnce:
    """Whoever reads beside an erasure sees the invoice as it was, or as it is: nothing between."""

    def test_readers_printers_and_provers_go_on(self, town: Town) -> None:
        sold = [sell(town) for _ in range(5)]
        verifier = Verifier(town.store, town.log, lambda: town.signer.verifier)
        over = Event()

        def look(issued: Issued) -> set[str]:
            """Every name under which the buyer was seen, wherever it was looked for."""
            names: set[str] = set()
            slip = parse_qr_text(
                scan_url("https://a.test", issued.hash, issued.number, issued.total)
            )
            while True:
                last = over.is_set()
                names.add(verifier.verify(slip).buyer_name or "")
                blocks = slip_of(
                    read(town, issued), Asked(), slip.hash, ALL_GROUPS, sample=False
                ).blocks
                names |= {
                    b.text[5:] for b in blocks if isinstance(b, Text) and b.text[:3] == "购买方"
                }
                town.store.add_print(issued.seq, BY.at)
                checked(town, proof_of(town, issued))
                assert len(list(export_ndjson(town.store, InvoiceFilter()))) == len(sold)
                if last:
                    return names

        with ThreadPoolExecutor(len(sold)) as pool:
            seen = [pool.submit(look, issued) for issued in sold]
            for issued in sold:
                erase(town, issued)
            over.set()
            for one in seen:
                names = one.result()
                assert ERASED_NAME in names
                assert names <= {NAME, "欧**", ERASED_NAME}
        assert town.audit().trail.erased == len(sold)


class TestAudit:
    """An erasure is counted; a key that went or came back by no act is found."""

    def test_erased_documents_are_counted(self, town: Town) -> None:
        blue, other = sell(town), sell(town)
        town.reverse(blue, TEN_FEN)
        town.anchor()
        assert town.audit().trail.erased == 0
        erase(town, blue)
        found = town.audit()
        assert (found.trail.erased, found.invoices) == (2, 3)
        erase(town, other)
        assert town.audit().trail.erased == 3

    @pytest.mark.parametrize(
        ("statement", "wrong"),
        [
            ("UPDATE buyer_keys SET key = zeroblob(32) WHERE invoice = 2", ("buyer", 2)),
            ("UPDATE buyer_keys SET key = randomblob(32) WHERE invoice = 1", ("invoice", 1)),
            ("UPDATE buyer_keys SET key = randomblob(32) WHERE invoice = 2", ("invoice", 2)),
            ("DELETE FROM buyer_keys WHERE invoice = 1", ("invoice", 1)),
            ("DELETE FROM buyer_keys WHERE invoice = 2", ("invoice", 2)),
            ("INSERT INTO buyer_keys VALUES (3, zeroblob(32))", ("buyer", 3)),
            ("INSERT INTO buyer_keys VALUES (9, zeroblob(32))", ("buyer", 9)),
            ("UPDATE invoices SET buyer = flip(buyer) WHERE seq = 2", ("invoice", 2)),
        ],
    )
    def test_what_was_changed_is_found(
        self, town: Town, statement: str, wrong: tuple[str, int]
    ) -> None:
        first = sell(town)
        sell(town)
        town.issue(1)
        town.anchor()
        erase(town, first)
        tamper(town, statement)
        assert first_wrong(town) == wrong

    def test_a_person_who_cannot_be_erased_is_found(
        self, town: Town, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def never_sealed(_group: object, document: bytes, salts: bytes, *_: object) -> Kept:
            return Kept(document, salts)

        monkeypatch.setattr("invoice_service.domain.invoice.keep", never_sealed)
        sell(town, {"kind": "individual"})
        town.audit()
        sell(town)
        assert first_wrong(town) == ("invoice", 2)

    def test_a_key_that_is_back_is_found(self, town: Town) -> None:
        issued = sell(town)
        with town.store.connections.reading() as connection:
            (key,) = connection.execute("SELECT key FROM buyer_keys").fetchone()
        erase(town, issued)
        tamper(town, "UPDATE buyer_keys SET key = ?", values=[key])
        assert first_wrong(town) == ("buyer", 1)

    def test_a_commitment_that_was_changed_is_found(self, town: Town) -> None:
        issued = sell(town)
        erase(town, issued)
        with town.store.connections.reading() as connection:
            (buyer,) = connection.execute("SELECT buyer FROM invoices").fetchone()
        bent = buyer[:1] + bytes(32) + buyer[33:]
        tamper(town, "UPDATE invoices SET buyer = ?", values=[bent])
        assert first_wrong(town) == ("invoice", 1)

    def test_an_act_that_was_forged_away_is_missed(self, town: Town) -> None:
        issued = sell(town)
        erase(town, issued)
        tamper(town, "DELETE FROM acts WHERE type = 'erasure'")
        assert first_wrong(town) == ("buyer", 1)


_FIELDS = {"address_phone": "", "kind": "individual", "name": "", "payment_id": "", "tax_id": ""}
