"""``fapiao reverse``: a red invoice over all of one, some of its lines, or an amount."""

import re
from collections.abc import Sequence
from contextlib import ExitStack, closing
from typing import Any, Final, get_args

import click
import msgspec

from invoice_service.commands.merchants import find_merchant
from invoice_service.commands.output import json_option, print_json, print_table
from invoice_service.commands.remote import Remote
from invoice_service.commands.returning import (
    Books,
    LocalBooks,
    Paper,
    RemoteBooks,
    find,
    standings,
    take_back,
)
from invoice_service.commands.session import Session
from invoice_service.documents.order_columns import money, rate
from invoice_service.domain.lifecycle import REASON_ZH, Reason, check_reversible
from invoice_service.domain.money import format_yuan, parse_yuan
from invoice_service.domain.quantity import format_quantity
from invoice_service.domain.request import (
    ReversalRequest,
    check_idempotency_key,
    parse_reversal,
)
from invoice_service.domain.returns import Standing
from invoice_service.domain.tax import TaxKind

_KINDS: Final = ("zero", *get_args(TaxKind))
_LINE: Final = re.compile(r"([1-9][0-9]{0,3})(?:=(.+))?", re.ASCII)
_REASONS: Final = " · ".join(f"{reason} {name}" for reason, name in REASON_ZH.items())


@click.command()
@click.argument("invoice")
@click.option("--reason", help=f"Why, in either language: {_REASONS}.")
@click.option(
    "--line",
    "lines",
    multiple=True,
    metavar="N[=QUANTITY]",
    help="So much of line N, or all that is left of it; may stand again.",
)
@click.option("--amount", metavar="YUAN", help="So much money, tax included, no goods.")
@click.option("--rate", "rate_", metavar="R", help="With --amount: at which rate, like 6% or 免税.")
@click.option("--show", is_flag=True, help="Print what is left of each line, and take nothing.")
@click.option("--merchant", help="On this machine's instance, as this merchant (or tax id).")
@click.option("--url", envvar="FAPIAO_URL", help="Through the service at this address…")
@click.option("--key", envvar="FAPIAO_KEY", help="…with this API key of the merchant.")
@click.option("--idempotency-key", default="", help="A name for a second return of the same part.")
@json_option
@click.pass_obj
def reverse(
    session: Session,
    *,
    invoice: str,
    reason: str | None,
    lines: tuple[str, ...],
    amount: str | None,
    rate_: str | None,
    show: bool,
    merchant: str | None,
    url: str | None,
    key: str | None,
    idempotency_key: str,
    as_json: bool,
) -> None:
    """Take back INVOICE: its number, its hash, what its QR code says, a picture of it.

    All that is left of it, or with --line so much of some lines, or with --amount money alone. A
    red invoice is issued, which names it; it and what is left are printed.

    The same command again issues nothing, and prints the red invoice of before. Where the same
    part comes back once more, an --idempotency-key that was not used before says so.
    """
    asked = None if show else _asked(reason, lines, amount, rate_)
    if show and (reason or lines or amount or rate_):
        raise click.UsageError("--show takes nothing back: leave the rest away, or --show")
    if idempotency_key:
        check_idempotency_key(idempotency_key)
    with ExitStack() as stack:
        books = _books(session, stack, merchant, url, key)
        blue = find(books, invoice)
        check_reversible(blue.type)
        if asked is None:
            _tell(books, blue, None, as_json=as_json, replayed=False)
            return
        taken = take_back(books, blue, asked, idempotency_key)
        red, blue = books.read(taken.hash), books.read(blue.hash)
        _tell(books, blue, red, as_json=as_json, replayed=taken.replayed)


def _books(
    session: Session, stack: ExitStack, merchant: str | None, url: str | None, key: str | None
) -> Books:
    if merchant is not None:  # said on the line, it counts more than FAPIAO_URL
        instance = stack.enter_context(closing(session.instance()))
        return LocalBooks(instance, find_merchant(instance, merchant).id)
    if url is None:
        raise click.UsageError("say where: --merchant M for this machine's instance, or --url U")
    if not key:
        raise click.UsageError("--url needs the merchant's --key (or FAPIAO_KEY)")
    return RemoteBooks(Remote(url, key))


def _asked(
    reason: str | None, lines: Sequence[str], amount: str | None, rate_: str | None
) -> ReversalRequest:
    """The request that the command line makes; MalformedError as ``parse_reversal``."""
    if reason is None:
        raise click.UsageError(f"say why: --reason, one of {_REASONS}")
    said: dict[str, Any] = {"reason": _reason(reason)}
    if lines:
        said["lines"] = [_line(text) for text in lines]
    if amount is not None:
        said["amount"] = parse_yuan(money(amount.strip()))
    if rate_ is not None:
        said |= _rate(rate_)
    return parse_reversal(msgspec.json.encode(said))


def _reason(text: str) -> Reason:
    plain = text.strip()
    for reason, name in REASON_ZH.items():
        if plain == name or plain.upper().replace("-", "_") == reason:
            return reason
    raise click.BadParameter(f"{text!r} is none of {_REASONS}", param_hint="--reason")


def _line(text: str) -> dict[str, object]:
    found = _LINE.fullmatch(text.strip())
    if found is None:
        raise click.BadParameter(
            f"{text!r}: write the line's number, and perhaps = and a quantity, like 2=1",
            param_hint="--line",
        )
    number: dict[str, object] = {"line": int(found[1])}
    return number | {"quantity": found[2].strip()} if found[2] else number


def _rate(text: str) -> dict[str, str]:
    """A rate as tables have it, or with its kind as reports do: ``0 exempt``."""
    first, _, last = text.strip().rpartition(" ")
    if last in _KINDS and first in {"", "0"}:
        return {"rate": "0", "tax_kind": last}
    plain, kind = rate(text.strip())
    return {"rate": plain, "tax_kind": kind} if kind else {"rate": plain}


def _tell(books: Books, blue: Paper, red: Paper | None, *, as_json: bool, replayed: bool) -> None:
    left = standings(books, blue)
    if as_json:
        print_json(_described(blue, red, left, replayed=replayed))
        return
    if red is not None:
        _tell_red(blue, red, replayed=replayed)
    click.echo(f"left of invoice {blue.number}: ¥{format_yuan(blue.stands)}")
    if left:
        print_table(
            ["line", "name", "rate", "quantity", "left ¥"],
            [
                (
                    line.number,
                    line.sold.name,
                    line.rate,
                    format_quantity(line.quantity),
                    format_yuan(line.net),
                )
                for line in left
            ],
            left=3,
        )


def _tell_red(blue: Paper, red: Paper, *, replayed: bool) -> None:
    done = "was issued before, nothing is taken now" if replayed else "takes back"
    click.echo(
        f"red invoice {red.number} of {red.issued_at} {done}: ¥{format_yuan(-red.total)} of"
        f" invoice {blue.number}"
    )
    click.echo(f"  {red.hash}")
    if replayed:
        click.echo(
            "  if the same comes back once more, say so with an --idempotency-key of its own"
        )


def _described(
    blue: Paper, red: Paper | None, left: Sequence[Standing], *, replayed: bool
) -> dict[str, object]:
    said: dict[str, object] = {
        "invoice": _brief(blue) | {"left": blue.stands, "reversed_by": blue.reversed_by},
        "lines": [
            {
                "line": line.number,
                "name": line.sold.name,
                "rate": line.rate,
                "quantity": format_quantity(line.quantity),
                "left": line.net,
            }
            for line in left
        ],
    }
    return said if red is None else {"red": _brief(red), "replayed": replayed, **said}


def _brief(paper: Paper) -> dict[str, object]:
    names = ("hash", "code", "number", "issued_at", "amount", "tax", "total")
    return {name: getattr(paper, name) for name in names}
