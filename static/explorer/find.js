/** The field in which something of the log is looked for: no password area leaves this device. */
import { _ } from "../ground/words.js";
import { anchorOf, passwordAreaIn } from "./anchors.js";

const form = document.getElementById("find");
const field = document.getElementById("q");
const told = document.getElementById("turned");

/** Put the anchor where a password area was typed; true if it was one. */
async function turn() {
  const area = passwordAreaIn(field.value);
  told.hidden = area === null;
  if (area === null) return false;
  field.value = await anchorOf(area);
  told.textContent = _("That was a password area. Its anchor, worked out on this device, stands in its place.");
  return true;
}

field.addEventListener("input", () => {
  if (passwordAreaIn(field.value) !== null) turn();
});
form.addEventListener("submit", async (event) => {
  if (passwordAreaIn(field.value) === null) return;
  event.preventDefault();
  if (await turn()) form.requestSubmit();
});
form.dataset.ready = "yes";
