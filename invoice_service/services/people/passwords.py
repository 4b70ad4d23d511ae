"""Passwords and PINs: argon2id, bounded in memory and in how many are worked on at once."""

import re
from functools import cache
from importlib.resources import files
from secrets import token_urlsafe
from threading import BoundedSemaphore
from typing import Final
from unicodedata import normalize

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from chain.errors import MalformedError, UnavailableError

SHORTEST: Final = 12
LONGEST: Final = 128
PIN: Final = re.compile(r"[0-9]{6,8}", re.ASCII)
_RUN: Final = "01234567890 abcdefghijklmnopqrstuvwxyz qwertyuiop asdfghjkl zxcvbnm"
_FEWEST_SIGNS: Final = 5
_MOST_READ: Final = 1_000
"""Characters of a password that is tried: more than may be chosen, so that none is ever cut."""
_COMMON: Final = files("invoice_service") / "data" / "common_passwords.txt"

AT_ONCE: Final = 2
WAIT: Final = 2.0  # seconds

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
"""19 MiB and two passes: 30 ms, the least that OWASP's cheat sheet on password storage takes."""

_turns = BoundedSemaphore(AT_ONCE)


def make_hash(text: str) -> str:
    """What is kept of a password or PIN; UnavailableError ``too_busy``.

    Keyboards spell the same characters in several ways: one is kept (NFKC), and compared.
    """
    with _Turn():
        return _hasher.hash(normalize("NFKC", text))


def matches(kept: str | None, text: str) -> bool:
    """Whether ``text`` is what was kept; the same work where nothing was.

    UnavailableError ``too_busy``.
    """
    with _Turn():
        nobodys = _nobodys()  # whoever asks first of a process has it made, for whatever name
        try:
            said = normalize("NFKC", text) if len(text) <= _MOST_READ else ""
            return _hasher.verify(kept or nobodys, said) and kept is not None
        except (VerificationError, InvalidHashError):
            return False


def is_outdated(kept: str) -> bool:
    """Whether it was made at another cost than is asked for now."""
    return _hasher.check_needs_rehash(kept)


def check_password(text: str, *names: str) -> str:
    """A password that may be chosen; MalformedError ``password_weak`` says what is wrong.

    Length is what counts (NIST SP 800-63B); refused is what a guesser tries first.
    """
    if len(" ".join(text.split())) < SHORTEST or len(text) > LONGEST:
        raise _weak(f"a password has {SHORTEST} to {LONGEST} characters")
    plain = text.casefold()
    if len(set(plain)) < _FEWEST_SIGNS:
        raise _weak(f"use at least {_FEWEST_SIGNS} different characters")
    if plain in _RUN or plain[::-1] in _RUN:
        raise _weak("this is a row of keys: choose several words")
    if any(len(name) > 2 and plain.replace(name.casefold(), "") == "" for name in names):
        raise _weak("a name is no password")
    if plain in _common():
        raise _weak("this is one of the passwords that are known to be used most")
    return text


@cache
def _common() -> frozenset[str]:
    """Those of lists of leaked passwords that are long enough to be chosen here."""
    return frozenset(_COMMON.read_text(encoding="utf-8").split())


def check_pin(text: str) -> str:
    """A PIN that may be chosen: 6 to 8 digits, no row; MalformedError ``pin_invalid``."""
    text = normalize("NFKC", text[:LONGEST])
    if not PIN.fullmatch(text) or len(set(text)) < 3 or text in _RUN or text[::-1] in _RUN:
        raise MalformedError(
            "pin_invalid", "6 to 8 digits, at least three different ones, no row", pointer="/pin"
        )
    return text


def is_as_a_pin(text: str) -> bool:
    """Whether it could be a PIN; no password could be one, which are longer."""
    return PIN.fullmatch(normalize("NFKC", text[:LONGEST])) is not None


class _Turn:
    """One of those who compute now."""

    def __enter__(self) -> None:
        if not _turns.acquire(timeout=WAIT):
            raise UnavailableError("too_busy", "many sign in at once; try again in a moment")

    def __exit__(self, *_: object) -> None:
        _turns.release()


@cache
def _nobodys() -> str:
    """A hash that no text has: whoever asks for nobody's costs as much as for somebody's."""
    return _hasher.hash(token_urlsafe())


def _weak(detail: str) -> MalformedError:
    return MalformedError("password_weak", detail, pointer="/password")
