"""Tables of the people who sign in: what lets them in is replaced and deleted, acts remain."""

from sqlite_utils import Database


def create_people(db: Database) -> None:
    """Make them, empty."""
    _people(db)
    _factors(db)
    _sessions(db)


def officials(db: Database) -> None:
    """Officials may be suspended, and known by a provider of sign-ins; their keys have roles.

    Officials from before are administrators, and so are their keys: nothing of theirs changes.
    """
    people = db.table("people")
    people.add_column("suspended_at", int)  # null while the person may sign in
    people.add_column("subject", str)  # who this is to the provider of sign-ins; null for nobody
    people.create_index(["subject"], unique=True)
    keys = db.table("api_keys")
    keys.add_column("office", str)  # an official's role; null: an administrator's
    keys.add_column("person_id", int)  # the official who holds it; null where nobody is known to


def _people(db: Database) -> None:
    columns = {
        "id": int,
        "handle": bytes,  # random: the name by which passkeys know this person
        "login": str,
        "name": str,
        "role": str,
        "merchant_id": int,  # null for the bureau's
        "password": str,  # argon2id; null until an invitation was accepted
        "pin": str,  # argon2id; null without one
        "totp": bytes,  # sealed under keys/people.key; null without one
        "totp_step": int,  # the last step of time whose code was used
        "created_at": int,
        "removed_at": int,  # null while the person may sign in
    }
    table = db.table("people").create(
        columns,
        pk="id",
        not_null={"handle", "login", "name", "role", "totp_step", "created_at"},
        foreign_keys=[("merchant_id", "merchants", "id")],
        strict=True,
    )
    table.create_index(["login"], unique=True)
    table.create_index(["merchant_id"])
    db.execute(
        "CREATE TRIGGER people_no_delete BEFORE DELETE ON people"
        " BEGIN SELECT RAISE(ABORT, 'people: no DELETE, a person is removed instead'); END"
    )
    db.table("invitations").create(
        # Of the link only the digest is kept; one person has one at most.
        {"digest": bytes, "person_id": int, "expires_at": int},
        pk="digest",
        not_null={"person_id", "expires_at"},
        foreign_keys=[("person_id", "people", "id")],
        strict=True,
    ).create_index(["person_id"], unique=True)


def _factors(db: Database) -> None:
    db.table("recovery_codes").create(
        {"digest": bytes, "person_id": int},
        pk="digest",
        not_null={"person_id"},
        foreign_keys=[("person_id", "people", "id")],
        strict=True,
    ).create_index(["person_id"])
    columns = {
        "id": int,
        "person_id": int,
        "credential": bytes,
        "public_key": bytes,
        "count": int,  # what the device has counted; 0 where it does not
        "label": str,
        "created_at": int,
        "used_at": int,  # null until it was used
    }
    table = db.table("passkeys").create(
        columns,
        pk="id",
        not_null=columns.keys() - {"id", "used_at"},
        foreign_keys=[("person_id", "people", "id")],
        strict=True,
    )
    table.create_index(["credential"], unique=True)
    table.create_index(["person_id"])
    db.table("challenges").create(  # those that were answered, until they are too old anyway
        {"digest": bytes, "at": int}, pk="digest", not_null={"at"}, strict=True
    )


def _sessions(db: Database) -> None:
    columns = {
        "id": int,
        "digest": bytes,  # of the text in the browser's cookie
        "person_id": int,
        "level": str,
        "created_at": int,
        "seen_at": int,
        "origin": str,
        "agent": str,
        "cashier_id": int,  # who has taken the till over by PIN; null for who signed in
    }
    table = db.table("sessions").create(
        columns,
        pk="id",
        not_null=columns.keys() - {"id", "cashier_id"},
        foreign_keys=[("person_id", "people", "id"), ("cashier_id", "people", "id")],
        strict=True,
    )
    table.create_index(["digest"], unique=True)
    table.create_index(["person_id"])
    table.create_index(["seen_at"])
