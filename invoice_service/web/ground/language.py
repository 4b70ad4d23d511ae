"""In which language a page speaks: as was chosen here before, else as the browser prefers."""

import re
from functools import cached_property
from typing import Any, Final, NamedTuple

from babel.support import NullTranslations
from flask import Blueprint, Flask, current_app, redirect, request
from flask_babel import Babel, Domain, get_locale
from werkzeug import Response

from chain.errors import MalformedError, Problem
from invoice_service.openapi.operation import FIELDS
from invoice_service.web.ground import again
from invoice_service.web.ground.catalogs import of_scripts, translations

COOKIE: Final = "language"
KEPT_SECONDS: Final = 365 * 86_400
_OURS: Final = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")


class Language(NamedTuple):
    """One that pages can speak: what catalogues and HTML call it, and what it calls itself."""

    code: str
    tag: str
    name: str


CHINESE: Final = Language("zh", "zh-Hans", "中文")
ENGLISH: Final = Language("en", "en", "English")
LANGUAGES: Final = {language.code: language for language in (CHINESE, ENGLISH)}
OTHERS: Final = {CHINESE: ENGLISH, ENGLISH: CHINESE}


def wanted() -> Language:
    """The reader's language.

    Who asks for languages none of which is ours is more likely to read English; who asks for none
    is at home here.
    """
    kept = LANGUAGES.get(request.cookies.get(COOKIE, ""))
    if kept is not None:
        return kept
    asked = [tag.partition("-")[0].lower() for tag, quality in request.accept_languages if quality]
    found = next((LANGUAGES[tag] for tag in asked if tag in LANGUAGES), None)
    if found is not None:
        return found
    return ENGLISH if any(tag.isalpha() for tag in asked) else CHINESE


def language() -> Language:
    """The language of the page that is being made."""
    locale = get_locale()
    return CHINESE if locale is None else LANGUAGES[locale.language]


def either(english: str, chinese: str) -> str:
    """Of a sentence that is kept in both languages, the reader's."""
    return chinese if chinese and language() is CHINESE else english


def place_name(english: str, chinese: str, code: str) -> str:
    """What an industry or a district is called: on an English page, where the classification has
    no English, the Chinese name with its code, by which it can be looked up.
    """
    if language() is CHINESE:
        return chinese
    return english or f"{chinese} ({code})"


def detail_of(problem: Problem) -> str:
    """What exactly is wrong, in the reader's language; "" where it is known in English only.

    A sentence in Chinese stands beside it, and says what to do.
    """
    return either_detail(problem.detail, str(problem.extra.get("detail_zh", "")))


def either_detail(english: str, chinese: str) -> str:
    """As ``detail_of``, of a detail that was kept."""
    return chinese if language() is CHINESE else english


def in_other(text: str) -> str:
    """A sentence of the catalogues in the language that the page does not speak."""
    return translations(OTHERS[language()].code).gettext(text)


def script_words(*rooms: str) -> dict[str, str]:
    """What the scripts of these folders say, for ``static/ground/words.js``."""
    return {
        english: chinese
        for room in rooms
        for english, chinese in of_scripts(CHINESE.code, room).items()
    }


class _Catalogs(Domain):  # type: ignore[misc] # Flask-Babel has no types
    """Flask-Babel's source of sentences, from our catalogues."""

    def get_translations(self) -> NullTranslations:
        return translations(language().code)


class _Words(Babel):  # type: ignore[misc] # the same
    """Flask-Babel over our catalogues."""

    @cached_property
    def domain_instance(self) -> Domain:
        return _Catalogs()


def speak(app: Flask) -> None:
    """Have the application's pages speak the reader's language."""
    _Words(
        app,
        default_locale=CHINESE.code,
        default_timezone="Asia/Shanghai",
        locale_selector=lambda: wanted().code,
    )
    app.jinja_env.globals.update(
        in_other=in_other,
        either=either,
        either_detail=either_detail,
        place_name=lambda place: place_name(place.name_en, place.name_zh, place.code),
        script_words=script_words,
    )

    @app.context_processor
    def spoken() -> dict[str, Any]:
        spoken = language()
        return {"language": spoken, "other_language": OTHERS[spoken], "here": here()}


def here() -> str:
    """The address of the page that is being made, below the public one.

    Of an answer to a form it is the nearest above that can be opened: where a form goes to is often
    no page, and whoever asked for it in another language would be told that nothing is there.
    """
    if request.method not in ("GET", "HEAD"):
        routes, path = current_app.create_url_adapter(request), request.path
        while path and not (routes and routes.test(path, "GET")):
            path = path.rpartition("/")[0]
        return path or "/"
    query = request.query_string.decode("utf-8", "replace")
    return f"{request.path}?{query}" if query else request.path


def language_blueprint(*, secure: bool) -> Blueprint:
    """``/language``: remembers which one was chosen; ``secure`` says that the site has https."""
    blueprint = Blueprint("language", __name__)

    @blueprint.post("/language")
    def choose() -> Response:
        if request.mimetype != FIELDS:
            raise MalformedError("unsupported_media_type", f"send {FIELDS}")
        if any(len(request.form.getlist(name)) > 1 for name in request.form):
            raise MalformedError("duplicate_parameter", "a field stands twice in the form")
        chosen = request.form.get("language", "")
        if chosen not in LANGUAGES:
            known = ", ".join(LANGUAGES)
            raise MalformedError("value_unknown", f"pages speak {known}", pointer="language")
        back, mode = _ours(request.form.get("back", "")), request.form.get(again.FIELD, "")
        if mode in again.MODES:  # what was sent goes along
            answer = redirect(request.root_path + again.address(back, mode), 307)
        else:
            answer = redirect(request.root_path + back, 303)
        answer.headers["Cache-Control"] = "no-store"
        answer.set_cookie(
            COOKIE,
            chosen,
            max_age=KEPT_SECONDS,
            path=request.root_path or "/",
            secure=secure,
            httponly=True,
            samesite="Lax",
        )
        return answer

    return blueprint


def _ours(back: str) -> str:
    """The address to go back to; the start page instead of anything that may lead elsewhere."""
    return back if _OURS.fullmatch(back) else "/"
