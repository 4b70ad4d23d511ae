"""The bureau's pages, and who is let in."""

from typing import Final

from invoice_service.services.people.roles import OFFICIALS, with_power
from invoice_service.web.people.contract import Page

_SEE: Final = with_power("staff")
_HEAD: Final = with_power("people")

PAGES: Final = (
    Page("get", "/bureau/", OFFICIALS),
    Page("get", "/bureau/totals", with_power("totals")),
    Page("get", "/bureau/totals/file/{kind}", with_power("totals")),
    Page("get", "/bureau/totals/check", with_power("totals")),
    Page("post", "/bureau/totals/check", with_power("totals")),
    Page("post", "/bureau/totals/views", with_power("totals")),
    Page("post", "/bureau/totals/views/{view}/removal", with_power("totals")),
    Page("get", "/bureau/merchants", with_power("lists")),
    Page("get", "/bureau/merchants/file/{kind}", with_power("lists")),
    Page("get", "/bureau/merchants/of/{tax_id}", with_power("look")),
    Page("get", "/bureau/merchants/{merchant}", with_power("look")),
    Page("get", "/bureau/merchants/{merchant}/file/{kind}", with_power("look")),
    Page("get", "/bureau/merchants/{merchant}/invoices/file/{kind}", with_power("look")),
    Page("post", "/bureau/merchants/{merchant}/suspension", with_power("suspend")),
    Page("post", "/bureau/merchants/{merchant}/readmission", with_power("admit")),
    Page("post", "/bureau/merchants/{merchant}/leaving", with_power("admit")),
    Page("post", "/bureau/merchants/{merchant}/quota", with_power("admit")),
    Page("post", "/bureau/merchants/{merchant}/revocation", with_power("admit")),
    Page("get", "/bureau/invoices/{hash}", with_power("look")),
    Page("post", "/bureau/purpose", with_power("look")),
    Page("get", "/bureau/trail", with_power("trail")),
    Page("get", "/bureau/trail/file/{kind}", with_power("trail")),
    Page("get", "/bureau/lookups", with_power("trail")),
    Page("get", "/bureau/lookups/file/{kind}", with_power("trail")),
    Page("get", "/reports/file/{kind}", with_power("reports")),
    Page("get", "/bureau/people", _SEE),
    Page("get", "/bureau/people/file/{kind}", _SEE),
    Page("post", "/bureau/people", _HEAD),
    Page("post", "/bureau/people/{person}/invitation", _HEAD),
    Page("post", "/bureau/people/{person}/role", _HEAD),
    Page("post", "/bureau/people/{person}/removal", _HEAD),
    Page("post", "/bureau/people/{person}/suspension", _HEAD),
    Page("post", "/bureau/people/{person}/reinstatement", _HEAD),
    Page("post", "/bureau/proposals/{proposal}/confirmation", _HEAD),
    Page("post", "/bureau/proposals/{proposal}/withdrawal", _HEAD),
)
