"""The page to which every problem's ``type`` points: what each error code means, by subject."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

from flask import Blueprint, Response, request

from invoice_service.web.ground.page import page

LONGEST: Final = 100  # characters that are sought


class Entry(Protocol):
    """What there is to say of a code."""

    @property
    def status(self) -> int: ...
    @property
    def title(self) -> str: ...
    @property
    def title_zh(self) -> str: ...


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


def codes_blueprint(subjects: Sequence[Subject]) -> Blueprint:
    """``/problems``; ``q`` seeks."""
    blueprint = Blueprint("codes_page", __name__)

    @blueprint.get("/problems")
    def problems() -> Response:
        sought = request.args.get("q", "")[:LONGEST].strip()
        shown = list(find(subjects, sought))
        found = sum(len(subject.codes) for subject in shown)
        return page("customers/problems.html", sought=sought, subjects=shown, found=found)

    return blueprint


def find(subjects: Sequence[Subject], sought: str) -> Iterator[Shown]:
    """The subjects of which a code, its status or its words hold all words of ``sought``."""
    words = sought.casefold().split()
    for subject in subjects:
        about = f"{subject.title} {subject.title_zh}"
        codes = {
            code: entry
            for code, entry in subject.codes.items()
            if _holds(f"{code} {entry.status} {entry.title} {entry.title_zh} {about}", words)
        }
        if codes:
            yield Shown(subject.name, subject.title, subject.title_zh, codes)


def _holds(text: str, words: list[str]) -> bool:
    text = text.casefold()
    return all(word in text for word in words)
