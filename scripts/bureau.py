"""A bureau with two administrators, for the examples of what takes two."""

from invoice_service.domain.acts import By
from invoice_service.services.people.admit import create_key
from invoice_service.services.people.person import PersonRole, Whose
from invoice_service.services.people.ports import KeyTerms
from invoice_service.services.people.proposals import Actor
from invoice_service.services.people.sessions import Visit
from invoice_service.wiring import Instance


def two_administrators(instance: Instance, keys: dict[str, str]) -> dict[str, int]:
    """Numbers of an examiner, a merchant's cashier, and of what one administrator has proposed.

    The official among ``keys`` is the other administrator's since.
    """
    by, staff = instance.operator(), instance.people.staff

    def person(login: str, role: PersonRole, merchant: int | None = None) -> int:
        made = staff.invite(Whose(merchant), role, login.title(), login, by)
        return staff.accept(made.token, "seven ducks swim", Visit("", ""), by.at).id

    first, second = person("chen", "administrator"), person("wu", "administrator")
    _, keys["official"] = create_key(
        *(instance.store, "official", None, "administrator"),
        by=by,
        randbytes=instance.randbytes,
        terms=KeyTerms(person=first),
    )
    asked = {"name": "新人", "login": "new", "role": "examiner"}
    who = Actor(By(f"person:{second}", by.at), second)
    made = instance.people.proposals.propose("invitation", "bureau", {**asked}, "", who)
    return {
        "examiner": person("he", "examiner"),
        "cashier": person("sun", "cashier", 1),
        "proposal": made.id,
    }
