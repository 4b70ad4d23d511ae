/** Parts of a page, made from plain calls: what a stranger wrote goes in as text. */
const SVG = "http://www.w3.org/2000/svg";

/** An element; `attributes` with a function are listeners, false and null ones are left out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** An icon that the page's template has drawn, beside words that say the same. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

export const part = (id) => document.getElementById(id);

/**
 * What a part holds now; where the focus was, it stays, by `data-at`. What is pressed just now stays until it is
 * let go: a button that is replaced between pressing and letting go would get no click.
 */
export function fill(parent, ...children) {
  if (parent.contains(pressed)) late.set(parent, children);
  else {
    late.delete(parent);
    put(parent, children);
  }
}

function put(parent, children) {
  const at = parent.contains(document.activeElement) ? document.activeElement.dataset.at : undefined;
  parent.replaceChildren(...children.flat(Infinity).filter(Boolean));
  if (at !== undefined) parent.querySelector(`[data-at="${CSS.escape(at)}"]`)?.focus();
}

let pressed = null;
let pointer; // what presses; undefined for a key
const late = new Map();

const press = (event) => {
  if (event.isPrimary ? event.button === 0 : event.key === " ") [pressed, pointer] = [event.target, event.pointerId];
};
/** The click comes after this event, and what it does is newer than what waited. */
const free = () => {
  pressed = null;
  if (late.size) setTimeout(catchUp);
};
/** By what presses: a scanner's keys let no finger go. */
const letGo = (event) => pressed && event.pointerId === pointer && free();
/** Where nobody was told: on a scroll bar, in a menu of the system, on what was disabled meanwhile. */
const move = (event) => event.buttons === 0 && letGo(event);
const catchUp = () => {
  const waited = [...late];
  late.clear();
  for (const [parent, children] of waited) fill(parent, ...children);
};
for (const name of ["pointerdown", "keydown"]) addEventListener(name, press, true);
for (const name of ["pointerup", "pointercancel", "keyup"]) addEventListener(name, letGo, true);
addEventListener("pointermove", move, true);
addEventListener("blur", free); // of the window: a letting go outside it is not told

/** A field with its name, and what was wrong with it. */
export function field(id, name, attributes = {}, wrong = "") {
  const about = wrong ? { "aria-invalid": "true", "aria-describedby": `${id}-wrong` } : {};
  return h("div", { class: "field" },
    h("label", { for: id }, name),
    wrong && h("p", { class: "error", id: `${id}-wrong` }, wrong),
    h("input", { id, type: "text", autocomplete: "off", ...attributes, ...about }));
}

export const button = (name, click, attributes = {}, picture = null) =>
  h("button", { type: "button", class: "button quiet", click, ...attributes }, picture && icon(picture), name);

/** What the page was given by its template. */
export const given = (id) => JSON.parse(part(id)?.textContent ?? "{}");
