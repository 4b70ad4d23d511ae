"""The result file of a file of orders: a line for every record, and the memory of what is done."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from chain.durable import write_file
from invoice_service.services.issuing.standing import Standing


class Result(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one record; ``request`` is the digest of what was asked, in hex.

    ``key`` is its Idempotency-Key, where it needed one. From ``state`` on it says how the invoice
    stood when the file was written last: fen that are ``left`` of one that was taken back, the
    numbers of the red invoices and of those that replaced it.
    """

    record: int
    order_id: str
    status: Literal["issued", "replayed", "refused"]
    request: str
    till: str = ""
    business_day: str = ""
    part: int = 0
    lines: tuple[int, ...] = ()
    """Where a refused order's lines stand in the file."""
    hash: str = ""
    invoice_code: str = ""
    number: str = ""
    total: int = 0
    code: str = ""
    detail: str = ""
    detail_zh: str = ""
    pointer: str = ""
    columns: dict[str, str] = {}
    """What columns of the file that are not ours say of it; nothing once its buyer was erased."""
    key: str = ""
    first: str = ""
    """The hash of the invoice for which its number was refused."""
    state: str = ""
    left: int | None = None
    reversed_by: tuple[str, ...] = ()
    replaced_by: tuple[str, ...] = ()

    @property
    def order(self) -> tuple[str, str, str, int]:
        """Which order it is about."""
        return self.order_id, self.till, self.business_day, self.part

    def now(self, standing: Standing) -> "Result":
        """The same, as its invoice stands now."""
        return msgspec.structs.replace(
            self,
            state=str(standing.state),
            left=standing.left,
            reversed_by=standing.reversed_by,
            replaced_by=standing.replaced_by,
            columns={} if standing.buyer_erased else self.columns,
        )


Key: TypeAlias = tuple[int, str]
"""A record's place and the digest of what it asked: another file of the same name asks other."""

Standings = Callable[[Sequence[str]], Mapping[str, Standing]]
"""How invoices stand now, by their hashes; what is nobody's or another's is left out."""


class ResultFile:
    """Appends results while they come, and orders them at the end.

    It is a shop's list of its hashes: an invoice that stands in it stays, whatever is issued later
    from a file of the same name, and so does an order that was refused, until another line is about
    it. Written without sync: what a power cut takes from it is asked again, and the service answers
    a repeated order with its first invoice.
    """

    def __init__(self, path: Path, *, mode: int = 0o644) -> None:
        self.path = path
        self._mode = mode
        self._results = _load(path)

    def done(self, record: int, request: str) -> Result | None:
        """The invoice of this record, if just this request has got one."""
        result = self._results.get((record, request))
        return None if result is None or result.status == "refused" else result

    def key(self, record: int, request: str) -> str:
        """The key with which just this request was asked before, or ""."""
        result = self._results.get((record, request))
        return "" if result is None else result.key

    def newest(self, count: int) -> list[Result]:
        """The invoices written last, the oldest of them first."""
        return self._invoices()[-count:]

    def all(self) -> list[Result]:
        """All lines, in their order."""
        return list(self._results.values())

    def set_aside(self) -> Path:
        """Begin anew: the file speaks of another instance, and goes on under another name."""
        number = 1
        while (aside := self.path.with_name(f"{self.path.name}.{number}")).exists():
            number += 1
        self.path.rename(aside)
        self._results.clear()
        return aside

    def add(self, results: Iterable[Result]) -> None:
        """Append what a batch answered; a kill here loses at most the answers, never an invoice."""
        new = {_key(result): result for result in results}
        handle = os.open(
            self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, self._mode
        )
        with os.fdopen(handle, "ab") as file:
            file.write(_encode_lines(new.values()))
            file.flush()
        self._results |= new

    def finish(self, requests: Sequence[str], standings: Standings) -> None:
        """Write the file anew: what earlier files left, then a line for each of ``requests``.

        Each invoice is told as it stands now.
        """
        now = dict.fromkeys(enumerate(requests, start=1))
        ordered = [self._results[key] for key in now if key in self._results]
        told = [*self._earlier(ordered), *ordered]
        stand = standings([result.hash for result in told if result.hash])
        told = [one.now(stand[one.hash]) if one.hash in stand else one for one in told]
        write_file(self.path, _encode_lines(told), mode=self._mode)
        self._results = {_key(result): result for result in told}

    def _earlier(self, ordered: Sequence[Result]) -> Iterator[Result]:
        """What stays of other files: invoices, and orders that nothing else has been said of."""
        listed = {result.hash for result in ordered if result.hash}
        asked = set(map(_key, ordered))
        newest = {one.order: one for one in self._results.values() if one.order_id}
        newest |= {one.order: one for one in ordered}
        for result in self._results.values():
            if result.hash:
                if result.hash not in listed:
                    yield result
            elif newest.get(result.order) is result and _key(result) not in asked:
                yield result

    def _invoices(self) -> list[Result]:
        return [result for result in self._results.values() if result.status != "refused"]


def read_results(path: Path) -> Iterator[Result]:
    """The lines of a result file, one at a time; what is torn is passed over."""
    with path.open("rb") as file:
        for line in file:
            try:
                yield _decoder.decode(line)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                continue


def forget_columns(path: Path, hash_: str, order_id: str) -> None:
    """Leave out what columns that are not ours said of one invoice; the rest stays as it is.

    So for what was refused under its number: in doubt it is about the same guest.
    """
    found = list(read_results(path))
    gone = [one.hash == hash_ or (not one.hash and one.order_id == order_id) for one in found]
    if not any(gone):
        return
    kept = [
        msgspec.structs.replace(one, columns={}) if goes else one
        for one, goes in zip(found, gone, strict=True)
    ]
    write_file(path, _encode_lines(kept), mode=path.stat().st_mode & 0o777)


def _key(result: Result) -> Key:
    return result.record, result.request


def _encode_lines(results: Iterable[Result]) -> bytes:
    return b"".join(msgspec.json.encode(result) + b"\n" for result in results)


def _load(path: Path) -> dict[Key, Result]:
    """Results by their keys, the last line for each; a line that was cut short leaves the file."""
    if not path.exists():
        return {}
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        os.truncate(path, whole)
    found: dict[Key, Result] = {}
    for line in data[:whole].splitlines():
        try:
            result = _decoder.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue  # torn by a power cut: the record is asked again
        found.pop(_key(result), None)  # so that the order is that of writing
        found[_key(result)] = result
    return found


_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
_decoder = msgspec.json.Decoder(Result)
