"""Questions that an official keeps under a name."""

from collections.abc import Mapping
from typing import Final, NamedTuple, Protocol

import msgspec

from chain.errors import ConflictError, MalformedError
from invoice_service.domain.text import given_text
from invoice_service.services.reporting.question import ask

MOST: Final = 50  # of one person
LONGEST_NAME: Final = 60  # characters


class View(NamedTuple):
    """A question with its name."""

    id: int
    name: str
    words: dict[str, str]


class ViewStore(Protocol):
    """Where they are kept."""

    def views(self, person_id: int) -> list[tuple[int, str, bytes]]:
        """The person's: (id, name, words as JSON), in order of names."""
        ...

    def add_view(self, person_id: int, name: str, words: bytes, most: int) -> bool:
        """Keep one, in the place of one of that name; False when there are ``most`` already."""
        ...

    def drop_view(self, person_id: int, view_id: int) -> None:
        """Forget one of the person's."""
        ...


class Views:
    """The views of each person, seen by nobody else."""

    def __init__(self, store: ViewStore) -> None:
        self._store = store

    def of(self, person_id: int) -> list[View]:
        """All of a person's."""
        return [
            View(number, name, msgspec.json.decode(words, type=dict[str, str]))
            for number, name, words in self._store.views(person_id)
        ]

    def add(self, person_id: int, name: str, words: Mapping[str, str]) -> None:
        """Keep one. MalformedError ``view_unnamed``, ``text_too_long``, ``control_character``, or
        as ``ask``; ConflictError ``too_many_views``.
        """
        name = given_text(name.strip(), "/name")
        if not name:
            raise MalformedError("view_unnamed", "give it a name", pointer="/name")
        if len(name) > LONGEST_NAME:
            detail = f"a name has at most {LONGEST_NAME} characters"
            raise MalformedError("text_too_long", detail, pointer="/name")
        ask(words)
        if not self._store.add_view(person_id, name, msgspec.json.encode(dict(words)), MOST):
            raise ConflictError("too_many_views", f"there are {MOST}: remove one first")

    def drop(self, person_id: int, view_id: int) -> None:
        """Forget one."""
        self._store.drop_view(person_id, view_id)
