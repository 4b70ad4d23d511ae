"""A restaurant's year: issued, anchored, proved, reported, taken back in part, audited."""

import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from typing import Any, TypeVar

import msgspec
import pytest

from chain.commitment import parse_password_area
from chain.errors import ConflictError
from chain.proof.file import parse_proof
from chain.proof.verify import verify_proof
from chain.signing.note import VerifierKey
from invoice_service.commands.remote import Remote
from invoice_service.domain.qrtext import scan_url
from invoice_service.files.results import Result
from invoice_service.files.samples import read_sample_bills, read_sample_year
from invoice_service.services.checking.prove import build
from invoice_service.wiring import open_instance
from tests.journeys.service import Service
from tests.scale import WHOLE, share

ORDERS = share(21_350, 2_135)
TOTAL = share(81_786_005, 8_106_015)  # fen: the sum of the sample's prices
REVERSED = share(300, 60)
PILOT = "/dzswj/bers_ep_web/query_bill_detail"
AT_ONCE = 8
FETCHED = 10
"""One proof in so many is asked for over HTTP; the others are made as the service makes them."""

Given = TypeVar("Given")
Got = TypeVar("Got")


@pytest.mark.slow
@pytest.mark.scaled
def test_a_restaurants_year(service: Service) -> None:
    """Two chapters: what was issued stands, to the fen; then 300 guests want their money back.

    A usual run has a tenth of the year and of the guests.
    """
    _, key = service.admit()
    official = service.official()
    service.start()
    merchant = service.remote(key)

    results = _issue_the_year(service, key)
    service.wait_until_anchored(ORDERS)
    _verify_every_proof_offline(service, merchant, results)
    _totals_are(official, (ORDERS, TOTAL), (0, 0))
    _a_second_run_issues_nothing(service, key)
    audit = service.asked("audit")
    assert (audit["clean"], audit["invoices"], audit["pending"]) == (True, ORDERS, 0)

    chosen = results[:: ORDERS // REVERSED][:REVERSED]
    reds = _reverse(merchant, chosen)
    service.wait_until_anchored(ORDERS + REVERSED)
    back = sum(result.total for result in chosen)
    _totals_are(official, (ORDERS, TOTAL), (REVERSED, -back))
    _everyone_sees_the_reversals(service, chosen, reds, results)
    _a_second_reversal_is_refused(merchant, chosen[0], reds[0])
    audit = service.asked("audit")
    assert (audit["clean"], audit["invoices"]) == (True, ORDERS + REVERSED)


def _issue_the_year(service: Service, key: str) -> list[Result]:
    """The whole file through the batch call; the result file says what became of each order."""
    said = service.asked(*_the_year(service, key))
    assert (said["issued"], said["refused"]) == (ORDERS, 0)
    lines = (service.folder / said["results"]).read_bytes()
    results = msgspec.json.Decoder(Result).decode_lines(lines)
    assert len({result.number for result in results}) == len(results) == ORDERS
    assert sum(result.total for result in results) == TOTAL
    return results


def _the_year(service: Service, key: str) -> tuple[str, ...]:
    """The command that issues it: all of the sample, or a file with its first orders."""
    said: tuple[str, ...] = ("--sample", "year")
    if not WHOLE:
        file = service.folder / "year.ndjson"
        bodies = [record.body for record in islice(read_sample_year(), ORDERS)]
        file.write_bytes(b"\n".join(bodies))
        said = (str(file),)
    return ("issue", *said, "--url", service.url, "--key", key)


def _verify_every_proof_offline(service: Service, merchant: Remote, results: list[Result]) -> None:
    """Each proof file with the log's public key, and nothing else; one in ten by the front door."""
    key = VerifierKey.parse(merchant.get("/log/key").decode().splitlines()[0])
    with closing(open_instance(service.config)) as instance:
        files = [
            build(instance.store, instance.log, parse_password_area(result.hash))
            for result in results
        ]
    fetched = _at_once(
        lambda result: merchant.get(f"/v1/invoices/{result.hash}/proof"), results[::FETCHED]
    )
    assert fetched == files[::FETCHED]
    indices = set()
    for result, file in zip(results, files, strict=True):
        evidence = verify_proof(parse_proof(file), key)
        assert (evidence.hash, evidence.hidden) == (result.hash, ())
        indices.add(evidence.index)
    assert len(indices) == ORDERS


def _totals_are(official: Remote, gross: tuple[int, int], back: tuple[int, int]) -> None:
    report = official.get_json("/v1/reports/totals", {"by": "rate"})
    expected = {
        "gross": gross,
        "reversed": back,
        "net": (gross[0] - back[0], gross[1] + back[1]),
    }
    found = {side: (report[side]["count"], int(report[side]["total"])) for side in expected}
    assert found == expected
    for side in expected:
        amount, tax, total = (int(report[side][name]) for name in ("amount", "tax", "total"))
        assert amount + tax == total
    height = str(report["block"]["height"])
    query = {"by": "rate", "at_block": height}
    again = official.get("/v1/reports/totals", query)
    assert again == official.get("/v1/reports/totals", query)
    assert json.loads(again) == report


def _a_second_run_issues_nothing(service: Service, key: str) -> None:
    year = _the_year(service, key)
    again = service.asked(*year)
    assert (again["issued"], again["refused"], again["done_before"]) == (0, 0, ORDERS)
    elsewhere = service.asked(*year, "--results", "elsewhere.ndjson")  # remembers nothing
    assert (elsewhere["issued"], elsewhere["replayed"]) == (0, ORDERS)


def _reverse(merchant: Remote, chosen: list[Result]) -> list[dict[str, Any]]:
    def one(blue: Result) -> dict[str, Any]:
        path = f"/v1/invoices/{blue.hash}/reversals"
        red: dict[str, Any] = json.loads(merchant.post(path, b'{"reason":"SALES_RETURN"}'))
        assert (red["type"], red["reverses"], red["total"]) == ("red", blue.hash, -blue.total)
        return red

    return _at_once(one, chosen)


def _everyone_sees_the_reversals(
    service: Service, chosen: list[Result], reds: list[dict[str, Any]], results: list[Result]
) -> None:
    """By verdict, by the pilot's public check, and on the page that a phone opens."""
    public = service.remote()
    reversed_ = {blue.hash for blue in chosen}
    sample = [*chosen, *results[1 :: ORDERS // REVERSED][:REVERSED]]

    def check(blue: Result) -> None:
        expected = "reversed" if blue.hash in reversed_ else "authentic"
        text = scan_url(service.url, blue.hash, blue.number, blue.total)
        assert public.get_json("/v1/verifications", {"qr": text})["verdict"] == expected
        asked = {
            "tx_hash": blue.hash,
            "bill_num": blue.number,
            "total_amount": str(blue.total),
        }
        answer = json.loads(public.post(PILOT, json.dumps(asked).encode()))
        assert answer["retcode"] == 0
        assert answer["bill_record"]["invalid_mark"] == int(expected == "reversed")
        assert answer["bill_record"]["total_amount"] == blue.total

    _at_once(check, sample)
    for red in reds[:20]:
        assert public.get_json("/v1/verifications", {"qr": red["qr"]})["verdict"] == "authentic"
    assert service.asked("verify", reds[0]["hash"])["verdict"] == "authentic"
    page = public.get(scan_url("", chosen[0].hash, chosen[0].number, chosen[0].total)).decode()
    assert re.search("已红冲", page)
    assert service.asked("verify", chosen[0].hash, status=1)["verdict"] == "reversed"


def _a_second_reversal_is_refused(merchant: Remote, blue: Result, red: dict[str, Any]) -> None:
    path = f"/v1/invoices/{blue.hash}/reversals"
    with pytest.raises(ConflictError) as caught:
        merchant.post(path, b'{"reason":"ISSUE_ERROR"}')
    assert caught.value.code == "already_reversed"
    with pytest.raises(Exception, match="not_reversible"):
        merchant.post(f"/v1/invoices/{red['hash']}/reversals", b'{"reason":"ISSUE_ERROR"}')


@pytest.mark.slow
def test_a_waiters_bills_one_by_one(service: Service) -> None:
    """244 bills, eight tables paying at any time; every slip is checked by its own QR text."""
    _, key = service.admit()
    official = service.official()
    service.start()
    till = service.remote(key)
    bills = list(read_sample_bills())

    invoices = _at_once(lambda bill: json.loads(till.post("/v1/invoices", bill.body)), bills)
    assert sorted(invoice["number"] for invoice in invoices) == [
        f"{n:08}" for n in range(1, len(bills) + 1)
    ]
    again = _at_once(lambda bill: json.loads(till.post("/v1/invoices", bill.body)), bills)
    assert [invoice["hash"] for invoice in again] == [invoice["hash"] for invoice in invoices]

    service.wait_until_anchored(len(bills))
    for invoice in invoices:
        found = till.get_json("/v1/verifications", {"qr": invoice["qr"]})
        assert found["verdict"] == "authentic", invoice
    _totals_are(official, (244, 482_777), (0, 0))
    _a_guest_checks_from_home(service, invoices[7])


def _a_guest_checks_from_home(service: Service, invoice: dict[str, Any]) -> None:
    """With the command line on another machine: by the code, the hash, and the proof file."""
    there = ("--url", service.url)
    for what in (invoice["qr"], invoice["hash"]):
        assert service.asked("verify", what, *there)["verdict"] == "authentic"
    forged = invoice["qr"].replace("total_amount=", "total_amount=9")
    assert service.asked("verify", forged, *there, status=1)["verdict"] == "mismatch"
    unknown = f"01{'0' * 64}"
    assert service.asked("verify", unknown, *there, status=1)["verdict"] == "unknown"

    service.fapiao("proof", invoice["hash"], *there)  # no key: the face alone
    proof = f"{invoice['number']}.fapiao.json"
    assert service.asked("verify", proof, *there)["verdict"] == "authentic"
    key = service.remote().get("/log/key").decode().splitlines()[0]
    offline = service.asked("verify", proof, "--offline", "--key", key)
    assert (offline["verdict"], offline["face"]["total"]) == ("authentic", invoice["total"])


def _at_once(work: Callable[[Given], Got], given: list[Given]) -> list[Got]:
    with ThreadPoolExecutor(AT_ONCE) as hands:
        return list(hands.map(work, given))
