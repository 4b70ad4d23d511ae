/** The receipt's button, and printing at once where the address asks for it. */
const button = document.querySelector(".act button");
button.hidden = false;
button.addEventListener("click", () => globalThis.print());
if (document.querySelector("[data-print]")) {
  // Not before the code can be seen: a slip without it proves nothing.
  await document.querySelector(".slip .code img")?.decode();
  globalThis.print();
}
