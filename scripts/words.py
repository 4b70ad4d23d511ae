"""Renew the catalogues from what pages and their scripts say: ``python -m scripts.words``.

Each room of pages has a file, and so has each folder of scripts. What is new gets an empty
translation, for people to fill in; what is gone goes. Where a page's own words are not to be
believed, a script of ours has the translations (``MODULES``). With ``--check`` nothing is written:
the exit status is 1 if a file is not as it would be, or lacks a translation.
"""

import json
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_file
from babel.messages.pofile import write_po

from invoice_service.web.ground.catalogs import FOLDER, SCRIPTS, of_scripts, read

ROOT: Final = Path(__file__).resolve().parents[1]
WEB: Final = ROOT / "invoice_service" / "web"
STATIC: Final = ROOT / "static"
LANGUAGES: Final = ("zh",)
MODULES: Final = {"scan/chinese.js": ("zh", ("scan", "verify"))}
"""Scripts that are made: of which language, and of which folders' sentences."""
GROUND: Final = "ground"
"""The room that has the templates which all others share."""

WIDTH: Final = 110
KEYWORDS: Final = {**DEFAULT_KEYWORDS, "lazy_gettext": None, "lazy_ngettext": (1, 2)}
METHODS: Final = {".py": "python", ".html": "jinja2", ".js": "javascript"}


def sources() -> dict[str, list[Path]]:
    """The files whose sentences a file of the catalogues has, by its name."""
    found: dict[str, list[Path]] = {}
    for room in sorted(path.parent for path in WEB.glob("*/__init__.py")):
        templates = [*(WEB / "templates" / room.name).rglob("*.html")]
        shared = [*(WEB / "templates").glob("*.html")] if room.name == GROUND else []
        found[room.name] = sorted([*room.rglob("*.py"), *templates, *shared])
    for folder in sorted(path for path in STATIC.iterdir() if path.is_dir()):
        if folder.name != "vendor":
            found[f"{SCRIPTS}{folder.name}"] = sorted(folder.rglob("*.js"))
    return found


def said(files: list[Path]) -> Iterator[tuple[str | tuple[str, ...], str | None]]:
    """(sentence, or singular and plural; context) of everything that these files say."""
    for file in files:
        method, options = METHODS[file.suffix], {"silent": "false"}
        for _, text, _, context in extract_from_file(method, str(file), KEYWORDS, options=options):
            yield text, context


def renewed(language: str, name: str, files: list[Path]) -> Catalog:
    """The file of that name as it has to be, with the translations that it has."""
    file = FOLDER / language / f"{name}.po"
    before = read(file) if file.is_file() else Catalog(locale=language)
    catalog = Catalog(locale=language)
    for text, context in said(files):
        known = before.get(text if isinstance(text, str) else text[0], context)
        catalog.add(text, known.string if known is not None else None, context=context)
    return catalog


def written(catalog: Catalog) -> bytes:
    """A file's bytes: sorted, without places, so that two people's additions rarely meet."""
    file = BytesIO()
    write_po(file, catalog, WIDTH, no_location=True, omit_header=True, sort_output=True)
    return file.getvalue()


def missing(catalog: Catalog) -> list[str]:
    """The sentences without a translation."""
    return [
        str(message.id)
        for message in catalog
        if message.id and not (message.string and all(message.string))
    ]


def module(language: str, folders: tuple[str, ...]) -> str:
    """A script with what these folders' scripts say."""
    of_scripts.cache_clear()
    said = {text: told for one in folders for text, told in of_scripts(language, one).items()}
    lines = json.dumps(dict(sorted(said.items())), ensure_ascii=False, indent=2)
    note = (
        "/** Made by scripts.words: what these scripts say, apart from what a page brings along. */"
    )
    return f"{note}\nexport const CHINESE = {lines};\n"


def main() -> int:
    """Renew all, or look."""
    check, status = "--check" in sys.argv[1:], 0
    for language in LANGUAGES:
        for name, files in sources().items():
            catalog = renewed(language, name, files)
            file = FOLDER / language / f"{name}.po"
            fresh = written(catalog) if len(catalog) else b""
            if fresh != (file.read_bytes() if file.is_file() else b""):
                status = 1
                print(file.relative_to(ROOT), "is not as it should be" if check else "renewed")
                if not check:
                    _keep(file, fresh)
            for text in missing(catalog):
                status = 1
                print(f"{file.relative_to(ROOT)} lacks: {text}")
    for name, of in MODULES.items():
        script = STATIC / name
        if (script.read_text("utf-8") if script.is_file() else "") != module(*of):
            status = 1
            print(script.relative_to(ROOT), "is not as it should be" if check else "renewed")
            if not check:
                script.write_text(module(*of), "utf-8")
    return status if check else 0


def _keep(file: Path, fresh: bytes) -> None:
    if fresh:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(fresh)
    else:
        file.unlink()


if __name__ == "__main__":
    sys.exit(main())
