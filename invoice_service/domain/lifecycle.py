"""What can become of an issued invoice: it stays as it is, or a red one reverses it."""

from enum import StrEnum
from typing import Final, Literal, TypeAlias

from chain.errors import ConflictError, RefusedError

Type: TypeAlias = Literal["blue", "red"]
Reversal: TypeAlias = Literal["part", "full"]


class Reason(StrEnum):
    """Why an invoice is reversed, PILOT "Life cycle"."""

    ISSUE_ERROR = "ISSUE_ERROR"
    SALES_RETURN = "SALES_RETURN"
    SERVICE_SUSPENSION = "SERVICE_SUSPENSION"
    SALES_DISCOUNT = "SALES_DISCOUNT"


REASON_ZH: Final = {
    Reason.ISSUE_ERROR: "开票有误",
    Reason.SALES_RETURN: "销货退回",
    Reason.SERVICE_SUSPENSION: "服务中止",
    Reason.SALES_DISCOUNT: "销售折让",
}


def check_reversible(type_: Type, reversed_by: str | None) -> None:
    """Only a blue invoice, and only once.

    Raises RefusedError "not_reversible" or ConflictError "already_reversed".
    """
    if type_ != "blue":
        raise RefusedError("not_reversible", "a red invoice cannot be reversed")
    if reversed_by is not None:
        raise ConflictError(
            "already_reversed", "this invoice is reversed already", reversed_by=reversed_by
        )
