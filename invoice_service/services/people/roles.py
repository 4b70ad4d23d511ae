"""What each role of an official may do: one table, for calls, pages and docs/api.md alike.

A power is what is asked for at a door. An official's key has a role as people have one; beside
that, its scopes narrow it: ``read`` for what looks, ``manage`` for what changes something.
"""

from typing import Final, Literal, NamedTuple, get_args

OfficialRole = Literal["viewer", "examiner", "administrator", "auditor"]
"""The bureau's roles."""

OFFICIALS: Final[tuple[OfficialRole, ...]] = get_args(OfficialRole)

Power = Literal[
    "totals",
    "lists",
    "look",
    "applications",
    "examine",
    "reports",
    "judge",
    "suspend",
    "admit",
    "keys",
    "erase",
    "staff",
    "people",
    "trail",
]


class Granted(NamedTuple):
    """Who has a power, and the scope that a key needs for it."""

    scope: Literal["read", "manage"]
    roles: tuple[OfficialRole, ...]
    means: str


_EXAMINERS: Final[tuple[OfficialRole, ...]] = ("examiner", "administrator")
_READERS: Final[tuple[OfficialRole, ...]] = ("examiner", "administrator", "auditor")
_ABOVE: Final[tuple[OfficialRole, ...]] = ("administrator", "auditor")
_HEAD: Final[tuple[OfficialRole, ...]] = ("administrator",)

POWERS: Final[dict[Power, Granted]] = {
    "totals": Granted(
        "read", OFFICIALS, "totals; names and tax ids of merchants masked for a viewer"
    ),
    "lists": Granted(
        "read", OFFICIALS, "the list of merchants; names and tax ids masked for a viewer"
    ),
    "look": Granted("read", _READERS, "one merchant's file, its invoices, one invoice whole"),
    "applications": Granted("read", _READERS, "applications and requests for quota, with papers"),
    "examine": Granted("manage", _EXAMINERS, "examine applications, answer requests for quota"),
    "reports": Granted("read", _READERS, "reports of slips, and scans that did not fit"),
    "judge": Granted("manage", _EXAMINERS, "say how a report stands; erase what was sent"),
    "suspend": Granted("manage", _EXAMINERS, "stop a merchant from issuing"),
    "admit": Granted("manage", _HEAD, "admit, readmit and revoke merchants; set quotas"),
    "keys": Granted("manage", _HEAD, "make, rotate and revoke keys of merchants"),
    "erase": Granted("manage", _HEAD, "erase a person among the buyers"),
    "staff": Granted("manage", _ABOVE, "see who works at the bureau and for merchants"),
    "people": Granted("manage", _HEAD, "invite, change, suspend and remove people"),
    "trail": Granted("read", _ABOVE, "the trail, refusals, and who looked at what"),
}
"""The table."""


def with_power(power: Power) -> tuple[OfficialRole, ...]:
    """The roles that have it."""
    return POWERS[power].roles


def has_power(role: str, power: Power) -> bool:
    """Whether a role has it; a merchant's people have none."""
    return role in POWERS[power].roles
