"""``fapiao verify``: everything a person may hold, and the exit status that answers."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from chain.signing.note import SignerKey
from invoice_service.commands.claims import read_picture
from invoice_service.commands.wallet import status_lists_of
from invoice_service.config import load
from invoice_service.documents.qr import qr_png
from invoice_service.documents.wallet.credential import jwk_of
from invoice_service.domain.qrtext import scan_url
from invoice_service.wiring import open_instance
from tests.cli.town import TAX_ID, Town
from tests.documents.wallet.purse import HOLDER
from tests.domain.bent import bent, several

URL = "https://fapiao.test"


@pytest.fixture
def invoice(town: Town) -> dict[str, Any]:
    """An anchored invoice over 113.00 with a red one beside it; what the result file says of it."""
    first, _ = town.sell(2)
    town.run("anchor")
    return first


def _url(invoice: dict[str, Any], total: int = 11300) -> str:
    return scan_url(URL, invoice["hash"], invoice["number"], total)


def _proof(town: Town, invoice: dict[str, Any]) -> Path:
    return Path(town.run("proof", invoice["hash"]).strip())


def test_before_it_is_anchored_the_answer_is_not_yet(town: Town) -> None:
    [invoice] = town.sell(1)
    assert town.asked("verify", invoice["hash"], status=1)["verdict"] == "pending"
    assert "not_in_log" in town.refusal("proof", invoice["hash"])
    town.run("anchor")
    assert town.asked("verify", invoice["hash"])["verdict"] == "authentic"


def test_by_hash_with_the_steps_that_were_checked(town: Town, invoice: dict[str, Any]) -> None:
    said = town.run("verify", invoice["hash"])
    assert said.startswith("authentic: 真")
    assert "深圳旋转餐厅有限公司: ¥113.00" in said
    for step in ("groups", "slip", "entry", "signature", "inclusion", "seal", "block"):
        assert f" {step}: " in said
    unknown = invoice["hash"][:-1] + ("0" if invoice["hash"][-1] != "0" else "1")
    assert town.asked("verify", unknown, status=1)["verdict"] == "unknown"


def test_by_the_url_form_and_a_forged_amount(town: Town, invoice: dict[str, Any]) -> None:
    assert town.asked("verify", _url(invoice))["verdict"] == "authentic"
    assert town.asked("verify", _url(invoice, 11301), status=1)["verdict"] == "mismatch"


@pytest.mark.parametrize(("amount", "verdict"), [("106.60", "authentic"), ("106.61", "mismatch")])
def test_by_the_comma_form(town: Town, invoice: dict[str, Any], amount: str, verdict: str) -> None:
    face = town.asked("verify", invoice["hash"])["face"]
    day = face["issued_at"][:10].replace("-", "")
    text = f"01,10,{face['code']},{face['number']},{TAX_ID},{amount},{day},{invoice['hash']}"
    status = 0 if verdict == "authentic" else 1
    assert town.asked("verify", text, status=status)["verdict"] == verdict


def test_by_a_picture(town: Town, invoice: dict[str, Any]) -> None:
    picture = town.folder / "slip.png"
    picture.write_bytes(qr_png(_url(invoice)))
    assert town.asked("verify", str(picture))["verdict"] == "authentic"
    photo = town.folder / "photo.jpg"  # scaled, turned, grey: as a phone takes it
    with Image.open(picture) as image:
        image.convert("L").resize((700, 700)).rotate(7, expand=True, fillcolor=255).save(photo)
    assert town.asked("verify", str(photo))["hash"] == invoice["hash"]


def test_pictures_that_answer_nothing_say_why(town: Town, invoice: dict[str, Any]) -> None:
    Image.new("L", (300, 300), 255).save("white.png")
    assert "qr_not_found" in town.refusal("verify", "white.png", status=2)
    Path("other.png").write_bytes(qr_png("https://example.org/"))
    assert "qr_not_found" in town.refusal("verify", "other.png", status=2)
    Path("torn.png").write_bytes(qr_png(_url(invoice))[:200])
    assert "picture_unreadable" in town.refusal("verify", "torn.png", status=2)
    Path("notes.txt").write_text("not a picture")
    assert "picture_unreadable" in town.refusal("verify", "notes.txt", status=2)


def test_a_picture_of_two_invoices_is_ambiguous(town: Town) -> None:
    first, second = town.sell(2)
    with Image.new("L", (1400, 700), 255) as both:
        for place, invoice in enumerate((first, second)):
            Path("one.png").write_bytes(qr_png(_url(invoice), 8))
            with Image.open("one.png") as one:
                both.paste(one.convert("L").resize((650, 650)), (place * 700 + 25, 25))
        both.save("both.png")
    assert "qr_several" in town.refusal("verify", "both.png", status=2)


def test_by_what_chat_programs_and_people_make_of_it(town: Town, invoice: dict[str, Any]) -> None:
    hash_ = invoice["hash"]
    for text in (*bent(_url(invoice)).values(), hash_.upper(), f"\ufeff{hash_}\n"):
        assert town.asked("verify", text)["hash"] == hash_, text
    other = hash_[:-1] + ("0" if hash_[-1] != "0" else "1")
    for text in several(_url(invoice), _url(invoice | {"hash": other})).values():
        assert town.refusal("verify", text, status=2).startswith(
            ("error: claims_differ", "error: duplicate_parameter")
        )


def test_by_a_picture_of_what_they_make_of_it(invoice: dict[str, Any]) -> None:
    for text in bent(_url(invoice)).values():
        Path("bent.png").write_bytes(qr_png(text, 4))
        assert read_picture(Path("bent.png")).hash == invoice["hash"], text


def test_by_a_pdf_and_by_the_second_page_of_a_scan(town: Town, invoice: dict[str, Any]) -> None:
    Path("code.png").write_bytes(qr_png(_url(invoice)))
    with Image.open("code.png") as code, Image.new("L", (300, 300), 255) as blank:
        for name in ("invoice.pdf", "scan.tiff"):
            blank.save(name, save_all=True, append_images=[code.convert("L")])
            assert town.asked("verify", name)["verdict"] == "authentic"


def test_all_that_several_codes_say_is_judged(town: Town, invoice: dict[str, Any]) -> None:
    """The same hash twice: once with the true amount, once with another."""
    face = town.asked("verify", invoice["hash"])["face"]
    day = face["issued_at"][:10].replace("-", "")
    commas = f"01,10,{face['code']},{face['number']},{TAX_ID},106.60,{day},{invoice['hash']}"
    ordinary = "01,04,044001800104,12345678,469.91,20180810,12345678901234567890,0C3F,"
    beside = {
        _url(invoice): "authentic",
        commas: "authentic",
        "https://example.org/menu": "authentic",
        _url(invoice, 1): "qr_several",
        commas.replace("106.60", "106.61"): "mismatch",
        _url(invoice).replace("01", "02", 1): "qr_several",
        ordinary: "qr_several",
    }
    for text, expected in beside.items():
        with Image.new("L", (1200, 600), 255) as both:
            for place, said in enumerate((_url(invoice), text)):
                Path("one.png").write_bytes(qr_png(said, 8))
                with Image.open("one.png") as one:
                    both.paste(one.convert("L").resize((560, 560)), (place * 600 + 20, 20))
            both.save("both.png")
        if expected == "qr_several":
            assert "qr_several" in town.refusal("verify", "both.png", status=2)
        else:
            status = 0 if expected == "authentic" else 1
            assert town.asked("verify", "both.png", status=status)["verdict"] == expected


def test_a_file_named_by_another_invoices_hash_is_not_believed(
    town: Town, invoice: dict[str, Any]
) -> None:
    other = invoice["hash"][:-1] + ("0" if invoice["hash"][-1] != "0" else "1")
    data = _proof(town, invoice).read_bytes()
    for name in (invoice["hash"], f"{invoice['hash'].upper()}.fapiao.json"):
        Path(name).write_bytes(data)
        assert town.asked("verify", name)["verdict"] == "authentic"
    for name in (other, f"proof-of-{other}.json"):
        Path(name).write_bytes(data)
        assert "claims_differ" in town.refusal("verify", name, status=2)


@pytest.mark.parametrize("name", ["x.pdf", "x.HEIC", "scans/x", "x.ofd", "slip.7z"])
def test_a_file_that_is_not_there_is_missing_whatever_it_is(town: Town, name: str) -> None:
    assert "file_missing" in town.refusal("verify", name, status=2)


@pytest.mark.parametrize("text", ["", "hello", "0" * 66, "01" + "G" * 64, "01,04,044001"])
def test_texts_that_are_no_invoice_say_so(town: Town, text: str) -> None:
    said = town.refusal("verify", text, status=2)
    assert said.startswith(("error: qr_", "error: password_area"))


def test_what_is_no_file_that_could_be_read_says_why(town: Town, invoice: dict[str, Any]) -> None:
    Path("folder.pdf").mkdir()
    os.mkfifo("pipe")
    for name, why in {"folder.pdf": "a folder", "/dev/null": "a device", "pipe": "a pipe"}.items():
        said = town.refusal("verify", name, status=2)
        assert said.startswith("error: file_unreadable")
        assert why in said


@pytest.mark.parametrize("start", [b"", b"\0", b"\xff\xd8\xff"])
def test_a_damaged_proof_file_is_called_that(town: Town, start: bytes) -> None:
    """Whatever its first byte has become; it is no picture, and nothing was judged."""
    Path("12345678.fapiao.json").write_bytes(start)
    Path("1.tlog-proof").write_bytes(start)
    said = town.refusal("verify", "12345678.fapiao.json", status=2)
    assert "12345678.fapiao.json is no proof file, or a damaged one" in said
    assert "a damaged tlog-proof" in town.refusal("verify", "1.tlog-proof", status=2)


def test_a_proof_file_that_was_saved_anew_is_called_that(
    town: Town, invoice: dict[str, Any]
) -> None:
    town.run("proof", invoice["hash"], "--output", "one.fapiao.json")
    data = Path("one.fapiao.json").read_bytes()
    saved = {
        "mark.txt": b"\xef\xbb\xbf" + data,
        "unicode.txt": data.decode().encode("utf-16"),
        "unicode.json": data.decode().encode("utf-16"),
        "pretty.json": json.dumps(json.loads(data), indent=2).encode(),
        "line.json": data + b"\n",
    }
    for name, content in saved.items():
        Path(name).write_bytes(content)
        said = town.refusal("verify", name, status=2)
        assert f"{name} is no proof file, or a damaged one" in said
        assert "take the file as it was given" in said
    answer = {"hash": invoice["hash"], "promise": "log.example/promise\n01\n"}
    Path("answer.json").write_text(json.dumps(answer))
    assert "jq -j .promise" in town.refusal("verify", "answer.json", status=2)


def test_a_proof_file_offline_with_the_key_alone(town: Town, invoice: dict[str, Any]) -> None:
    proof, key = _proof(town, invoice), town.run("keys", "log").splitlines()[0]
    assert proof.name == "00000001.fapiao.json"
    Path("log.vkey").write_text(town.run("keys", "log"))  # two lines, as GET /log/key has them
    (town.folder / "var").rename(town.folder / "gone")
    assert town.asked("verify", str(proof), "--offline", "--key", key)["verdict"] == "authentic"
    said = town.run("verify", str(proof), "--offline", "--key", "log.vkey")
    assert said.count("✓") == 7
    assert "true as of block" in said


def test_a_bent_proof_or_another_key_is_a_no(town: Town, invoice: dict[str, Any]) -> None:
    proof, key = _proof(town, invoice), town.run("keys", "log").splitlines()[0]
    file = town.folder / "bent.json"
    file.write_bytes(proof.read_bytes().replace(b'"total":11300', b'"total":1'))
    assert "hash_mismatch" in town.refusal("verify", str(file), "--offline", "--key", key)
    assert "hash_mismatch" in town.refusal("verify", str(file))
    name = key.partition("+")[0]
    other = SignerKey.generate(name, lambda size: bytes(range(size))).verifier.text()
    refusal = town.refusal("verify", str(proof), "--offline", "--key", other)
    assert "signature_missing" in refusal
    file.write_bytes(proof.read_bytes()[:-9])
    said = town.refusal("verify", str(file), "--offline", "--key", key, status=2)
    assert "bent.json is no proof file, or a damaged one" in said


def test_offline_needs_a_proof_and_a_key(town: Town, invoice: dict[str, Any]) -> None:
    proof = _proof(town, invoice)
    assert "--offline needs" in town.refusal("verify", str(proof), "--offline", status=2)
    key = town.run("keys", "log").splitlines()[0]
    refusal = town.refusal("verify", invoice["hash"], "--offline", "--key", key, status=2)
    assert "--offline needs" in refusal


def test_a_proof_asked_here_gets_what_is_true_now(town: Town, invoice: dict[str, Any]) -> None:
    """The file from before a reversal still holds offline; the service knows better."""
    proof, key = _proof(town, invoice), town.run("keys", "log").splitlines()[0]
    town.reverse(invoice["hash"])
    assert town.asked("verify", str(proof), "--offline", "--key", key)["verdict"] == "authentic"
    found = town.asked("verify", str(proof), status=1)
    assert found["verdict"] == "reversed"
    assert [len(red) for red in found["reversed_by"]] == [66]


def test_a_proof_goes_where_it_is_told(town: Town, invoice: dict[str, Any]) -> None:
    town.run("proof", invoice["hash"], "--output", "here.json")
    assert json.loads(Path("here.json").read_bytes())["hash"] == invoice["hash"]
    assert "password_area" in town.refusal("proof", "0" * 66, status=2)
    assert "invoice_unknown" in town.refusal("proof", "01" + "0" * 64)


def test_a_tlog_proof_needs_the_hash_and_proves_the_entry(
    town: Town, invoice: dict[str, Any]
) -> None:
    file = town.run("proof", invoice["hash"], "--tlog").strip()
    key = town.asked("keys", "log")["log_key"]
    asked = ("verify", file, "--hash", invoice["hash"], "--key", key)
    assert town.run(*asked).startswith("in the log: entry 0 of ")
    said = town.asked(*asked)
    assert (said["proved"], said["index"], said["witnesses"]) == ("in_log", 0, [])
    assert town.asked(*asked[:-2])["proved"] == "in_log"  # with this machine's own keys
    town.refusal("verify", file, status=2)
    other = invoice["hash"][:-1] + ("0" if invoice["hash"][-1] != "0" else "1")
    assert "root_mismatch" in town.refusal("verify", file, "--hash", other, "--key", key)
    stranger = SignerKey(key.partition("+")[0], bytes(range(32))).verifier.text()
    refused = town.refusal("verify", file, "--hash", invoice["hash"], "--key", stranger)
    assert "signature_missing" in refused
    Path("policy").write_text("quorum none\n")
    assert town.asked(*asked, "--policy", "policy")["proved"] == "in_log"
    Path(file).write_bytes(Path(file).read_bytes()[:-5])
    assert "note" in town.refusal(*asked, status=2)


def test_a_cose_receipt_needs_the_hash_and_proves_the_entry(
    town: Town, invoice: dict[str, Any]
) -> None:
    file = town.run("proof", invoice["hash"], "--cose").strip()
    assert file == f"{invoice['number']}.cose"
    key = town.asked("keys", "log")["log_key"]
    asked = ("verify", file, "--hash", invoice["hash"], "--key", key)
    assert town.run(*asked).startswith("in the log: entry 0 of ")
    said = town.asked(*asked)
    assert (said["proved"], said["index"], said["witnesses"]) == ("in_log", 0, [])
    assert town.asked(*asked[:-2])["proved"] == "in_log"  # with this machine's own keys
    town.refusal("verify", file, status=2)
    town.refusal(*asked, "--memory", "seen.json", status=2)
    Path("policy").write_text("quorum none\n")
    town.refusal(*asked, "--policy", "policy", status=2)
    other = invoice["hash"][:-1] + ("0" if invoice["hash"][-1] != "0" else "1")
    assert "signature" in town.refusal("verify", file, "--hash", other, "--key", key)
    town.run("proof", invoice["hash"], "--output", "one.fapiao.json")
    town.run("proof", "--from", "one.fapiao.json", "--cose", "--output", "again.cose")
    assert Path("again.cose").read_bytes() == Path(file).read_bytes()
    town.refusal("proof", invoice["hash"], "--cose", "--tlog", status=2)
    Path(file).write_bytes(Path(file).read_bytes()[:-5])
    assert "receipt" in town.refusal(*asked, status=2)


def test_the_cose_receipt_of_a_red_invoice(town: Town, invoice: dict[str, Any]) -> None:
    town.reverse(invoice["hash"])
    town.run("anchor")
    red = town.asked("verify", invoice["hash"], status=1)["reversed_by"][0]
    file = town.run("proof", red, "--cose").strip()
    assert town.asked("verify", file, "--hash", red)["proved"] == "in_log"
    assert "anchor_mismatch" in town.refusal("verify", file, "--hash", invoice["hash"])


def test_a_credential_for_a_wallet_offline_and_with_the_service(
    town: Town, invoice: dict[str, Any]
) -> None:
    Path("holder.jwk").write_text(json.dumps(jwk_of(HOLDER.verifier)))
    asked = ("wallet", invoice["hash"], "--holder", "holder.jwk")
    assert "wallet_off" in town.refusal(*asked)
    before = town.asked("keys", "log")["log_key"]
    said = town.asked("keys", "rotate-wallet")
    assert [one["state"] for one in said["keys"]] == ["signs"]
    file = town.run(*asked).strip()
    assert file == f"{invoice['number']}.sd-jwt"
    assert town.run("verify", file, "--offline").startswith("issued by this service, and in the")
    found = town.asked("verify", file, "--offline")
    assert (found["hash"], found["hidden"], found["holder"]) == (invoice["hash"], [], False)
    assert town.asked("verify", file)["verdict"] == "authentic"
    # The log's key alone does not say whose credentials are good: its statements do.
    alone = town.refusal("verify", file, "--offline", "--key", before)
    assert "signature_missing" in alone
    note = next(Path(town.folder).rglob("statements/2.note"))
    assert town.asked("verify", file, "--offline", "--key", before, "--key", str(note))
    Path(file).write_text(Path(file).read_text().rpartition("~")[0])
    assert "credential" in town.refusal("verify", file, "--offline", status=2)
    hidden = town.run(*asked, "--hide", "buyer", "--hide", "lines", "-o", "h.sd-jwt").strip()
    assert "--status-list FILE" in town.run("verify", hidden, "--offline")
    assert "明细" in town.asked("verify", hidden, "--offline")["claims"]["products"][0]["name"]
    town.reverse(invoice["hash"])
    town.run("anchor")
    assert town.asked("verify", hidden, status=1)["verdict"] == "reversed"
    instance = open_instance(load(town.folder / "config.toml", {}))
    status_lists_of(instance).step(int(instance.clock().timestamp()))
    listed = str(instance.config.status_dir / "0.jwt")
    instance.close()
    offline = ("verify", hidden, "--offline", "--status-list", listed)
    assert town.asked(*offline, status=1)["state"] == "full"
    assert "taken back, whole, as of 20" in town.run(*offline, status=1)
    assert "status_list" in town.refusal(*offline[:-1], hidden, status=2)
    taken = town.run(*asked, "-o", "taken.sd-jwt").strip()  # made since, it says so by itself
    assert town.asked("verify", taken, "--offline", status=1)["state"] == "full"
    assert "taken back, whole" in town.run("verify", taken, "--offline", status=1)


def test_the_tlog_proof_of_a_red_invoice(town: Town, invoice: dict[str, Any]) -> None:
    town.reverse(invoice["hash"])
    town.run("anchor")
    red = town.asked("verify", invoice["hash"], status=1)["reversed_by"][0]
    file = town.run("proof", red, "--tlog").strip()
    assert town.asked("verify", file, "--hash", red)["proved"] == "in_log"
    assert "root_mismatch" in town.refusal("verify", file, "--hash", invoice["hash"])
