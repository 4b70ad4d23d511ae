/**
 * Forms that need a passkey (`data-passkey`): before such a form is sent, the device is asked what
 * stands in `data-options`, and its answer goes along in the field `answer`. Without passkeys in the
 * browser the form stays hidden.
 */
const toBytes = (text) => {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (sign) => sign.charCodeAt(0));
};

const toText = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

/** The options as the browser takes them: names and challenges as bytes. */
function opened(options) {
  const named = (list) => (list ?? []).map((one) => ({ ...one, id: toBytes(one.id) }));
  const found = { ...options, challenge: toBytes(options.challenge) };
  if (options.user) {
    found.user = { ...options.user, id: toBytes(options.user.id) };
    found.excludeCredentials = named(options.excludeCredentials);
  } else {
    found.allowCredentials = named(options.allowCredentials);
  }
  return found;
}

/** The answer as the service takes it. */
function written(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) {
      response[name] = toText(credential.response[name]);
    }
  }
  const id = toText(credential.rawId);
  return JSON.stringify({ id, rawId: id, type: credential.type, response });
}

async function ask(form) {
  const options = { publicKey: opened(JSON.parse(form.dataset.options)) };
  const credential = form.dataset.passkey === "make"
    ? await navigator.credentials.create(options)
    : await navigator.credentials.get(options);
  form.elements.answer.value = written(credential);
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.hidden = !globalThis.PublicKeyCredential;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const trouble = form.querySelector("[role=alert]");
    trouble.hidden = true;
    try {
      await ask(form);
    } catch {
      trouble.hidden = false;
      return;
    }
    form.submit();
  });
}
