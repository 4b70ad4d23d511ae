"""Signing in by a provider of the bureau's (OpenID Connect Core 1.0, authorization code, PKCE).

Authlib and joserfc write what is asked and judge what comes back; each exchange has a deadline and
a bound, and no redirection is followed. What a sign-in needs on its way back is sealed in the
browser: nothing is kept here for who never returns.
"""

import json
import ssl
import time
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Mapping
from functools import cached_property
from http.client import HTTPException
from ipaddress import ip_address
from typing import Any, Final, Literal, NamedTuple, Protocol
from urllib.parse import quote, quote_plus, urlsplit

import msgspec

from chain.deadline import Deadline
from chain.errors import MalformedError, RefusedError, UnavailableError
from chain.exchange import Address, Connection, Question
from invoice_service.services.people.factors import Sealer
from invoice_service.services.people.roles import OfficialRole
from invoice_service.services.people.sessions import new_token

WAY_SECONDS: Final = 600
"""How long somebody may take at the provider."""

KNOWN_SECONDS: Final = 3600
"""How long what the provider says of itself is used without being asked for again."""

LARGEST_ANSWER: Final = 1 << 20
LEEWAY: Final = 60  # seconds by which the provider's clock may be off
_ALGORITHMS: Final = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "EdDSA",
)
_STRONG: Final = frozenset({"mfa", "otp", "hwk", "swk", "sc", "pop", "fpt", "face", "iris"})
"""Of RFC 8176, what a password alone is not."""

_PURPOSE: Final = "oidc"
_RANK: Final[tuple[OfficialRole, ...]] = ("administrator", "examiner", "auditor", "viewer")


class Settings(Protocol):
    """What is set of the provider (``[oidc]``)."""

    @property
    def issuer(self) -> str: ...
    @property
    def client_id(self) -> str: ...
    @property
    def client_secret(self) -> str: ...
    @property
    def claim(self) -> str: ...
    @property
    def viewers(self) -> tuple[str, ...]: ...
    @property
    def examiners(self) -> tuple[str, ...]: ...
    @property
    def administrators(self) -> tuple[str, ...]: ...
    @property
    def auditors(self) -> tuple[str, ...]: ...
    @property
    def domains(self) -> tuple[str, ...]: ...
    @property
    def second_factor(self) -> Literal["amr", "always"]: ...
    @property
    def two_person(self) -> bool: ...
    @property
    def scopes(self) -> tuple[str, ...]: ...
    @property
    def ca(self) -> str: ...
    @property
    def timeout(self) -> float: ...


class _Metadata(msgspec.Struct, frozen=True):
    """What the provider says of itself (OpenID Connect Discovery 1.0, section 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    end_session_endpoint: str = ""
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    id_token_signing_alg_values_supported: tuple[str, ...] = ("RS256",)


class _Way(msgspec.Struct, frozen=True):
    """What is sealed in the browser while it is at the provider."""

    state: str
    nonce: str
    verifier: str
    to: str
    end: int


class Leaving(NamedTuple):
    """Where to send the browser, and what it keeps until it is back."""

    url: str
    sealed: str


class Known(NamedTuple):
    """Who has come back; ``role`` None where the provider gives none that we know.

    ``lesser`` is what the provider gives beside ``administrator``, else a viewer's.
    """

    subject: str
    name: str
    login: str
    role: OfficialRole | None
    lesser: OfficialRole
    to: str


class Provider:
    """The provider of an instance. Safe for threads."""

    def __init__(
        self,
        settings: Settings | None,
        sealer: Sealer,
        public_url: str,
        clock: Callable[[], int],
        randbytes: Callable[[int], bytes],
    ) -> None:
        """``clock`` gives unix seconds; ``randbytes`` must be fit for secrets. None for nobody."""
        self._given = settings
        self._sealer = sealer
        self._back = f"{public_url}/sign-in/provider/back"
        self._home = f"{public_url}/sign-in"
        self._clock = clock
        self._randbytes = randbytes
        self._said: tuple[float, _Metadata] | None = None
        self._keys: Any = None

    @property
    def is_on(self) -> bool:
        """Whether there is one."""
        return self._given is not None and bool(self._given.issuer)

    @property
    def _settings(self) -> Settings:
        """RefusedError ``provider_off`` without one."""
        if self._given is None or not self._given.issuer:
            raise RefusedError("provider_off", "no provider is set")
        return self._given

    def leave(self, to: str) -> Leaving:
        """Begin: where to send the browser. ``to`` is the page of ours to go on with.

        NotFound as ``RefusedError`` ``provider_off``; UnavailableError ``provider_unreachable``.
        """
        from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
        from authlib.oauth2.rfc7636 import create_s256_code_challenge

        said = self._metadata()
        state, nonce, verifier = (new_token(self._randbytes) for _ in range(3))
        way = _Way(state, nonce, verifier, to, self._clock() + WAY_SECONDS)
        sealed = self._sealer.seal(msgspec.json.encode(way), _PURPOSE)
        url = prepare_grant_uri(
            said.authorization_endpoint,
            self._settings.client_id,
            "code",
            self._back,
            " ".join(("openid", *self._settings.scopes)),
            state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
        )
        return Leaving(url, urlsafe_b64encode(sealed).decode())

    def come_back(self, asked: Mapping[str, str], sealed: str) -> Known:
        """Who it is that comes back with these parameters, by what the browser has kept.

        1. the browser is the one that left, lately, with this state;
        2. the provider that answers is ours (RFC 9207), and did not refuse;
        3. the code is good for a token, with the verifier that only we know;
        4. a key of the provider signed the token, for us, now, with our nonce;
        5. there was a second factor, and the address of mail is of a domain that is let in;
        6. the claim says which role that is.

        RefusedError ``provider_stale`` (1), ``provider_refused`` (2 to 4), ``provider_weak``,
        ``provider_domain`` (5); UnavailableError ``provider_unreachable``.
        """
        way = self._way(sealed, asked.get("state", ""))
        said = self._metadata()
        if asked.get("iss", said.issuer) != said.issuer:
            raise _refused("another provider answers")
        if "error" in asked or not asked.get("code"):
            raise _refused(f"it said {asked.get('error', 'nothing')[:60]}")
        token = self._token(said, asked["code"], way.verifier)
        claims = self._claims(said, token, way.nonce)
        if _place(claims, self._settings.claim) is None or self._settings.domains:
            claims = self._userinfo(said, token, claims) | claims
        self._check(claims)
        roles = self._roles(claims)
        return Known(
            subject=f"{said.issuer} {claims['sub']}",
            name=_text(claims, "name") or _text(claims, "preferred_username") or claims["sub"],
            login=_text(claims, "preferred_username") or _text(claims, "email") or claims["sub"],
            role=next(iter(roles), None),
            lesser=next((role for role in roles if role != "administrator"), "viewer"),
            to=way.to,
        )

    def farewell(self) -> str:
        """Where one signs out of the provider, too; "" where it has no such place."""
        end = self._metadata().end_session_endpoint
        if not end:
            return ""
        mark = "&" if "?" in end else "?"
        asked = f"client_id={quote(self._settings.client_id, safe='')}"
        return f"{end}{mark}{asked}&post_logout_redirect_uri={quote(self._home, safe='')}"

    def _way(self, sealed: str, state: str) -> _Way:
        try:
            raw = urlsafe_b64decode(sealed.encode("ascii", "replace"))
            way = msgspec.json.decode(self._sealer.open(raw, _PURPOSE), type=_Way)
        except (MalformedError, NotBase64, ValueError, msgspec.MsgspecError):
            raise _stale() from None
        if way.state != state or way.end <= self._clock():
            raise _stale()
        return way

    def _metadata(self) -> _Metadata:
        """What the provider says of itself; it must be who is set."""
        if self._said is not None and time.monotonic() - self._said[0] < KNOWN_SECONDS:
            return self._said[1]
        issuer = self._settings.issuer
        body = self._ask("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        try:
            said = msgspec.json.decode(body, type=_Metadata)
        except msgspec.MsgspecError as error:
            raise _unreachable(f"its description cannot be read: {error}") from None
        if said.issuer != issuer:
            raise _unreachable(f"{issuer} says that it is {said.issuer[:100]}")
        for name in ("authorization", "token", "userinfo", "end_session"):
            check_address(getattr(said, f"{name}_endpoint"))
        check_address(said.jwks_uri)
        if not _methods(said):  # a library that is told of none takes its own
            raise _unreachable("it signs by no method that is taken here")
        self._said, self._keys = (time.monotonic(), said), None
        return said

    def _token(self, said: _Metadata, code: str, verifier: str) -> dict[str, Any]:
        from authlib.oauth2.rfc6749.parameters import prepare_token_request

        basic = "client_secret_basic" in said.token_endpoint_auth_methods_supported
        settings, headers = self._settings, {"Content-Type": "application/x-www-form-urlencoded"}
        form = {"code": code, "code_verifier": verifier}
        if settings.client_secret and basic:
            # RFC 6749, section 2.3.1: each part is encoded as in forms first.
            pair = f"{quote_plus(settings.client_id)}:{quote_plus(settings.client_secret)}"
            headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": settings.client_id, "client_secret": settings.client_secret}
        body = prepare_token_request("authorization_code", redirect_uri=self._back, **form)
        answer = self._ask("POST", said.token_endpoint, headers, body.encode(), refusals=True)
        found = _object(answer)
        if not isinstance(found.get("id_token"), str):
            raise _refused(f"it gave no token: {str(found.get('error', 'nothing'))[:60]}")
        return found

    def _claims(self, said: _Metadata, token: dict[str, Any], nonce: str) -> dict[str, Any]:
        """What the token says, once it is one of the provider's, for us, of this sign-in."""
        from authlib.oidc.core import CodeIDToken
        from joserfc import jwt
        from joserfc.errors import JoseError

        known = _methods(said)
        for fresh in (False, True):  # keys change: once more with the newest
            try:
                read = jwt.decode(token["id_token"], self._key_set(said, fresh=fresh), known)
                break
            except (JoseError, ValueError) as error:
                if fresh:
                    raise _refused(f"its token is not its own: {error}"[:200]) from None
        client_id = self._settings.client_id
        wanted = {
            "iss": {"essential": True, "value": said.issuer},
            "aud": {"essential": True, "value": client_id},
        }
        access = token.get("access_token")
        params = {"nonce": nonce, "client_id": client_id, "access_token": access}
        claims = CodeIDToken(read.claims, read.header, wanted, params)
        try:
            claims.validate(self._clock(), LEEWAY)
        except (JoseError, ValueError, TypeError) as error:
            raise _refused(f"its token is not for this: {error}"[:200]) from None
        audience = claims["aud"]
        if audience != client_id and audience != [client_id]:
            raise _refused("its token is for others, too")
        if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= 255:
            raise _refused("its token names nobody")
        return dict(claims)

    def _userinfo(
        self, said: _Metadata, token: dict[str, Any], claims: dict[str, Any]
    ) -> dict[str, Any]:
        """What the provider says beside the token, of the same person."""
        access = token.get("access_token")
        if not said.userinfo_endpoint or not isinstance(access, str):
            return {}
        headers = {"Authorization": f"Bearer {access}"}
        found = _object(self._ask("GET", said.userinfo_endpoint, headers))
        if found.get("sub") != claims["sub"]:
            raise _refused("it speaks of another person")
        return found

    def _check(self, claims: dict[str, Any]) -> None:
        methods = claims.get("amr")
        shown = (
            {one for one in methods if isinstance(one, str)} if isinstance(methods, list) else set()
        )
        if self._settings.second_factor == "amr" and not shown & _STRONG:
            raise RefusedError("provider_weak", "the provider asked for no second factor")
        if self._settings.domains:
            domain = _text(claims, "email").rpartition("@")[2].lower()
            if claims.get("email_verified") is not True or domain not in self._settings.domains:
                raise RefusedError("provider_domain", "this address of mail is not let in")

    def _roles(self, claims: dict[str, Any]) -> list[OfficialRole]:
        """The roles that the claim gives, the highest first."""
        found = _place(claims, self._settings.claim)
        said = {found} if isinstance(found, str) else set()
        if isinstance(found, list):
            said = {one for one in found if isinstance(one, str)}
        return [role for role in _RANK if said & set(getattr(self._settings, f"{role}s"))]

    def _key_set(self, said: _Metadata, *, fresh: bool) -> Any:  # noqa: ANN401 # joserfc's
        from joserfc.jwk import KeySet

        if fresh or self._keys is None:
            try:
                keys: Any = _object(self._ask("GET", said.jwks_uri))
                self._keys = KeySet.import_key_set(keys)
            except (ValueError, KeyError, TypeError) as error:
                raise _unreachable(f"its keys cannot be read: {error}") from None
        return self._keys

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._settings.ca or None)

    def _ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        *,
        refusals: bool = False,
    ) -> bytes:
        """What the provider answers; with ``refusals`` also when it says no."""
        parts = urlsplit(url)
        query = f"?{parts.query}" if parts.query else ""
        try:
            address = Address.parse(f"{parts.scheme}://{parts.netloc}{parts.path}", "", "oidc_url")
            path = (parts.path or "/") + query
            question = Question(
                method, path, {"Accept": "application/json", **(headers or {})}, body
            )
            deadline = Deadline(self._settings.timeout)
            connection = Connection(address, self._tls if address.tls else None, deadline)
            reply, kept = connection.ask(question, deadline, LARGEST_ANSWER)
            if kept is not None:
                kept.close()
        except (OSError, HTTPException, ValueError) as error:
            raise _unreachable(f"{parts.netloc}: {error}") from None
        fine = reply.status == 200 or (refusals and 400 <= reply.status < 500)
        if not fine or len(reply.body) > LARGEST_ANSWER or reply.coding not in ("", "identity"):
            raise _unreachable(f"{parts.netloc} answers {reply.status}")
        return reply.body


def _methods(said: _Metadata) -> list[str]:
    """How it signs, as far as that is taken here."""
    return [one for one in said.id_token_signing_alg_values_supported if one in _ALGORITHMS]


def check_address(url: str) -> None:
    """Refuse what is neither https nor this machine's own: UnavailableError."""
    parts = urlsplit(url)
    if url and parts.scheme != "https" and not _is_here(parts.hostname or ""):
        raise _unreachable(f"{url[:100]} is not https")


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise _unreachable("it answers with what is no object")
    return found


def _place(claims: dict[str, Any], path: str) -> Any:  # noqa: ANN401 # JSON
    """What stands at a claim, whose parts have dots between (``realm_access.roles``)."""
    found: Any = claims
    if path in claims:
        return claims[path]
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _text(claims: dict[str, Any], name: str) -> str:
    found = claims.get(name)
    return found if isinstance(found, str) else ""


def _stale() -> RefusedError:
    return RefusedError("provider_stale", "sign in again from the beginning")


def _refused(why: str) -> RefusedError:
    return RefusedError("provider_refused", f"the provider's answer is not taken: {why}")


def _unreachable(why: str) -> UnavailableError:
    return UnavailableError("provider_unreachable", f"the provider of sign-ins: {why}")
