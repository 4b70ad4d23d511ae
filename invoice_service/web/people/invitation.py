"""``/invitation/…``: whoever was invited sets a password, once."""

from flask import Blueprint, Response
from werkzeug import Response as AnyResponse

from chain.errors import MalformedError, UnavailableError
from invoice_service.web.people.gate import Gate

_PAGE = "people/invitation.html"


def invitation_blueprint(gate: Gate) -> Blueprint:
    """The routes."""
    routes = Blueprint("invitation", __name__)
    staff, clock = gate.door.desk.staff, gate.door.desk.clock

    @routes.get("/invitation/<invitation>")
    def show(invitation: str) -> Response:
        person = staff.invited(invitation, clock())
        return gate.page(_PAGE, person=person)

    @routes.post("/invitation/<invitation>")
    def accept(invitation: str) -> AnyResponse:
        fields = gate.fields()
        password = fields.get("password", "")
        try:
            person = staff.accept(invitation, password, gate.visit(), clock())
        except (MalformedError, UnavailableError) as problem:
            return gate.again(_PAGE, problem, person=staff.invited(invitation, clock()))
        signed = gate.door.desk.entrance.by_password(
            person.login, password, gate.visit(), gate.site(), mark=gate.mark(), old=gate.token()
        )
        return gate.enter(signed, "/account")

    return routes
