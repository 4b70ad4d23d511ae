"""People and tills: what is sent, what is answered."""

from typing import Final

import msgspec

from invoice_service.api.merchants.contract import REASON, KeyBody, ReasonRequest, RotationRequest
from invoice_service.domain.bounds import LARGEST
from invoice_service.openapi.operation import (
    JSON,
    LOOKING,
    PURPOSE,
    STORE,
    TEXTS,
    Operation,
    Parameter,
    Words,
    says,
    whole,
)
from invoice_service.services.people.person import PersonRole, PersonState

PERSON = Parameter("person", "The person's id", "path", whole(1, LARGEST))
DEVICE = Parameter("device", "The id of the till's key", "path", whole(1, LARGEST))
MERCHANT = Parameter(
    "merchant", "For officials: whose people; the bureau's unless given", schema=whole(1, LARGEST)
)


class PersonRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Somebody to invite."""

    name: str
    login: str
    role: PersonRole


class PersonBody(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Somebody who may sign in; ``invitation`` stands only in the answer that makes it."""

    id: int
    login: str
    name: str
    role: PersonRole
    state: PersonState
    merchant: int | None = None
    created_at: str
    invitation: str | None = None


class PersonList(msgspec.Struct):
    """All of a merchant's, or of the bureau's, removed ones too."""

    people: list[PersonBody]


class DeviceRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A till that is to have a key."""

    till: str
    label: str = ""
    expires_at: str | None = None


class DeviceList(msgspec.Struct):
    """The keys of all tills, revoked ones too."""

    devices: list[KeyBody]


class RoleRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Another role, and why."""

    role: PersonRole
    reason: str = ""


WORDS: Final[Words] = {
    "RoleRequest.reason": says("Why, in the words of whoever gives it", maxLength=200),
    "RoleRequest.role": says("Of the same merchant, or of the bureau"),
    "PersonRequest.name": says("As it is shown to others", minLength=1, maxLength=40),
    "PersonRequest.login": says("The sign-in name, before the @", minLength=1, maxLength=32),
    "PersonRequest.role": says("`owner` and `cashier` are a merchant's, the others the bureau's"),
    "PersonBody.id": says("Given out here"),
    "PersonBody.login": says("The whole sign-in name"),
    "PersonBody.name": says("As it is shown to others"),
    "PersonBody.role": says("What this person may do"),
    "PersonBody.state": says(
        "`invited` until a password was set; `suspended`: signed out, and not let in"
    ),
    "PersonBody.merchant": says("Whose person it is; absent for the bureau's"),
    "PersonBody.created_at": says("When first invited, UTC", format="date-time"),
    "PersonBody.invitation": says("The link by which a password is set, once: only here"),
    "PersonList.people": says("In the order in which they were invited"),
    "DeviceRequest.till": says("The till's name", minLength=1, maxLength=32),
    "DeviceRequest.label": says("Where the key is used", maxLength=100),
    "DeviceRequest.expires_at": says("Until when it is good, UTC; for ever unless given"),
    "DeviceList.devices": says("In the order in which they were made"),
}

_OF = ("parameter_malformed", "role_required", "merchant_unknown", *STORE)
_ONE = (*_OF, "person_unknown", "database_refused")
_TILL = ("parameter_malformed", "api_key_unknown", "database_refused", *STORE)

OPERATIONS: Final = (
    Operation(
        "get",
        "/v1/people",
        "listPeople",
        "people",
        "Who may sign in",
        "All of them",
        ((JSON, PersonList),),
        "any",
        (MERCHANT, PURPOSE),
        scope="manage",
        power="staff",
        codes=(*_OF, *LOOKING),
    ),
    Operation(
        "post",
        "/v1/people",
        "invite",
        "people",
        "Invite somebody",
        "The person, with the link that sets a password",
        ((JSON, PersonBody),),
        "any",
        (MERCHANT,),
        ((JSON, PersonRequest),),
        (201,),
        scope="manage",
        power="people",
        codes=(
            *(*_OF, *TEXTS, "value_unknown", "login_invalid", "login_taken", "role_of_another"),
            *("two_needed", "database_refused"),
        ),
    ),
    Operation(
        "post",
        "/v1/people/{person}/invitation",
        "inviteAgain",
        "people",
        "Void all that lets somebody in, and invite anew",
        "The person, with the link",
        ((JSON, PersonBody),),
        "any",
        (PERSON, MERCHANT),
        (),
        (201,),
        scope="manage",
        power="people",
        codes=(*_ONE, "person_removed", "two_needed"),
    ),
    Operation(
        "delete",
        "/v1/people/{person}",
        "removePerson",
        "people",
        "End all that lets somebody in, for ever",
        "The person",
        ((JSON, PersonBody),),
        "any",
        (PERSON, MERCHANT),
        ((JSON, ReasonRequest),),
        scope="manage",
        power="people",
        codes=(*_ONE, *REASON, "last_administrator", "two_needed"),
        bodiless=True,
    ),
    Operation(
        "put",
        "/v1/people/{person}/role",
        "changeRole",
        "people",
        "Give somebody another role; they are signed out",
        "The person",
        ((JSON, PersonBody),),
        "any",
        (PERSON, MERCHANT),
        ((JSON, RoleRequest),),
        scope="manage",
        power="people",
        codes=(
            *(*_ONE, *REASON, "value_unknown", "role_of_another", "last_administrator"),
            "two_needed",
        ),
    ),
    Operation(
        "post",
        "/v1/people/{person}/suspension",
        "suspendPerson",
        "people",
        "Sign somebody of the bureau out everywhere, and let them and their keys in no more",
        "The person",
        ((JSON, PersonBody),),
        "official",
        (PERSON,),
        ((JSON, ReasonRequest),),
        scope="manage",
        power="people",
        codes=(*_ONE, *REASON, "person_removed", "last_administrator"),
        bodiless=True,
    ),
    Operation(
        "delete",
        "/v1/people/{person}/suspension",
        "reinstatePerson",
        "people",
        "Let somebody of the bureau in again",
        "The person",
        ((JSON, PersonBody),),
        "official",
        (PERSON,),
        ((JSON, ReasonRequest),),
        scope="manage",
        power="people",
        codes=(*_ONE, *REASON, "person_removed"),
        bodiless=True,
    ),
    Operation(
        "get",
        "/v1/devices",
        "listDevices",
        "people",
        "The tills' keys",
        "All of them, without their texts",
        ((JSON, DeviceList),),
        "merchant",
        scope="manage",
        codes=STORE,
    ),
    Operation(
        "post",
        "/v1/devices",
        "addDevice",
        "people",
        "Make a key for a till: it issues, takes back, and reads",
        "The key; its text is shown here only",
        ((JSON, KeyBody),),
        "merchant",
        (),
        ((JSON, DeviceRequest),),
        (201,),
        scope="manage",
        codes=(
            *(*TEXTS, "time_invalid", "amount_out_of_range", "till_taken", "database_refused"),
            *STORE,
        ),
    ),
    Operation(
        "post",
        "/v1/devices/{device}/rotation",
        "rotateDevice",
        "people",
        "Make a new key for a till; the old one goes on for a while",
        "The new key; its text is shown here only",
        ((JSON, KeyBody),),
        "merchant",
        (DEVICE,),
        ((JSON, RotationRequest),),
        (201,),
        scope="manage",
        codes=(*_TILL, "amount_out_of_range"),
    ),
    Operation(
        "delete",
        "/v1/devices/{device}",
        "removeDevice",
        "people",
        "Revoke a till's key, for ever",
        "The key",
        ((JSON, KeyBody),),
        "merchant",
        (DEVICE,),
        ((JSON, ReasonRequest),),
        scope="manage",
        codes=(*_TILL, *REASON),
        bodiless=True,
    ),
)
