/** Windows over the page, one at a time: `<dialog>`, closed by Esc, their ground, or a button. */
import { _ } from "../ground/words.js";
import { fill, h, icon } from "./dom.js";

let open = null;

/** Whether one is open. */
export const isOpen = () => open !== null;

/** Opens a window with a title; `draw(window)` gives its parts, and is called again by `again()`. */
export function show(title, draw, { closed = () => {}, kind = "" } = {}) {
  close();
  const inside = h("div", { class: "inside" });
  const head = h("div", { class: "head" }, h("h2", { id: "window-title" }, title),
    h("button", { type: "button", class: "close", "aria-label": _("Close"), click: () => close() }, icon("x")));
  const dialog = h("dialog", { class: `window ${kind}`, "aria-labelledby": "window-title" }, head, inside);
  const shown = { dialog, inside, closed };
  shown.again = () => {
    fill(inside, draw(shown));
    if (dialog.open && !dialog.contains(document.activeElement)) first(dialog, inside).focus();
  };
  shown.focus = () => dialog.open && first(dialog, inside).focus();
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    close();
  });
  dialog.addEventListener("click", (event) => event.target === dialog && close());
  document.body.append(dialog);
  open = shown;
  shown.again();
  dialog.showModal();
  first(dialog, inside).focus();
  return shown;
}

/** Where the focus begins: what is marked so, the first field or button, else the window itself. */
const first = (dialog, inside) =>
  inside.querySelector("[autofocus]") ?? inside.querySelector("input, button") ?? dialog.querySelector("button");

/** Closes the one that is open. */
export function close() {
  if (!open) return;
  const { dialog, closed } = open;
  open = null;
  dialog.close();
  dialog.remove();
  placed(document.activeElement);
  closed();
}

/** The field that has the focus again: Chromium types nothing into it until its place is said. */
function placed(field) {
  if (field instanceof HTMLInputElement && field.selectionStart !== null) {
    field.setSelectionRange(field.value.length, field.value.length);
  }
}
