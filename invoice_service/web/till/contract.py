"""The calls of the till's pages, and who is let in; by session: programs have others."""

from typing import Final, Literal, NamedTuple

from invoice_service.services.people.person import PersonRole

_BOTH: Final[tuple[PersonRole, ...]] = ("owner", "cashier")
_OWNER: Final[tuple[PersonRole, ...]] = ("owner",)


class Call(NamedTuple):
    """One call; ``who`` is let in, signed in."""

    method: Literal["get", "post", "put", "delete"]
    path: str
    who: tuple[PersonRole, ...]


CALLS: Final = (
    Call("get", "/till/state", _BOTH),
    Call("post", "/till/here", _BOTH),
    Call("put", "/till/menu", _OWNER),
    Call("get", "/till/menu.csv", _OWNER),
    Call("post", "/till/menu/file", _OWNER),
    Call("put", "/till/tables", _OWNER),
    Call("post", "/till/tills", _OWNER),
    Call("delete", "/till/tills/{till}", _OWNER),
    Call("put", "/till/bills/{bill}", _BOTH),
    Call("delete", "/till/bills/{bill}", _BOTH),
    Call("post", "/till/bills/{bill}/merge", _BOTH),
    Call("post", "/till/bills/{bill}/settle", _BOTH),
    Call("post", "/till/bills/{bill}/undo", _BOTH),
    Call("post", "/till/bills/{bill}/order", _BOTH),
    Call("get", "/till/orders", _BOTH),
    Call("get", "/till/orders/{order}", _BOTH),
    Call("delete", "/till/orders/{order}", _BOTH),
    Call("post", "/till/orders/{order}/paid", _BOTH),
    Call("post", "/till/orders/{order}/extension", _BOTH),
    Call("post", "/till/orders/{order}/rest", _BOTH),
    Call("get", "/till/orders/{order}/slip", _BOTH),
    Call("get", "/till/orders/{order}/code.svg", _BOTH),
    Call("get", "/till/invoices", _BOTH),
    Call("get", "/till/invoices/{hash}", _BOTH),
    Call("post", "/till/invoices/{hash}/reversal", _BOTH),
    Call("get", "/till/invoices/{hash}/slip", _BOTH),
    Call("post", "/till/invoices/{hash}/prints", _BOTH),
    Call("post", "/till/invoices/{hash}/mail", _BOTH),
    Call("get", "/till/invoices/{hash}/mails", _BOTH),
    Call("get", "/till/prepaid/{account}", _BOTH),
    Call("get", "/till/titles", _BOTH),
    Call("get", "/till/figures", _BOTH),
    Call("get", "/till/shifts", _BOTH),
    Call("post", "/till/shifts", _BOTH),
    Call("post", "/till/shifts/{shift}/close", _BOTH),
    Call("get", "/till/events", _BOTH),
)
