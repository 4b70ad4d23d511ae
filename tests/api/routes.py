"""The application's routes, written as the description writes them."""

import re

from flask import Flask
from werkzeug.routing import Rule

from invoice_service.web.bureau.contract import PAGES as BUREAU
from invoice_service.web.customers.pages import SHOUTED
from invoice_service.web.people.contract import PAGES
from invoice_service.web.setup.contract import PAGES as SETUP
from invoice_service.web.till.contract import CALLS

OURS = {"GET", "POST", "PUT", "DELETE"}


def template(rule: Rule) -> str:
    """``/log/tile/<path:rest>`` as ``/log/tile/{tile}``."""
    return re.sub(r"<(?:[^<>:]+:)?([a-z_]+?)_?>", r"{\1}", str(rule)).replace("{rest}", "{tile}")


def routes(app: Flask) -> set[tuple[str, str]]:
    """(method, path) of all but the pages for people who sign in, which programs do not call."""
    of_people = {(one.method, one.path) for one in (*PAGES, *BUREAU, *SETUP, *CALLS)}
    return all_routes(app) - of_people


def all_routes(app: Flask) -> set[tuple[str, str]]:
    """(method, path) of all, but for files served as they are and the scan page in capitals."""
    return {
        (method.lower(), template(rule))
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static" and str(rule) != SHOUTED
        for method in (rule.methods or set()) & OURS
    }
