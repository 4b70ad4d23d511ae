"""The log over HTTP, as strangers' programs read it."""

import gzip
import json

import pytest

from chain.entry import parse_entry
from chain.hashing import Digest, leaf_hash
from chain.signing.checkpoint import open_checkpoint
from chain.signing.note import VerifierKey, open_note
from chain.signing.statement import KeyStatement
from chain.tree.merkle_slow import slow_root
from chain.tree.tiles import decode_bundle
from tests.api.desk import MEAL, NDJSON, Desk, problem, slip

FOREVER = "public, max-age=31536000, immutable"


def fill(desk: Desk, count: int, prefix: str = "F") -> None:
    """Issue and anchor ``count`` invoices: ``count`` entries and a seal."""
    orders = [{"order_id": f"{prefix}{n}", "lines": [MEAL]} for n in range(count)]
    body = b"".join(json.dumps(order).encode() + b"\n" for order in orders)
    headers = {"Content-Type": NDJSON, "Prefer": "return=minimal"}
    desk.post("/v1/invoices/batch", body, headers).get_data()
    desk.anchor()


def test_a_stranger_re_derives_the_root_from_tiles_and_entries(desk: Desk) -> None:
    fill(desk, 300)
    key = VerifierKey.parse(desk.client.get("/log/key").text.splitlines()[0])
    checkpoint = open_checkpoint(desk.client.get("/log/checkpoint").data, key)
    assert checkpoint.size == 301
    entries = [
        *decode_bundle(desk.client.get("/log/tile/entries/000").data, 256),
        *decode_bundle(desk.client.get("/log/tile/entries/001.p/45").data, 45),
    ]
    hashes = desk.client.get("/log/tile/0/000").data + desk.client.get("/log/tile/0/001.p/45").data
    leaves = [Digest(hashes[i : i + 32]) for i in range(0, len(hashes), 32)]
    assert leaves == [leaf_hash(entry) for entry in entries]
    assert slow_root(leaves) == checkpoint.root
    assert [parse_entry(entry).__struct_config__.tag for entry in entries[-2:]] == [
        "invoice",
        "seal",
    ]


def test_the_keys_are_bound_together_by_the_log(desk: Desk) -> None:
    log_key, promise_key = desk.client.get("/log/key").text.splitlines()
    assert promise_key.startswith("fapiao.test/log/promise+")
    answer = desk.client.get("/log/keys")
    note = open_note(answer.data, [VerifierKey.parse(log_key)])
    assert note.text == f"fapiao.test/log/keys\n1\nlog {log_key}\npromise {promise_key}\n"
    assert answer.headers["Cache-Control"] == "public, max-age=300"


def test_every_key_statement_is_kept(desk: Desk) -> None:
    """The newest one changes at once, in a process that has been running for long."""
    first = desk.client.get("/log/keys").data
    old = desk.client.get("/log/key").text.splitlines()[0]
    both = desk.instance.rotation().start()
    assert desk.client.get("/log/key").text.splitlines()[0] == old
    assert KeyStatement.parse(desk.client.get("/log/keys").data) == both
    for number, note in ((1, first), (2, desk.client.get("/log/keys").data)):
        answer = desk.client.get(f"/log/keys/{number}")
        assert answer.data == note
        assert answer.headers["Cache-Control"] == FOREVER
    desk.anchor()
    desk.instance.rotation().finish()
    assert desk.client.get("/log/key").text.splitlines()[0] == both.keys.signing[1].text()
    invoice = desk.issue()
    desk.anchor()
    found = desk.client.get("/v1/verifications", query_string=slip(invoice)).get_json()
    assert found["verdict"] == "authentic"
    for path in ("0", "4", "01", "999999999", "1000000000", "-1", "x", "1.note"):
        problem(desk.client.get(f"/log/keys/{path}"), 404, "no_statement")


def test_the_checkpoint_is_fresh_and_tiles_are_for_ever(desk: Desk) -> None:
    desk.issue()
    desk.anchor()
    checkpoint = desk.client.get("/log/checkpoint")
    assert checkpoint.content_type == "text/plain; charset=utf-8"
    assert checkpoint.headers["Cache-Control"] == "public, max-age=2"
    for path in ("/log/tile/0/000.p/2", "/log/tile/entries/000.p/2"):
        tile = desk.client.get(path)
        assert tile.content_type == "application/octet-stream"
        assert tile.headers["Cache-Control"] == FOREVER
        assert tile.headers["Access-Control-Allow-Origin"] == "*"


def test_an_etag_saves_the_second_transfer(desk: Desk) -> None:
    desk.issue()
    desk.anchor()
    for path in ("/log/checkpoint", "/log/tile/0/000.p/2"):
        first = desk.client.get(path)
        again = desk.client.get(path, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
    tag = desk.client.get("/log/checkpoint").headers["ETag"]
    desk.issue("T2")
    desk.anchor()
    newer = desk.client.get("/log/checkpoint", headers={"If-None-Match": tag})
    assert newer.status_code == 200


def test_entry_bundles_are_zipped_for_who_takes_it(desk: Desk) -> None:
    fill(desk, 20)
    path = "/log/tile/entries/000.p/21"
    plain = desk.client.get(path)
    zipped = desk.client.get(path, headers={"Accept-Encoding": "br, gzip;q=0.5"})
    assert "Content-Encoding" not in plain.headers
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(zipped.data) == plain.data
    assert len(zipped.data) < len(plain.data) / 1.5
    assert plain.headers["Vary"] == zipped.headers["Vary"] == "Accept-Encoding"
    assert plain.headers["ETag"] != zipped.headers["ETag"]
    refused = desk.client.get(path, headers={"Accept-Encoding": "gzip;q=0"})
    assert refused.data == plain.data
    hashes = desk.client.get("/log/tile/0/000.p/21", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in hashes.headers


@pytest.mark.parametrize(
    "path",
    [
        *("0/0", "0/00", "0/0000", "0/x000", "00/000", "0/000.p/0", "0/000.p/256", "0/000.p/02"),
        *("64/000", "-1/000", "0/000.p", "0/000/", "0/000.p/2/", "0/x001/000/x", "data/000"),
        *("0/x000/001", "entries/000.p/1e1", "0/%D9%A0%D9%A0%D9%A0", "0/000%0a", "0/..%2f000"),
        *("../checkpoint", "0/../../../keys/log.key", "%2e%2e/%2e%2e/keys/log.key", "0//000"),
    ],
)
def test_a_tile_has_one_address(desk: Desk, path: str) -> None:
    fill(desk, 3)
    answer = desk.client.get(f"/log/tile/{path}")
    assert answer.status_code == 404
    assert answer.get_json()["code"] in {"tile_path", "no_such_address"}


def test_a_tile_that_is_not_there_yet(desk: Desk) -> None:
    fill(desk, 3)
    for path in ("0/001", "0/000.p/9", "1/000.p/1", "entries/000"):
        problem(desk.client.get(f"/log/tile/{path}"), 404, "no_tile")


def test_the_private_keys_are_not_below_the_log(desk: Desk) -> None:
    for path in ("/log/../keys/log.key", "/log/keys/log.key", "/log/log.key", "/keys/log.key"):
        answer = desk.client.get(path)
        assert answer.status_code == 404
        assert "PRIVATE" not in answer.text


def test_no_link_leads_out_of_the_log(desk: Desk) -> None:
    """As a copy that was restored may have it: whoever kept that copy has not had the keys."""
    fill(desk, 1)
    tile = next(path for path in desk.config.log_dir.rglob("tile/0/**/*") if path.is_file())
    address = f"/log/{tile.relative_to(desk.config.log_dir)}"
    assert desk.client.get(address).status_code == 200
    tile.unlink()
    tile.symlink_to(desk.config.keys_dir / "log.key")
    assert tile.read_bytes()
    problem(desk.client.get(address), 404, "no_tile")


def test_blocks_name_what_they_seal_and_form_a_chain(desk: Desk) -> None:
    for number in range(3):
        fill(desk, number + 1, f"G{number}-")
    page = desk.client.get("/log/blocks").get_json()
    assert page["size"] == 9
    assert [(b["height"], b["first"], b["count"], b["size"]) for b in page["blocks"]] == [
        (1, 0, 1, 2),
        (2, 2, 2, 5),
        (3, 5, 3, 9),
    ]
    one = desk.client.get("/log/blocks/2")
    assert one.get_json() == page["blocks"][1]
    assert one.headers["Cache-Control"] == FOREVER
    second = desk.client.get("/log/blocks?limit=2").get_json()
    assert second["next"] == 2
    rest = desk.client.get("/log/blocks?after=2&limit=2").get_json()
    assert [block["height"] for block in rest["blocks"]] == [3]
    assert rest["next"] is None


def test_an_unpublished_block_is_not_shown(desk: Desk) -> None:
    """Sequenced and not signed: nobody outside may rely on it yet (ADR 0002)."""
    fill(desk, 1)
    parts = desk.instance.anchoring()
    head = parts.log.head()
    bundle = decode_bundle(desk.client.get("/log/tile/entries/000.p/2").data, 2)
    other = bundle[0].replace(b'"anchor":"', b'"anchor":"0', 1)
    draft = other[: other.index(b'","kind"') - 1] + other[other.index(b'","kind"') :]
    parts.log.sequence(head, [draft], sealed_at=desk.clock(), cursor=head.cursor)
    assert desk.instance.log.block(2).size == 4
    assert [b["height"] for b in desk.client.get("/log/blocks").get_json()["blocks"]] == [1]
    problem(desk.client.get("/log/blocks/2"), 404, "no_block")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/log/blocks/0", 400, "parameter_malformed"),
        ("/log/blocks/01", 400, "parameter_malformed"),
        ("/log/blocks/x", 400, "parameter_malformed"),
        ("/log/blocks/99", 404, "no_block"),
        ("/log/blocks?limit=1001", 400, "parameter_malformed"),
        ("/log/blocks?before=5", 400, "unknown_parameter"),
    ],
)
def test_blocks_are_asked_for_strictly(desk: Desk, path: str, status: int, code: str) -> None:
    fill(desk, 1)
    problem(desk.client.get(path), status, code)


def test_the_empty_log_has_a_checkpoint_and_no_blocks(desk: Desk) -> None:
    assert desk.client.get("/log/checkpoint").text.splitlines()[1] == "0"
    page = desk.client.get("/log/blocks").get_json()
    assert page == {"size": 0, "blocks": [], "next": None}
