"""The page to which every problem's ``type`` points: what each error code means, by subject.

And what to do about it, and who is to do it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

from flask import Blueprint, Response, request

from invoice_service.web.ground.catalogs import N_
from invoice_service.web.ground.page import packed, page

LONGEST: Final = 100  # characters that are sought
WHOM: Final = {
    "customer": N_("Who holds a slip"),
    "merchant": N_("Shops"),
    "program": N_("Who programs"),
    "official": N_("Tax office"),
    "operator": N_("Who runs the service"),
}
"""Who is to do something about a code."""


class Entry(Protocol):
    """What there is to say of a code."""

    @property
    def status(self) -> int: ...
    @property
    def title(self) -> str: ...
    @property
    def title_zh(self) -> str: ...


class Remedy(Protocol):
    """What to do about a code; ``whom`` is one of ``WHOM``."""

    @property
    def whom(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def text_zh(self) -> str: ...


class Subject(Protocol):
    """What some codes are about."""

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def title_zh(self) -> str: ...
    @property
    def codes(self) -> Mapping[str, Entry]: ...


class Shown(NamedTuple):
    """A subject, with those of its codes that were sought."""

    name: str
    title: str
    title_zh: str
    codes: Mapping[str, Entry]


def codes_blueprint(subjects: Sequence[Subject], remedies: Mapping[str, Remedy]) -> Blueprint:
    """``/problems``; ``q`` seeks, ``for`` leaves those of others out."""
    blueprint = Blueprint("codes_page", __name__)

    @blueprint.get("/problems")
    def problems() -> Response:
        sought = request.args.get("q", "")[:LONGEST].strip()
        whom = request.args.get("for", "")
        whom = whom if whom in WHOM else ""
        shown = list(find(subjects, remedies, sought, whom))
        found = sum(len(subject.codes) for subject in shown)
        answer = page(
            "customers/problems.html",
            sought=sought,
            whom=whom,
            people=WHOM,
            subjects=shown,
            remedies=remedies,
            found=found,
        )
        return packed(answer)

    return blueprint


def find(
    subjects: Sequence[Subject], remedies: Mapping[str, Remedy], sought: str, whom: str = ""
) -> Iterator[Shown]:
    """The subjects of which a code, its status or its words hold all words of ``sought``.

    Those that somebody else has to do something about are left out.
    """
    words = sought.casefold().split()
    for subject in subjects:
        about = f"{subject.title} {subject.title_zh}"
        codes = {
            code: entry
            for code, entry in subject.codes.items()
            if (not whom or remedies[code].whom == whom)
            and _holds(f"{code} {_said(entry)} {about} {_done(remedies[code])}", words)
        }
        if codes:
            yield Shown(subject.name, subject.title, subject.title_zh, codes)


def _said(entry: Entry) -> str:
    return f"{entry.status} {entry.title} {entry.title_zh}"


def _done(remedy: Remedy) -> str:
    return f"{remedy.text} {remedy.text_zh}"


def _holds(text: str, words: list[str]) -> bool:
    text = text.casefold()
    return all(word in text for word in words)
