"""Passkeys (WebAuthn): made by a person's device, shown instead of a password and a code.

A challenge is not kept: it comes back sealed, with its purpose and its end, and whoever answers it
rightly uses it up. So strangers who only ask for one leave nothing behind.

The library is loaded when somebody has a passkey: with certificates and what reads them it takes a
tenth of a second, which no start of a program should wait for.
"""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import msgspec

from chain.errors import MalformedError, NotFoundError, RefusedError
from chain.hashing import sha256
from invoice_service.domain.text import given_text
from invoice_service.services.people.factors import Sealer
from invoice_service.services.people.person import FactorStore, NewPasskey, Passkey, Person
from invoice_service.services.people.sessions import Visit

CHALLENGE_BYTES: Final = 32
CHALLENGE_SECONDS: Final = 300
LONGEST_LABEL: Final = 40  # characters
LONGEST_ANSWER: Final = 20_000  # characters
NAME: Final = "电子发票 E-invoices"

_END: Final = struct.Struct(">Q")


class Place(NamedTuple):
    """The site for which passkeys are made: browsers take part in this check."""

    host: str
    origin: str


class Asked(NamedTuple):
    """What a browser is asked (JSON), and the challenge, sealed: it comes back with the answer."""

    options: str
    sealed: str


class Passkeys:
    """Passkeys for the site at ``public_url``."""

    def __init__(
        self,
        store: FactorStore,
        sealer: Sealer,
        public_url: str,
        clock: Callable[[], int],
        randbytes: Callable[[int], bytes],
    ) -> None:
        self.store = store
        self._sealer = sealer
        self._clock = clock
        self._randbytes = randbytes
        self.place = place_of(public_url)

    def ask_new(self, person: Person) -> Asked | None:
        """Ask a person's device for a passkey; None at a site that can have none."""
        if self.place is None:
            return None
        from webauthn import generate_registration_options, options_to_json
        from webauthn.helpers.structs import (
            AuthenticatorSelectionCriteria,
            PublicKeyCredentialDescriptor,
            ResidentKeyRequirement,
            UserVerificationRequirement,
        )

        challenge = self._randbytes(CHALLENGE_BYTES)
        known = self.store.passkeys(person.id)
        options = generate_registration_options(
            rp_id=self.place.host,
            rp_name=NAME,
            user_id=person.handle,
            user_name=person.login,
            user_display_name=person.name,
            challenge=challenge,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=k.credential) for k in known],
        )
        return Asked(options_to_json(options), self._sealed(challenge, f"new:{person.id}"))

    def add(self, person: Person, asked: str, answer: str, label: str, visit: Visit) -> Passkey:
        """Keep the passkey that a device has made; RefusedError ``passkey_refused``."""
        from webauthn import verify_registration_response
        from webauthn.helpers.exceptions import WebAuthnException

        place, challenge = self._opened(asked, f"new:{person.id}")
        try:
            made = verify_registration_response(
                credential=_read(answer),
                expected_challenge=challenge,
                expected_rp_id=place.host,
                expected_origin=place.origin,
                require_user_verification=True,
            )
        except WebAuthnException as error:
            raise _refused(str(error)) from None
        new = NewPasskey(
            credential=made.credential_id,
            public_key=made.credential_public_key,
            count=made.sign_count,
            label=given_text(label.strip()[:LONGEST_LABEL], "/label"),
        )
        kept = self.store.add_passkey(person, new, visit.by(person.id, self._clock()))
        if kept is None:
            raise _refused("this passkey is known already")
        return kept

    def ask(self) -> Asked | None:
        """Ask whoever is there for a passkey; None at a site that can have none."""
        if self.place is None:
            return None
        from webauthn import generate_authentication_options, options_to_json
        from webauthn.helpers.structs import UserVerificationRequirement

        challenge = self._randbytes(CHALLENGE_BYTES)
        options = generate_authentication_options(
            rp_id=self.place.host,
            challenge=challenge,
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return Asked(options_to_json(options), self._sealed(challenge, "sign-in"))

    def check(self, asked: str, answer: str) -> Person:
        """Whose passkey has answered; each answer counts once.

        RefusedError ``passkey_refused``, the same for a passkey that nobody has.
        """
        from webauthn import verify_authentication_response
        from webauthn.helpers.exceptions import WebAuthnException

        place, challenge = self._opened(asked, "sign-in")
        credential = _read(answer)
        passkey = self.store.passkey(_credential_id(credential))
        person = None if passkey is None else self.store.person(passkey.person_id)
        if passkey is None or person is None or person.state != "active":
            raise _refused("nobody has this passkey")
        try:
            shown = verify_authentication_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=place.host,
                expected_origin=place.origin,
                credential_public_key=passkey.public_key,
                credential_current_sign_count=passkey.count,
                require_user_verification=True,
            )
        except WebAuthnException as error:
            raise _refused(str(error)) from None
        if not self.store.use_passkey(
            passkey.id, shown.new_sign_count, sha256(challenge), self._clock()
        ):
            raise _refused("this answer was given before")
        return person

    def remove(self, person: Person, passkey_id: int, visit: Visit) -> None:
        """Forget one of a person's; NotFoundError ``passkey_unknown``."""
        by = visit.by(person.id, self._clock())
        if not self.store.remove_passkey(person.id, passkey_id, by):
            raise NotFoundError("passkey_unknown", "you have no such passkey")

    def _sealed(self, challenge: bytes, purpose: str) -> str:
        end = _END.pack(self._clock() + CHALLENGE_SECONDS)
        sealed = self._sealer.seal(end + challenge, f"passkey:{purpose}")
        return urlsafe_b64encode(sealed).decode()

    def _opened(self, asked: str, purpose: str) -> tuple[Place, bytes]:
        """The challenge; RefusedError ``passkey_refused`` once it is too old, or not ours."""
        if self.place is None:
            raise _refused("this site has no name of its own")
        try:
            sealed = urlsafe_b64decode(asked.encode("ascii", "replace"))
            plain = self._sealer.open(sealed, f"passkey:{purpose}")
        except (MalformedError, NotBase64, ValueError):
            raise _refused("this was not asked by us") from None
        if _END.unpack_from(plain)[0] <= self._clock():
            raise _refused("it took too long: load the page again")
        return self.place, plain[_END.size :]


def place_of(public_url: str) -> Place | None:
    """The site's name for passkeys; None for an address of numbers, which browsers refuse."""
    parts = urlsplit(public_url)
    host = parts.hostname or ""
    try:
        ip_address(host)
    except ValueError:
        return Place(host, f"{parts.scheme}://{parts.netloc}")
    return None


def _read(answer: str) -> dict[str, Any]:
    """A browser's answer; the library judges what is in it."""
    try:
        return msgspec.json.decode(answer[: LONGEST_ANSWER + 1], type=dict[str, Any])
    except msgspec.MsgspecError:
        raise _refused("the browser's answer cannot be read") from None


def _credential_id(credential: dict[str, Any]) -> bytes:
    text = credential.get("rawId")
    try:
        padded = f"{text}{'=' * (-len(str(text)) % 4)}"
        return urlsafe_b64decode(padded.encode("ascii", "replace"))
    except (NotBase64, ValueError):
        return b""


def _refused(why: str) -> RefusedError:
    return RefusedError("passkey_refused", why)
