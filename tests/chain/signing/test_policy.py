"""Policies say who must cosign: the specification's example, each of its rules, bent files."""

import base64
from collections.abc import Iterable
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.errors import MalformedError, VerificationError
from chain.hashing import sha256
from chain.signing.cosignature import SubtreeCosigner
from chain.signing.note import (
    COSIGNATURE_V1,
    ED25519,
    ML_DSA_44,
    OtherKey,
    Signature,
    SignerKey,
    VerifierKey,
)
from chain.signing.policy import (
    MAX_GROUPS,
    MAX_POLICY_BYTES,
    NO_WITNESSES,
    Group,
    Policy,
    parse_policy,
)


def _public(name: str) -> bytes:
    return SignerKey(name, sha256(name.encode())).verifier.public


def log_key(name: str) -> VerifierKey:
    """The key of a log."""
    return VerifierKey(f"{name}.example/log", ED25519, _public(name))


def witness_key(name: str) -> VerifierKey:
    """The key of a witness; another name than its name in the policy."""
    return VerifierKey(f"witness.example/{name}", COSIGNATURE_V1, _public(name))


def _named(names: str) -> set[VerifierKey]:
    return {witness_key(name) for name in names.split()}


def _parse(*lines: str) -> Policy:
    return parse_policy("".join(f"{line}\n" for line in lines).encode())


def _witness_lines(names: str) -> list[str]:
    return [f"witness {name} {witness_key(name).text()}" for name in names.split()]


def _lines(names: str, *more: str) -> Policy:
    return _parse(*_witness_lines(names), *more)


EXAMPLE = _parse(
    f"log {log_key('a').text()}",
    "",
    *_witness_lines("X1 X2 X3"),
    "group X-witnesses 2 X1 X2 X3",
    "",
    *_witness_lines("Y1 Y2 Y3"),
    "group Y-witnesses any Y1 Y2 Y3",
    "",
    "group X-and-Y all X-witnesses Y-witnesses",
    "quorum X-and-Y",
)
"""The example of the specification, with keys."""


@pytest.mark.parametrize(
    "cosigned",
    [
        set(pick)
        for count in range(7)
        for pick in combinations(("X1", "X2", "X3", "Y1", "Y2", "Y3"), count)
    ],
)
def test_the_example_of_the_specification(cosigned: set[str]) -> None:
    two_of_x = sum(name.startswith("X") for name in cosigned) >= 2
    one_of_y = any(name.startswith("Y") for name in cosigned)
    assert EXAMPLE.met_by(_named(" ".join(cosigned))) == (two_of_x and one_of_y)


def test_a_policy_keeps_all_that_its_file_says() -> None:
    policy = parse_policy(
        b"# who is asked\n"
        b" \t log " + log_key("a").text().encode() + b"\thttps://a.example/log/ \n"
        b"\t# comment\n"
        b"  log " + log_key("b").text().encode() + b"\n\n \t \n"
        b"witness W1 " + witness_key("W1").text().encode() + b" http://w1.example/\n"
        b"witness W2\t\t" + witness_key("W2").text().encode() + b"\n"
        b"quorum W2\n"
        b"log " + log_key("c").text().encode() + b"\n"
        b"witness W3 " + witness_key("W3").text().encode() + b" https://w3.example:8600/x\n"
    )
    assert policy.logs == (log_key("a"), log_key("b"), log_key("c"))
    assert policy.witnesses == tuple(map(witness_key, ("W1", "W2", "W3")))
    assert policy.quorum == Group("W2", 1, (witness_key("W2"),))
    assert policy.urls == {
        log_key("a"): "https://a.example/log/",
        witness_key("W1"): "http://w1.example/",
        witness_key("W3"): "https://w3.example:8600/x",
    }


def test_a_quorum_of_nobody() -> None:
    assert _parse("quorum none") == NO_WITNESSES
    policy = _lines("W1", "quorum none")
    assert policy.met_by(())
    assert policy.cosigners(()) == ()


@pytest.mark.parametrize(
    ("threshold", "enough"), [("any", 1), ("1", 1), ("2", 2), ("3", 3), ("all", 3)]
)
def test_thresholds(threshold: str, enough: int) -> None:
    policy = _lines("A B C", f"group G {threshold} A B C", "quorum G")
    for count in range(4):
        for pick in combinations("ABC", count):
            assert policy.met_by(_named(" ".join(pick))) == (count >= enough)


def test_a_witness_that_is_not_in_the_quorum_counts_for_nothing() -> None:
    policy = _lines("A B C", "group G 2 A B", "quorum G")
    assert not policy.met_by(_named("A C"))
    assert policy.met_by(_named("A B"))


def _signed(names: Iterable[str]) -> list[Signature]:
    keys = map(witness_key, names)
    return [Signature(key.name, key.key_id, bytes(72)) for key in keys]


def test_a_witness_with_keys_of_two_types_is_named_once() -> None:
    keys = MODERN, VerifierKey(MODERN.name, COSIGNATURE_V1, _public("m"))
    both = [Signature(key.name, key.key_id, b"") for key in keys]
    assert Policy(keys, 2).cosigners(both) == (MODERN.name,)
    with pytest.raises(VerificationError, match="2 of the 3 witnesses"):
        Policy((*keys, witness_key("W")), 3).cosigners(both)


def test_cosigners_are_named_or_the_quorum_that_is_short() -> None:
    assert EXAMPLE.cosigners(_signed(["Y2", "X3", "X1"])) == (
        "witness.example/X1",
        "witness.example/X3",
        "witness.example/Y2",
    )
    for names in ([], ["X1", "X2"], ["Y1", "Y2", "Y3", "X1"]):
        with pytest.raises(VerificationError, match="X-and-Y") as refusal:
            EXAMPLE.cosigners(_signed(names))
        assert refusal.value.code == "quorum"


def test_a_log_of_two_keys_is_one_log() -> None:
    second = VerifierKey("a.example/log", ED25519, _public("second"))
    policy = _parse(f"log {log_key('a').text()}", f"log {second.text()}", "quorum none")
    assert policy.logs == (log_key("a"), second)


def test_names_are_opaque_bytes() -> None:
    key_k, key_kelvin, key_raw = (witness_key(name).text().encode() for name in "abc")
    policy = parse_policy(
        b"# \xff\xfe in a comment\n"
        b"witness K " + key_k + b"\n"
        b"witness \xe2\x84\xaa " + key_kelvin + b"\n"
        b"witness \xff\xc2\xa0\xe3\x80\x80 " + key_raw + b"\n"  # ends in two Unicode spaces
        b"group \xe8\xa7\x81\xe8\xaf\x81 all K \xe2\x84\xaa \xff\xc2\xa0\xe3\x80\x80\n"
        b"quorum \xe8\xa7\x81\xe8\xaf\x81\n"
    )
    assert policy.met_by(_named("a b c"))
    assert not policy.met_by(_named("a b"))


def _refused(data: bytes, why: str, line: int | None = None) -> None:
    with pytest.raises(MalformedError, match=why) as refusal:
        parse_policy(data)
    assert refusal.value.code == "policy"
    assert refusal.value.extra.get("line") == line


LOG, W1, W2, W3 = log_key("a").text(), *(witness_key(f"W{number}").text() for number in (1, 2, 3))
AGAIN = VerifierKey("other.example", COSIGNATURE_V1, _public("W1")).text()


@pytest.mark.parametrize(
    ("lines", "line", "why"),
    [
        (["# nothing"], None, "no quorum"),
        ([f"witness W1 {W1}", "group G all W1"], None, "no quorum"),
        (["quorum none", "quorum none"], 2, "already"),
        (["quorum W1"], 1, "no earlier line defines W1"),
        ([f"witness W1 {W1}", "quorum W1 W1"], 2, "not a line"),
        (["quorum"], 1, "not a line"),
        (["quorum", "none"], 1, "not a line"),
        (["quorum G", f"witness G {W1}"], 1, "defines G"),
        (["threshold 1"], 1, "not a line"),
        (["Quorum none"], 1, "not a line"),
        (["log"], 1, "not a line"),
        ([f"log {LOG} http://a.example #comment"], 1, "not a line"),
        ([f"log {LOG}", f"  log {LOG}"], 2, "earlier line"),
        ([f"log {W1}"], 1, "wrong type"),
        (["log a.example"], 1, "a key is written"),
        ([f"witness W1 {LOG}"], 1, "wrong type"),
        ([f"witness {W1}"], 1, "not a line"),
        ([f"witness W1 {W1} http://w1.example x"], 1, "not a line"),
        ([f"witness W1 {W1}", f"witness W2 {W1}"], 2, "earlier line"),
        ([f"witness W1 {W1}", f"witness W2 {AGAIN}"], 2, "earlier line"),
        ([f"witness W1 {W1}", f"witness W1 {W2}"], 2, "W1 is taken"),
        ([f"witness none {W1}"], 1, "none is taken"),
        ([f"witness W1 {W1[:-4]}AAA="], 1, "key"),
        ([f"witness W1 {W1}", "group W1 any W1"], 2, "W1 is taken"),
        ([f"witness W1 {W1}", "group none any W1"], 2, "none is taken"),
        ([f"witness W1 {W1}", "group G all"], 2, "not a line"),
        ([f"witness W1 {W1}", "group G all none"], 2, "defines none"),
        ([f"witness W1 {W1}", "group G all G"], 2, "defines G"),
        ([f"witness W1 {W1}", "group G all W2", f"witness W2 {W2}"], 2, "defines W2"),
        ([f"witness W1 {W1}", f"witness W2 {W2}", "group G all W1 W2 W1"], 3, "W1 is a member"),
        (
            [f"witness W1 {W1}", f"witness W2 {W2}", "group A all W1", "group B any W2 W1"],
            4,
            "W1 is a member",
        ),
    ],
)
def test_a_bent_policy_is_refused_with_its_line(
    lines: list[str], line: int | None, why: str
) -> None:
    _refused("".join(f"{one}\n" for one in lines).encode(), why, line)


@pytest.mark.parametrize(
    "threshold", ["0", "3", "-1", "+1", "01", "1.0", "1_0", "", "ANY", "most", "²", "９" * 9]
)
def test_a_threshold_is_from_one_to_all(threshold: str) -> None:
    lines = [f"witness W1 {W1}", f"witness W2 {W2}", f"group G {threshold} W1 W2", "quorum none"]
    _refused("".join(f"{one}\n" for one in lines).encode(), "line 3", 3)


@pytest.mark.parametrize("byte", sorted({*range(0x20), 0x7F} - {0x09, 0x0A}))
def test_control_characters_are_refused(byte: int) -> None:
    _refused(b"# %c\nquorum none\n" % byte, "control character")
    _refused(b"quorum none%c\n" % byte, "control character")


def test_a_file_that_was_cut_off_or_is_too_long_is_refused() -> None:
    _refused(b"quorum none", "line feed")
    _refused(b"", "no quorum")
    line = b"\nquorum none\n"
    assert parse_policy(b"#" * (MAX_POLICY_BYTES - len(line)) + line).quorum == 0
    _refused(b"#" * (MAX_POLICY_BYTES - len(line) + 1) + line, "longer")


def test_at_least_32_of_everything() -> None:
    names = [f"W{number}" for number in range(32)]
    policy = _lines(
        " ".join(names),
        *(f"log {log_key(name).text()}" for name in names),
        *(f"group G{name} any {name}" for name in names),
        f"group all-of-them all {' '.join(f'G{name}' for name in names)}",
        "quorum all-of-them",
    )
    assert policy.met_by(_named(" ".join(names)))
    assert not policy.met_by(_named(" ".join(names[1:])))


def _nested(groups: int) -> list[str]:
    chain = [f"group G{n} any {'W' if n == 0 else f'G{n - 1}'}" for n in range(groups)]
    return [*_witness_lines("W"), *chain, f"quorum G{groups - 1}"]


def test_groups_nest_as_deep_as_there_may_be() -> None:
    assert _parse(*_nested(MAX_GROUPS)).met_by(_named("W"))
    with pytest.raises(MalformedError, match=f"more than {MAX_GROUPS} groups"):
        _parse(*_nested(MAX_GROUPS + 1))


def test_a_policy_made_by_hand_makes_sense_too() -> None:
    one, two = witness_key("W1"), witness_key("W2")
    again = VerifierKey("again.example", ED25519, _public("a"))
    with pytest.raises(MalformedError, match="not listed"):
        Policy((one,), Group("G", 1, (one, two)))
    with pytest.raises(MalformedError, match="not listed"):
        Policy((one,), Group("G", 1, (Group("H", 1, (two,)),)))
    twice = VerifierKey("again.example", COSIGNATURE_V1, one.public)
    with pytest.raises(MalformedError, match="two witnesses"):
        Policy((one, twice))
    with pytest.raises(MalformedError, match="two logs"):
        Policy(logs=(log_key("a"), again))
    with pytest.raises(MalformedError, match="does not sign"):
        Policy(logs=(one,))


def _read(data: bytes) -> Policy | str:
    """The policy, or the code with which it was refused."""
    try:
        return parse_policy(data)
    except MalformedError as refusal:
        return refusal.code


@given(st.binary(max_size=200))
def test_any_bytes_are_a_policy_or_refused(data: bytes) -> None:
    assert isinstance(_read(data), Policy) or _read(data) == "policy"


WORDS = ["log", "witness", "group", "quorum", "none", "any", "all", "2", "W1", "W2", "G", LOG, W1]


@given(st.lists(st.lists(st.sampled_from([*WORDS, W2]), min_size=1, max_size=6), max_size=8))
def test_any_words_are_a_policy_or_refused(lines: list[list[str]]) -> None:
    found = _read("".join(f"{' '.join(line)}\n" for line in lines).encode() + b"quorum none\n")
    assert found.met_by(found.witnesses) if isinstance(found, Policy) else found == "policy"


def test_who_is_short_of_a_quorum_is_named() -> None:
    policy = _lines("W1 W2 W3", "group G all W1 W2 W3", "quorum G")
    with pytest.raises(VerificationError, match=r"by no witness, which is short of the quorum G$"):
        policy.cosigners([])
    keys = [witness_key("W1"), witness_key("W2")]
    with pytest.raises(VerificationError, match=r"by witness.example/W1, witness.example/W2, w"):
        policy.cosigners([Signature(key.name, key.key_id, b"") for key in keys])


def test_the_quorum_is_the_group_that_is_named() -> None:
    policy = _lines("W1 W2", "group G all W1 W2", "quorum G")
    assert policy.quorum == Group("G", 2, (witness_key("W1"), witness_key("W2")))
    assert _lines("W1", "quorum W1").quorum == Group("W1", 1, (witness_key("W1"),))


def test_a_name_that_is_no_text_can_be_shown() -> None:
    with pytest.raises(MalformedError) as refusal:
        parse_policy(b"quorum \xff\n")
    assert str(refusal.value).encode().isascii()
    assert "dcff" in str(refusal.value)


MODERN = SubtreeCosigner("witness.example/m", bytes(32)).verifier
OTHER = "other.example/w+0123abcd+" + base64.b64encode(bytes([2]) + b"key").decode()
STRANGE = OtherKey("other.example/w", 2, bytes.fromhex("0123abcd"), b"key")


def test_witnesses_and_logs_may_have_ml_dsa_keys() -> None:
    log = VerifierKey("b.example/log", ML_DSA_44, MODERN.public)
    policy = _lines("W", f"witness M {MODERN.text()} https://m", f"log {log.text()}", "quorum M")
    assert policy.witnesses == (witness_key("W"), MODERN)
    assert policy.logs == (log,)
    assert policy.urls == {MODERN: "https://m"}
    assert policy.met_by([MODERN])
    assert not policy.met_by([witness_key("W")])
    with pytest.raises(VerificationError, match=r"^policy_log\b"):
        policy.check_log([log_key("a")])


def test_a_type_that_is_not_known_never_cosigns() -> None:
    lines = (f"witness O {OTHER} https://o", f"witness M {MODERN.text()}")
    policy = _lines("W", *lines, "group G 2 W M O", "quorum G")
    assert policy.unchecked == (STRANGE,)
    assert set(policy.witnesses) == {witness_key("W"), MODERN}
    assert policy.urls == {}
    assert policy.met_by([witness_key("W"), MODERN])
    assert not policy.met_by([MODERN])
    assert isinstance(policy.quorum, Group)
    assert list(policy.quorum.keys()) == [witness_key("W"), MODERN]
    assert _lines("W", *lines, "quorum none").unchecked == (STRANGE,)


@pytest.mark.parametrize(
    "more", [["quorum O"], ["group G all W O", "quorum G"], ["group G any O", "quorum G"]]
)
def test_a_quorum_that_needs_a_type_that_is_not_known(more: list[str]) -> None:
    with pytest.raises(MalformedError, match=r"^policy_key_type\b.*other\.example/w \(type 2\)"):
        _lines("W", f"witness O {OTHER}", *more)


def test_all_whose_type_is_not_known_are_named() -> None:
    more = "more.example/w+0123abcd+" + base64.b64encode(bytes([3]) + b"more").decode()
    lines = (f"witness O {OTHER}", f"witness P {more}", "group G any O P", "quorum G")
    with pytest.raises(MalformedError, match=r"w \(type 2\), more\.example/w \(type 3\)$"):
        _parse(*lines)


def test_a_log_of_a_type_that_is_not_known_is_another_log() -> None:
    policy = _parse(f"log {OTHER}", "quorum none")
    assert (policy.logs, policy.unchecked_logs) == ((), (STRANGE,))
    with pytest.raises(VerificationError, match=r"^policy_log\b"):
        policy.check_log([log_key("a")])
    both = _parse(f"log {OTHER}", f"log {log_key('a').text()}", "quorum none")
    both.check_log([log_key("a")])


def test_no_two_keys_share_name_and_id() -> None:
    """Found by trying: a note could not say which of the two has signed."""
    twins = [
        VerifierKey("witness.example/w1", COSIGNATURE_V1, _seeded(seed)) for seed in (61601, 94312)
    ]
    assert twins[0].key_id == twins[1].key_id
    for one, other in (twins, reversed(twins)):
        lines = [f"witness A {one.text()}", f"witness B {other.text()}"]
        _refused("".join(f"{line}\n" for line in [*lines, "quorum none"]).encode(), "same name")
        with pytest.raises(MalformedError, match=r"^policy\b"):
            Policy((one, other))
    strange = OtherKey(twins[0].name, 2, twins[0].key_id, b"key")
    with pytest.raises(MalformedError, match=r"^policy\b"):
        Policy((twins[0],), unchecked=(strange,))
    with pytest.raises(MalformedError, match=r"^policy\b"):
        Policy((twins[0],), unchecked_logs=(strange,))
    assert Policy((twins[0],)).witnesses == (twins[0],)


def _seeded(number: int) -> bytes:
    return SignerKey("w", number.to_bytes(32, "big")).verifier.public


def test_no_key_of_a_type_that_is_not_known_stands_twice() -> None:
    again = OTHER.replace("other", "again")
    for first, second in (("witness A", "witness B"), ("log", "log")):
        text = f"{first} {OTHER}\n{second} {again}\nquorum none\n"
        _refused(text.encode(), "earlier line", 2)
    with pytest.raises(MalformedError, match=r"^policy\b"):
        Policy(unchecked=(STRANGE, OtherKey("x", 2, bytes(4), b"key")))
    assert _parse(f"log {OTHER}", f"witness A {OTHER}", "quorum none").unchecked == (STRANGE,)
