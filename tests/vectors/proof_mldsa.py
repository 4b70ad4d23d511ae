"""Cases about witnesses with ML-DSA-44 keys, keys of types that nobody knows, and keys alike."""

import base64
from collections.abc import Iterator

from chain.signing.checkpoint import sign_checkpoint
from chain.signing.cosignature import Cosigner, SubtreeCosigner
from chain.signing.note import ML_DSA_44, Signature, SignerKey, VerifierKey
from tests.chain.books import ORIGIN, SIGNER
from tests.vectors.proof_case import OK, Case, Outcome, noted, to_base64
from tests.vectors.proof_policy import (
    ALL,
    CHECKPOINT,
    FORGE,
    LINES,
    TEXT,
    TIME,
    UNMET,
    UNREADABLE,
    WRONG,
    proof,
)

MODERN = [SubtreeCosigner(f"witness.example/m{n}", bytes([32 + n]) * 32) for n in range(2)]
BOTH = LINES + "".join(
    f"witness m{n} {one.verifier.text()} https://m{n}.example/\n" for n, one in enumerate(MODERN)
)
NEEDED: Outcome = ("policy_key_type", None)
LONG = "x" * 256

TWINS = [
    Cosigner(SignerKey("witness.example/w1", seed.to_bytes(32, "big"))) for seed in (61601, 94312)
]
"""Two different keys of one name and one id; found by trying."""


def modern() -> Iterator[Case]:
    """Policies and cosignatures with ML-DSA-44 keys."""
    old, new = ALL[0].cosign(TEXT, TIME), MODERN[0].cosign(TEXT, TIME)
    for name, (policy, outcome) in _policies().items():
        yield Case(name, proof([old, new]), outcome, policy=policy)
    policy = f"{BOTH}quorum m0\n"
    for name, (data, outcome) in _cosignatures().items():
        yield Case(name, data, outcome, policy=policy)


def _policies() -> dict[str, tuple[str, Outcome]]:
    name, key_id, raw = MODERN[0].verifier.text().split("+", 2)
    short = to_base64(base64.b64decode(raw)[:-1])
    log = VerifierKey(ORIGIN, ML_DSA_44, MODERN[1].verifier.public).text()
    return _others() | {
        "one of the new kind": (f"{BOTH}quorum m0\n", OK),
        "one of the new kind, who did not": (f"{BOTH}quorum m1\n", UNMET),
        "any of both kinds": (f"{BOTH}group g any w3 m0\nquorum g\n", OK),
        "all of both kinds": (f"{BOTH}group g all w0 m0\nquorum g\n", OK),
        "all of both kinds, but one did not": (f"{BOTH}group g all w0 m0 m1\nquorum g\n", UNMET),
        "of both kinds, one not needed": (f"{BOTH}quorum w0\n", OK),
        "a log's key of the new kind": (f"log {log}\n{LINES}quorum none\n", ("policy_log", 3)),
        "a log's keys of both kinds": (
            f"log {log}\nlog {SIGNER.verifier.text()}\n{LINES}quorum none\n",
            OK,
        ),
        "one key for a log and a witness": (
            f"log {log}\nlog {SIGNER.verifier.text()}\nwitness l {log}\nquorum none\n",
            OK,
        ),
        "a short key of the new kind": (
            f"witness m {name}+{key_id}+{short}\nquorum none\n",
            UNREADABLE,
        ),
        "a key of the new kind with another id": (
            f"witness m {name}+{key_id[::-1]}+{raw}\nquorum none\n",
            UNREADABLE,
        ),
        "a name too long for the new kind": (
            f"witness m {LONG}+00000000+{raw}\nquorum none\n",
            UNREADABLE,
        ),
        "a key of the new kind twice": (
            f"{BOTH}witness again {MODERN[0].verifier.text()}\nquorum none\n",
            UNREADABLE,
        ),
    }


def _others() -> dict[str, tuple[str, Outcome]]:
    """Keys of types that are not known, and two that no note can tell apart."""
    ours = SIGNER.verifier.text()
    other = f"other.example/w+0123abcd+{to_base64(bytes([2]) + bytes(91))}"
    line, log = f"witness other {other}\n", f"log {other}\n"
    twins = "".join(f"witness t{n} {one.verifier.text()}\n" for n, one in enumerate(TWINS))
    named = f"witness.example/w0+{ALL[0].verifier.key_id.hex()}+{to_base64(bytes([7, 7]))}"
    return {
        "an unknown type that is not asked": (f"{BOTH}{line}quorum w0\n", OK),
        "an unknown type among enough": (f"{BOTH}{line}group g 2 w0 m0 other\nquorum g\n", OK),
        "an unknown type among too few": (f"{BOTH}{line}group g 2 w0 w3 other\nquorum g\n", UNMET),
        "an unknown type that is needed": (f"{BOTH}{line}quorum other\n", NEEDED),
        "an unknown type in a group of all": (
            f"{BOTH}{line}group g all w0 other\nquorum g\n",
            NEEDED,
        ),
        "an unknown type of witness twice": (
            f"{line}{line.replace('other', 'again', 1)}quorum none\n",
            UNREADABLE,
        ),
        "an unknown type without a key": (
            f"witness o o.example+0123abcd+{to_base64(bytes([2]))}\nquorum none\n",
            UNREADABLE,
        ),
        "an unknown type with half an id": (
            f"witness o o.example+0123+{to_base64(bytes([2, 2]))}\nquorum none\n",
            UNREADABLE,
        ),
        "an unknown type with an id in capitals": (
            f"witness o o.example+0123ABCD+{to_base64(bytes([2, 2]))}\nquorum none\n",
            UNREADABLE,
        ),
        "a log of an unknown type": (f"{log}{LINES}quorum none\n", ("policy_log", 3)),
        "a log of an unknown type beside this one": (f"{log}log {ours}\n{LINES}quorum w0\n", OK),
        "two keys of one name and id": (f"{twins}group g any t0 t1\nquorum g\n", UNREADABLE),
        "two keys of one name and id, nobody asked": (f"{twins}quorum none\n", UNREADABLE),
        "one of two keys of one name and id": (
            f"{twins.partition(chr(10))[0]}\nquorum t0\n",
            UNMET,
        ),
        "an unknown type with a witness's name and id": (
            f"{LINES}witness o {named}\nquorum w0\n",
            UNREADABLE,
        ),
    }


def _cosignatures() -> dict[str, tuple[bytes, Outcome]]:
    right = MODERN[0].cosign(TEXT, TIME)
    another = MODERN[0].cosign(TEXT.replace(ORIGIN, "other.example/log"), TIME)
    renamed = SubtreeCosigner("witness.example/m1", bytes([32]) * 32).cosign(TEXT, TIME)
    raw = right.payload[8:]
    early, beyond = (TIME - 1).to_bytes(8, "big"), bytes([0x80]) + right.payload[1:8]
    return {
        "the new kind": (proof([right]), OK),
        "the new kind beside the old": (proof([ALL[1].cosign(TEXT, TIME), right]), OK),
        "the new kind at no time": (proof([MODERN[0].cosign(TEXT, 0)]), OK),
        "the new kind at the end of time": (proof([MODERN[0].cosign(TEXT, 2**63 - 1)]), OK),
        "the new kind over another text": (proof([another]), WRONG),
        "the new kind under another name": (proof([_line(renamed.payload)]), WRONG),
        "the new kind at another time": (proof([_line(early + raw)]), WRONG),
        "the new kind beyond the end of time": (proof([_line(beyond + raw)]), WRONG),
        "the new kind without a time": (proof([_line(raw)]), WRONG),
        "the new kind with nothing else": (proof([_line(early)]), WRONG),
        "the new kind with one byte too many": (proof([_line(right.payload + b"\x00")]), WRONG),
        "the new kind with one byte too few": (proof([_line(right.payload[:-1])]), WRONG),
        "the new kind with one bit changed": (
            proof(
                [_line(right.payload[:99] + bytes([right.payload[99] ^ 1]) + right.payload[100:])]
            ),
            WRONG,
        ),
        "the new kind with a hint where none may be": (
            proof([_line(right.payload[:-1] + b"\xff")]),
            WRONG,
        ),
        "the old kind's signature in its place": (
            proof([_line(ALL[0].cosign(TEXT, TIME).payload)]),
            WRONG,
        ),
        "the new kind by somebody else": (proof([MODERN[1].cosign(TEXT, TIME)]), UNMET),
        "the new kind twice": (_twice(right, MODERN[0].cosign(TEXT, TIME + 1)), OK),
        "the new kind twice, once wrong": (_twice(right, _line(early + raw)), WRONG),
    }


def _line(payload: bytes) -> Signature:
    key = MODERN[0].verifier
    return Signature(key.name, key.key_id, payload)


def _twice(*lines: Signature) -> bytes:
    note = sign_checkpoint(CHECKPOINT, SIGNER).decode()
    return noted(FORGE.proof(), note + "".join(line.line() for line in lines))
