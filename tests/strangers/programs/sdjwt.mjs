// What npm's @sd-jwt/core reads in credentials: their claims, under the issuer's key.
import { createHash, createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";

const [where] = process.argv.slice(2);
const { SDJwtInstance } = await import(where);
const order = JSON.parse(readFileSync(0, "utf-8"));
const key = createPublicKey({ key: order.key, format: "jwk" });
const instance = new SDJwtInstance({
  hasher: (data, algorithm) =>
    new Uint8Array(createHash(algorithm.replace("-", "")).update(Buffer.from(data)).digest()),
  verifier: (data, signature) =>
    verify(
      "sha256",
      Buffer.from(data),
      { key, dsaEncoding: "ieee-p1363" },
      Buffer.from(signature, "base64url"),
    ),
});
const found = [];
for (const text of order.credentials) found.push((await instance.verify(text)).payload);
process.stdout.write(JSON.stringify(found));
