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

document.getElementById("loading").remove();
