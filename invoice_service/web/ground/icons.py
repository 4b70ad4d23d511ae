"""Pictures in pages: a few of the Lucide set, drawn in the page itself, so that none is fetched.

A page has a sprite of just those icons that it shows; scripts may show them, too.
"""

import re
from pathlib import PurePosixPath
from typing import Final

from flask import Flask, g
from markupsafe import Markup

from invoice_service.web.ground.assets import Assets

FOLDER: Final = "vendor/lucide/icons"
_INNER: Final = re.compile(r"<svg\b[^>]*>(.*)</svg>", re.DOTALL)
_SHOWN: Final = "icons"


def draw(app: Flask, assets: Assets) -> None:
    """Give templates ``icon`` and ``sprite``."""

    def icon(name: str) -> Markup:
        """An icon beside words that say the same; KeyError for one that is not vendored."""
        assets.address(f"{FOLDER}/{name}.svg")
        g.setdefault(_SHOWN, {})[name] = None
        return Markup(
            '<svg class="icon" aria-hidden="true" focusable="false"><use href="#icon-{}"/></svg>'
        ).format(name)

    def sprite() -> Markup:
        """The icons that the page has shown so far."""
        symbol = Markup('<symbol id="icon-{}" viewBox="0 0 24 24">{}</symbol>')
        symbols = [symbol.format(name, _drawn(name)) for name in g.pop(_SHOWN, {})]
        if not symbols:
            return Markup("")
        return Markup('<svg class="sprite" aria-hidden="true">{}</svg>').format(
            Markup("").join(symbols)
        )

    def _drawn(name: str) -> Markup:
        file, _ = assets.find(f"{FOLDER}/{name}.svg")
        return Markup(" ".join("".join(_INNER.findall(file.body.decode())).split()))  # noqa: S704 # vendored

    def icons() -> list[str]:
        """The names of all."""
        return [PurePosixPath(name).stem for name in assets.below(FOLDER)]

    app.jinja_env.globals.update(icon=icon, icons=icons, sprite=sprite)
