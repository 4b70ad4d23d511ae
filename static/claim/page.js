/** What a phone adds to the form of a claim, which does without: remembered titles, codes at once. */
import { Camera } from "../check/camera.js";
import { codesIn, drawn } from "../check/codes.js";
import { _ } from "../ground/words.js";
import { readTitle } from "../till/title.js";
import { forget, remember, remembered } from "./titles.js";

const form = document.getElementById("claim");
const at = (id) => document.getElementById(id);
const storage = globalThis.localStorage;

function fill({ kind, name, tax_id: taxId }) {
  form.elements.kind.value = kind;
  form.elements.name.value = name;
  form.elements.tax_id.value = taxId;
}

const typed = () => ({
  kind: form.elements.kind.value,
  name: form.elements.name.value.trim(),
  tax_id: form.elements.kind.value === "company" ? form.elements.tax_id.value.trim() : "",
});

function button(text, kind, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = kind;
  made.textContent = text;
  made.addEventListener("click", act);
  return made;
}

function showKnown() {
  const titles = remembered(storage);
  at("known").hidden = titles.length === 0;
  at("known").querySelector("ul").replaceChildren(...titles.map((title) => {
    const row = document.createElement("li");
    const take = button(title.name, "take", () => fill(title));
    const small = document.createElement("small");
    small.textContent = title.tax_id;
    take.append(small);
    row.append(take, button(_("Forget"), "forget", () => {
      forget(storage, title);
      showKnown();
    }));
    return row;
  }));
}

function take(text) {
  const title = readTitle(text);
  if (!title) return false;
  fill({ kind: title.tax_id ? "company" : "organisation", name: title.name, tax_id: title.tax_id });
  form.elements.code.value = "";
  tell(title.sure ? _("The title was taken over.") : _("The title was taken over, but its check sum does not fit: compare it."));
  return true;
}

const camera = new Camera({ video: at("video"), box: at("seen"), told: tell, found: seen });

function tell(text) {
  at("heard").textContent = text;
}

/** What the camera has found: a title ends it, another code is passed over. */
function seen(texts) {
  if (texts.some(take)) return true;
  tell(_("This is no title code."));
  return false;
}

/** A title code on a photograph; read here, sent nowhere. */
async function scan(file) {
  camera.stop();
  try {
    const texts = await codesIn(await drawn(file));
    if (!texts.some(take)) tell(_("No title code was found in the picture."));
  } catch {
    tell(_("The picture could not be read."));
  }
}

showKnown();
at("keep").hidden = false;
at("picture").hidden = false;
at("camera").addEventListener("click", () => camera.start());
at("stop").addEventListener("click", () => camera.stop());
form.elements.code.addEventListener("input", (event) => take(event.target.value.trim()));
at("photo").addEventListener("change", ({ target }) => {
  const [file] = target.files;
  target.value = "";
  if (file) scan(file);
});
form.addEventListener("submit", () => {
  if (at("remember").checked && typed().name) remember(storage, typed());
});
