"""A page for people, with what it may do: show itself, send its own forms, run what it names."""

from base64 import b64encode
from gzip import compress
from typing import Any, Final, Protocol

import msgspec
from flask import Flask, Response, g, render_template, request, url_for
from markupsafe import Markup

from chain.errors import MalformedError
from chain.hashing import sha256
from invoice_service.web.ground.again import shown
from invoice_service.web.ground.assets import Assets
from invoice_service.web.ground.language import language

# Our own style sheets and pictures, and nothing else: no script, no frame around us.
POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
NEEDS: Final = (
    "camera=(self), usb=(self), serial=(self), microphone=(), geolocation=(), payment=(), "
    "display-capture=(), hid=(), midi=(), accelerometer=(), gyroscope=(), magnetometer=()"
)
"""Of what a device guards: reading a code, printing a slip; the rest no page of ours may ask."""
SCRIPTS: Final = "; script-src {}; connect-src 'self'{}"
LATER: Final = """\
addEventListener("load", () => setTimeout(() => {
const { imports } = JSON.parse(document.querySelector("[type=importmap]").text);
for (const href of Object.values(imports)) {
const one = Object.assign(document.createElement("link"), { rel: "modulepreload", href });
document.head.append(one);
}
import("%s");
}));"""
"""Loads a module with all of its map, when all that the page itself needs is there."""
ASIDE: Final = """\
addEventListener("load", () => setTimeout(() => {
try {
const { start, loads } = JSON.parse(document.getElementById("aside").text);
const worker = new Worker(start, { type: "module" });
globalThis.fapiaoAside = worker;
worker.onmessage = worker.onerror = () => { globalThis.fapiaoAside = null; };
worker.postMessage({ loads });
} catch { }
}));"""
"""Begins a worker meanwhile; without one, or once it is lost, modules do its work themselves."""

_SOURCES: Final = "script_sources"
_REACHED: Final = "script_reached"
_WORKS: Final = "script_works"


def page(template: str, status: int = 200, **values: Any) -> Response:  # noqa: ANN401 # whatever a template shows
    """A rendered page that is kept by nobody; its policy lets run what the template names."""
    g.pop(_SOURCES, None)
    g.pop(_REACHED, None)
    g.pop(_WORKS, None)
    answer = Response(render_template(template, **shown(values)), status)
    sources: dict[str, None] = g.get(_SOURCES, {})
    reached = "".join(f" {origin}" for origin in g.get(_REACHED, {}))
    scripts = SCRIPTS.format(" ".join(sources), reached) if sources else ""
    if g.get(_WORKS, default=False):
        scripts += "; worker-src 'self'"
    answer.headers["Content-Security-Policy"] = POLICY + scripts
    answer.headers["Content-Language"] = language().tag
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    answer.headers["X-Frame-Options"] = "DENY"
    answer.headers["Permissions-Policy"] = NEEDS
    return answer


def packed(answer: Response) -> Response:
    """A page that says the same to everybody (but whether they are signed in), compressed where
    that is taken.

    Others are not: their length would tell of what is in them.
    """
    answer.headers["Vary"] = "Accept-Encoding"
    if request.accept_encodings.quality("gzip") > 0:
        answer.set_data(compress(answer.get_data(), 6, mtime=0))
        answer.headers["Content-Encoding"] = "gzip"
    return answer


class File(Protocol):
    """A file that somebody takes along."""

    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> str: ...

    @property
    def data(self) -> bytes: ...


def as_file(file: File) -> Response:
    """A file to be saved under its name; kept by nobody on the way."""
    answer = Response(file.data, content_type=file.kind)
    answer.headers["Content-Disposition"] = f'attachment; filename="{file.name}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def let_run(app: Flask, assets: Assets) -> None:
    """Give templates ``run_module``, ``run_script`` and ``reach``."""

    def places_of(name: str) -> dict[str, str]:
        """Where a module is with all that it loads, by the names that modules use; it is first."""
        plain = url_for("static", filename=name).removesuffix(assets.address(name))
        return {f"{plain}{one}": f"{plain}{assets.address(one)}" for one in assets.modules(name)}

    def run_module(name: str) -> Markup:
        """A module of ours with all that it loads, by addresses that are kept for a year.

        Modules name each other plainly; a map says where each is. Browsers that know no such maps
        go by the plain names.
        """
        places = places_of(name)
        loads = [
            Markup('<link rel="modulepreload" href="{}">\n').format(place)
            for place in places.values()
        ]
        begin = Markup('<script type="module" src="{}"></script>').format(
            next(iter(places.values()))
        )
        return _map(places) + Markup("").join(loads) + begin

    def run_later(name: str, aside: tuple[str, str] | None = None) -> Markup:
        """The same once the page has been shown: until then, nothing of it is asked for.

        ``aside`` is what a worker of the page begins with, and the module that this loads.
        """
        places = places_of(name)
        begin = LATER % next(iter(places))
        _allow(_digest(begin))
        beside = _beside(*aside) if aside else Markup()
        return beside + _map(places) + Markup("<script>{}</script>").format(Markup(begin))  # noqa: S704 # our own

    def _beside(start: str, module: str) -> Markup:
        """Where a worker's modules are: it has no map."""
        folder = url_for("static", filename=start).removesuffix(assets.address(start))
        loads = [f"{folder}{assets.versioned(one)}" for one in assets.modules(module)]
        said = {"start": f"{folder}{assets.versioned(start)}", "loads": loads}
        g.script_works = True
        where = Markup(msgspec.json.encode(said).decode())  # noqa: S704 # names of our own files
        _allow(_digest(ASIDE))
        places = Markup('<script type="application/json" id="aside">{}</script>\n').format(where)
        return places + Markup("<script>{}</script>\n").format(Markup(ASIDE))  # noqa: S704 # our own

    def run_script(name: str) -> Markup:
        """A script that is no module; it runs when the page is there."""
        _allow("'self'")
        place = url_for("static", filename=name)
        return Markup('<script src="{}" defer></script>').format(place)

    def reach(origin: str) -> Markup:
        """Let the page's scripts call a program of this machine's, by its origin."""
        g.setdefault(_REACHED, {})[origin] = None
        return Markup("")

    app.jinja_env.globals.update(
        run_module=run_module, run_later=run_later, run_script=run_script, reach=reach
    )


def _map(places: dict[str, str]) -> Markup:
    """The map by which a page's modules find each other; the policy lets it."""
    where = msgspec.json.encode({"imports": places}).decode()
    _allow("'self'", _digest(where))
    return Markup('<script type="importmap">{}</script>\n').format(Markup(where))  # noqa: S704 # names of our own files


def _digest(inside: str) -> str:
    """How a policy names a script that stands in the page."""
    return f"'sha256-{b64encode(sha256(inside.encode())).decode()}'"


def _allow(*sources: str) -> None:
    g.setdefault(_SOURCES, {}).update(dict.fromkeys(sources))


def asked_once(name: str) -> str | None:
    """A parameter of the address; MalformedError ``duplicate_parameter`` where it stands twice."""
    found = request.args.getlist(name)
    if len(found) > 1:
        raise MalformedError("duplicate_parameter", f"{name} stands twice", pointer=name)
    return found[0] if found else None
