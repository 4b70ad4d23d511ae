"""``fapiao people``: who may sign in to this machine's instance; the way back in, too."""

import click

from chain.errors import NotFoundError
from invoice_service.commands.merchants import find_merchant
from invoice_service.commands.options import NUMBER
from invoice_service.commands.output import json_option, print_json, print_table, reason_option
from invoice_service.commands.session import Session
from invoice_service.domain.numbering import format_utc
from invoice_service.services.people.person import PERSON_ROLES, Person, PersonRole, Whose
from invoice_service.services.people.staff import Invited
from invoice_service.wiring import Instance


@click.group()
def people() -> None:
    """Invite people, list and remove them.

    Whoever works on this machine may: so the first administrator comes in, and one is made again
    when the last has lost the password. What is done here stands in the trail.
    """


@people.command()
@click.option("--merchant", help="Tax id or number of the merchant; else the bureau's.")
@click.option("--role", required=True, type=click.Choice(PERSON_ROLES))
@click.option("--name", required=True, help="The person's name.")
@click.option("--login", required=True, help="The sign-in name, before the @.")
@json_option
@click.pass_obj
def invite(
    session: Session,
    *,
    merchant: str | None,
    role: PersonRole,
    name: str,
    login: str,
    as_json: bool,
) -> None:
    """Invite somebody and print the link, only now.

    It works once, and sets the password. A merchant has owners and cashiers, the bureau viewers,
    examiners, administrators and auditors.
    """
    instance = session.instance()
    whose = _whose(instance, merchant)
    invited = instance.people.staff.invite(whose, role, name, login, instance.operator())
    _tell(instance, invited, as_json=as_json)
    instance.close()


@people.command("invite-again")
@click.argument("number", type=NUMBER)
@json_option
@click.pass_obj
def invite_again(session: Session, *, number: int, as_json: bool) -> None:
    """Void all that lets person NUMBER in, and print a new link.

    For a forgotten password, a lost telephone, a theft; also of the last administrator.
    """
    instance = session.instance()
    person = _person(instance, number)
    _tell(
        instance, instance.people.staff.invite_again(person, instance.operator()), as_json=as_json
    )
    instance.close()


@people.command("list")
@click.option("--merchant", help="Tax id or number of the merchant; else the bureau's.")
@json_option
@click.pass_obj
def list_(session: Session, *, merchant: str | None, as_json: bool) -> None:
    """Print the people of a merchant, or of the bureau."""
    instance = session.instance()
    found = instance.store.people(_whose(instance, merchant).merchant_id)
    if as_json:
        print_json([_described(person) for person in found])
    else:
        rows = [
            (one.id, one.login, one.name, one.role, one.state, format_utc(one.created_at))
            for one in found
        ]
        print_table(["no.", "sign-in name", "name", "role", "state", "invited"], rows, left=6)
    instance.close()


@people.command()
@click.argument("number", type=NUMBER)
@click.argument("role", type=click.Choice(PERSON_ROLES))
@reason_option
@json_option
@click.pass_obj
def role(session: Session, *, number: int, role: PersonRole, reason: str, as_json: bool) -> None:
    """Give person NUMBER another ROLE; they are signed out."""
    instance = session.instance()
    person, by = _person(instance, number), instance.operator()
    instance.people.staff.change_role(person, role, by, reason)
    _show(instance, number, as_json=as_json)


@people.command()
@click.argument("number", type=NUMBER)
@reason_option
@json_option
@click.pass_obj
def suspend(session: Session, *, number: int, reason: str, as_json: bool) -> None:
    """Sign person NUMBER of the bureau out at once, and refuse their keys."""
    instance = session.instance()
    instance.people.staff.suspend(_official(instance, number), instance.operator(), reason)
    _show(instance, number, as_json=as_json)


@people.command()
@click.argument("number", type=NUMBER)
@reason_option
@json_option
@click.pass_obj
def reinstate(session: Session, *, number: int, reason: str, as_json: bool) -> None:
    """Let person NUMBER of the bureau in again."""
    instance = session.instance()
    instance.people.staff.reinstate(_official(instance, number), instance.operator(), reason)
    _show(instance, number, as_json=as_json)


@people.command()
@click.argument("number", type=NUMBER)
@reason_option
@json_option
@click.pass_obj
def remove(session: Session, *, number: int, reason: str, as_json: bool) -> None:
    """End all that lets person NUMBER in, for ever; the last administrator stays."""
    instance = session.instance()
    instance.people.staff.remove(_person(instance, number), instance.operator(), reason)
    _show(instance, number, as_json=as_json)


def _show(instance: Instance, number: int, *, as_json: bool) -> None:
    """How somebody stands now."""
    person = _person(instance, number)
    if as_json:
        print_json(_described(person))
    else:
        click.echo(f"{person.login} is {person.state}, {person.role}")
    instance.close()


def _official(instance: Instance, number: int) -> Person:
    """A person of the bureau; NotFoundError ``person_unknown``."""
    return instance.people.staff.of(Whose(None), number)


def _whose(instance: Instance, merchant: str | None) -> Whose:
    return Whose(None if merchant is None else find_merchant(instance, merchant).id)


def _person(instance: Instance, number: int) -> Person:
    person = instance.store.person(number)
    if person is None:
        raise NotFoundError("person_unknown", f"there is no person {number}")
    return person


def _tell(instance: Instance, invited: Invited, *, as_json: bool) -> None:
    link = f"{instance.config.service.public_url}/invitation/{invited.token}"
    if as_json:
        print_json({**_described(invited.person), "link": link})
    else:
        click.echo(f"{invited.person.login}, to set a password; shown only now:")
        click.echo(link)


def _described(person: Person) -> dict[str, object]:
    """A person without what lets them in."""
    return {
        "id": person.id,
        "login": person.login,
        "name": person.name,
        "role": person.role,
        "merchant_id": person.merchant_id,
        "state": person.state,
        "created_at": format_utc(person.created_at),
    }
