"""The page on which a browser checks a proof file by itself (static/verify)."""

from collections.abc import Callable, Sequence

from flask import Blueprint, Response

from invoice_service.web.customers.words import GROUPS, PROOF_STEPS
from invoice_service.web.ground.page import page


def file_blueprint(
    log_key: Callable[[], str], statements: Callable[[], list[bytes]], witnesses: Sequence[str]
) -> Blueprint:
    """``log_key`` gives the log's public key as text: what the page checks with unless told.

    ``statements`` are those of the log's keys: with them, proofs of older keys hold as well.
    ``witnesses`` are the keys of those whose cosignatures the page names.
    """
    blueprint = Blueprint("file_page", __name__)

    @blueprint.get("/verify/file")
    def show() -> Response:
        return page(
            "customers/file.html",
            log_key=log_key(),
            statements=[note.decode() for note in statements()],
            witnesses=witnesses,
            steps=PROOF_STEPS,
            groups=GROUPS,
        )

    return blueprint
