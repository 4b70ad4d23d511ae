"""The pages of setting up, which nobody gets into without the code that the machine printed."""

from typing import Final

from invoice_service.web.people.contract import ANYBODY, Page

DOORS: Final = (
    Page("get", "/demo", ANYBODY),
    Page("post", "/demo/till", ANYBODY),
    Page("post", "/demo/bureau", ANYBODY),
)
"""The pages of a demo alone; elsewhere there are none."""

PAGES: Final = (
    Page("get", "/setup", ANYBODY),
    Page("post", "/setup", ANYBODY),
    Page("get", "/setup/address", ANYBODY),
    Page("post", "/setup/address", ANYBODY),
    Page("get", "/setup/administrator", ANYBODY),
    Page("post", "/setup/administrator", ANYBODY),
    Page("get", "/setup/merchant", ANYBODY),
    Page("post", "/setup/merchant", ANYBODY),
    Page("get", "/setup/owner", ANYBODY),
    Page("post", "/setup/owner", ANYBODY),
    Page("get", "/setup/sale", ANYBODY),
    Page("post", "/setup/sale", ANYBODY),
    Page("get", "/setup/end", ANYBODY),
    Page("get", "/setup/slip", ANYBODY),
    Page("post", "/setup/end", ANYBODY),
)
"""``ANYBODY``: nobody has to sign in for them; the code is asked for instead."""
