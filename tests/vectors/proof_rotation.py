"""Cases about a log's keys over time: which key signed, and what the statements say of it."""

import base64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from chain.errors import MalformedError
from chain.hashing import ZERO, sha256
from chain.signing.checkpoint import Checkpoint, sign_checkpoint
from chain.signing.cosignature import Cosigner
from chain.signing.es256 import WalletKey, WalletSigner
from chain.signing.keys import Last, LogKey, LogKeys
from chain.signing.note import MAX_SIGNATURES, Note, Signature, SignerKey, parse_note, sign_note
from chain.signing.statement import MAX_STATEMENT, KeyStatement
from chain.tree.merkle_slow import slow_root
from tests.chain.books import ORIGIN, SIGNER
from tests.chain.forged import Forge, leaves
from tests.chain.signing.test_note_weak import LOW_ORDER
from tests.vectors.proof_case import OK, OTHER, Case, Outcome, noted, to_base64

A = SIGNER
B, C, D = (SignerKey(ORIGIN, bytes([n]) * 32) for n in (2, 3, 4))
PROMISE = SignerKey(f"{ORIGIN}/promise", bytes([8]) * 32).verifier
FORGE = Forge()
SIZE, ROOT = len(FORGE.entries), slow_root(leaves(FORGE.entries))
AT, BELOW, ABOVE = Last(SIZE, ROOT), Last(SIZE - 1, sha256(b"x")), Last(SIZE + 1, sha256(b"y"))

Retired = Sequence[tuple[SignerKey, Last]]


def keys(*signing: SignerKey, retired: Retired = (), revoked: Sequence[SignerKey] = ()) -> LogKeys:
    """What a statement says."""
    return LogKeys(
        ORIGIN,
        (
            *(LogKey(key.verifier) for key in signing),
            *(LogKey(key.verifier, last=last) for key, last in retired),
            *(LogKey(key.verifier, revoked=True) for key in revoked),
        ),
        (PROMISE,),
    )


FIRST = KeyStatement(1, keys(A)).sign(A)
BOTH = KeyStatement(2, keys(A, B)).sign(A, B)


def ended(last: Last) -> bytes:
    """The statement that retires the first key."""
    return KeyStatement(3, keys(B, retired=[(A, last)])).sign(A, B)


STOLEN = KeyStatement(3, keys(B, revoked=[A])).sign(A, B)
AFTER = (FIRST, BOTH, ended(AT))


def proof(*signers: SignerKey) -> bytes:
    """The proof under a checkpoint that these keys signed."""
    return noted(FORGE.proof(), sign_checkpoint(Checkpoint(ORIGIN, SIZE, ROOT), *signers).decode())


def rotation() -> Iterator[Case]:
    """Who signed, who is pinned, and what the statements say."""

    def case(
        name: str, data: bytes, pinned: SignerKey, notes: Sequence[bytes], outcome: Outcome
    ) -> Case:
        texts = tuple(note.decode() for note in notes)
        return Case(
            f"rotation: {name}", data, outcome, key=pinned.verifier.text(), statements=texts
        )

    for pinned, who in ((A, "the old key"), (B, "the new key")):
        for signers, said in (
            ([A], "old"),
            ([A, B], "both"),
            ([B, A], "new and old"),
            ([B], "new"),
        ):
            yield case(f"{said}, {who} pinned, overlap", proof(*signers), pinned, AFTER[:2], OK)
            for last, where, old in (
                (AT, "at its last checkpoint", OK),
                (ABOVE, "below its last checkpoint", OK),
                (BELOW, "above its last checkpoint", ("key_retired", 3)),
                (Last(SIZE, ZERO), "at another root", ("key_retired", 3)),
            ):
                yield case(
                    f"{said}, {who} pinned, {where}",
                    proof(*signers),
                    pinned,
                    [FIRST, BOTH, ended(last)],
                    old if signers == [A] else OK,
                )
            yield case(
                f"{said}, {who} pinned, old revoked",
                proof(*signers),
                pinned,
                [FIRST, BOTH, STOLEN],
                ("key_revoked", 3) if signers == [A] else OK,
            )
    yield case("new, the old key pinned alone", proof(B), A, [], ("signature_missing", 3))
    yield case("old, the new key pinned alone", proof(A), B, [], ("signature_missing", 3))
    yield case("both, the old key pinned alone", proof(A, B), A, [], OK)
    yield case("both, the new key pinned alone", proof(A, B), B, [], OK)
    yield case(
        "new, pinned old, first statement only", proof(B), A, [FIRST], ("signature_missing", 3)
    )
    yield case("old, the newest statement alone", proof(A), B, AFTER[2:], OK)
    yield case("a stranger's", proof(D), B, AFTER, ("signature_missing", 3))
    yield case("a stranger's beside", proof(D, B, OTHER), B, AFTER, OK)
    third = KeyStatement(4, keys(C, retired=[(A, AT)], revoked=[B])).sign(B, C)
    for signers, outcome in (
        ([A], OK),
        ([B], ("key_revoked", 3)),
        ([A, B], OK),
        ([C], OK),
        ([B, C], OK),
    ):
        for pinned in (A, B, C):
            yield case(
                f"{'ABC'[[A, B, C].index(signers[0])]}{len(signers)} after a theft, pinned"
                f" {'ABC'[[A, B, C].index(pinned)]}",
                proof(*signers),
                pinned,
                [*AFTER, third],
                outcome,
            )
    mixed = KeyStatement(4, keys(C, retired=[(A, BELOW)], revoked=[B])).sign(B, C)
    chain = [FIRST, BOTH, ended(BELOW), mixed]
    yield case("by a retired and a revoked key", proof(A, B), C, chain, ("key_retired", 3))
    text = Checkpoint(ORIGIN, SIZE, ROOT).to_text()
    for wrong, said in ((A, "old"), (B, "new")):
        right = B if wrong is A else A
        bad = Signature(ORIGIN, wrong.verifier.key_id, bytes(64))
        for order in ((right.sign(text), bad), (bad, right.sign(text))):
            note = Note(text, order).to_bytes().decode()
            first = "first" if order[0] is bad else "last"
            for notes, when in (
                (AFTER[:2], "overlap"),
                (AFTER, "retired"),
                (
                    [FIRST, BOTH, STOLEN],
                    "revoked",
                ),
            ):
                yield case(
                    f"the {said} signature wrong, {first}, {when}",
                    noted(FORGE.proof(), note),
                    A,
                    notes,
                    ("signature", 3),
                )


def statements() -> Iterator[Case]:
    """What is no statement, or none that leads on from the pinned key."""
    data, later = proof(A), proof(B)

    def case(
        name: str,
        notes: Sequence[bytes | str],
        code: str,
        pinned: SignerKey = A,
        file: bytes = data,
    ) -> Case:
        texts = tuple(note if isinstance(note, str) else note.decode() for note in notes)
        outcome = OK if code == "ok" else (code, None)
        if code in ("key_retired", "key_revoked", "signature_missing"):
            outcome = (code, 3)
        key = pinned.verifier.text()
        return Case(f"statement: {name}", file, outcome, key=key, statements=texts)

    again = KeyStatement(2, keys(A, B)).sign(A, B)
    third = ended(AT)
    yield case("number back", [BOTH, FIRST], "statement_order")
    yield case("number the same", [FIRST, BOTH, again], "statement_order")
    yield case("number back before the pinned key's", [BOTH, FIRST, third], "statement_order", B)
    yield case("numbers with gaps", [FIRST, KeyStatement(9, keys(A, B)).sign(A, B)], "ok")
    yield case("highest number", [KeyStatement(999_999_999, keys(A)).sign(A)], "ok")
    yield case(
        "by nobody that is pinned", [KeyStatement(1, keys(A)).sign(B)], "statement_untrusted"
    )
    yield case("of a stranger alone", [KeyStatement(1, keys(D)).sign(D)], "statement_untrusted")
    yield case("none leads to the pinned key", [FIRST, BOTH], "statement_untrusted", C)
    yield case(
        "one in between is missing",
        [FIRST, KeyStatement(3, keys(C, retired=[(A, AT), (B, AT)])).sign(C)],
        "statement_untrusted",
    )
    yield case(
        "by a retired key", [*AFTER, KeyStatement(4, keys(A)).sign(A)], "statement_untrusted"
    )
    yield case(
        "by a revoked key",
        [FIRST, BOTH, STOLEN, KeyStatement(4, keys(A)).sign(A)],
        "statement_untrusted",
    )
    yield case(
        "by a revoked key, the other pinned",
        [STOLEN, KeyStatement(4, keys(A)).sign(A)],
        "statement_untrusted",
        B,
    )
    yield case(
        "not by the key that comes", [KeyStatement(2, keys(A, B)).sign(A)], "statement_unsigned"
    )
    yield case(
        "not by the key that goes",
        [FIRST, BOTH, KeyStatement(3, keys(B, retired=[(A, AT)])).sign(B)],
        "ok",
    )
    yield case(
        "not by the one of two that stays",
        [FIRST, BOTH, KeyStatement(3, keys(B, retired=[(A, AT)])).sign(A)],
        "statement_unsigned",
    )
    for name, said in {
        "forgets the pinned key": keys(B),
        "forgets a retired key": keys(C, retired=[(B, AT)]),
        "brings a retired key back": keys(A, B),
        "another last size": keys(B, retired=[(A, Last(SIZE - 1, ROOT))]),
        "another last root": keys(B, retired=[(A, Last(SIZE, ZERO))]),
    }.items():
        known = [FIRST] if name == "forgets the pinned key" else list(AFTER)
        note = KeyStatement(5, said).sign(A, B, C)
        yield case(name, [*known, note], "statement_contradicts")
    back = KeyStatement(5, keys(B, retired=[(A, AT)])).sign(A, B)
    yield case("a revoked key is retired", [FIRST, BOTH, STOLEN, back], "statement_contradicts")
    also = KeyStatement(5, keys(B, revoked=[A])).sign(B)
    yield case("a retired key is revoked", [*AFTER, also], "key_revoked")
    other = SignerKey(f"{ORIGIN}/promise", bytes([7]) * 32).verifier
    for name, promises, code in (
        ("another promise key", (other,), "statement_contradicts"),
        ("a promise key more", (PROMISE, other), "ok"),
    ):
        said = LogKeys(ORIGIN, keys(A, B).keys, promises)
        yield case(name, [FIRST, KeyStatement(2, said).sign(A, B)], code)
    yield from _wallets(case)
    stranger = LogKeys(
        OTHER.name,
        (LogKey(OTHER.verifier),),
        (SignerKey(f"{OTHER.name}/promise", bytes(32)).verifier,),
    )
    yield case("of another log", [KeyStatement(1, stranger).sign(OTHER)], "origin_mismatch")
    for wrong, said_of in ((A, "the pinned key"), (B, "the key that comes")):
        bad = Signature(ORIGIN, wrong.verifier.key_id, bytes(64))
        good = parse_note(BOTH)
        for place, order in (("first", (bad, *good.signatures)), ("last", (*good.signatures, bad))):
            yield case(
                f"wrong by {said_of}, {place}", [Note(good.text, order).to_bytes()], "signature"
            )
    bad = Signature(ORIGIN, A.verifier.key_id, bytes(64))
    unread = Note(parse_note(FIRST).text, (bad,)).to_bytes()
    yield case("wrong in one that is passed over", [unread, BOTH], "signature", B)
    passing = Signature(ORIGIN, b"\1\2\3\4", bytes(64))
    yield case(
        "a stranger's signature beside",
        [Note(good.text, (*good.signatures, passing)).to_bytes()],
        "ok",
    )
    many = [Signature("x", b"\1\2\3\4", bytes([n])) for n in range(MAX_SIGNATURES - 2)]
    yield case("with 100 signatures", [Note(good.text, (*good.signatures, *many)).to_bytes()], "ok")
    yield case(
        "with 101 signatures",
        [Note(good.text, (*good.signatures, *many, passing)).to_bytes()],
        "note",
    )
    room = MAX_STATEMENT - len(BOTH)
    for extra, code in ((0, "ok"), (1, "key_statement")):
        # Four signature lines of a stranger fill it to the byte; base64 grows by four at a time.
        lines = _filling(room + extra)
        yield case(f"{MAX_STATEMENT + extra} bytes", [BOTH.decode() + lines], code)
    yield case("not a note", ["x"], "note")
    yield case("empty", [""], "note")
    yield case("cut off", [BOTH[:-3]], "note")
    yield case("a good one, then none", [FIRST, "x"], "note")
    yield case("the file is bad, too", ["x"], "not_canonical", file=data + b" ")
    plain = case("the key is a witness's", AFTER, "key_type")
    yield replace(plain, key=Cosigner(A).verifier.text())
    yield case("new key's proof after all", AFTER, "ok", A, later)
    yield from _spelled(case)


def _wallets(case_of: Callable[[str, Sequence[bytes | str], str], Case]) -> Iterator[Case]:
    """Keys that sign for wallets: named, revoked, forgotten, and spelled in other ways."""
    one, two = (WalletSigner(f"{ORIGIN}/wallet", bytes([n]) * 32).verifier for n in (5, 6))

    def said(number: int, wallet: Sequence[WalletKey], revoked: Sequence[WalletKey] = ()) -> bytes:
        known = replace(keys(A), wallet=tuple(wallet), wallet_revoked=tuple(revoked))
        return KeyStatement(number, known).sign(A)

    for name, notes, code in (
        ("one", [FIRST, said(2, [one])], "ok"),
        ("a second", [said(2, [one]), said(3, [one, two])], "ok"),
        ("in another order", [said(2, [one, two]), said(3, [two, one])], "ok"),
        ("one is stolen", [said(2, [one]), said(3, [two], [one])], "ok"),
        ("all are stolen", [said(2, [one]), said(3, [], [one])], "ok"),
        ("one is forgotten", [said(2, [one]), said(3, [two])], "statement_contradicts"),
        ("all are forgotten", [said(2, [one]), said(3, [])], "statement_contradicts"),
        ("a stolen one is back", [said(2, [], [one]), said(3, [one])], "statement_contradicts"),
        ("a stolen one is forgotten", [said(2, [], [one]), said(3, [])], "statement_contradicts"),
    ):
        yield case_of(f"wallet: {name}", notes, code)
    text, line = parse_note(FIRST).text, f"wallet {one.text()}\n"
    elsewhere = WalletKey(f"{ORIGIN}/wallets", one.x, one.y).text()
    name, key_id, encoded = one.text().split("+", 2)
    raw = base64.b64decode(encoded)
    off = to_base64(raw[:-1] + bytes([raw[-1] ^ 1]))
    for name_, body, code in (
        ("twice", text + line + line, "key_statement"),
        ("and stolen", f"{text}{line}wallet-revoked {one.text()}\n", "key_statement"),
        ("stolen before", f"{text}wallet-revoked {two.text()}\n{line}", "key_statement"),
        ("before the promise key", text.replace("promise ", f"{line}promise "), "key_statement"),
        ("of another name", f"{text}wallet {elsewhere}\n", "key_statement"),
        ("a log's key", f"{text}wallet {B.verifier.text()}\n", "key_text"),
        ("with another id", f"{text}wallet {name}+00000000+{encoded}\n", "key_text"),
        ("not on the curve", f"{text}wallet {name}+{key_id}+{off}\n", "key_text"),
        ("cut off", f"{text}wallet {name}+{key_id}+{encoded[:-4]}\n", "key_text"),
        ("longer", f"{text}wallet {name}+{key_id}+{to_base64(raw + b'x')}\n", "key_text"),
        ("without padding", f"{text}wallet {one.text().rstrip('=')}\n", "key_text"),
        ("with a space", f"{text}wallet {one.text()} \n", "key_text"),
        ("empty", f"{text}wallet \n", "key_text"),
        ("no key", f"{text}wallet\n", "key_statement"),
        ("in capitals", text + line.replace("wallet", "WALLET", 1), "key_statement"),
    ):
        yield case_of(f"wallet, spelled: {name_}", [sign_note(body, A)], code)


def _filling(size: int) -> str:
    """Signature lines of strangers, together of so many bytes."""
    lines = ""
    while size - len(lines.encode()) > 6000:
        lines += Signature("n", b"\1\2\3\4", bytes(3000)).line()
    left = size - len(lines.encode())
    for length in range(1, 200):
        name = "n" * length
        for raw in range(left // 4 * 3 - 400, left // 4 * 3):
            line = Signature(name, b"\1\2\3\4", bytes(max(raw, 1))).line()
            if len(line.encode()) == left:
                return lines + line
    raise AssertionError(size)


def _spelled(case_of: Callable[[str, Sequence[bytes | str], str], Case]) -> Iterator[Case]:
    """Statements in another spelling, rightly signed."""
    text = parse_note(ended(AT)).text
    head, _, log, retired, promise = text.splitlines()
    root = to_base64(ROOT)
    weak = bytes([1]) + bytes.fromhex(LOW_ORDER[0])
    weak_id = sha256(ORIGIN.encode() + b"\n" + weak)[:4].hex()
    for name, body, code in (
        *(
            (f"number {shown}", f"{head}\n{spelled}\n{log}\n{promise}\n", "key_statement")
            for shown, spelled in {
                "0": "0",
                "03": "03",
                "+3": "+3",
                "-3": "-3",
                "3 with a space": "3 ",
                "none": "",
                "1_0": "1_0",
                "in full-width digits": "３",
                "of ten digits": "1000000000",
                "3.0": "3.0",
            }.items()
        ),
        ("nothing but its name", f"{head}\n", "key_statement"),
        ("no keys", f"{head}\n3\n", "key_statement"),
        ("another name", f"{ORIGIN}/key\n3\n{log}\n{promise}\n", "key_statement"),
        ("no name", f"/keys\n3\n{log}\n{promise}\n", "key_statement"),
        ("no promise key", f"{head}\n3\n{log}\n{retired}\n", "key_statement"),
        ("no key that signs", f"{head}\n3\n{retired}\n{promise}\n", "key_statement"),
        ("retired first", f"{head}\n3\n{retired}\n{log}\n{promise}\n", "key_statement"),
        ("promise first", f"{head}\n3\n{promise}\n{log}\n{retired}\n", "key_statement"),
        ("promise in between", f"{head}\n3\n{log}\n{promise}\n{retired}\n", "key_statement"),
        ("a line more", f"{text}more\n", "key_statement"),
        ("an empty line more", f"{text}\n", "key_statement"),
        ("an empty line inside", f"{head}\n3\n\n{log}\n{promise}\n", "key_statement"),
        ("a promise key twice", f"{text}{promise}\n", "key_statement"),
        ("a log key twice", f"{head}\n3\n{log}\n{log}\n{promise}\n", "key_ambiguous"),
        (
            "a key that signs and is revoked",
            f"{head}\n3\n{log}\nrevoked {B.verifier.text()}\n{promise}\n",
            "key_ambiguous",
        ),
        ("an unknown kind", f"{text.replace('retired', 'rested')}", "key_statement"),
        ("a kind in capitals", f"{text.replace('log ', 'LOG ', 1)}", "key_statement"),
        ("two spaces", text.replace("log ", "log  ", 1), "key_statement"),
        ("a space behind", text.replace(log, f"{log} "), "key_statement"),
        ("a word more", text.replace(log, f"{log} 3"), "key_statement"),
        (
            "log with a promise key",
            f"{head}\n3\nlog {PROMISE.text()}\n{promise}\n",
            "key_statement",
        ),
        (
            "promise with a log key",
            f"{head}\n3\n{log}\npromise {B.verifier.text()}\n",
            "key_statement",
        ),
        (
            "a witness's key",
            f"{head}\n3\nlog {Cosigner(B).verifier.text()}\n{promise}\n",
            "key_type",
        ),
        (
            "a weak key",
            f"{head}\n3\n{log}\nrevoked {ORIGIN}+{weak_id}+{to_base64(weak)}\n{promise}\n",
            "key_weak",
        ),
        (
            "a key with another id",
            text.replace(log, f"log {ORIGIN}+00000000+{log.split('+')[2]}"),
            "key_id",
        ),
        ("no key", f"{head}\n3\nlog\n{promise}\n", "key_statement"),
        ("an empty key", f"{head}\n3\nlog \n{promise}\n", "key_text"),
        ("a bad key, then a bad root", f"{head}\n3\nlog x\n{retired}x\n{promise}\n", "key_text"),
        (
            "a bad root, then a bad key",
            f"{head}\n3\n{retired}x\nlog x\n{promise}\n",
            "key_statement",
        ),
        ("a bad promise before all", f"{head}\n3\nlog x\n{retired}\npromise x+y\n", "key_text"),
        *(
            (f"retired at {shown}", text.replace(f" {SIZE} ", f" {spelled} "), "key_statement")
            for shown, spelled in {
                "011": "011",
                "+11": "+11",
                "-1": "-1",
                "nothing": "",
                "2^63": str(2**63),
                "2^64 + 11": str(2**64 + 11),
                "full-width digits": "１１",
                "11.0": "11.0",
            }.items()
        ),
        ("retired at 2^63 - 1", text.replace(f" {SIZE} ", f" {2**63 - 1} "), "ok"),
        ("retired without a root", text.replace(f" {root}", ""), "key_statement"),
        ("a root without padding", text.replace(root, root[:-1]), "key_statement"),
        ("a root of 31 bytes", text.replace(root, to_base64(bytes(31))), "key_statement"),
        ("a root of 33 bytes", text.replace(root, to_base64(bytes(33))), "key_statement"),
        ("a root in hex", text.replace(root, ROOT.hex()), "key_statement"),
        ("a root with a tab", text.replace(root, root[:4] + "\t" + root[4:]), "note"),
        ("CRLF", text.replace("\n", "\r\n"), "note"),
    ):
        note = _signed(body)
        yield case_of(f"spelled: {name}", [FIRST, BOTH, note], code)


def _signed(text: str) -> str:
    """The text with signatures of both keys, also where no note can hold it."""
    try:
        return sign_note(text, A, B).decode()
    except MalformedError:  # a text that our own writer refuses
        return f"{text}\n" + "".join(one.sign("x\n").line() for one in (A, B))
