"""What is demanded beside the log's own signature: C2SP tlog-policy.

A policy names logs, witnesses and a quorum. Whoever checks a proof, asks witnesses or is one
reads the same file, and each takes from it what it needs.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from chain.errors import MalformedError, VerificationError
from chain.signing.note import (
    COSIGNATURE_V1,
    ED25519,
    ML_DSA_44,
    OtherKey,
    Signature,
    VerifierKey,
    parse_any_key,
)

MAX_POLICY_BYTES: Final = 1 << 20
MAX_GROUPS: Final = 256
"""More than the 32 that every reader must allow, and few enough to nest without harm."""

NONE: Final = "none"
"""The name of the quorum that asks for nobody; no witness and no group can have it."""

LOG_KINDS: Final = frozenset((ED25519, ML_DSA_44))
WITNESS_KINDS: Final = frozenset((COSIGNATURE_V1, ML_DSA_44))

_BLANKS: Final = re.compile(r"[ \t]+")
_COUNT: Final = re.compile(r"[1-9][0-9]{0,8}")
_REFUSED_BYTES: Final = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Group:
    """Has witnessed a checkpoint when at least ``threshold`` of its ``members`` have."""

    name: str
    threshold: int
    members: "tuple[Member, ...]"

    def met_by(self, cosigned: Collection[VerifierKey]) -> bool:
        """Tell whether the witnesses that ``cosigned`` are enough for this group."""
        return self.threshold <= sum(
            member.met_by(cosigned) if isinstance(member, Group) else member in cosigned
            for member in self.members
        )

    def keys(self) -> Iterator[VerifierKey]:
        """The keys of all witnesses in this group and the groups within."""
        for member in self.members:
            if isinstance(member, Group):
                yield from member.keys()
            elif isinstance(member, VerifierKey):
                yield member


AnyKey: TypeAlias = VerifierKey | OtherKey
Member: TypeAlias = AnyKey | Group


@dataclass(frozen=True, slots=True)
class Policy:
    """The ``quorum`` of ``witnesses`` must have cosigned a checkpoint.

    A number is any so many of all the witnesses. ``logs`` are the keys of the logs that are
    spoken of, and ``urls`` say where a log or a witness is reached, if known. ``unchecked`` are
    the keys of witnesses, ``unchecked_logs`` those of logs, of types that are not known here:
    they are never met, and the quorum can be had without them.
    """

    witnesses: tuple[VerifierKey, ...] = ()
    quorum: int | Group = 0
    logs: tuple[VerifierKey, ...] = ()
    urls: Mapping[VerifierKey, str] = field(default_factory=dict)
    unchecked: tuple[OtherKey, ...] = ()
    unchecked_logs: tuple[OtherKey, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a policy that cannot be met, or whose keys cannot be told apart.

        MalformedError ``policy``; ``policy_key_type`` where the quorum needs keys of types
        that are not known here.
        """
        if any(key.kind not in WITNESS_KINDS for key in self.witnesses):
            raise _refused("a witness signs with a cosignature key")
        if any(key.kind not in LOG_KINDS for key in self.logs):
            raise _refused("a log does not sign with a witness's key")
        self._check_apart()
        if isinstance(self.quorum, Group):
            if not set(self.quorum.keys()) <= set(self.witnesses):
                raise _refused("the quorum counts a witness that is not listed")
            if not self.met_by(self.witnesses):
                raise self._needs_unchecked()
        elif not 0 <= self.quorum <= len(self.witnesses):
            raise _refused("the quorum is from none to all of the witnesses")

    def met_by(self, cosigned: Collection[VerifierKey]) -> bool:
        """Tell whether the witnesses that ``cosigned`` make the quorum."""
        return self._demanded().met_by(cosigned)

    def cosigners(self, signatures: Sequence[Signature]) -> tuple[str, ...]:
        """Names of the witnesses among checked ``signatures``, each once.

        VerificationError ``quorum``.
        """
        signed = {(signature.name, signature.key_id) for signature in signatures}
        cosigned = [key for key in self.witnesses if (key.name, key.key_id) in signed]
        if not self.met_by(cosigned):
            raise VerificationError("quorum", self._lacking(cosigned))
        return _names(cosigned)

    def check_log(self, keys: Collection[VerifierKey]) -> None:
        """Check that it speaks of the log of these ``keys``; one without logs speaks of any.

        VerificationError ``policy_log``.
        """
        if (self.logs or self.unchecked_logs) and set(self.logs).isdisjoint(keys):
            raise VerificationError("policy_log", "the policy is for other logs than this key's")

    def _check_apart(self) -> None:
        """A note's signatures name keys by name and id: no two keys may share both."""
        witnesses: tuple[AnyKey, ...] = (*self.witnesses, *self.unchecked)
        logs: tuple[AnyKey, ...] = (*self.logs, *self.unchecked_logs)
        for keys, what in ((witnesses, "witnesses"), (logs, "logs")):
            if len({key.public for key in keys}) != len(keys):
                raise _refused(f"one key stands for two {what}")
        every = {(key.kind, key.public): (key.name, key.key_id) for key in (*witnesses, *logs)}
        if len(set(every.values())) != len(every):
            raise _refused("two different keys have the same name and id")

    def _needs_unchecked(self) -> MalformedError:
        names = ", ".join(f"{key.name} (type {key.kind})" for key in self.unchecked)
        why = f"its quorum needs witnesses whose type of key is not known here: {names}"
        return MalformedError("policy_key_type", why)

    def _demanded(self) -> Group:
        if isinstance(self.quorum, Group):
            return self.quorum
        return Group("", self.quorum, self.witnesses)

    def _lacking(self, cosigned: Sequence[VerifierKey]) -> str:
        if isinstance(self.quorum, Group):
            who = ", ".join(_names(cosigned)) or "no witness"
            return f"cosigned by {who}, which is short of the quorum {_shown(self.quorum.name)}"
        return f"{len(cosigned)} of the {self.quorum} witnesses needed have cosigned"


def _names(keys: Sequence[VerifierKey]) -> tuple[str, ...]:
    """Each name once: a witness may have keys of several types."""
    return tuple(dict.fromkeys(key.name for key in keys))


NO_WITNESSES: Final = Policy()
"""The log's signature is enough."""


def parse_policy(data: bytes) -> Policy:
    """Read a tlog-policy file.

    Raises MalformedError ``policy``, with the ``line`` where there is one; ``policy_key_type``.
    """
    reader = _Reader()
    for number, line in enumerate(_lines(data), start=1):
        items = [item for item in _BLANKS.split(line) if item]
        if not items or items[0].startswith("#"):
            continue
        try:
            reader.read(items)
        except MalformedError as error:
            raise MalformedError("policy", f"line {number}: {error.detail}", line=number) from error
    return reader.policy()


def _lines(data: bytes) -> list[str]:
    if len(data) > MAX_POLICY_BYTES:
        raise _refused(f"it is longer than {MAX_POLICY_BYTES} bytes")
    if _REFUSED_BYTES.search(data):
        raise _refused("it has a control character other than tab and line feed")
    if data and not data.endswith(b"\n"):
        raise _refused("its last line does not end in a line feed: was it cut off?")
    # Names are opaque bytes to the specification; this decoding keeps different ones apart.
    return data.decode("utf-8", "surrogateescape").split("\n")


class _Keys:
    """The keys of the logs, or of the witnesses, that a policy lists."""

    def __init__(self, kinds: Collection[int]) -> None:
        self.known: list[VerifierKey] = []
        self.others: list[OtherKey] = []
        self.urls: dict[VerifierKey, str] = {}
        self._kinds = kinds
        self._seen: set[bytes] = set()

    def add(self, text: str, url: list[str]) -> AnyKey:
        """Take the key of one line, and where it is reached."""
        key = parse_any_key(text)
        if key.public in self._seen:
            raise _refused("this key has stood on an earlier line")
        self._seen.add(key.public)
        if isinstance(key, OtherKey):
            self.others.append(key)
            return key
        if key.kind not in self._kinds:
            raise _refused("this is the wrong type of key: logs have type 1 or 6, witnesses 4 or 6")
        self.known.append(key)
        if url:
            self.urls[key] = url[0]
        return key


class _Reader:
    """Takes a policy's lines in order; names must have been defined on earlier ones."""

    def __init__(self) -> None:
        self._logs = _Keys(LOG_KINDS)
        self._witnesses = _Keys(WITNESS_KINDS)
        self._defined: dict[str, Member] = {}
        self._placed: set[str] = set()
        self._quorum: Group | int | None = None
        self._groups = 0

    def read(self, items: list[str]) -> None:
        """Take one line, split at its blanks."""
        match items:
            case ["log", key, *url] if len(url) < 2:
                self._logs.add(key, url)
            case ["witness", name, key, *url] if len(url) < 2:
                self._define(name, self._witnesses.add(key, url))
            case ["group", name, threshold, *members] if members:
                self._define(name, self._group(name, threshold, members))
            case ["quorum", name]:
                self._set_quorum(name)
            case _:
                raise _refused("this is not a line for a log, a witness, a group or the quorum")

    def policy(self) -> Policy:
        """What the lines say together."""
        if self._quorum is None:
            raise _refused("there is no quorum line")
        return Policy(
            tuple(self._witnesses.known),
            self._quorum,
            tuple(self._logs.known),
            {**self._logs.urls, **self._witnesses.urls},
            tuple(self._witnesses.others),
            tuple(self._logs.others),
        )

    def _define(self, name: str, member: Member) -> None:
        if name == NONE or name in self._defined:
            raise _refused(f"the name {_shown(name)} is taken")
        self._defined[name] = member

    def _group(self, name: str, threshold: str, members: list[str]) -> Group:
        self._groups += 1
        if self._groups > MAX_GROUPS:
            raise _refused(f"there are more than {MAX_GROUPS} groups")
        count = {"any": "1", "all": str(len(members))}.get(threshold, threshold)
        if not _COUNT.fullmatch(count) or int(count) > len(members):
            raise _refused("a group asks for any, all, or from 1 to all of its members")
        return Group(name, int(count), tuple(map(self._member, members)))

    def _member(self, name: str) -> Member:
        """A witness or a group that no group has yet: each counts in one way only."""
        member = self._named(name)
        if name in self._placed:
            raise _refused(f"{_shown(name)} is a member of a group already")
        self._placed.add(name)
        return member

    def _set_quorum(self, name: str) -> None:
        if self._quorum is not None:
            raise _refused("there is a quorum line already")
        if name == NONE:
            self._quorum = 0
            return
        member = self._named(name)
        self._quorum = member if isinstance(member, Group) else Group(name, 1, (member,))

    def _named(self, name: str) -> Member:
        if name not in self._defined:
            raise _refused(f"no earlier line defines {_shown(name)}")
        return self._defined[name]


def _shown(name: str) -> str:
    """The name for a person to read, whatever bytes it came from."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def _refused(why: str) -> MalformedError:
    return MalformedError("policy", why)
