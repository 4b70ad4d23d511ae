"""Tables of ``config.toml``: other services, letters, what is kept; and what every table is."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Count = Annotated[int, Meta(ge=1)]
Days = Annotated[int, Meta(ge=0, le=36_500)]
Port = Annotated[int, Meta(ge=0, le=65535)]


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One table of the file; a key that is not declared is refused."""


class Broker(Section, frozen=True):
    """Celery's broker."""

    url: Annotated[str, Meta(min_length=1)] = "filesystem://"


class Payments(Section, frozen=True):
    """Whose payment notices are believed; paths count from the folder of the file."""

    wechat_key: str = ""
    wechat_signers: str = ""
    wechat_merchant: str = ""
    alipay_key: str = ""
    alipay_app_id: str = ""


class Mail(Section, frozen=True, rename={"from_": "from"}):
    """The server that takes letters with invoices; without a host none are sent."""

    host: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9.:-]*\Z")] = ""
    port: Port = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password: str = ""
    from_: Annotated[str, Meta(pattern=r"\A([A-Za-z0-9._+-]+@[A-Za-z0-9.-]+)?\Z")] = ""
    ca: str = ""
    hours: Annotated[int, Meta(ge=1, le=72)] = 24
    merchant_daily: Count = 500


class Paper(Section, frozen=True):
    """With what papers are signed; without a certificate they are not."""

    certificate: str = ""
    key: str = ""
    chain: str = ""


class Prepaid(Section, frozen=True):
    """Whose word counts of money that customers paid in advance: a folder of public keys."""

    wallets: str = ""


class Retention(Section, frozen=True):
    """Days after which what need not be kept goes (0: never), and where backups are."""

    claim_days: Days = 400
    order_days: Days = 90
    mail_days: Days = 400
    person_days: Days = 0
    result_days: Days = 90
    log_days: Days = 30
    backups: str = ""
    backup_days: Days = 30


class Reports(Section, frozen=True):
    """How much of reports of wrong slips is kept, and for how many days."""

    most: Count = 5_000
    picture_bytes: Count = 268_435_456
    days: Count = 365
    contact_days: Count = 90
    scan_days: Count = 184


class Admission(Section, frozen=True):
    """How long applications are shown to the public, and how much of them is kept."""

    notice_days: Annotated[int, Meta(ge=0, le=60)] = 3
    most: Count = 1_000
    paper_bytes: Count = 1_073_741_824
    days: Count = 365
    invitation_days: Annotated[int, Meta(ge=1, le=366)] = 30


class Officials(Section, frozen=True):
    """What holds for the bureau's people and keys."""

    two_person: bool = True
    proposal_seconds: Annotated[int, Meta(ge=60, le=7_776_000)] = 604_800
    purpose_required: bool = False


class People(Section, frozen=True):
    """Seconds for which people stay signed in, and for which an invitation is good."""

    idle_seconds: Count = 43_200
    absolute_seconds: Count = 43_200
    till_seconds: Count = 64_800
    official_idle_seconds: Count = 1_800
    official_absolute_seconds: Count = 36_000
    invitation_seconds: Count = 259_200


class Oidc(Section, frozen=True):
    """The provider by which the bureau's people may sign in; without an issuer there is none."""

    issuer: Annotated[str, Meta(pattern=r"\A(https?://[!-~]+)?\Z")] = ""
    client_id: str = ""
    client_secret: str = ""
    claim: str = "roles"
    viewers: tuple[str, ...] = ()
    examiners: tuple[str, ...] = ()
    administrators: tuple[str, ...] = ()
    auditors: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    second_factor: Literal["amr", "always"] = "amr"
    two_person: bool = True
    scopes: tuple[str, ...] = ("profile", "email")
    ca: str = ""
    timeout: Annotated[float, Meta(gt=0, le=60)] = 10.0


class Witness(Section, frozen=True):
    """Whose cosignatures a checkpoint needs before it is published; times in seconds."""

    policy: str = ""
    timeout: Annotated[float, Meta(gt=0, le=60)] = 5.0
    grace: Annotated[float, Meta(ge=0, le=10)] = 0.2
