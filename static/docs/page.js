// Shows /openapi.json with Swagger UI; nothing is sent from here, so no key is ever typed into it.
"use strict";

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const root = document.documentElement;
const N_ = (text) => text;

/** Swagger UI's own labels, as they stand in the page, and what the site's catalogue calls them. */
const LABELS = {
  "Parameters": N_("Parameters"),
  "No parameters": N_("No parameters"),
  "Name": N_("Parameter name"),
  "Description": N_("What it says"),
  "Request body": N_("Request body"),
  "Responses": N_("Responses"),
  "Code": N_("Status"),
  "Links": N_("Links"),
  "No links": N_("No links"),
  "Example Value": N_("Example value"),
  "Example Description": N_("Example description"),
  "Examples": N_("Examples"),
  "Example:": N_("Example:"),
  "Schema": N_("Shape"),
  "Schemas": N_("Shapes"),
  "Media type": N_("Media type"),
  "Headers:": N_("Headers:"),
  "Servers": N_("Servers"),
  "Available values": N_("Available values"),
  "Default value": N_("Default value"),
  "Collapse all": N_("Collapse all"),
  "Expand all": N_("Expand all"),
};
const words = new Map(Object.entries(JSON.parse(document.getElementById("words").textContent)));
const spoken = new Map(Object.entries(LABELS).map(([label, name]) => [label, words.get(name)]).filter(([, said]) => said));

function dress() {
  root.classList.toggle("dark-mode", dark.matches);
}

dress();
dark.addEventListener("change", dress);

/**
 * The description as version 3.0 would have it, for showing alone: the viewer works through one of
 * 3.1 as a whole before it opens a single call, which takes a phone half a minute.
 */
function older(part) {
  if (Array.isArray(part)) return part.map(older);
  if (part === null || typeof part !== "object") return part;
  const { anyOf, ...rest } = part;
  const some = anyOf?.filter(({ type }) => type !== "null") ?? [];
  if (some.length < (anyOf?.length ?? 0)) {
    return { ...older(rest), ...(some.length === 1 ? older(some[0]) : { anyOf: older(some) }), nullable: true };
  }
  return Object.fromEntries(Object.entries(part).map(([name, of]) => [name, EXAMPLES.has(name) ? of : older(of)]));
}

const EXAMPLES = new Set(["example", "examples"]);

async function show() {
  const description = await (await fetch("openapi.json")).json();
  window.SwaggerUIBundle({
    spec: { ...older(description), openapi: "3.0.4" },
    dom_id: "#calls",
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    supportedSubmitMethods: [],
    validatorUrl: null,
  });
  document.getElementById("loading").remove();
}

/** What Swagger UI leaves out for those who hear the page, have no mouse, or read Chinese. */
function mend() {
  for (const part of document.querySelectorAll("#calls main")) part.setAttribute("role", "group");
  for (const part of document.querySelectorAll("#calls :is(h3, h4)")) {
    part.setAttribute("aria-level", String(Number(part.tagName[1]) - 1));
  }
  for (const part of document.querySelectorAll("#calls pre")) part.tabIndex = 0;
  if (spoken.size > 0) speak();
}

/** Labels alone, never what the description says: those are texts of our own. */
function speak() {
  const texts = document.createTreeWalker(document.getElementById("calls"), NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode;
    const said = spoken.get(node.data.trim());
    if (said && !node.parentElement.closest("pre, code, .markdown, .renderedMarkdown, .prop-name")) {
      node.data = node.data.replace(node.data.trim(), said);
      node.parentElement.lang = "zh-Hans";
    }
  }
}

new MutationObserver(mend).observe(document.getElementById("calls"), { childList: true, subtree: true });
show(); // where it cannot be had, its address stands above
