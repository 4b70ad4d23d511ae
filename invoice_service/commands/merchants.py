"""``fapiao merchants``: the register, as officials keep it; on this machine's instance."""

from collections.abc import Callable
from functools import partial

import click
import msgspec
from msgspec import UNSET

from chain.errors import NotFoundError
from invoice_service.commands.output import json_option, print_json, print_table, reason_option
from invoice_service.commands.session import Session
from invoice_service.domain.acts import By
from invoice_service.domain.merchant import Merchant, MerchantRequest
from invoice_service.domain.money import LIMIT
from invoice_service.domain.numbering import format_utc
from invoice_service.services.people import admit
from invoice_service.services.ports import Account
from invoice_service.wiring import Instance

PAGE = 500

_QUOTA = click.IntRange(0, LIMIT)


@click.group()
def merchants() -> None:
    """Admit, list, suspend and revoke merchants, and set their quotas.

    MERCHANT is a merchant's tax id, or its number in the register.
    """


@merchants.command()
@click.option("--tax-id", required=True, help="18 characters with check digit (GB 32100-2015).")
@click.option("--name", required=True)
@click.option("--industry", required=True, help="Group or class of GB/T 4754, like 6210.")
@click.option("--district", required=True, help="Six digits, like 440304 for Futian.")
@click.option("--address-phone", default="")
@click.option("--bank-account", default="")
@click.option("--drawer", default="")
@click.option("--payee", default="")
@click.option("--reviewer", default="")
@click.option("--quota", type=_QUOTA, help="The most blue invoices in all; else no limit.")
@json_option
@click.pass_obj
def add(session: Session, /, *, as_json: bool, quota: int | None, **texts: str) -> None:
    """Admit a merchant. It can issue once it has a key: `fapiao keys create --merchant …`."""
    instance = session.instance()
    request = msgspec.convert({"quota": quota, **texts}, MerchantRequest)
    account = admit.admit(instance.store, request, instance.operator())
    _show([account], as_json=as_json)
    instance.close()


@merchants.command("list")
@json_option
@click.pass_obj
def list_(session: Session, *, as_json: bool) -> None:
    """Print all merchants."""
    instance = session.instance()
    accounts: list[Account] = []
    while page := instance.store.accounts(accounts[-1].merchant.id if accounts else 0, PAGE):
        accounts += page
    _show(accounts, as_json=as_json, many=True)
    instance.close()


@merchants.command()
@click.argument("merchant")
@reason_option
@json_option
@click.pass_obj
def suspend(session: Session, *, merchant: str, reason: str, as_json: bool) -> None:
    """Stop MERCHANT from issuing; what it has issued stays valid."""
    _change(session, merchant, partial(admit.suspend, reason=reason), as_json=as_json)


@merchants.command()
@click.argument("merchant")
@reason_option
@json_option
@click.pass_obj
def resume(session: Session, *, merchant: str, reason: str, as_json: bool) -> None:
    """Let MERCHANT issue again."""
    _change(session, merchant, partial(admit.resume, reason=reason), as_json=as_json)


@merchants.command()
@click.argument("merchant")
@reason_option
@json_option
@click.pass_obj
def revoke(session: Session, *, merchant: str, reason: str, as_json: bool) -> None:
    """Stop MERCHANT from issuing for good; what it has issued stays valid."""
    _change(session, merchant, partial(admit.revoke, reason=reason), as_json=as_json)


@merchants.command()
@click.argument("merchant")
@reason_option
@json_option
@click.pass_obj
def leave(session: Session, *, merchant: str, reason: str, as_json: bool) -> None:
    """Let MERCHANT go: it issues no more, and what it has issued stays valid."""
    _change(session, merchant, partial(admit.leave, reason=reason), as_json=as_json)


@merchants.command()
@click.argument("merchant")
@reason_option
@json_option
@click.pass_obj
def readmit(session: Session, *, merchant: str, reason: str, as_json: bool) -> None:
    """Let MERCHANT issue again that was suspended, or has left."""
    _change(session, merchant, partial(admit.readmit, reason=reason), as_json=as_json)


@merchants.command()
@click.argument("merchant")
@click.argument("count", metavar="COUNT|none")
@click.option("--month-quota", metavar="FEN|none", help="Money in a month, without tax.")
@click.option("--invoice-limit", metavar="FEN|none", help="The most on one, without tax.")
@reason_option
@json_option
@click.pass_obj
def quota(
    session: Session,
    *,
    merchant: str,
    count: str,
    month_quota: str | None,
    invoice_limit: str | None,
    reason: str,
    as_json: bool,
) -> None:
    """Allow MERCHANT so many blue invoices in all, those issued included; and so much money."""
    most = _limit(count)
    money = [UNSET if text is None else _limit(text) for text in (month_quota, invoice_limit)]
    instance = session.instance()
    merchant_id = find_merchant(instance, merchant).id
    account = admit.set_quota(
        instance.store,
        merchant_id,
        most,
        instance.operator(),
        month_quota=money[0],
        invoice_limit=money[1],
        reason=reason,
    )
    _show([account], as_json=as_json)
    instance.close()


def _change(
    session: Session,
    merchant: str,
    change: Callable[[admit.Merchants, int, By], Account],
    *,
    as_json: bool,
) -> None:
    """Do something to one of them as who works on this machine, and show what it is then."""
    instance = session.instance()
    merchant_id = find_merchant(instance, merchant).id
    _show([change(instance.store, merchant_id, instance.operator())], as_json=as_json)
    instance.close()


def find_merchant(instance: Instance, text: str) -> Merchant:
    """The merchant with this tax id or number; NotFoundError ``merchant_unknown``."""
    account = instance.store.account_by_tax_id(text)
    if account is None and text.isascii() and text.isdigit() and len(text) < 16:
        account = instance.store.account(int(text))
    if account is None:
        raise NotFoundError("merchant_unknown", f"no merchant has the tax id or number {text!r}")
    return account.merchant


def _limit(text: str) -> int | None:
    return None if text == "none" else _counted(text)


def _counted(text: str) -> int:
    plain = text.isascii() and text.isdigit() and len(text) <= len(str(LIMIT))
    if not plain or int(text) > LIMIT:
        raise click.UsageError(f"a quota is a number up to {LIMIT}, or none for no limit")
    return int(text)


def _described(account: Account) -> dict[str, object]:
    return msgspec.to_builtins(account) | {"created_at": format_utc(account.created_at)}  # type: ignore[no-any-return] # of a struct, a dict


def _show(accounts: list[Account], *, as_json: bool, many: bool = False) -> None:
    if as_json:
        said = [_described(account) for account in accounts]
        print_json(said if many else said[0])
        return
    print_table(
        ["no.", "tax id", "name", "industry", "district", "status", "issued", "quota"],
        [
            (
                account.merchant.id,
                account.merchant.tax_id,
                account.merchant.name,
                account.merchant.industry,
                account.merchant.district,
                account.merchant.status,
                account.used,
                "no limit" if account.merchant.quota is None else account.merchant.quota,
            )
            for account in accounts
        ],
        left=6,
    )
