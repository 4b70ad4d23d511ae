"""Applications: how a merchant is admitted, step by step, and what an official says of it."""

from collections.abc import Sequence
from typing import Annotated, Final, Literal, get_args

import msgspec
from msgspec import Meta

from chain.errors import ConflictError
from chain.hashing import Digest, sha256

from .merchant import Contact, Name, check_district, check_industry, check_tax_id
from .numbering import shanghai_time
from .reading import Wire
from .text import check_name, given_texts

State = Literal["received", "notice", "examined", "admitted", "refused", "withdrawn"]
STATES: Final[tuple[State, ...]] = get_args(State)
OPEN: Final[tuple[State, ...]] = ("received", "notice", "examined")
"""Not decided yet. Several of one tax id may stand side by side: officials say whose it is."""

Step = Literal["notice", "examine", "admit", "refuse"]
STEPS: Final[tuple[Step, ...]] = get_args(Step)
FROM: Final[dict[Step, tuple[State, ...]]] = {
    "notice": ("received",),
    "examine": ("notice", "examined"),  # examined again: something came to light
    "admit": ("examined",),
    "refuse": OPEN,
}
TO: Final[dict[Step, State]] = {
    "notice": "notice",
    "examine": "examined",
    "admit": "admitted",
    "refuse": "refused",
}

Risk = Literal["none", "low", "middle", "high"]
Credit = Literal["A", "B", "M", "C", "D"]
Warning_ = Literal["", "blue", "yellow", "red"]
RISKS: Final[tuple[Risk, ...]] = get_args(Risk)
CREDITS: Final[tuple[Credit, ...]] = get_args(Credit)
WARNINGS: Final[tuple[Warning_, ...]] = get_args(Warning_)

RIVAL_ADMITTED: Final = (
    "同一税号的另一份申请已获准入。 Another application with this tax id was admitted."
)
"""Why an application is refused whose tax id another one was admitted with."""

LONGEST_MESSAGE: Final = 1000
DAY: Final = 86_400
_PAPERS: Final = b"fapiao/v1/papers\n"


class ApplicationRequest(Wire, frozen=True):
    """What a merchant tells of itself that wants to be admitted."""

    tax_id: str
    name: Name
    industry: str
    district: str
    contact: Annotated[str, Meta(min_length=1, max_length=100)]
    address_phone: Contact = ""
    message: Annotated[str, Meta(max_length=LONGEST_MESSAGE)] = ""


class Finding(msgspec.Struct, frozen=True):
    """What an official has found of an applicant."""

    risk: Risk
    credit: Credit
    warning: Warning_ = ""

    def said(self) -> dict[str, int | str]:
        """As an act of the trail says it."""
        return {name: text for name, text in msgspec.structs.asdict(self).items() if text}


def check_application(asked: ApplicationRequest) -> ApplicationRequest:
    """It without blank texts.

    MalformedError: tax_id_invalid, industry_unknown, district_unknown, text_empty,
    control_character, text_damaged.
    """
    check_tax_id(asked.tax_id)
    check_industry(asked.industry)
    check_district(asked.district)
    check_name(asked.name, "/name")
    check_name(asked.contact, "/contact")
    return given_texts(asked, ("address_phone",), "")


def papers_digest(pages: Sequence[bytes]) -> Digest:
    """What an act says of the papers that were there: over each page's SHA-256, in their order."""
    return sha256(_PAPERS + b"".join(pages))


def notice_ends(now: int, days: int) -> int:
    """When a notice ends that begins ``now``: so many whole days of Shenzhen later."""
    midnight = shanghai_time(now).replace(hour=0, minute=0, second=0, microsecond=0)
    return now if days == 0 else int(midnight.timestamp()) + (days + 1) * DAY


def check_step(step: Step, state: State, notice_until: int | None, now: int) -> None:
    """ConflictError ``application_step``, ``notice_running`` for a step that is not due."""
    if state not in FROM[step]:
        raise ConflictError(
            "application_step", f"it is {state}, and cannot be {TO[step]} from there", state=state
        )
    if step == "examine" and notice_until is not None and now < notice_until:
        raise ConflictError(
            "notice_running", f"anybody may object until {notice_until}", until=notice_until
        )


def check_finding(found: Finding) -> None:
    """ConflictError ``application_risky``: with a risk flag nobody is admitted, as in the pilot."""
    if found.risk == "high" or found.warning == "red":
        raise ConflictError(
            "application_risky", "its risk is high, or its warning red: examine it again, or refuse"
        )
