"""Tables of ``config.toml`` that concern other services and letters; what every table is."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Count = Annotated[int, Meta(ge=1)]
Port = Annotated[int, Meta(ge=0, le=65535)]


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One table of the file; a key that is not declared is refused."""


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
