"""The catalogues: what each English sentence of our pages and scripts is in another language.

English is the key of every catalogue, so it needs none. A catalogue is some ``.po`` files, one for
each room of pages (``scripts.words`` renews them), read as they are: nothing has to be compiled.
"""

from collections.abc import Sequence
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

FOLDER: Final = Path(__file__).resolve().parents[1] / "catalogs"
SCRIPTS: Final = "scripts-"
"""How the name of a file begins that holds the sentences of scripts."""


def N_(text: str) -> str:  # noqa: N802 # the name that gettext's tools look for
    """``text`` itself, which stands in the catalogues; whoever shows it has it translated."""
    return text


@cache
def translations(language: str) -> NullTranslations:
    """All that is said in that language."""
    if not (FOLDER / language).is_dir():
        return NullTranslations()
    whole = Catalog(locale=language)
    for file in sorted((FOLDER / language).glob("*.po")):
        for message in read(file):
            if message.id:
                whole.add(message.id, message.string, context=message.context)
    compiled = BytesIO()
    write_mo(compiled, whole)
    compiled.seek(0)
    return Translations(compiled)


@cache
def of_scripts(language: str, room: str) -> dict[str, str]:
    """What the scripts of one folder below ``static/`` say: English, and that language.

    Of a sentence about a number, the singular is the key; that language has one form.
    """
    file = FOLDER / language / f"{SCRIPTS}{room}.po"
    if not file.is_file():
        return {}
    return {_first(message.id): _first(message.string) for message in read(file) if message.id}


def _first(text: str | Sequence[str] | None) -> str:
    return text if isinstance(text, str) else (text or ("",))[0]


def read(file: Path) -> Catalog:
    """One file of a catalogue."""
    with file.open("rb") as stream:
        return read_po(stream, locale=file.parent.name)
