"""A provider of sign-ins in a process of its own: Authlib's server behind a real socket.

It says its address on a line, knows one person (``PUT /person``: claims), and lets whoever comes in
as that person. ``PUT /lies`` has what it changes in its next tokens.
"""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import urllib3

from tests.patience import PATIENCE

CLIENT: Final = "fapiao"
SECRET: Final = "a-secret_of.the~provider"
BACK: Final = "https://fapiao.test/sign-in/provider/back"


class Provider:
    """The process, from outside."""

    def __init__(self, url: str) -> None:
        self.url = url

    def knows(self, **claims: object) -> None:
        """Who it is that signs in there."""
        self._put("person", claims)

    def lies(self, **lies: object) -> None:
        """What it changes: claims of its tokens; ``key`` signs with another, ``issuer`` says it."""
        self._put("lies", lies)

    def _put(self, place: str, body: dict[str, object]) -> None:
        answer = urllib3.request("PUT", f"{self.url}/{place}", json=body, timeout=PATIENCE)
        assert answer.status == 204

    def visit(self, address: str) -> str:
        """Go where the service sends a browser; where the provider sends it back to."""
        answer = urllib3.request("GET", address, redirect=False, timeout=PATIENCE)
        assert answer.status == 302, answer.data
        return answer.headers["Location"]


@contextmanager
def provider() -> Iterator[Provider]:
    """One that runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.web.people.provider_process"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "AUTHLIB_INSECURE_TRANSPORT": "1"},
        cwd=Path(__file__).parents[3],
    )
    try:
        assert process.stdout is not None
        yield Provider(process.stdout.readline().strip())
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)


class _Client:
    """As Authlib asks a client."""

    client_id = CLIENT

    def get_default_redirect_uri(self) -> str:
        return BACK

    def check_redirect_uri(self, uri: str) -> bool:
        return uri == BACK

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_client_secret(self, secret: str) -> bool:
        return secret == SECRET

    def check_endpoint_auth_method(self, method: str, _endpoint: str) -> bool:
        return method == "client_secret_basic"

    def check_response_type(self, kind: str) -> bool:
        return kind == "code"

    def check_grant_type(self, kind: str) -> bool:
        return kind == "authorization_code"

    def get_client_id(self) -> str:
        return CLIENT


class _Code(SimpleNamespace):
    """As Authlib asks a code."""

    def get_redirect_uri(self) -> str:
        return BACK

    def get_scope(self) -> str:
        return str(self.scope)

    def get_nonce(self) -> str:
        return str(self.nonce)

    def get_auth_time(self) -> int:
        return int(time.time())

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> Any:  # noqa: ANN401
        return self.amr


def main() -> None:  # noqa: C901
    """Serve until ended."""
    from authlib.integrations.flask_oauth2 import AuthorizationServer
    from authlib.oauth2.rfc6749 import grants
    from authlib.oauth2.rfc7636 import CodeChallenge
    from authlib.oidc.core.grants import OpenIDCode
    from flask import Flask, Response, jsonify, request
    from joserfc import jwt
    from joserfc.jwk import KeySet, RSAKey
    from werkzeug.serving import make_server

    app = Flask(__name__)
    app.config["OAUTH2_TOKEN_EXPIRES_IN"] = {"authorization_code": 300}
    key, other = (RSAKey.generate_key(2048, {"kid": "one"}, auto_kid=False) for _ in range(2))
    known: dict[str, Any] = {"person": {"sub": "p1"}, "lies": {}, "access": ""}
    codes: dict[str, _Code] = {}

    def save(token: dict[str, Any], _request: object) -> None:
        known["access"] = token["access_token"]

    server = AuthorizationServer(app, query_client=lambda _id: _Client(), save_token=save)

    class Grant(grants.AuthorizationCodeGrant):  # type: ignore[misc]
        TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic"]  # noqa: RUF012

        def save_authorization_code(self, code: str, asked: Any) -> None:  # noqa: ANN401
            data = asked.payload.data
            codes[code] = _Code(
                scope=asked.payload.scope,
                nonce=data["nonce"],
                amr=known["person"].get("amr"),
                code_challenge=data.get("code_challenge"),
                code_challenge_method=data.get("code_challenge_method"),
            )

        def query_authorization_code(self, code: str, _client: object) -> _Code | None:
            return codes.get(code)

        def delete_authorization_code(self, code: _Code) -> None:
            for name in [name for name, one in codes.items() if one is code]:
                del codes[name]

        def authenticate_user(self, _code: object) -> object:
            return known["person"]

    class OpenId(OpenIDCode):  # type: ignore[misc]
        def exists_nonce(self, _nonce: str, _asked: object) -> bool:
            return False

        def get_jwt_config(self, _grant: object) -> dict[str, Any]:
            return {"key": key, "alg": "RS256", "iss": url(), "exp": 300}

        def generate_user_info(self, person: dict[str, Any], _scope: str) -> dict[str, Any]:
            return {name: value for name, value in person.items() if name not in ("at", "amr")}

    server.register_grant(Grant, [OpenId(require_nonce=True), CodeChallenge(required=True)])

    def url() -> str:
        return str(request.host_url.rstrip("/"))

    @app.get("/.well-known/openid-configuration")
    def description() -> Response:
        return jsonify(
            issuer=known["lies"].get("issuer", url()),
            authorization_endpoint=f"{url()}/authorize",
            token_endpoint=f"{url()}/token",
            userinfo_endpoint=f"{url()}/userinfo",
            end_session_endpoint=f"{url()}/end",
            jwks_uri=f"{url()}/keys",
            id_token_signing_alg_values_supported=known["lies"].get("methods", ["RS256"]),
        )

    @app.get("/authorize")
    def authorize() -> Any:  # noqa: ANN401
        grant = server.get_consent_grant(end_user=known["person"])
        return server.create_authorization_response(grant_user=known["person"], grant=grant)

    @app.post("/token")
    def token() -> Any:  # noqa: ANN401
        answer = server.create_token_response()
        described = ("issuer", "methods")
        lies = {name: value for name, value in known["lies"].items() if name not in described}
        if answer.status_code != 200 or not lies:
            return answer
        told = answer.get_json()
        read = jwt.decode(told["id_token"], key)
        signer = other if lies.pop("key", False) else key
        claims = {**read.claims, **lies}
        told["id_token"] = jwt.encode({"alg": "RS256", "kid": "one"}, claims, signer)
        return jsonify(told)

    @app.get("/keys")
    def keys() -> Response:
        return jsonify(KeySet([key]).as_dict(private=False))

    @app.get("/userinfo")
    def userinfo() -> Any:  # noqa: ANN401
        if request.headers["Authorization"] != f"Bearer {known['access']}":
            return "", 401
        return jsonify({**known["person"], **known["person"].get("at", {})})

    @app.put("/<place>")
    def change(place: str) -> tuple[str, int]:
        known[place] = request.get_json()
        return "", 204

    secrets.token_urlsafe()
    served = make_server("127.0.0.1", 0, app, threaded=True)
    sys.stdout.write(f"http://127.0.0.1:{served.server_port}\n")
    sys.stdout.flush()
    served.serve_forever()


if __name__ == "__main__":
    main()
