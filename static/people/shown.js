/**
 * A box beside a password (`data-shows`, the field's id) that shows it as it is typed. It is there only
 * where scripts run; before the form is sent the field is a password again, so that no browser keeps it
 * as a text.
 */
for (const box of document.querySelectorAll("[data-shows]")) {
  const field = document.getElementById(box.dataset.shows);
  const set = (shown) => {
    box.checked = shown;
    field.type = shown ? "text" : "password";
  };
  set(false);
  box.addEventListener("change", () => set(box.checked));
  field.form.addEventListener("submit", () => set(false));
  box.closest("label").hidden = false;
}
