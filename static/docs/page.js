// Shows /openapi.json with Swagger UI; nothing is sent from here, so no key is ever typed into it.
"use strict";

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const root = document.documentElement;

function dress() {
  root.classList.toggle("dark-mode", dark.matches);
}

dress();
dark.addEventListener("change", dress);

window.SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#calls",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  supportedSubmitMethods: [],
  validatorUrl: null,
});

/** What Swagger UI leaves out for those who hear the page, or have no mouse. */
function mend() {
  for (const part of document.querySelectorAll("#calls main")) part.setAttribute("role", "group");
  for (const part of document.querySelectorAll("#calls :is(h3, h4)")) {
    part.setAttribute("aria-level", String(Number(part.tagName[1]) - 1));
  }
  for (const part of document.querySelectorAll("#calls pre")) part.tabIndex = 0;
}

new MutationObserver(mend).observe(document.getElementById("calls"), { childList: true, subtree: true });
document.getElementById("loading").remove();
