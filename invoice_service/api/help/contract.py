"""Reports and counts of scans as officials are answered. Times UTC, days those of Shenzhen."""

from typing import Final

import msgspec

from invoice_service.domain.bounds import LARGEST
from invoice_service.openapi.operation import (
    FROM,
    HASH_TEXT,
    JSON,
    STORE,
    TO,
    Operation,
    Parameter,
    Words,
    page,
    says,
    whole,
)
from invoice_service.services.help.desk import LONGEST_NOTE
from invoice_service.services.help.ports import STATES, ReportState

MOST: Final = 500
JPEG: Final = "image/jpeg"

REPORT = Parameter("report", "The report's number", "path", whole(1, LARGEST))
PICTURE = Parameter("picture", "Which of its pictures", "path", whole(1, 9))


class ReportBody(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What somebody told of a slip; what was not told, or was erased, is absent."""

    id: int
    at: str
    state: ReportState
    said: str = ""
    hash: str = ""
    verdict: str = ""
    place: str = ""
    message: str = ""
    contact: str = ""
    pictures: tuple[int, ...] = ()
    note: str = ""
    told_at: str = ""
    erased: bool = False


class ReportPage(msgspec.Struct):
    """``next`` is the ``after`` of the following page; null on the last."""

    reports: list[ReportBody]
    next: int | None


class ReportJudgement(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """How a report stands from now on; its sender reads the note."""

    state: ReportState
    note: str = ""


class MisfitBody(msgspec.Struct, kw_only=True, omit_defaults=True):
    """How often scans of one invoice did not fit it."""

    hash: str
    number: str = ""
    merchant: int
    count: int
    first_day: str
    last_day: str


class Misfits(msgspec.Struct, rename={"first_day": "from", "last_day": "to"}):
    """Scans that did not fit within some days."""

    first_day: str
    last_day: str
    unknown: int
    others: int
    invoices: list[MisfitBody]


WORDS: Final[Words] = {
    "ReportBody.id": says("Its number"),
    "ReportBody.at": says("When it came", format="date-time"),
    "ReportBody.state": says("`new`, `seen` or `closed`"),
    "ReportBody.said": says("What the slip's code said, as its sender had it"),
    "ReportBody.hash": says("The password area that stands in it", **HASH_TEXT),
    "ReportBody.verdict": says("What a check of it came to when it was sent"),
    "ReportBody.place": says("Where its sender got the slip"),
    "ReportBody.message": says("What is wrong, in the sender's words"),
    "ReportBody.contact": says("How to reach the sender, who need not say"),
    "ReportBody.pictures": says("Numbers of its pictures"),
    "ReportBody.note": says("What its sender is told"),
    "ReportBody.told_at": says("When its state was set last", format="date-time"),
    "ReportBody.erased": says("`true`: its sender had all that was sent erased"),
    "ReportPage.reports": says("In order"),
    "ReportPage.next": says("The `after` of the following page; null on the last"),
    "ReportJudgement.state": says("`new`, `seen` or `closed`"),
    "ReportJudgement.note": says("What its sender is told", maxLength=LONGEST_NOTE),
    "Misfits.from": says("First day, Shanghai date", format="date"),
    "Misfits.to": says("Last day, included", format="date"),
    "Misfits.unknown": says("Scans with hashes that nobody has issued, all together"),
    "Misfits.others": says("Scans of invoices that found no row of their own that day"),
    "Misfits.invoices": says("Those with the most scans first"),
    "MisfitBody.hash": says("The password area", **HASH_TEXT),
    "MisfitBody.number": says("The invoice's number"),
    "MisfitBody.merchant": says("Who issued it"),
    "MisfitBody.count": says("How many scans did not fit"),
    "MisfitBody.first_day": says("The first day of them", format="date"),
    "MisfitBody.last_day": says("The last one", format="date"),
}

_UNKNOWN: Final = ("report_unknown", *STORE)

OPERATIONS: Final = (
    Operation(
        "get",
        "/v1/reports",
        "listReports",
        "officials",
        "Reports of wrong slips",
        "A page of them",
        ((JSON, ReportPage),),
        "official",
        (
            *page(MOST),
            Parameter("state", "Only those in this state", schema={"enum": list(STATES)}),
        ),
        scope="read",
        power="reports",
        codes=("parameter_malformed", *STORE),
    ),
    Operation(
        "get",
        "/v1/reports/mismatches",
        "listMismatches",
        "officials",
        "How often scans did not fit what was issued",
        "By invoice, those with the most scans first",
        ((JSON, Misfits),),
        "official",
        (
            FROM,
            TO,
            Parameter("limit", "Invoices at most; 100 unless given", schema=whole(1, MOST)),
        ),
        scope="read",
        power="reports",
        codes=("parameter_malformed", "day_invalid", "range_invalid", *STORE),
    ),
    Operation(
        "get",
        "/v1/reports/{report}",
        "readReport",
        "officials",
        "A report",
        "The report",
        ((JSON, ReportBody),),
        "official",
        (REPORT,),
        scope="read",
        power="reports",
        codes=_UNKNOWN,
    ),
    Operation(
        "delete",
        "/v1/reports/{report}",
        "eraseReport",
        "officials",
        "Erase all that was sent with a report",
        "What is left of it",
        ((JSON, ReportBody),),
        "official",
        (REPORT,),
        scope="manage",
        power="judge",
        codes=_UNKNOWN,
    ),
    Operation(
        "put",
        "/v1/reports/{report}/state",
        "judgeReport",
        "officials",
        "Say how a report stands",
        "The report",
        ((JSON, ReportBody),),
        "official",
        (REPORT,),
        ((JSON, ReportJudgement),),
        scope="manage",
        power="judge",
        codes=(*_UNKNOWN, "text_too_long", "value_unknown"),
    ),
    Operation(
        "get",
        "/v1/reports/{report}/pictures/{picture}",
        "reportPicture",
        "officials",
        "A picture of a report",
        "JPEG, made anew from what was sent",
        ((JPEG, "bytes"),),
        "official",
        (REPORT, PICTURE),
        scope="read",
        power="reports",
        codes=(*_UNKNOWN, "data_unreadable"),
    ),
)
