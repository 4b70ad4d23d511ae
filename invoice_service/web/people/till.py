"""``/till/cashier``: a till changes hands by PIN, and stays signed in."""

from flask import Blueprint
from werkzeug import Response as AnyResponse

from invoice_service.web.people.account import number_in
from invoice_service.web.people.gate import Gate


def till_blueprint(gate: Gate) -> Blueprint:
    """The routes."""
    routes = Blueprint("till_hands", __name__, url_prefix="/till")

    @routes.post("/cashier")
    def hand_over() -> AnyResponse:
        """To the ``person`` whose ``pin`` it is; without a person, to who has signed in, by PIN or
        password.
        """
        visitor = gate.person("owner", "cashier")
        fields = gate.fields()
        named = fields.get("person", "")
        person_id = number_in(named, "person_unknown") if named else None
        gate.door.desk.entrance.take_over(visitor, person_id, fields.get("pin", ""), gate.visit())
        return gate.go("/till/")

    return routes
