"""Everything that an application's pages stand on, put into place."""

from pathlib import Path

from flask import Flask

from invoice_service.config import Bureau
from invoice_service.web.ground import assets, charts, icons, language, page


def prepare(app: Flask, folder: Path, bureau: Bureau) -> None:
    """Have an application speak, serve the folder's files, and give templates what they use.

    ``bureau`` is who speaks on every page.
    """
    language.speak(app)
    files = assets.serve(app, folder)
    page.let_run(app, files)
    icons.draw(app, files)
    app.jinja_env.globals.update(bars=charts.bars, in_words=charts.in_words, bureau=bureau)
