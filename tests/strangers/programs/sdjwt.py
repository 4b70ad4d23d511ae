"""What PyPI's sd-jwt reads in credentials: their claims, under the issuer's key."""

import json
import sys

from jwcrypto.jwk import JWK  # type: ignore[import-untyped]
from sd_jwt.verifier import SDJWTVerifier  # type: ignore[import-not-found]

order = json.load(sys.stdin)
key = JWK(**order["key"])
found = []
for text in order["credentials"]:
    verifier = SDJWTVerifier(text, lambda *_: key)
    found.append(verifier.get_verified_payload())
json.dump(found, sys.stdout)
