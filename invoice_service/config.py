"""``config.toml`` and the environment, read once into one frozen object."""

import re
import tomllib
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from chain.errors import MalformedError
from invoice_service.sections import (
    Admission,
    Broker,
    Count,
    Mail,
    Officials,
    Oidc,
    Paper,
    Payments,
    People,
    Port,
    Prepaid,
    Reports,
    Retention,
    Section,
    Witness,
)

PREFIX: Final = "FAPIAO_"
LARGEST_PORT: Final = 65535
OUR_ADDRESSES: Final = frozenset(
    [
        ".well-known",
        "account",
        "apply",
        "bureau",
        "claim",
        "components",
        "docs",
        "dzswj",
        "explorer",
        "healthz",
        "invitation",
        "language",
        "log",
        "metrics",
        "openapi.json",
        "people",
        "prepaid",
        "problems",
        "readyz",
        "report",
        "reports",
        "setup",
        "sign-in",
        "sign-out",
        "static",
        "template",
        "till",
        "v1",
        "verify",
        "why",
    ]
)
"""What our own addresses begin with: a public path that does would be mistaken for one."""

_Section = TypeVar("_Section", bound=Section)
_TOGETHER: Final = (
    ("payments", "wechat_key", "wechat_signers"),
    ("paper", "certificate", "key"),
    ("oidc", "issuer", "client_id"),
)
_HERE_ONLY: Final = re.compile(r"(127(\.[0-9]{1,3}){3}|localhost|\[::1\])(:[0-9]+)?")

Tokens = Annotated[int, Meta(ge=1, le=1_000_000_000)]
Seconds = Annotated[float, Meta(gt=0, le=3600)]
Digit = Annotated[str, Meta(pattern=r"\A[0-9]\Z")]
PublicUrl = Annotated[
    str,
    Meta(pattern=r"\Ahttps?://([a-z0-9.-]+|\[[0-9a-f:]+\])(:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*\Z"),
]
BatchDigit = Annotated[int, Meta(ge=0, le=9)]

_IN_WORDS: Final = {  # what a pattern asks of a text that people type, by its key's pointer
    "/service/public_url": "service.public_url is http(s)://, a host in small letters (xn--),"
    " perhaps a port and a path without a slash at its end, like https://fapiao.example.cn"
}


class Service(Section, frozen=True):
    """Where the service is reached and where it keeps its files."""

    public_url: PublicUrl = "http://127.0.0.1:8000"
    data_dir: Annotated[str, Meta(pattern=r"\A[^\x00]+\Z")] = "var/main"


class Web(Section, frozen=True):
    """The web server's processes, and the seconds that a client may take for each step."""

    host: str = "127.0.0.1"
    port: Port = 8000
    workers: Count = 2
    threads: Count = 4
    trusted_proxies: tuple[str, ...] = ()
    head_seconds: Seconds = 10.0
    body_seconds: Seconds = 30.0
    slowest_upload: Count = 16_384
    answer_seconds: Seconds = 30.0
    idle_seconds: Seconds = 75.0


class Log(Section, frozen=True):
    """The transparency log's name."""

    origin: Annotated[str, Meta(pattern=r"\A[!-*,-~]*\Z")] = ""


class Anchor(Section, frozen=True):
    """When pending invoices become blocks; times in seconds."""

    interval: Annotated[float, Meta(gt=0, le=3600)] = 1.0
    max_delay: Count = 60
    max_block: Count = 10_000


class Numbering(Section, frozen=True, rename={"class_": "class"}):
    """The parts of the invoice code, PILOT "Code, number, check code"."""

    region: Annotated[str, Meta(pattern=r"\A[0-9]{4}\Z")] = "4403"
    industry_kind: Digit = "0"
    class_: Digit = "9"
    copy: Digit = "1"
    amount_limit: Digit = "0"
    first_batch: BatchDigit = 1
    last_batch: BatchDigit = 9
    numbers_per_batch: Annotated[int, Meta(ge=1, le=99_999_999)] = 99_999_999


class Limits(Section, frozen=True):
    """The largest inputs that are read at all."""

    body_bytes: Annotated[int, Meta(ge=1, le=1_048_576)] = 1_048_576
    lines: Annotated[int, Meta(ge=1, le=2_000)] = 2_000
    batch_records: Count = 10_000
    batch_bytes: Count = 33_554_432
    head_bytes: Count = 32_768
    held_bytes: Count = 268_435_456
    connections: Count = 2_000
    peer_connections: Count = 200
    feeds: Count = 500
    peer_feeds: Count = 100


class Rate(Section, frozen=True):
    """Tokens of a caller in each web process: how many come back a second, how many are saved."""

    peer_per_second: Tokens = 100
    peer_burst: Tokens = 20_000
    key_per_second: Tokens = 500
    key_burst: Tokens = 50_000


class Clock(Section, frozen=True):
    """How far the clock may be behind the last invoice, and ahead of what is known; in seconds."""

    max_backwards: Annotated[int, Meta(ge=0)] = 60
    max_forwards: Count = 345_600


class Till(Section, frozen=True):
    """What holds for all tills."""

    day_begins: Annotated[int, Meta(ge=0, le=12)] = 4
    buyer_hours: Annotated[int, Meta(ge=1, le=720)] = 24


class Claims(Section, frozen=True):
    """How long a customer may claim an invoice, in seconds, where an order does not say."""

    seconds: Annotated[int, Meta(ge=60, le=2_678_400)] = 604_800


class Operations(Section, frozen=True):
    """Who sees more of ``/readyz`` than one word, and ``/metrics``."""

    access: Literal["loopback", "token"] = "loopback"
    token: Annotated[str, Meta(pattern=r"\A([!-~]{20,})?\Z")] = ""


class Tax(Section, frozen=True):
    """The VAT rates in force, as decimal strings."""

    rates: tuple[Annotated[str, Meta(pattern=r"\A0(\.[0-9]{0,3}[1-9])?\Z")], ...] = (
        "0",
        "0.01",
        "0.03",
        "0.05",
        "0.06",
        "0.09",
        "0.13",
    )


class Bureau(Section, frozen=True):
    """The tax office whose service this is; without a name nobody's, and pages and slips say so."""

    name: Annotated[str, Meta(max_length=40)] = ""
    name_en: Annotated[str, Meta(max_length=60)] = ""

    @property
    def is_sample(self) -> bool:
        """Whether nothing here is a tax office's."""
        return not self.name


class Config(Section, frozen=True):
    """All settings; the paths in them are absolute once they have been loaded."""

    service: Service = Service()
    web: Web = Web()
    log: Log = Log()
    anchor: Anchor = Anchor()
    broker: Broker = Broker()
    numbering: Numbering = Numbering()
    limits: Limits = Limits()
    rate: Rate = Rate()
    clock: Clock = Clock()
    people: People = People()
    officials: Officials = Officials()
    oidc: Oidc = Oidc()
    till: Till = Till()
    claims: Claims = Claims()
    retention: Retention = Retention()
    reports: Reports = Reports()
    admission: Admission = Admission()
    payments: Payments = Payments()
    mail: Mail = Mail()
    paper: Paper = Paper()
    prepaid: Prepaid = Prepaid()
    operations: Operations = Operations()
    tax: Tax = Tax()
    witness: Witness = Witness()
    bureau: Bureau = Bureau()

    @property
    def data_dir(self) -> Path:
        return Path(self.service.data_dir)

    @property
    def invoices_db(self) -> Path:
        return self.data_dir / "invoices.db"

    @property
    def log_db(self) -> Path:
        return self.data_dir / "log.db"

    @property
    def log_dir(self) -> Path:
        """The folder served as ``/log/``: ``checkpoint`` and ``tile/``."""
        return self.data_dir / "log"

    @property
    def keys_dir(self) -> Path:
        return self.data_dir / "keys"

    @property
    def broker_dir(self) -> Path:
        return self.data_dir / "broker"

    @property
    def files_dir(self) -> Path:
        """Files of orders that people have sent: for a while, and no loss when they are gone."""
        return self.data_dir / "files"

    @property
    def status_dir(self) -> Path:
        return self.data_dir / "status"

    @property
    def help_dir(self) -> Path:
        """Reports of wrong slips with their pictures, and how often scans did not fit."""
        return self.data_dir / "help"

    @property
    def admission_dir(self) -> Path:
        """The papers of applications, as pictures; what is decided stands in ``invoices.db``."""
        return self.data_dir / "admission"

    @property
    def run_dir(self) -> Path:
        """Sockets, locks and the supervisor's files: nothing here outlives a restart."""
        return self.data_dir / "run"

    @property
    def public_path(self) -> str:
        """The path of the public address, without a slash at its end; most have none: ""."""
        _, _, place = self.service.public_url.partition("://")
        _, slash, path = place.partition("/")
        return slash + path

    @property
    def is_here_only(self) -> bool:
        """Whether the public address leads to this machine alone: nobody else can scan codes."""
        place = self.service.public_url.partition("://")[2].partition("/")[0]
        return _HERE_ONLY.fullmatch(place) is not None

    @property
    def log_origin(self) -> str:
        """``log.origin``, or host[:port]/path of the public address with ``/log``."""
        if self.log.origin:
            return self.log.origin
        _, _, place = self.service.public_url.partition("://")
        return f"{place}/log"


def load(path: Path | None, environ: Mapping[str, str]) -> Config:
    """Read the file (None: defaults only), then the environment's overrides.

    Raises MalformedError "config_invalid", with the key as its pointer.
    """
    tables = _read(path)
    for section, key, text in _overrides(environ):
        tables.setdefault(section, {})[key] = _from_text(section, key, text)
    try:
        config = msgspec.convert(tables, Config)
    except msgspec.ValidationError as error:
        pointer = _pointer(error)
        said = _IN_WORDS.get(pointer) if "regex" in str(error) else None
        raise MalformedError("config_invalid", said or str(error), pointer=pointer) from None
    _check(config)
    here = (path.parent if path else Path()).resolve()
    return msgspec.structs.replace(
        config,
        service=_placed(config.service, here, "data_dir"),
        witness=_placed(config.witness, here, "policy"),
        payments=_placed(config.payments, here, "wechat_key", "wechat_signers", "alipay_key"),
        mail=_placed(config.mail, here, "ca"),
        oidc=_placed(config.oidc, here, "ca"),
        paper=_placed(config.paper, here, "certificate", "key", "chain"),
        retention=_placed(config.retention, here, "backups"),
        prepaid=_placed(config.prepaid, here, "wallets"),
    )


def _placed(section: _Section, here: Path, *names: str) -> _Section:
    """With absolute paths."""
    named = {name: getattr(section, name) for name in names}
    found = {name: str(here / text) for name, text in named.items() if text}
    return msgspec.structs.replace(section, **found)


def env_name(section: str, key: str) -> str:
    """The environment variable that overrides this key."""
    return f"{PREFIX}{section}_{key}".upper()


def _read(path: Path | None) -> dict[str, dict[str, Any]]:
    if path is None:
        return {}
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise MalformedError("config_invalid", f"{path}: {error}") from None
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise MalformedError(
                "config_invalid", f"{name} stands outside its section", pointer=f"/{name}"
            )
    return tables


def _overrides(environ: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """(section, key, text) of every variable that begins with a section's name."""
    found = []
    for name, text in sorted(environ.items()):
        section, _, key = name.removeprefix(PREFIX).lower().partition("_")
        if name.startswith(PREFIX) and key and section in Config.__struct_fields__:
            # A name need not be UTF-8; such a key is as unknown as any other.
            found.append((section, key.encode("utf-8", "backslashreplace").decode(), text))
    return found


def _from_text(section: str, key: str, text: str) -> Any:  # noqa: ANN401 # a TOML value is any of several types
    """The variable's value: text as it stands for text keys, else read as a TOML value."""
    kind = _kinds(section).get(key)
    if kind is None or kind is str or get_origin(kind) is Literal:
        return text
    try:
        parsed = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):  # thousands of digits or of brackets among them
        parsed = {}
    if set(parsed) != {"value"}:
        raise MalformedError(
            "config_invalid",
            f"{env_name(section, key)} is not a value for this key: {text!r}",
            pointer=f"/{section}/{key}",
        )
    return parsed["value"]


def _kinds(section: str) -> dict[str, Any]:
    """The plain type of every key of a section, by its name in the file."""
    struct = get_type_hints(Config)[section]
    hints = get_type_hints(struct)
    return {
        encoded: hints[field]
        for field, encoded in zip(
            struct.__struct_fields__, struct.__struct_encode_fields__, strict=True
        )
    }


def _check(config: Config) -> None:
    """What one key's type cannot say."""
    _check_proxies(config.web.trusted_proxies)
    _check_public_url(config)
    if config.numbering.first_batch > config.numbering.last_batch:
        raise MalformedError(
            "config_invalid",
            "numbering.first_batch is above numbering.last_batch",
            pointer="/numbering/first_batch",
        )
    for section, one, other in _TOGETHER:
        settings = getattr(config, section)
        if bool(getattr(settings, one)) != bool(getattr(settings, other)):
            raise MalformedError(
                "config_invalid",
                f"{section}.{one} and {section}.{other} are set together",
                pointer=f"/{section}/{other}",
            )
    _check_mail(config.mail)
    if config.operations.access == "token" and not config.operations.token:
        raise MalformedError(
            "config_invalid",
            'operations.access = "token" needs operations.token',
            pointer="/operations/token",
        )
    if not config.tax.rates or len(set(config.tax.rates)) != len(config.tax.rates):
        raise MalformedError(
            "config_invalid", "tax.rates must name each rate once", pointer="/tax/rates"
        )


def _check_mail(mail: Mail) -> None:
    if mail.host and not mail.from_:
        raise MalformedError("config_invalid", "mail.host needs mail.from", pointer="/mail/from")
    if mail.user and mail.security == "none":
        raise MalformedError(
            "config_invalid",
            'mail.user needs mail.security = "starttls" or "tls": a password is not sent in clear',
            pointer="/mail/security",
        )


def _check_public_url(config: Config) -> None:
    """Here, since ``init`` fixes it for ever: what could never be served is not to be fixed."""
    first = config.public_path.strip("/").partition("/")[0]
    if first in OUR_ADDRESSES:
        raise MalformedError(
            "config_invalid",
            f"the path of service.public_url begins with /{first}, an address of the service",
            pointer="/service/public_url",
        )
    port = re.search(r"://[^/]*:([0-9]+)(?:/|\Z)", config.service.public_url)
    if port and not 0 < int(port[1]) <= LARGEST_PORT:
        raise MalformedError(
            "config_invalid",
            f"service.public_url has port {port[1]}: ports end at {LARGEST_PORT}",
            pointer="/service/public_url",
        )


def _check_proxies(trusted: tuple[str, ...]) -> None:
    for index, text in enumerate(trusted):
        try:
            ip_network(text)
        except ValueError as error:
            raise MalformedError(
                "config_invalid",
                f"web.trusted_proxies has addresses and networks: {error}",
                pointer=f"/web/trusted_proxies/{index}",
            ) from None


def _pointer(error: msgspec.ValidationError) -> str:
    """The JSON pointer in msgspec's message, "… - at `$.web.port`"."""
    _, _, path = str(error).rpartition(" - at `$")
    return path.removesuffix("`").replace(".", "/") if path else ""
