"""Letters with invoices: once, to one address, by a real mail server; the address is nowhere."""

import logging
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chain.errors import MalformedError, NotFoundError, RefusedError
from chain.proof.file import parse_proof
from chain.proof.verify import verify_proof
from invoice_service.config import Config, load
from invoice_service.domain.acts import CLAIMER, By
from invoice_service.domain.invoice import StoredInvoice
from invoice_service.services.mailing import desk as asking
from invoice_service.services.mailing.desk import MailDesk, check_address
from invoice_service.services.mailing.ports import GIVEN_UP
from invoice_service.services.mailing.sending import FOR_THE_LOG, Sent
from tests.api.desk import Desk, refusing
from tests.certificates import authority, vouched
from tests.documents.paper.printing import read
from tests.patience import PATIENCE
from tests.services.mailing.server import PASSWORD, USER, Inbox, mail_server
from workers import post, tasks
from workers.app import SEND_LETTERS, make_app
from workers.postman import COMMAND, Postman

GUEST = "li.si+invoice@gast.example.com"
PERSON = {"kind": "individual", "name": "张三丰"}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Papers are blank here."""
    monkeypatch.setattr(post, "maker_of", lambda _: lambda _: b"%PDF-1.7 blank")


class House:
    """A restaurant whose invoices can be sent."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.settings: dict[str, Any] = {"host": "127.0.0.1", "security": "none", "from_": "x@y.cn"}

    @property
    def config(self) -> Config:
        mail = msgspec.structs.replace(self.desk.config.mail, **self.settings)
        return msgspec.structs.replace(self.desk.config, mail=mail)

    @property
    def mail(self) -> MailDesk:
        instance = self.desk.instance
        return MailDesk(instance.store, self.config.mail, instance.people_key, lambda: self.now)

    @property
    def now(self) -> int:
        return int(self.desk.clock().timestamp())

    def sold(self, order_id: str = "T1", **changes: object) -> StoredInvoice:
        """An invoice."""
        self.desk.issue(order_id, **changes)
        store = self.desk.instance.store
        found = store.invoice_at(store.last_seq())
        assert found is not None
        return found

    def send(self, inbox: Inbox | None = None, **settings: object) -> Sent:
        """What the worker's process does when it is called."""
        self.settings |= {"port": inbox.port} if inbox else {}
        self.settings |= settings
        return post.send(self.config, self.desk.instance)

    def states(self, invoice: StoredInvoice) -> list[str]:
        return [one.state for one in self.mail.told(invoice)]

    def why(self) -> list[tuple[Any, ...]]:
        """The last letter's code, and its tries."""
        with self.desk.instance.store.connections.reading() as connection:
            query = "SELECT code, tries FROM mails ORDER BY id DESC LIMIT 1"
            return connection.execute(query).fetchall()


@pytest.fixture
def house(desk: Desk) -> House:
    return House(desk)


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with mail_server() as inbox:
        yield inbox


def test_a_letter_has_the_paper_and_the_proof_and_goes_safely(house: House, tmp_path: Path) -> None:
    ca = authority()
    trusted, _ = ca.write(tmp_path, "ca")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(*vouched(ca, "mail").write(tmp_path, "server"))
    invoice = house.sold(buyer=PERSON)
    house.desk.anchor()
    house.mail.ask(invoice, GUEST, "en")
    with mail_server(tls) as inbox:
        settings = {"security": "starttls", "user": USER, "password": PASSWORD, "ca": str(trusted)}
        assert house.send(inbox, **settings) == Sent(sent=1)
    (letter,) = inbox.letters
    assert (inbox.people, inbox.secure) == ([GUEST], [True])
    assert (letter["To"], letter["From"]) == (GUEST, "x@y.cn")
    assert letter["Subject"].startswith(f"Invoice {invoice.number}")
    body = letter.get_body()
    assert body is not None
    assert "￥498.10" in body.get_content()
    assert f"hash={invoice.hash}" in body.get_content()
    assert "张" not in body.get_content() + letter["Subject"]
    pdf, proof = letter.iter_attachments()
    assert [pdf.get_filename(), proof.get_filename()] == [
        f"{invoice.number}.pdf",
        f"{invoice.number}.fapiao.json",
    ]
    (text,), files = read(pdf.get_content())
    assert "张三丰" in text
    (inside,) = files.values()
    assert proof.get_content() == inside
    assert verify_proof(parse_proof(inside), house.desk.instance.keys.keys()).hash == invoice.hash


def test_whose_certificate_is_not_vouched_for_gets_neither_letter_nor_password(
    house: House, tmp_path: Path, quick: None
) -> None:
    trusted, _ = authority().write(tmp_path, "ca")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(*vouched(authority("Other"), "mail").write(tmp_path, "server"))
    invoice = house.sold()
    house.desk.anchor()
    house.mail.ask(invoice, GUEST, "zh")
    secret = {"user": USER, "password": PASSWORD, "ca": str(trusted)}
    for security in ("starttls", "tls"):
        with mail_server(tls, at_once=security == "tls") as inbox:
            done = house.send(inbox, security=security, **secret)
        assert done == Sent(later=1, codes=("SSLCertVerificationError",))
        assert (inbox.letters, inbox.passwords) == ([], [])
        house.desk.clock.forward(minutes=10)
    assert house.states(invoice) == ["waiting"]


def test_the_address_is_nowhere_once_the_letter_has_ended(
    house: House, inbox: Inbox, quick: None, caplog: pytest.LogCaptureFixture
) -> None:
    invoice, other = house.sold(), house.sold("T2")
    house.desk.anchor()
    folder = house.desk.config.data_dir

    def files_with(text: str) -> list[str]:
        files = (path for path in folder.rglob("*") if path.is_file())
        return [path.name for path in files if text.encode() in path.read_bytes()]

    house.mail.ask(invoice, GUEST, "zh")
    assert files_with("gast.example") == []  # sealed from the beginning
    with house.desk.instance.store.connections.reading() as connection:
        query = "SELECT k.key, m.sealed, m.mark FROM mails m JOIN mail_keys k ON k.id = m.id"
        kept = connection.execute(query).fetchone()
    with caplog.at_level(logging.DEBUG):
        house.send(inbox)
        inbox.to_people = "550 no such user here: " + GUEST
        house.mail.ask(other, GUEST, "zh")
        assert house.send(inbox) == Sent(failed=1, codes=("smtp_550",))
    house.desk.instance.store.tidy(house.now, 3600)
    house.desk.instance.store.tidy(house.now + 3600, 3600)
    found = b"".join(path.read_bytes() for path in folder.rglob("*.db*") if path.is_file())
    key, sealed, mark = kept
    assert (key in found, sealed in found, mark in found) == (False, False, True)
    ours = [one.getMessage() for one in caplog.records if one.name != "mail.log"]  # the server's
    assert GUEST not in "".join(ours)
    house.desk.clock.forward(hours=25)
    house.send(inbox)
    house.desk.instance.store.connections.empty_log()
    found = b"".join(path.read_bytes() for path in folder.rglob("*.db*") if path.is_file())
    assert mark not in found  # which addresses were alike is forgotten, too
    assert house.states(invoice) == ["sent"]


def test_who_is_erased_leaves_no_digest_of_an_address(
    house: House, inbox: Inbox, quick: None
) -> None:
    """Sent, or waiting still: with the key of digests, guesses of it could be told apart."""
    invoice = house.sold(buyer=PERSON)
    house.desk.anchor()
    house.mail.ask(invoice, GUEST, "zh")
    assert house.send(inbox) == Sent(sent=1)
    house.mail.ask(invoice, "other@gast.example", "zh")
    store = house.desk.instance.store
    store.erase_buyer(invoice.seq, "invoice:x", By(CLAIMER, house.now))
    with store.connections.reading() as connection:
        marks = connection.execute("SELECT mark, state FROM mails ORDER BY id").fetchall()
    assert marks == [(b"", "sent"), (b"", "waiting")]
    assert house.send(inbox) == Sent(failed=1, codes=(GIVEN_UP,))


def test_the_same_is_sent_once_and_few_in_all(
    house: House, inbox: Inbox, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = house.sold()
    house.desk.anchor()
    assert house.mail.ask(invoice, GUEST, "zh")
    assert not house.mail.ask(invoice, GUEST.upper(), "zh")
    assert house.send(inbox) == Sent(sent=1)
    assert not house.mail.ask(invoice, GUEST, "zh")
    assert house.send(inbox) == Sent()
    for number in range(asking.OF_INVOICE - 1):
        house.mail.ask(invoice, f"guest{number}@example.com", "zh")
    with pytest.raises(RefusedError) as refused:
        house.mail.ask(invoice, "one.more@example.com", "zh")
    assert refused.value.code == "mail_too_many"
    house.settings["merchant_daily"] = asking.OF_INVOICE
    with pytest.raises(RefusedError):
        house.mail.ask(house.sold("T2"), GUEST, "zh")
    house.desk.anchor()
    house.desk.clock.forward(hours=25)
    assert house.mail.ask(house.sold("T3"), GUEST, "zh")


def test_a_server_that_cannot_now_is_asked_again_and_in_the_end_no_more(
    house: House, inbox: Inbox, quick: None
) -> None:
    invoice = house.sold()
    house.desk.anchor()
    house.mail.ask(invoice, GUEST, "zh")
    inbox.says = "451 not now"
    assert house.send(inbox) == Sent(later=1, codes=("smtp_451",))
    assert house.send(inbox) == Sent()  # not before its time
    assert not house.desk.instance.store.letters_due(house.now)
    house.desk.clock.forward(minutes=1)
    with socket.socket() as deaf:  # it has the port, and does not listen
        deaf.bind(("127.0.0.1", 0))
        away = deaf.getsockname()[1]
        assert house.send(port=away) == Sent(later=1, codes=("ConnectionRefusedError",))
    house.desk.clock.forward(minutes=5)
    inbox.says = "250 OK"
    assert house.send(inbox) == Sent(sent=1)
    assert house.states(invoice) == ["sent"]
    second = house.sold("T2")
    house.desk.anchor()
    house.mail.ask(second, GUEST, "zh")
    inbox.says = "451 not now"
    for _ in range(20):
        house.send(inbox)
        house.desk.clock.forward(hours=3)
    assert house.states(second) == ["failed"]
    assert house.why()[0][0] == GIVEN_UP
    assert house.mail.ask(second, GUEST, "zh")  # what failed may be asked for again


def test_a_process_that_dies_with_a_letter_in_hand_loses_nothing(
    house: House, inbox: Inbox, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = house.sold()
    house.desk.anchor()
    house.mail.ask(invoice, GUEST, "zh")
    store = house.desk.instance.store
    with monkeypatch.context() as patch:
        patch.setattr(type(store), "end_letter", refusing(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            house.send(inbox)
    assert house.send(inbox) == Sent()
    house.desk.clock.forward(minutes=1)
    assert house.send(inbox) == Sent(sent=1)
    one, again = inbox.letters
    assert one["Message-ID"] == again["Message-ID"]


def test_a_letter_waits_for_the_log_for_a_while(house: House, inbox: Inbox, quick: None) -> None:
    first, second = house.sold(), house.sold("T2")
    house.mail.ask(first, GUEST, "zh")
    assert house.send(inbox) == Sent(later=1, codes=("pending",))
    assert house.why() == [("", 0)]
    house.desk.clock.forward(seconds=5)
    house.desk.anchor()
    assert house.send(inbox) == Sent(sent=1)
    assert len(list(inbox.letters[0].iter_attachments())) == 2
    third = house.sold("T3")
    house.mail.ask(third, GUEST, "zh")
    house.desk.clock.forward(seconds=FOR_THE_LOG)
    assert house.send(inbox) == Sent(sent=1)
    body = inbox.letters[1].get_body()
    assert body is not None
    assert "尚未写入公开账本" in body.get_content()
    assert len(list(inbox.letters[1].iter_attachments())) == 1
    assert house.states(second) == []


def test_who_is_erased_gets_no_letter_that_waited(house: House, inbox: Inbox, quick: None) -> None:
    invoice = house.sold(buyer=PERSON)
    house.desk.anchor()
    house.mail.ask(invoice, GUEST, "zh")
    erasure = f"/v1/invoices/{invoice.hash}/buyer/erasure"
    assert house.desk.post(erasure, b"", house.desk.official()).status_code == 200
    assert house.states(invoice) == ["failed"]  # no page says that it is on its way
    assert house.send(inbox) == Sent(failed=1, codes=(GIVEN_UP,))
    assert inbox.letters == []


def test_the_process_apart_sends_it_and_ends(house: House, inbox: Inbox) -> None:
    invoice = house.sold()
    house.desk.anchor()
    instance = house.desk.instance
    MailDesk(instance.store, house.config.mail, instance.people_key, lambda: int(time.time())).ask(
        invoice, GUEST, "zh"
    )
    settings = {
        "SERVICE_DATA_DIR": str(house.desk.config.data_dir),
        "SERVICE_PUBLIC_URL": house.desk.config.service.public_url,
        "MAIL_HOST": "127.0.0.1",
        "MAIL_PORT": str(inbox.port),
        "MAIL_SECURITY": "none",
        "MAIL_FROM": "x@y.cn",
    }
    done = subprocess.run(
        COMMAND,
        env={**os.environ, **{f"FAPIAO_{name}": text for name, text in settings.items()}},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert "letters: 1 sent, 0 failed, 0 later" in done.stderr
    assert GUEST not in done.stdout + done.stderr
    assert inbox.people == [GUEST]


@pytest.mark.parametrize(
    "address",
    [
        *("", "x", "a@b", "a@b..cn", "a b@c.cn", "a@c.cn,b@c.cn", "a@c.cn\nBcc: b@c.cn"),
        *("<a@c.cn>", '"a"@c.cn', "店@c.cn", "a@" + "c" * 64 + ".cn"),
        *("a" * 65 + "@c.cn", "a@" + ".".join(["c" * 60] * 5) + ".cn", ".a@c.cn", "a@[127.0.0.1]"),
    ],
)
def test_what_is_not_one_plain_address_is_refused(address: str) -> None:
    with pytest.raises(MalformedError) as refused:
        check_address(address)
    assert refused.value.code == "mail_address_invalid"


def test_without_a_mail_server_nothing_is_kept(house: House) -> None:
    house.settings["host"] = ""
    invoice = house.sold()
    with pytest.raises(NotFoundError) as refused:
        house.mail.ask(invoice, GUEST, "zh")
    assert refused.value.code == "mail_off"
    assert house.mail.told(invoice) == []
    assert SEND_LETTERS not in str(make_app(house.config).conf.beat_schedule)


def test_the_worker_calls_a_process_apart_one_at_a_time(
    house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    marks = tmp_path / "marks"
    program = f"import sys; open({str(marks)!r}, 'a').write('x'); sys.stdin.read()"
    postman = Postman((sys.executable, "-c", program))
    monkeypatch.setattr(tasks, "_instance", lambda: house.desk.instance)
    monkeypatch.setattr(tasks, "_postman", lambda: postman)
    tasks.send_letters()
    assert not marks.exists()  # there is nothing to be sent
    house.mail.ask(house.sold(), GUEST, "zh")
    tasks.send_letters()
    postman.wait(PATIENCE)
    assert marks.read_text() == "x"
    app = make_app(load(None, {"FAPIAO_MAIL_HOST": "m", "FAPIAO_MAIL_FROM": "a@b.cn"}))
    assert {one["task"] for one in app.conf.beat_schedule.values()} >= {SEND_LETTERS}
