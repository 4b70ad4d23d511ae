"""Cases about witnesses: who has cosigned the checkpoint, and what a policy makes of it."""

from collections.abc import Iterator, Sequence

from chain.signing.checkpoint import Checkpoint, sign_checkpoint
from chain.signing.cosignature import Cosigner, add_signatures
from chain.signing.note import Signature, SignerKey
from chain.tree.merkle_slow import slow_root
from tests.chain.books import ORIGIN, SIGNER
from tests.chain.forged import Forge, leaves
from tests.chain.signing.test_note_weak import LOW_ORDER
from tests.vectors.proof_case import OK, OTHER, Case, Outcome, noted, to_base64

FORGE = Forge()
SIZE = len(FORGE.entries)
CHECKPOINT = Checkpoint(ORIGIN, SIZE, slow_root(leaves(FORGE.entries)))
TEXT = CHECKPOINT.to_text()
TIME = 1_790_000_000

ALL = [Cosigner(SignerKey(f"witness.example/w{n}", bytes([16 + n]) * 32)) for n in range(4)]
LINES = "".join(
    f"witness w{n} {one.verifier.text()} https://w{n}.example/\n" for n, one in enumerate(ALL)
)
LOW = to_base64(b"\x04" + bytes.fromhex(LOW_ORDER[0]))

UNMET: Outcome = ("quorum", 3)
WRONG: Outcome = ("signature", 3)
UNREADABLE: Outcome = ("policy", None)


def cosigned(*numbers: int, text: str = TEXT, time: int = TIME) -> bytes:
    """The proof under a checkpoint that these witnesses cosigned."""
    return proof([ALL[number].cosign(text, time) for number in numbers])


def proof(more: Sequence[Signature]) -> bytes:
    """The proof under a checkpoint with these signatures below the log's own."""
    note = add_signatures(sign_checkpoint(CHECKPOINT, SIGNER), more)
    return noted(FORGE.proof(), note.decode())


def policies() -> Iterator[Case]:
    """Policies of every form, and none, over a checkpoint that w0, w1 and w2 have cosigned."""
    data = cosigned(0, 1, 2)
    for name, (text, outcome) in (_readable() | _unreadable()).items():
        yield Case(name, data, outcome, policy=text)


def _readable() -> dict[str, tuple[str, Outcome]]:
    log, other = SIGNER.verifier.text(), OTHER.verifier.text()
    return {
        "no quorum": ("quorum none\n", OK),
        "no quorum of many": (f"{LINES}quorum none\n", OK),
        "one witness": (f"{LINES}quorum w1\n", OK),
        "one witness, who did not": (f"{LINES}quorum w3\n", UNMET),
        "any": (f"{LINES}group g any w3 w2\nquorum g\n", OK),
        "all": (f"{LINES}group g all w0 w1 w2\nquorum g\n", OK),
        "all, but one did not": (f"{LINES}group g all w0 w1 w2 w3\nquorum g\n", UNMET),
        "three of four": (f"{LINES}group g 3 w0 w1 w2 w3\nquorum g\n", OK),
        "four of four": (f"{LINES}group g 4 w0 w1 w2 w3\nquorum g\n", UNMET),
        "groups in groups": (
            f"{LINES}group a all w0 w1\ngroup b any w2 w3\ngroup c 2 a b\nquorum c\n",
            OK,
        ),
        "groups in groups, short of one": (
            f"{LINES}group a all w0 w3\ngroup b any w1 w2\ngroup c all a b\nquorum c\n",
            UNMET,
        ),
        "a group that is not asked": (f"{LINES}group g all w2 w3\nquorum w0\n", OK),
        "the quorum before other witnesses": (
            LINES.replace("witness w3", "quorum w0\nwitness w3"),
            OK,
        ),
        "comments, tabs and empty lines": (
            f"# witnesses\n\n \t\n{LINES.replace(' ', chr(9) + ' ')}  quorum\tw0  \n  #\n",
            OK,
        ),
        "no addresses": (
            f"witness w0 {ALL[0].verifier.text()}\nquorum w0\n",
            OK,
        ),
        "this log": (f"log {log}\n{LINES}quorum w0\n", OK),
        "this log at its address": (f"log {log} https://log.example/\n{LINES}quorum w0\n", OK),
        "this log and another": (f"log {other}\nlog {log}\n{LINES}quorum w0\n", OK),
        "another log": (f"log {other}\n{LINES}quorum w0\n", ("policy_log", 3)),
        "another key of this log": (
            f"log {SignerKey(ORIGIN, bytes([9]) * 32).verifier.text()}\n{LINES}quorum none\n",
            ("policy_log", 3),
        ),
        "a name in another script": (
            f"witness 证人 {ALL[0].verifier.text()}\nquorum 证人\n",
            OK,
        ),
        "names told apart by what looks the same": (
            f"witness é {ALL[0].verifier.text()}\nwitness e\u0301 {ALL[3].verifier.text()}\n"
            "quorum é\n",
            OK,
        ),
    }


def _unreadable() -> dict[str, tuple[str, Outcome]]:
    key = ALL[0].verifier.text()
    name, key_id, raw = key.split("+")
    plain = SignerKey("w.example", bytes([7]) * 32).verifier.text()
    texts = {
        "nothing": "",
        "no quorum line": LINES,
        "two quorum lines": f"{LINES}quorum w0\nquorum w0\n",
        "two quorums, one of none": f"{LINES}quorum none\nquorum w0\n",
        "a quorum of two names": f"{LINES}quorum w0 w1\n",
        "a quorum without a name": f"{LINES}quorum\n",
        "a quorum nobody defined": f"{LINES}quorum w9\n",
        "a quorum defined below": f"quorum w0\n{LINES}",
        "a line of another kind": f"{LINES}witnesses w0\nquorum w0\n",
        "upper case": f"{LINES}QUORUM w0\n",
        "the last line cut off": f"{LINES}quorum w0",
        "carriage returns": f"{LINES}quorum w0\r\n",
        "a zero byte": f"{LINES}quorum w0\n\x00\n",
        "a delete": f"{LINES}quorum w0\n#\x7f\n",
        "a form feed": f"{LINES}quorum w0\n\x0c\n",
        "a name twice": f"{LINES}{LINES.replace('w0 ', 'w1 ', 1)}quorum w0\n",
        "a witness twice": f"{LINES}witness again {key}\nquorum w0\n",
        "a witness called none": f"witness none {key}\nquorum none\n",
        "a group called none": f"{LINES}group none any w0\nquorum w0\n",
        "a group named as a witness": f"{LINES}group w0 any w1\nquorum w0\n",
        "a witness without a key": f"{LINES}witness w9\nquorum w0\n",
        "a witness with more": f"witness w0 {key} https://w0.example/ more\nquorum w0\n",
        "a log without a key": f"log\n{LINES}quorum w0\n",
        "a log with more": f"log {plain} https://w0.example/ more\n{LINES}quorum w0\n",
        "a log's key for a witness": f"witness w0 {plain}\nquorum w0\n",
        "a witness's key for a log": f"log {key}\nquorum none\n",
        "a log twice": f"log {plain}\nlog {plain}\nquorum none\n",
        "a key with another id": f"witness w0 {name}+{key_id[::-1]}+{raw}\nquorum w0\n",
        "a key that is short": f"witness w0 {name}+{key_id}+{raw[:-4]}\nquorum w0\n",
        "a key of low order": f"witness w0 {name}+{key_id}+{LOW}\nquorum w0\n",
        "a group of nobody": f"{LINES}group g any\nquorum g\n",
        "a group that asks for nobody": f"{LINES}group g 0 w0 w1\nquorum g\n",
        "a group that asks for too many": f"{LINES}group g 3 w0 w1\nquorum g\n",
        "a group that asks for minus one": f"{LINES}group g -1 w0 w1\nquorum g\n",
        "a group that asks with a zero before": f"{LINES}group g 01 w0 w1\nquorum g\n",
        "a group that asks with a plus": f"{LINES}group g +1 w0 w1\nquorum g\n",
        "a group that asks for half": f"{LINES}group g 1.0 w0 w1\nquorum g\n",
        "a group that asks in words": f"{LINES}group g most w0 w1\nquorum g\n",
        "a group that asks in JavaScript": f"{LINES}group g toString w0 w1\nquorum g\n",
        "a group that asks in other digits": f"{LINES}group g \u0661 w0 w1\nquorum g\n",
        "a member twice": f"{LINES}group g any w0 w0\nquorum g\n",
        "a member of two groups": f"{LINES}group g any w0\ngroup h any w0\nquorum g\n",
        "a group in two groups": (
            f"{LINES}group g any w0\ngroup h any g\ngroup i any g\nquorum h\n"
        ),
        "a group in itself": f"{LINES}group g any g w0\nquorum g\n",
        "a member nobody defined": f"{LINES}group g any w0 w9\nquorum g\n",
        "too many groups": (
            LINES
            + "".join(f"group g{n} any {f'g{n - 1}' if n else 'w0'}\n" for n in range(257))
            + "quorum g0\n"
        ),
    }
    return {name: (text, UNREADABLE) for name, text in texts.items()}


def witnesses() -> Iterator[Case]:
    """Checkpoints with cosignatures of every kind, under a policy of two in four."""
    policy = f"{LINES}group g 2 w0 w1 w2 w3\nquorum g\n"
    for name, (data, outcome) in _cosignatures().items():
        yield Case(name, data, outcome, policy=policy)


def _cosignatures() -> dict[str, tuple[bytes, Outcome]]:
    own = [ALL[n].cosign(TEXT, TIME) for n in range(4)]
    first, second = own[:2]
    wrong = ALL[1].cosign(TEXT.replace(ORIGIN, "other.example/log"), TIME)
    stranger = Cosigner(SignerKey("witness.example/w9", bytes([99]) * 32)).cosign("x\n", 1)
    plain = SignerKey("witness.example/w1", bytes([17]) * 32)
    later = second.payload[:8]
    early = (TIME - 1).to_bytes(8, "big")
    return {
        "nobody": (cosigned(), UNMET),
        "one": (cosigned(2), UNMET),
        "two": (cosigned(1, 3), OK),
        "two, in the other order": (cosigned(3, 1), OK),
        "all four": (cosigned(0, 1, 2, 3), OK),
        "at the beginning of time": (cosigned(0, 1, time=0), OK),
        "at the end of time": (cosigned(0, 1, time=2**63 - 1), OK),
        "another text": (proof([first, wrong]), WRONG),
        "another text beside enough": (proof([*own[2:], wrong]), WRONG),
        "a stranger's, whatever it is": (proof([first, second, stranger]), OK),
        "a stranger's does not count": (proof([first, stranger]), UNMET),
        "a plain signature by a witness's key": (proof([first, plain.sign(TEXT)]), UNMET),
        "another time": (proof([first, _line(second, early + second.payload[8:])]), WRONG),
        "a time beyond the end": (
            proof([first, _line(second, bytes([0x80]) + second.payload[1:])]),
            WRONG,
        ),
        "no time": (proof([first, _line(second, second.payload[8:])]), WRONG),
        "half a time": (proof([first, _line(second, later[:4])]), WRONG),
        "nothing but the time": (proof([first, _line(second, later)]), WRONG),
        "one byte too many": (proof([first, _line(second, second.payload + b"\x00")]), WRONG),
        "one bit changed": (
            proof([first, _line(second, second.payload[:-1] + bytes([second.payload[-1] ^ 1]))]),
            WRONG,
        ),
        "S above the order of the group": (
            proof([first, _line(second, second.payload[:-1] + b"\xff")]),
            WRONG,
        ),
        "the same line twice": (_twice(second, first, second), OK),
        "two lines at two times": (_twice(second, first, ALL[1].cosign(TEXT, TIME + 9)), OK),
        "two lines, the second wrong": (_twice(second, first, wrong), WRONG),
        "twice the same witness": (_twice(second, second), UNMET),
    }


def _line(signature: Signature, payload: bytes) -> Signature:
    return Signature(signature.name, signature.key_id, payload)


def _twice(*lines: Signature) -> bytes:
    """The proof with these lines as they are, also several of one key."""
    note = sign_checkpoint(CHECKPOINT, SIGNER).decode()
    return noted(FORGE.proof(), note + "".join(line.line() for line in lines))
