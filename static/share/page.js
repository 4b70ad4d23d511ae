/** Handing an invoice on: the phone's own way where it has one for such a file, else it is saved. */
import { _ } from "../ground/words.js";

const form = document.getElementById("share");
const said = document.getElementById("shared");
const NOT_YET = 409;

/** The file that the form asks for; throws what went wrong as a sentence. */
async function made() {
  const asked = new URLSearchParams(new FormData(form));
  const answer = await fetch(`${form.action}?${asked}`, { credentials: "same-origin" }).catch(() => null);
  if (!answer) throw new Error(_("No line to the service: try again."));
  if (answer.status === NOT_YET) throw new Error(_("It is not in the log yet: try again in a minute."));
  const [, name] = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") ?? "") ?? [];
  if (!answer.ok || !name) throw new Error(_("The file could not be made: try again, or load the page again."));
  const data = await answer.blob();
  return new File([data], name, { type: data.type });
}

function save(file) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = file.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  said.textContent = _("Saved: %(name)s", { name: file.name });
}

/** Gone its way; where the phone wants another touch first, by a button. */
async function handOn(file) {
  if (!navigator.canShare?.({ files: [file] })) return save(file);
  try {
    await navigator.share({ files: [file] });
    said.textContent = "";
  } catch (error) {
    if (error.name === "AbortError") said.textContent = "";
    else if (error.name === "NotAllowedError") again(file);
    else save(file);
  }
  return undefined;
}

function again(file) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button";
  button.textContent = _("Hand on %(name)s", { name: file.name });
  button.addEventListener("click", () => handOn(file));
  said.replaceChildren(button);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("[type=submit]");
  button.disabled = true;
  said.textContent = _("One moment…");
  try {
    await handOn(await made());
  } catch (error) {
    said.textContent = error.message;
  } finally {
    button.disabled = false;
  }
});
