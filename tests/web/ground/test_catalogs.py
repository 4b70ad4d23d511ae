"""The catalogues are whole, and nothing that people read stands outside of them."""

import ast
import re
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from jinja2 import Environment, nodes

from invoice_service.web.ground.catalogs import FOLDER, of_scripts, read, translations
from invoice_service.web.ground.language import LANGUAGES
from scripts import words

CHINESE = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
FILES = [(language, name) for language in words.LANGUAGES for name in words.sources()]
TEMPLATES = sorted((words.WEB / "templates").rglob("*.html"))
CODE = sorted(words.WEB.rglob("*.py"))
MADE = {words.STATIC / name for name in words.MODULES}
SCRIPTS = [
    p for p in sorted(words.STATIC.rglob("*.js")) if "vendor" not in p.parts and p not in MADE
]
NAMES = {language.name for language in LANGUAGES.values()}
"""What languages call themselves: the same in all."""


def messages() -> Iterator[tuple[str, Message]]:
    """(file, message) of all catalogues."""
    for file in sorted(FOLDER.rglob("*.po")):
        for message in read(file):
            if message.id:
                yield f"{file.parent.name}/{file.name}", message


def forms(text: str | Sequence[str] | None) -> list[str]:
    """A sentence, or its singular and plural."""
    return [text] if isinstance(text, str) else list(text or ())


@pytest.mark.parametrize(("language", "name"), FILES)
def test_a_catalogue_has_what_its_room_says_and_nothing_else(language: str, name: str) -> None:
    catalog = words.renewed(language, name, words.sources()[name])
    file = FOLDER / language / f"{name}.po"
    fresh = words.written(catalog) if len(catalog) else b""
    kept = file.read_bytes() if file.is_file() else b""
    assert kept == fresh, "renew it: python -m scripts.words"
    assert words.missing(catalog) == []


def test_no_file_is_of_a_room_that_is_gone() -> None:
    known = {(language, f"{name}.po") for language, name in FILES}
    assert {(file.parent.name, file.name) for file in FOLDER.rglob("*.po")} <= known


@pytest.mark.parametrize("name", words.MODULES)
def test_a_script_of_sentences_has_what_the_catalogues_say(name: str) -> None:
    kept = (words.STATIC / name).read_text("utf-8")
    assert kept == words.module(*words.MODULES[name]), "renew it: python -m scripts.words"


def test_a_translation_has_the_values_and_the_marks_of_its_sentence() -> None:
    for file, message in messages():
        for part in (r"%\(\w+\)[sd]", r"</?\w+[^>]*>"):
            wanted = {*re.findall(part, " ".join(forms(message.id)))}
            for said in forms(message.string):
                assert {*re.findall(part, said)} == wanted, (file, message.id)


def test_english_is_english_and_chinese_is_chinese() -> None:
    for file, message in messages():
        assert not message.fuzzy, (file, message.id)
        assert not CHINESE.search("".join(forms(message.id))), message.id
        assert CHINESE.search("".join(forms(message.string))), (file, message.id)


def test_a_sentence_is_said_alike_in_all_rooms() -> None:
    said: dict[object, object] = {}
    for file, message in messages():
        known = said.setdefault((message.id, message.context), message.string)
        assert known == message.string, (file, message.id)


def test_what_a_problem_says_is_taken_in_the_readers_language_at_one_place() -> None:
    taking = [path.name for path in SCRIPTS if "title_zh" in path.read_text("utf-8")]
    assert taking == ["words.js"]


def test_all_files_are_one_catalogue_and_scripts_have_theirs() -> None:
    chinese = translations("zh")
    for _, message in messages():
        if isinstance(message.id, str) and not message.context:
            assert chinese.gettext(message.id) == message.string
    assert (
        chinese.ngettext("%(num)d code found.", "%(num)d codes found.", 2)
        == "找到 %(num)d 个代码。"
    )
    assert of_scripts("zh", "verify")["%(num)s day ago"] == "%(num)s 天前"
    assert of_scripts("zh", "nothing") == {}
    assert translations("en").gettext("Check") == "Check"


class Texts(HTMLParser):
    """What a person would read in a page, and see or hear of its parts."""

    READ = ("alt", "aria-label", "placeholder", "title", "content")
    SILENT = ("code", "script", "style")

    def __init__(self, source: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside.append(tag)
        if tag != "meta":
            self.found += [value for name, value in attrs if name in self.READ and value]

    def handle_endtag(self, tag: str) -> None:
        while self._inside and self._inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not set(self._inside) & set(self.SILENT):
            self.found.append(data)


def texts_outside(template: str) -> list[str]:
    """The words of a template that come from no catalogue; addresses are no words."""
    page = re.sub(r"{#.*?#}|{%.*?%}|{{.*?}}", " ", template, flags=re.DOTALL)
    read = " ".join(Texts(page).found).split()
    return [word for word in read if re.search(r"[^\W\d_]", word) and "/" not in word]


def constants_outside(template: str) -> list[str]:
    """The texts in a template's expressions that are given to nothing that translates them."""
    tree = Environment(autoescape=True, extensions=["jinja2.ext.i18n"]).parse(template)
    told = {"_", "gettext", "ngettext", "in_other"}
    known = {
        id(constant)
        for call in tree.find_all(nodes.Call)
        if isinstance(call.node, nodes.Name) and call.node.name in told
        for constant in call.find_all(nodes.Const)
    }
    return [
        constant.value
        for constant in tree.find_all(nodes.Const)
        if isinstance(constant.value, str)
        and id(constant) not in known
        and (CHINESE.search(constant.value) or re.search(r"[a-z] [a-z]", constant.value))
        and "<" not in constant.value
    ]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_text_stands_in_a_template(path: Path) -> None:
    source = path.read_text("utf-8")
    assert texts_outside(source) == []
    assert constants_outside(source) == []


def test_a_text_in_a_template_would_be_found() -> None:
    assert texts_outside('<p>{{ _("Hello") }} there</p>') == ["there"]
    assert texts_outside('<img alt="电子发票">') == ["电子发票"]
    assert texts_outside("<code>pip install</code> <a>/log/key</a> 12 / 3") == []
    assert constants_outside('{{ "two words" }}{{ _("two words") }}') == ["two words"]


@pytest.mark.parametrize("path", CODE, ids=lambda path: path.name)
def test_no_chinese_stands_in_the_code_of_pages(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    found = [text for text in texts if isinstance(text, str) and CHINESE.search(text)]
    assert not set(found) - NAMES


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_no_chinese_stands_in_a_script(path: Path) -> None:
    assert not CHINESE.search(path.read_text("utf-8"))
