"""The audit's walk along the invoices: each by itself, and against the one before it."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple, Protocol

import msgspec

from chain import canonical
from chain.audit.finding import AuditError
from chain.commitment import password_area
from chain.errors import MalformedError, UnavailableError
from invoice_service.domain.document import Line, read_lines
from invoice_service.domain.invoice import StoredInvoice, stored_digest
from invoice_service.domain.lifecycle import Reversal, reversal_of
from invoice_service.domain.lines import add_up, first_wrong, rates_within
from invoice_service.domain.numbering import format_issued_at, shanghai_year
from invoice_service.domain.persons import is_person, read_group
from invoice_service.domain.returns import is_return
from invoice_service.services.ports import Account, InvoiceFilter

_ROWS_AT_ONCE: Final = 256
_FIRST_NUMBER: Final = "00000001"


class Books(Protocol):
    """What the audit needs of the invoices."""

    def invoices(self, wanted: InvoiceFilter, after: int, limit: int) -> Sequence[StoredInvoice]:
        """Return up to ``limit`` invoices above ``after``, lowest first."""
        ...

    def invoice_at(self, seq: int) -> StoredInvoice | None:
        """Return one invoice."""
        ...

    def returns_of(self, seq: int) -> Sequence[StoredInvoice]:
        """Return the red invoices over the blue one at ``seq``, in order of issue."""
        ...

    def last_seq(self) -> int:
        """Return the newest invoice's place; 0 when there is none."""
        ...

    def account(self, merchant_id: int) -> Account | None:
        """Return one merchant."""
        ...

    def spent(self) -> Sequence["Spent"]:
        """Return the running sums of quotas as money, counted anew at one moment."""
        ...


class Spent(NamedTuple):
    """A month's running sum of a quota as money, and what its invoices come to; fen without tax."""

    merchant_id: int
    month: str
    kept: int
    counted: int


class Checked(NamedTuple):
    """An invoice that holds by itself, and its seller's tax id.

    Of a red one, ``reversal`` says how far the blue one was reversed from then on.
    """

    invoice: StoredInvoice
    merchant: str
    reversal: Reversal | None = None


class _Seller(msgspec.Struct):
    tax_id: str
    name: str


class _Face(msgspec.Struct):
    """What columns and log repeat of a face."""

    code: str
    number: str
    type: str
    issued_at: str
    order_id: str
    industry: str
    district: str
    amount: int
    tax: int
    total: int
    seller: _Seller
    reverses: str = ""
    till: str = ""
    business_day: str = ""
    part: int = 0
    parts: int = 0
    order_total: int = 0
    replaces: str = ""


_read_face: Final = msgspec.json.Decoder(_Face).decode


def checked_invoices(books: Books, last: int, tell: Callable[[int], None]) -> Iterator[Checked]:
    """Yield invoices 1 to ``last``, each once it holds; AuditError for the first that does not.

    ``tell`` is called with how many are done, now and then.
    """
    check = InvoiceCheck(books)
    done = 0
    while done < last:
        for invoice in _read(books, done, last):
            if invoice.seq != done + 1:
                raise _missing(done + 1)
            yield check.invoice(invoice)
            done += 1
        tell(done)
    check.quotas()


class InvoiceCheck:
    """The checks of one invoice after another, and what they must remember of those before.

    May begin with any of them; ``quotas`` makes sense only after the first to the last.
    """

    def __init__(self, books: Books, begin: int = 1) -> None:
        """The first that is checked is that at ``begin``; its number follows the one before."""
        self._books = books
        self._last = books.invoice_at(begin - 1) if begin > 1 else None
        self._codes: set[str] = set()
        self._sellers: dict[int, _Seller] = {}
        self._used: dict[int, int] = {}

    def invoice(self, invoice: StoredInvoice) -> Checked:
        """Check one invoice, steps 1 to 5 of the audit; AuditError for what does not hold."""
        _groups(invoice)
        try:
            face, lines = _read_face(invoice.face), read_lines(invoice.lines)
        except msgspec.MsgspecError as error:
            raise AuditError("invoice", invoice.seq, "a document of ours", str(error)) from error
        seller = self._seller(invoice)
        for name, expected, found in _columns(invoice, face, lines, seller):
            _same(invoice, name, expected, found)
        self._number(invoice)
        reversal = None
        if invoice.type == "red":
            reversal = self._red(invoice, lines)
        else:
            _lines(invoice, lines)
            self._used[invoice.merchant_id] = self._used.get(invoice.merchant_id, 0) + 1
            if face.part or face.replaces:
                _order(self._books, invoice, face)
        self._last = invoice
        return Checked(invoice, seller.tax_id, reversal)

    def quotas(self) -> None:
        """Step 4: as much of each quota is used as there are blue invoices, or more by now; of
        each as money, what the month's invoices come to.
        """
        for merchant_id, used in sorted(self._used.items()):
            account = self._books.account(merchant_id)
            if account is None or account.used < used:
                found = "no row" if account is None else f"{account.used} used"
                raise AuditError("merchant", merchant_id, f"{used} used", found)
        for merchant_id, month, kept, counted in self._books.spent():
            if kept != counted:
                expected = f"{counted} fen of its quota spent in {month}"
                raise AuditError("merchant", merchant_id, expected, str(kept))

    def _seller(self, invoice: StoredInvoice) -> _Seller:
        merchant_id = invoice.merchant_id
        if merchant_id not in self._sellers:
            account = self._books.account(merchant_id)
            if account is None:
                raise AuditError("invoice", invoice.seq, f"merchant {merchant_id}", "no such row")
            merchant = account.merchant
            self._sellers[merchant_id] = _Seller(merchant.tax_id, merchant.name)
        return self._sellers[merchant_id]

    def _number(self, invoice: StoredInvoice) -> None:
        """Step 3. A new code begins with its first number, and never comes back."""
        last = self._last
        if last is not None and invoice.issued_at < last.issued_at:
            raise AuditError(
                "invoice", invoice.seq, f"a time from {last.issued_at} on", str(invoice.issued_at)
            )
        number = _FIRST_NUMBER
        if last is not None and last.code == invoice.code:
            number = f"{int(last.number) + 1:08}"
        elif invoice.code in self._codes:
            raise AuditError("invoice", invoice.seq, "a new code", f"code {invoice.code} again")
        year = shanghai_year(invoice.issued_at)
        _same(invoice, "number", number, invoice.number)
        _same(invoice, "year of code", year, invoice.code[5:7])
        self._codes.add(invoice.code)

    def _red(self, invoice: StoredInvoice, lines: Sequence[Line]) -> Reversal:
        """Step 4: what it takes back follows from what was left, line by line."""
        blue = self._books.invoice_at(invoice.reverses or 0)
        if blue is None or blue.type != "blue" or blue.seq >= invoice.seq:
            raise AuditError(
                "invoice", invoice.seq, "an earlier blue one to reverse", str(invoice.reverses)
            )
        earlier = [red for red in self._books.returns_of(blue.seq) if red.seq < invoice.seq]
        sold, *before = (_read_lines(row) for row in (blue, *earlier))
        if not is_return(sold, before, lines, rates_within(sold)):
            raise AuditError(
                "invoice", invoice.seq, f"lines that take from what is left of {blue.seq}", "others"
            )
        return reversal_of(blue.total, -sum(red.total for red in (*earlier, invoice)))


def _read_lines(invoice: StoredInvoice) -> Sequence[Line]:
    try:
        return read_lines(invoice.lines)
    except msgspec.MsgspecError as error:
        raise AuditError("invoice", invoice.seq, "lines of ours", str(error)) from error


def _order(books: Books, invoice: StoredInvoice, face: _Face) -> None:
    """Step 5: a part of a bill, or one in the place of another, against those before it."""
    until = [one for one in _family(books, invoice) if one.seq <= invoice.seq]
    blue = [one for one in until if one.type == "blue"]
    own = [one for one in blue if one.part == invoice.part]
    bill = _read_face(blue[0].face)
    _same(invoice, "parts", bill.parts, face.parts)
    _same(invoice, "order_total", bill.order_total, face.order_total)
    _same(invoice, "replaces", own[0].hash if own[0].seq < invoice.seq else "", face.replaces)
    most = face.order_total or own[0].total
    if (stands := sum(one.total for one in until)) > most:
        raise AuditError("invoice", invoice.seq, f"an order of {most} fen at most", str(stands))


def _family(books: Books, invoice: StoredInvoice) -> Iterator[StoredInvoice]:
    """All of the same order, what takes them back included."""
    wanted = InvoiceFilter(
        merchant_id=invoice.merchant_id,
        order_id=invoice.order_id,
        till=invoice.till,
        business_day=invoice.business_day,
    )
    after = 0
    while rows := books.invoices(wanted, after, _ROWS_AT_ONCE):
        yield from rows
        after = rows[-1].seq


def _groups(invoice: StoredInvoice) -> None:
    """Step 1."""
    for name in ("face", "lines") if invoice.erased else ("face", "buyer", "lines"):
        try:
            canonical.decode_canonical(getattr(invoice, name))
        except MalformedError as error:
            raise AuditError("invoice", invoice.seq, f"a canonical {name}", error.detail) from error
    try:
        digest = stored_digest(invoice)
    except MalformedError as error:
        raise AuditError("invoice", invoice.seq, "three salts", error.detail) from error
    _same(invoice, "digest", password_area(digest), invoice.hash)
    if invoice.sealed or b'"kind":"individual"' not in invoice.buyer:
        return
    try:
        named = is_person(read_group(invoice.buyer))
    except msgspec.MsgspecError as error:
        raise AuditError("invoice", invoice.seq, "a buyer of ours", str(error)) from error
    if named:
        raise AuditError("invoice", invoice.seq, "a person who can be erased", "one who cannot")


def _columns(
    invoice: StoredInvoice, face: _Face, lines: Sequence[Line], seller: _Seller
) -> Iterator[tuple[str, Any, Any]]:
    """Step 2: (name, what the document says, what the row says)."""
    for name in ("code", "number", "type", "order_id", "industry", "district"):
        yield name, getattr(face, name), getattr(invoice, name)
    for name in ("till", "business_day", "part"):
        yield name, getattr(face, name), getattr(invoice, name)
    for name in ("amount", "tax", "total"):
        yield name, getattr(face, name), getattr(invoice, name)
    yield "issued_at", face.issued_at, _time(invoice.issued_at)
    yield "seller", face.seller.tax_id, seller.tax_id
    yield "name of seller", face.seller.name, seller.name
    yield "reverses", face.reverses, invoice.reverses_hash or ""
    amount, tax, rates = add_up(lines)
    yield "rates", rates, invoice.rates
    yield "amount of lines", amount, face.amount
    yield "tax of lines", tax, face.tax
    yield "total", face.amount + face.tax, face.total


def _lines(invoice: StoredInvoice, lines: Sequence[Line]) -> None:
    """Step 2: a blue one's lines, each from its price, quantity and rate."""
    wrong = first_wrong(lines, rates_within(lines))
    if wrong is not None:
        raise AuditError(
            "invoice", invoice.seq, f"a line {wrong + 1} that follows from itself", "another"
        )


def _time(moment: int) -> str:
    try:
        return format_issued_at(moment)
    except (ValueError, OverflowError, OSError):
        return f"no time: {moment}"


def _same(invoice: StoredInvoice, name: str, expected: object, found: object) -> None:
    if expected != found:
        raise AuditError("invoice", invoice.seq, f"{name} {expected}", f"{name} {found}")


def _read(books: Books, done: int, last: int) -> Sequence[StoredInvoice]:
    """Read the next rows; a damaged one is named once it is the first."""
    limit = min(_ROWS_AT_ONCE, last - done)
    while True:
        try:
            rows = books.invoices(InvoiceFilter(), done, limit)
        except UnavailableError as error:
            if error.code != "record_damaged":
                raise
            if limit == 1:
                raise AuditError(
                    "invoice", done + 1, "a row that can be read", error.detail
                ) from error
            limit = 1
            continue
        if not rows:
            raise _missing(done + 1)
        return rows


def _missing(seq: int) -> AuditError:
    return AuditError("invoice", seq, "a row", "nothing")
