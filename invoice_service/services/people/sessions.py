"""Who is signed in, and where: sessions that live on the server, known by a random text.

The browser's cookie has the text, the database its digest: who reads the database can sign in as
nobody. A session ends when it was idle too long, when it is too old, when its person signs out
(here or everywhere), or when the person's rights change; the next request finds it gone.
"""

from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Final, Literal, NamedTuple, Protocol

import msgspec

from chain.hashing import Digest, sha256
from invoice_service.domain.acts import By
from invoice_service.services.people.person import MERCHANTS, Person
from invoice_service.services.people.roles import Power, has_power

TOKEN_BYTES: Final = 32
HALF_SECONDS: Final = 600
"""How long a second factor may take."""

NOTED_EVERY: Final = 60  # seconds between two notes that a session is in use
MOST: Final = 20
"""Sessions of one person; with one more, the oldest ends."""

LONGEST_AGENT: Final = 200  # characters

Level = Literal["half", "full", "strong"]
"""``half``: the second factor is missing; ``strong``: there was one."""


class Visit(NamedTuple):
    """Where somebody signs in from."""

    origin: str
    agent: str

    def by(self, person_id: int, at: int) -> By:
        """The person, as the trail has it."""
        return By(f"person:{person_id}", at, self.origin)


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One browser in which a person is signed in; times in unix seconds.

    ``cashier_id`` is who works at this till now, where somebody else has taken it over by PIN.
    """

    id: int
    person_id: int
    level: Level
    created_at: int
    seen_at: int
    origin: str
    agent: str
    cashier_id: int | None = None
    till: str = ""
    """Which till this browser is, by name; "" for none."""


class Visitor(NamedTuple):
    """Who makes a request: a session, its person, and whoever works at the till."""

    session: Session
    person: Person
    cashier: Person | None

    @property
    def working(self) -> Person:
        """Who works here now: whoever has taken the till over, else who signed in."""
        return self.cashier or self.person

    def may(self, *roles: str) -> bool:
        """Whether both have one of these roles: who signed in, and who works here now."""
        return {self.person.role, self.working.role} <= {*roles}

    def has(self, power: Power) -> bool:
        """Whether this is an official with that power."""
        return has_power(self.person.role, power)

    @property
    def whole(self) -> bool:
        """Whether all was shown that must be shown."""
        return self.session.level != "half"


class Lifetimes(NamedTuple):
    """Seconds for which a session lives: unused, and at all; of a merchant's and of officials.

    At a till a merchant's lives for a working day, ``till``; ``absolute`` is for all else there.
    """

    idle: int
    absolute: int
    official_idle: int
    official_absolute: int
    till: int

    def is_over(self, person: Person, session: Session, now: int) -> bool:
        """Whether the session has ended by time."""
        if session.level == "half":
            return now - session.created_at >= HALF_SECONDS
        ours = person.role in MERCHANTS
        idle = self.idle if ours else self.official_idle
        absolute = max(self.absolute, self.till) if ours else self.official_absolute
        return now - session.seen_at >= idle or now - session.created_at >= absolute

    def sells_only(self, person: Person, session: Session, now: int) -> bool:
        """Whether the session is good for the till alone, and for all else one signs in anew."""
        return person.role in MERCHANTS and now - session.created_at >= self.absolute


class SessionStore(Protocol):
    """Where sessions are kept. Signing in and out writes its act with it, or neither."""

    def open_session(
        self,
        digest: Digest,
        session: Session,
        before: Digest | None,
        by: By,
        how: str,
        person: Person,
    ) -> None:
        """Begin a session (its id does not count), in the place of the one ``before``, if any: of
        the same person, it is the same till.

        RefusedError ``sign_in_refused`` where what lets ``person`` in is not as it was seen any
        more: whoever changed a password or a factor has ended all sessions, this one, too.
        """
        ...

    def renew_session(self, session_id: int, digest: Digest, level: Level) -> None:
        """Give a session another text, and end all others of its person."""
        ...

    def visitor(self, digest: Digest) -> Visitor | None:
        """Whose session this is; None also where the person was removed."""
        ...

    def note_seen(self, session_id: int, at: int) -> None:
        """It is in use."""
        ...

    def sessions(self, person_id: int) -> list[Session]:
        """All of a person's, and the tills that the person has taken over; the newest first."""
        ...

    def end_session(self, session_id: int, person_id: int, by: By) -> bool:
        """End one of those of ``sessions``; False when there is no such."""
        ...

    def end_sessions(self, person_id: int, by: By) -> int:
        """End all of those of ``sessions``; how many there were."""
        ...

    def forget_sessions(self, before: int) -> None:
        """Drop those that nobody has used since."""
        ...

    def set_cashier(self, session_id: int, person_id: int | None, by: By) -> None:
        """Somebody else works at this till now."""
        ...


class Sessions:
    """The sessions of an instance."""

    def __init__(
        self,
        store: SessionStore,
        lifetimes: Lifetimes,
        clock: Callable[[], int],
        randbytes: Callable[[int], bytes],
    ) -> None:
        self.store = store
        self.lifetimes = lifetimes
        self.clock = clock
        self._randbytes = randbytes

    def random(self, count: int) -> bytes:
        """So many bytes that nobody can guess."""
        return self._randbytes(count)

    def open(self, person: Person, level: Level, visit: Visit, how: str, old: str = "") -> str:
        """Sign a person in, always under a fresh text, which is returned; ``old`` ends.

        RefusedError as ``open_session``, by the person as they were when they showed who they are.
        """
        now, token = self.clock(), self._new()
        session = Session(
            id=0,
            person_id=person.id,
            level=level,
            created_at=now,
            seen_at=now,
            origin=visit.origin,
            agent=visit.agent[:LONGEST_AGENT],
        )
        before = token_digest(old) if old else None
        self.store.forget_sessions(now - max(self.lifetimes))
        by = visit.by(person.id, now)
        self.store.open_session(token_digest(token), session, before, by, how, person)
        return token

    def visitor(self, token: str) -> Visitor | None:
        """Who sends this text now; None for nobody."""
        found = self.still(token)
        now = self.clock()
        if found is not None and now - found.session.seen_at >= NOTED_EVERY:
            self.store.note_seen(found.session.id, now)
        return found

    def still(self, token: str) -> Visitor | None:
        """Whose text this is, without counting as a use: who only listens, may be away."""
        found = self.store.visitor(token_digest(token)) if token else None
        if found is None or self.lifetimes.is_over(found.person, found.session, self.clock()):
            return None
        return found

    def sells_only(self, visitor: Visitor) -> bool:
        """Whether this session is good for the till alone by now."""
        return self.lifetimes.sells_only(visitor.person, visitor.session, self.clock())

    def renew(self, visitor: Visitor, level: Level | None = None) -> str:
        """Another text for the session, whose rights have changed; all others end."""
        token = self._new()
        wanted = level or visitor.session.level
        self.store.renew_session(visitor.session.id, token_digest(token), wanted)
        return token

    def shown(self, person: Person) -> list[Session]:
        """Where a person is signed in now, and where the person works at another's till."""
        now = self.clock()
        return [
            one
            for one in self.store.sessions(person.id)
            if not self.lifetimes.is_over(person, one, now)
        ]

    def _new(self) -> str:
        return new_token(self._randbytes)


def new_token(randbytes: Callable[[int], bytes]) -> str:
    """A fresh secret text of 256 bits; ``randbytes`` must be fit for secrets."""
    return urlsafe_b64encode(randbytes(TOKEN_BYTES)).decode().rstrip("=")


def token_digest(token: str) -> Digest:
    """What is kept of a secret text; it is random enough for a quick digest."""
    return sha256(b"fapiao/v1/token\n" + token.encode("utf-8", "surrogatepass"))


def form_token(token: str) -> str:
    """What a form of this session has to bring: who has not the cookie cannot know it."""
    return sha256(b"fapiao/v1/form\n" + token.encode("utf-8", "surrogatepass")).hex()
