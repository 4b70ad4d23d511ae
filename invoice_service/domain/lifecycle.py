"""What can become of an issued invoice: it stays as it is, or a red one reverses it."""

from enum import StrEnum
from typing import Final, Literal, TypeAlias

from chain.errors import RefusedError

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


def reversal_of(total: int, returned: int) -> Reversal:
    """How far an invoice of ``total`` has been reversed once so much of it was taken back."""
    return "full" if returned == total else "part"


def check_reversible(type_: Type) -> None:
    """Only a blue invoice can be: RefusedError "not_reversible".

    That no more is taken back than there is, is for the issuing transaction to hold.
    """
    if type_ != "blue":
        raise RefusedError("not_reversible", "a red invoice cannot be reversed")
