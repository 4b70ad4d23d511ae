"""What is said of an invoice: by the text of its QR code (PILOT "QR code"), or field by field.

One reading for all who ask: a scan, a page's address, a pasted text, a list, a picture, a program.
What may come twice, or from two sides, is taken together or refused; none of it is passed over.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from typing import Final
from urllib.parse import parse_qsl

import msgspec

from chain.commitment import parse_password_area
from chain.errors import MalformedError

from .money import Fen, parse_amount, parse_yuan
from .numbering import parse_bill_number
from .spans import BEHIND, SIGNS, in_one_line, readings, spans, without_words
from .text import drop_unseen
from .vat import read_vat

FIELDS: Final = ("hash", "bill_num", "total_amount")
"""The parameters of the address, in the order in which we print them."""

LONGEST: Final = 4096
_MOST_PARAMETERS: Final = 30
_PATH: Final = "/verify/scan"
_TEXT: Final = "text"
"""The parameter in which the page's form sends what was pasted."""

_URL = re.compile(
    r"(?:https?://)?"
    r"(?P<host>(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?)"
    r"(?:/[\w.~!$&'()*+,;=:@%-]+)*?/verify/scan/?"
    r"\?(?P<query>[^#]*)(?:#.*)?",
    re.DOTALL | re.ASCII | re.IGNORECASE,
)
_BEHIND_VALUE: Final = BEHIND + ".,;:!"
_NAMED = re.compile(r"(?<![0-9a-z])01[0-9a-f]{64}(?![0-9a-z])", re.IGNORECASE)
_HASH = re.compile(r"[0-9A-Fa-f]{66}")
_DAY = re.compile(r"20[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])")
_CODE = re.compile(r"[0-9]{12}")
_AS_PRINTED = re.compile(
    r"hash=(01[0-9a-f]{64})&bill_num=([0-9]{8})&total_amount=([1-9][0-9]{0,12})", re.ASCII
)
_COMMAS: Final = 7
"""Of the comma form; others may stand in the words behind it."""


class QrText(msgspec.Struct, frozen=True, kw_only=True):
    """What a code says; the URL form has ``host`` and ``total``, the comma form the others."""

    hash: str
    number: str
    host: str | None = None
    total: Fen | None = None
    code: str | None = None
    seller_tax_id: str | None = None
    amount: Fen | None = None
    day: str | None = None


def scan_url(public_url: str, hash: str, number: str, total: Fen) -> str:  # noqa: A002 # the field's name in the format
    """The text that we print: a URL that a phone opens by itself."""
    return f"{public_url}{_PATH}?hash={hash}&bill_num={number}&total_amount={total}"


def read_hash(text: str) -> str:
    """A hash as we write it; capitals mean the same. MalformedError "password_area"."""
    hash_ = text.lower() if _HASH.fullmatch(text) else text
    parse_password_area(hash_)
    return hash_


def claim_of(said: Mapping[str, str], qr: str | None = None) -> QrText:
    """All that is said of one invoice: ``FIELDS``, the text of a code, or both where they agree.

    Raises MalformedError: missing_parameter where a field is missing and there is no code,
    claims_differ, and as ``parse_qr_text`` does.
    """
    if qr is not None:
        return _agreeing(parse_qr_text(qr), said)
    for name in FIELDS:
        if name not in said:
            raise MalformedError("missing_parameter", f"{name} is missing", pointer=name)
    hash_, number, total = (_clean(said[name]) for name in FIELDS)
    return QrText(
        hash=read_hash(hash_), number=parse_bill_number(number), total=parse_amount(total)
    )


def claim_as_printed(query: str) -> QrText | None:
    """What an address says that is spelled as we print it; None for any other way of saying it.

    The plain case of ``claim_of``, for one who asks by the thousand.
    """
    said = _AS_PRINTED.fullmatch(query)
    if said is None:
        return None
    return QrText(hash=said[1], number=said[2], total=int(said[3]))


def _agreeing(code: QrText, said: Mapping[str, str]) -> QrText:
    """The code, once the fields beside it say nothing else."""
    fields = {name: _clean(said[name]) for name in FIELDS if name in said}
    hash_ = read_hash(fields.get("hash", code.hash))
    number = parse_bill_number(fields.get("bill_num", code.number))
    total = parse_amount(fields["total_amount"]) if "total_amount" in fields else code.total
    return join_claims(code, QrText(hash=hash_, number=number, total=total))


def join_claims(one: QrText, other: QrText) -> QrText:
    """All that both say; whose code it was, ``host``, says nothing of the invoice.

    MalformedError "claims_differ" where they say different things.
    """
    said = {field: getattr(one, field) for field in QrText.__struct_fields__}
    for field, value in msgspec.structs.asdict(other).items():
        if said[field] is None:
            said[field] = value
        elif value is not None and value != said[field] and field != "host":
            raise MalformedError("claims_differ", f"two values of {field} are said of one invoice")
    return QrText(**said)


def hashes_named(text: str) -> set[str]:
    """Every hash that stands in ``text``, as we write it."""
    return {hash_.lower() for hash_ in _NAMED.findall(text)}


def claim_in_query(query: str) -> QrText:
    """What the address of a scan page says: ``FIELDS``, a pasted ``text``, or both.

    Programs that pass an address on add parameters of their own, write "&amp;" and a second "?";
    these are passed over, unless another invoice's code or hash stands in one. Raises
    MalformedError as ``claim_of`` does, and query_malformed, duplicate_parameter.
    """
    pairs = list(_parameters(query))
    ours = [(name, value) for name, value in pairs if name in {*FIELDS, _TEXT}]
    said = dict(ours)
    if len(said) != len(ours):
        raise MalformedError("duplicate_parameter", "a parameter stands twice in the address")
    claim = claim_of(said, said.get(_TEXT))
    others = [code for name, value in pairs if name not in said for code in _codes_within(value)]
    return _as_named(reduce(join_claims, others, claim), query)


def _parameters(query: str) -> Iterator[tuple[str, str]]:
    """Names in small letters, and values."""
    if len(query) > LONGEST:
        raise MalformedError("query_malformed", f"at most {LONGEST} characters are read")
    try:
        pairs = parse_qsl(
            query.translate(SIGNS),
            keep_blank_values=True,
            errors="replace",
            max_num_fields=_MOST_PARAMETERS,
        )
    except ValueError:
        raise MalformedError("query_malformed", "the address has too many parameters") from None
    for name, value in pairs:
        whole = (f"{name}={value}" if value else name).translate(SIGNS)
        if _named(whole)[0] in FIELDS:  # browsers encode the signs that were none of theirs
            yield from map(_named, re.split("[?&]", whole))
        else:
            yield _named(name)[0], value


def _named(parameter: str) -> tuple[str, str]:
    name, _, value = drop_unseen(parameter).partition("=")
    return name.lower().removeprefix("amp;"), value


def _codes_within(value: str) -> Iterator[QrText]:
    """The code in a parameter of somebody else's; what cannot be read there is nobody's."""
    try:
        yield parse_qr_text(value)
    except MalformedError as problem:
        if problem.code == "claims_differ":
            raise


def parse_qr_text(text: str) -> QrText:
    """Read either form, as it was scanned or pasted, with words before it or an address around it.

    Raises MalformedError: qr_invalid, qr_ordinary_vat, password_area, bill_num_invalid,
    amount_invalid, query_malformed, duplicate_parameter, and claims_differ where the codes of
    several invoices stand in it.
    """
    if len(text) > LONGEST:
        raise _invalid()
    text = drop_unseen(text)
    for reading in readings(text):
        if (said := _claim_of_all(spans(reading))) is not None:
            return _as_named(said, text)
    raise _invalid()


def _claim_of_all(parts: Sequence[str]) -> QrText | None:
    """What the codes say where all say it of one invoice; None where there are none."""
    codes: list[QrText] = []
    problems: list[MalformedError] = []
    for part in parts:
        try:
            codes += _parse_part(part)
        except MalformedError as problem:
            problems.append(problem)
    if problems and len(codes) + len(problems) > 1:
        raise MalformedError("claims_differ", "several codes stand in the text: send one of them")
    if problems:
        raise problems[0]
    return reduce(join_claims, codes) if codes else None


def _as_named(said: QrText, text: str) -> QrText:
    """The claim, if the words around it, or other parameters, name no other invoice."""
    if any(not hashes_named(reading) <= {said.hash} for reading in readings(drop_unseen(text))):
        raise MalformedError("claims_differ", "the text has the hashes of several invoices")
    return said


def _parse_part(part: str) -> list[QrText]:
    """The code, or nothing for an address that says nothing of an invoice."""
    match = _URL.fullmatch(in_one_line(part))
    if not match:
        *first, last = part.split(",", _COMMAS)
        return [_parse_commas([*first, *without_words(last).split(",")])]
    said = {name for name, value in _parameters(match["query"]) if value}
    if said.isdisjoint({*FIELDS, _TEXT}):
        return []
    try:
        claim = claim_in_query(match["query"])
    except MalformedError as problem:
        if problem.code == "missing_parameter":
            raise _invalid() from None
        raise
    return [msgspec.structs.replace(claim, host=match["host"].lower())]


def _parse_commas(fields: list[str]) -> QrText:
    if (vat := read_vat(",".join(fields))) is not None:
        fits = "fits" if vat.fits else "does not fit: was it read whole?"
        raise MalformedError(
            "qr_ordinary_vat",
            f"an ordinary VAT invoice's code (kind {vat.kind}, {vat.name}): it carries no password"
            f" area; its check sum {fits}",
        )
    if len(fields) != 8 or fields[:2] != ["01", "10"]:
        raise _invalid()
    code, number, tax_id, amount, day, hash_ = fields[2:]
    if not _CODE.fullmatch(code) or not _DAY.fullmatch(day):
        raise _invalid()
    return QrText(
        hash=read_hash(_clean(hash_)),
        number=parse_bill_number(number),
        code=code,
        seller_tax_id=tax_id,
        amount=parse_yuan(amount),
        day=f"{day[:4]}-{day[4:6]}-{day[6:]}",
    )


def _clean(value: str) -> str:
    """A value without what chat programs leave behind it: unseen characters, a stop, words."""
    return without_words(drop_unseen(value)).rstrip(_BEHIND_VALUE)


def _invalid() -> MalformedError:
    return MalformedError(
        "qr_invalid",
        "not an invoice's code: it is a /verify/scan address or eight fields with commas",
    )
