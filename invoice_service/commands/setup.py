"""``fapiao setup``: from an empty instance to the first printed slip, in the terminal."""

import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NamedTuple

import click

from chain.errors import MalformedError, Problem, UnavailableError
from invoice_service.api.problems import describe
from invoice_service.commands.address import change_address
from invoice_service.commands.output import json_option, print_json
from invoice_service.commands.session import Session
from invoice_service.commands.welcome import our_name, show_link
from invoice_service.config import Config
from invoice_service.documents.columns import Line, printed
from invoice_service.documents.escpos import escpos
from invoice_service.documents.order_columns import rate
from invoice_service.documents.slip import Asked, slip_of
from invoice_service.domain.invoice import StoredInvoice
from invoice_service.domain.qrtext import scan_url
from invoice_service.domain.tax import TaxRates
from invoice_service.inventory import is_untouched
from invoice_service.keys.setup import open_setup
from invoice_service.services.issuing.first import ITEM, first_order
from invoice_service.services.issuing.issue import IssuingDesk, issue_one
from invoice_service.services.issuing.promise import Promised
from invoice_service.services.people.setup import Named, setup_over, typed_merchant
from invoice_service.services.ports import InvoiceFilter
from invoice_service.services.till.days import Days
from invoice_service.wiring import Instance, init_instance

_SHOWN: Final = frozenset({"face", "buyer", "lines"})
_ADDRESS: Final = (
    "对外网址，印在每个二维码上，开票后不可更改"
    "\nPublic address: it stands in every QR code, and names the log for ever"
)
_PASSWORDS: Final = ("admin_password", "owner_password")


class Question(NamedTuple):
    """What is asked for, where no option has said it."""

    name: str
    text: str
    unless: str = ""
    hidden: bool = False

    @property
    def option(self) -> str:
        return "--passwords" if self.hidden else f"--{self.name.replace('_', '-')}"


ADMINISTRATOR: Final = (
    Question("admin_name", "管理员姓名 Administrator's name"),
    Question("admin_login", "登录名 Sign-in name", "admin"),
    Question(
        "admin_password", "密码（至少 12 个字符） Password (12 characters or more)", hidden=True
    ),
)
MERCHANT: Final = (
    Question("merchant_name", "商户名称（与营业执照一致） Company name, as on the licence"),
    Question("tax_id", "统一社会信用代码 Tax id (18)"),
    Question("industry", "行业代码 Industry (GB/T 4754)", "6210"),
    Question("district", "区 District (440304 福田 Futian, 440303 罗湖 Luohu)", "440304"),
)
OWNER: Final = (
    Question("owner_name", "店主姓名 Owner's name"),
    Question("owner_login", "登录名 Sign-in name", "owner"),
    Question(
        "owner_password", "密码（至少 12 个字符） Password (12 characters or more)", hidden=True
    ),
    Question("till", "收银台名称 Name of the first till", "1"),
)
SALE: Final = (
    Question("item", "第一单：商品名称 First sale: what was sold", ITEM),
    Question("price", "含税价格（元） Price with tax, in yuan"),
    Question("rate", "税率 Tax rate (6% or 0.06)", "0.06"),
)


@click.command()
@click.option("--link", is_flag=True, help="Print a new code and link for the pages of setting up.")
@click.option("--address", help="The public address, best https without port or path.")
@click.option("--admin-name", help="The first administrator's name.")
@click.option("--admin-login", help="The administrator's sign-in name, before the @.")
@click.option("--merchant-name", help="The first merchant, as on the business licence.")
@click.option("--tax-id", help="18 characters with check digits (GB 32100, GB 11714).")
@click.option("--compared", is_flag=True, help="The tax id stands so on the licence (GB 11714).")
@click.option("--industry", help="Group or class of GB/T 4754, like 6210.")
@click.option("--district", help="Six digits, like 440304 for Futian.")
@click.option("--owner-name", help="The owner's name.")
@click.option("--owner-login", help="The owner's sign-in name, before the @.")
@click.option("--till", help="The first till's name.")
@click.option("--item", help="What is sold first.")
@click.option("--price", help="At which price with tax, in yuan.")
@click.option("--rate", help="At which tax rate, like 6% or 0.06.")
@click.option(
    "--passwords",
    type=click.File(encoding="utf-8"),
    help="A file, or - for the standard input: the administrator's password, then the owner's.",
)
@click.option(
    "--slip",
    type=click.Path(path_type=Path),
    help="Write the slip's ESC/POS bytes: a file, or a printer like /dev/usb/lp0.",
)
@json_option
@click.pass_obj
def setup(
    session: Session,
    /,
    *,
    link: bool,
    address: str | None,
    compared: bool,
    passwords: Any,  # noqa: ANN401 # a text file of click's
    slip: Path | None,
    as_json: bool,
    **said: str | None,
) -> None:
    """Ask for what a new instance needs, sell once, and show the first slip.

    The address, the first administrator, merchant, owner, till and sale. What is done already is
    not asked for; where there is no terminal, options say the rest. The same can be done in a
    browser: `fapiao serve` prints a link, --link another.
    """
    asks = sys.stdin.isatty()
    if address is None and asks and not link and is_untouched(session.config):
        _ask_address(session)
    if address is not None:
        _tell_address(change_address(session, address.strip().rstrip("/")))
        if not asks and not any(said.values()):
            return
    if link:
        with closing(session.instance()) as instance:
            show_link(session.config, open_setup(instance).offer())
        return
    said |= _read_passwords(passwords)
    if is_untouched(session.config):
        init_instance(session.config).close()
    with closing(session.instance()) as instance:
        steps = Steps(instance, Answers(said, asks=asks), compared=compared)
        invoice = steps.all()
        _finish(instance, invoice, slip, as_json=as_json)


def _ask_address(session: Session) -> None:
    """Until it is one that can be served."""
    while True:
        typed = click.prompt(_ADDRESS, default=session.config.service.public_url, err=True)
        try:
            config = change_address(session, typed.strip().rstrip("/"))
        except MalformedError as problem:
            if problem.pointer != "/service/public_url":
                raise
            wrong = MalformedError("address_invalid", problem.detail)
            click.secho(_told(wrong), fg="red", err=True)
        else:
            _tell_address(config)
            return


def _tell_address(config: Config) -> None:
    click.echo(f"✓ 地址 address: {config.service.public_url}, log {config.log_origin}", err=True)


class Answers:
    """What options have said; on a terminal, what is asked for beside."""

    def __init__(self, said: dict[str, str | None], *, asks: bool) -> None:
        self._said = said
        self._asks = asks

    def require(self, *questions: Question) -> None:
        """Say at once all that is missing; MalformedError ``setup_incomplete``."""
        missing = [
            one.option for one in questions if not self._said.get(one.name) and not one.unless
        ]
        if missing and not self._asks:
            named = ", ".join(dict.fromkeys(missing))
            raise MalformedError(
                "setup_incomplete", f"there is no terminal to ask on; say {named} as well"
            )

    def to(self, question: Question) -> str:
        """The answer."""
        said = self._said.get(question.name)
        if said:
            return said
        if not self._asks:
            return question.unless
        answer = click.prompt(
            question.text,
            default=question.unless or None,
            hide_input=question.hidden,
            confirmation_prompt=question.hidden,
            err=True,
        )
        return str(answer)

    def again(self, questions: tuple[Question, ...], problem: MalformedError) -> None:
        """Ask these anew because of what was wrong; without a terminal that is raised."""
        if not self._asks:
            raise problem
        click.secho(_told(problem), fg="red", err=True)
        for one in questions:
            self._said.pop(one.name, None)


class Steps:
    """Each step that is not done, until an invoice is issued."""

    def __init__(self, instance: Instance, answers: Answers, *, compared: bool) -> None:
        self._instance = instance
        self._setup = open_setup(instance)
        self._answers = answers
        self._compared = compared

    def all(self) -> StoredInvoice:
        """The first invoice. NotFoundError ``setup_over``, MalformedError for what options say."""
        found = self._setup.standing()
        if found.finished:
            raise setup_over()
        order = {"administrator": 0, "merchant": 1, "owner": 2, "sale": 3, "end": 4}[found.step]
        left = ((ADMINISTRATOR, self._administrator), (MERCHANT, self._merchant))
        rest = ((OWNER, self._owner), (SALE, self._sale))
        steps = (*left, *rest)[order:]
        self._answers.require(*(one for questions, _ in steps for one in questions))
        for questions, act in steps:
            self._until_it_holds(questions, act)
        return self._first()

    def _until_it_holds(
        self, questions: tuple[Question, ...], act: Callable[[dict[str, str]], None]
    ) -> None:
        while True:
            try:
                act({one.name: self._answers.to(one) for one in questions})
            except MalformedError as problem:
                self._answers.again(questions, problem)
            else:
                return

    def _administrator(self, said: dict[str, str]) -> None:
        who = Named(said["admin_name"], said["admin_login"], said["admin_password"])
        person = self._setup.administrator(who, self._instance.operator())
        click.echo(f"✓ 管理员 administrator: {person.login}", err=True)

    def _merchant(self, said: dict[str, str]) -> None:
        typed = {**said, "name": said["merchant_name"]}
        try:
            request = typed_merchant(typed, compared=self._compared)
        except MalformedError as problem:
            if problem.code == "tax_id_doubtful" and sys.stdin.isatty():
                self._compared = click.confirm(
                    "第 9 至 17 位不符合校验规则，已与执照核对？"
                    " Characters 9 to 17 do not fit; is it so on the licence?",
                    err=True,
                )
            if not self._compared:
                raise
            request = typed_merchant(typed, compared=True)
        account = self._setup.merchant(request, self._instance.operator())
        click.echo(f"✓ 商户 merchant {account.merchant.id}: {account.merchant.name}", err=True)

    def _owner(self, said: dict[str, str]) -> None:
        who = Named(said["owner_name"], said["owner_login"], said["owner_password"])
        person, key = self._setup.owner(who, said["till"], self._instance.operator())
        click.echo(f"✓ 店主 owner: {person.login}", err=True)
        click.echo(
            f"  收银程序密钥（仅显示一次） key for a till program, shown once: {key}", err=True
        )

    def _sale(self, said: dict[str, str]) -> None:
        found, config = self._setup.standing(), self._instance.config
        desk = IssuingDesk(
            merchants=self._instance.store,
            issuer=Promised(self._instance.issuer, config.anchor.max_delay, signed=False),
            rates=TaxRates(config.tax.rates),
            randbytes=self._instance.randbytes,
        )
        now = int(self._instance.clock().timestamp())
        day = Days(config.till.day_begins).of(now)
        till = "" if found.till is None else found.till.terms.till
        order = first_order(said["item"], said["price"], rate(said["rate"].strip()), till, day)
        issue_one(desk, found.account.merchant.id if found.account else -1, order)

    def _first(self) -> StoredInvoice:
        account = self._setup.standing().account
        wanted = InvoiceFilter(merchant_id=None if account is None else account.merchant.id)
        found = self._instance.store.invoices(wanted, 0, 1)
        if not found:
            raise UnavailableError("database_unavailable", "the invoice cannot be read just now")
        return found[0]


def _told(problem: Problem) -> str:
    """What is wrong, in the languages of the questions, and what exactly."""
    said = describe(problem)
    return f"{said['title_zh']} {said['title']}\n({problem.detail})"


def _read_passwords(file: Any) -> dict[str, str | None]:  # noqa: ANN401 # as above
    if file is None:
        return {}
    lines = file.read().splitlines()
    return dict(zip(_PASSWORDS, [*lines, None, None], strict=False))


def _finish(
    instance: Instance, invoice: StoredInvoice, path: Path | None, *, as_json: bool
) -> None:
    """Show the slip, and what comes next."""
    config = instance.config
    link = scan_url(config.service.public_url, invoice.hash, invoice.number, invoice.total)
    copy = instance.store.prints(invoice.seq) > 0
    slip = slip_of(invoice, Asked(copy=copy), link, _SHOWN, sample=config.bureau.is_sample)
    if path is not None:
        with path.open("wb") as printer:
            printer.write(escpos(slip))
        instance.store.add_print(invoice.seq, int(instance.clock().timestamp()))
    open_setup(instance).finish(instance.operator())
    if as_json:
        print_json(
            {
                "hash": invoice.hash,
                "number": invoice.number,
                "total": invoice.total,
                "link": link,
                "public_url": config.service.public_url,
            }
        )
        return
    for line in printed(slip):
        click.echo(line.text if isinstance(line, Line) else f"[{link}]")
    click.echo()
    click.echo(f"✓ 设置完成，登录 Done; sign in at {config.service.public_url}/sign-in")
    click.secho(
        f"备份 Back up {config.keys_dir}（密钥 the keys）, {config.data_dir}（数据 all data）",
        fg="yellow",
    )
    click.echo(f"启动 Start: {our_name()} serve（或 or: make run）")
