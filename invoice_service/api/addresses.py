"""One spelling of each address; what comes in another one leads nowhere."""

import re
from collections.abc import Callable
from typing import Final

from flask import Flask, Response, request
from werkzeug.routing import Rule

from chain.errors import NotFoundError

_HIDDEN_SLASH: Final = re.compile(r"[^?]*%2f", re.IGNORECASE)
_DETOUR: Final = re.compile(r"/\.{0,2}/|/\.{1,2}$")


class Route(Rule):
    """A rule that compiles what writes its address when that is first asked for.

    Werkzeug compiles two functions for each rule beforehand: for our hundreds most of the time in
    which an application is made, and few are ever called. The method is not among those that it
    documents; should it be renamed, this one is called no more, and all is as slow as without.
    """

    def _compile_builder(
        self,
        append_unknown: bool = True,  # noqa: FBT001, FBT002 # Werkzeug's signature
    ) -> Callable[..., tuple[str, str]]:
        compiled: list[Callable[..., tuple[str, str]]] = []
        compile_now = super()._compile_builder

        def build(rule: Rule, /, **values: object) -> tuple[str, str]:
            if not compiled:
                compiled.append(compile_now(append_unknown))
            return compiled[0](rule, **values)

        return build


def check_spelling() -> None:
    """NotFoundError ``no_such_address`` for an address that a lenient reader takes for another.

    An empty part, "." or ".." is none of ours, and a "/" that is written as %2F separates nothing:
    proxies, caches and limits in front tell such addresses apart, so they are not the same here.
    """
    environ = request.environ
    if _DETOUR.search(environ["PATH_INFO"]) or _HIDDEN_SLASH.match(environ.get("RAW_URI", "")):
        raise NotFoundError("no_such_address", "an address is written in one way only")


def options_of_all(app: Flask) -> Response | None:
    """The answer to ``OPTIONS *`` (RFC 9110 section 9.3.7); None for anything else."""
    if request.method != "OPTIONS" or request.environ["PATH_INFO"] != "*":
        return None
    methods = {method for rule in app.url_map.iter_rules() for method in rule.methods or ()}
    return Response(status=204, headers={"Allow": ", ".join(sorted(methods))})
