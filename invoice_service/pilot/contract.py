"""The pilot's call, as ``/openapi.json`` has it."""

from typing import Final

from invoice_service.openapi.operation import JSON, Operation

FORM = "application/x-www-form-urlencoded"

OPERATIONS: Final = (
    Operation(
        "post",
        "/dzswj/bers_ep_web/query_bill_detail",
        "queryBillDetail",
        "checking",
        "The check as the Shenzhen pilot's clients call it",
        "Always 200: retcode, retmsg, bill_record",
        ((JSON, "object"),),
        "",
        (),
        ((FORM, "object"), (JSON, "object")),
        errors="none",
    ),
)
