"""``/template/orders.xlsx`` and ``.csv``: a table of orders to begin with, for everybody."""

from typing import Final

from flask import Blueprint, Response

from invoice_service.documents.order_columns import NAMES
from invoice_service.documents.order_template import template_csv, template_workbook
from invoice_service.openapi.operation import CSV, XLSX, Operation, Parameter
from invoice_service.web.till.files import FORM, download, tongue

OPERATIONS: Final = (
    Operation(
        "get",
        "/template/orders.{form}",
        "orderTemplate",
        "pages",
        "A table of orders to begin with, in the reader's language",
        "A workbook whose cells are texts, with every column explained; or a table with its header",
        ((XLSX, "bytes"), (CSV, "string")),
        "",
        (Parameter("form", "`xlsx` or `csv`", "path", {"enum": ["xlsx", "csv"]}, required=True),),
        errors="page",
        strict=False,
    ),
)


def template_blueprint() -> Blueprint:
    """The route."""
    routes = Blueprint("order_template", __name__)

    @routes.get(f"/template/orders.{FORM}")
    def template(form: str) -> Response:
        body = template_csv(tongue()) if form == "csv" else template_workbook(tongue(), NAMES)
        return download(body, "orders", form)

    return routes
