/** What all pages of the till have: calls, the state of the line, who works here. */
import { _ } from "../ground/words.js";
import { field, fill, given, h, icon, part } from "./dom.js";
import { Line } from "./line.js";
import { say } from "./say.js";
import { Service } from "./service.js";
import * as windows from "./window.js";

const LINES = {
  good: ["circle-check", () => _("Line is good")],
  slow: ["clock", () => _("Still sending…")],
  cut: ["wifi-off", () => _("No line")],
};

/** {data, service, line}; `changed(now, before)` hears of the line. */
export function frame(changed = () => {}) {
  const data = given("till");
  const shown = (state, before) => {
    showLine(state);
    changed(state, before);
  };
  const service = new Service({
    root: data.root, token: data.token, language: document.documentElement.lang, told: (...state) => line.now(...state),
  });
  const line = new Line({ told: shown, probe: () => service.get("/till/state") });
  globalThis.addEventListener("offline", () => line.now("cut"));
  part("cashier").addEventListener("click", () => askCashier(data, service));
  showLine("good");
  return { data, service, line };
}

function showLine(state) {
  const [picture, words] = LINES[state];
  const shown = part("line");
  shown.className = `line-${state}`;
  fill(shown, icon(picture), h("span", {}, words()));
}

/** Whether what the page shows changes by itself; a line that is cut says so itself. */
export function showLive(live) {
  const words = live ? "" : _("This page does not follow other tills just now, and may show what is no longer so. It tries again by itself.");
  if (part("live").textContent !== words) part("live").textContent = words;
}

/** Who works at the till now. */
export function showCashier(state) {
  part("cashier-name").textContent = (state.cashier ?? state.person).name;
}

/** Another cashier takes over, by PIN; nobody is signed out. */
async function askCashier(data, service) {
  const state = await service.get("/till/state").catch(() => null);
  if (!state) return say(_("No line to the service: try again."), "warn");
  const people = state.people.filter(({ id }) => ![state.person.id, state.cashier?.id].includes(id));
  let wrong = {};
  return windows.show(_("Who works here now?"), (shown) => {
    const take = async (event) => {
      event.preventDefault();
      const fields = new URLSearchParams(new FormData(event.target));
      const why = await handOver(data, fields);
      wrong = { [fields.get("person") && "other"]: why };
      if (why) shown.again();
      else location.reload();
    };
    const form = (...children) =>
      h("form", { submit: take }, h("input", { type: "hidden", name: "form", value: data.token }), children);
    return [
      people.length
        ? form(h("fieldset", {}, h("legend", {}, _("Name")), people.map(choice)),
          field("pin", _("PIN"), { name: "pin", type: "password", inputmode: "numeric", maxlength: 8, autofocus: true }, wrong.other),
          h("div", { class: "buttons" }, h("button", { class: "button" }, _("Take over"))))
        : h("p", {}, _("Nobody else here has a PIN yet: each sets one under “Your account”.")),
      state.cashier && back(form, data.person, wrong[""]),
    ].filter(Boolean);
  });
}

const choice = ({ id, name }, at) =>
  h("label", { class: "choice" }, h("input", { type: "radio", name: "person", value: id, checked: at === 0 }), name);

/** Back to whoever has signed in, whose rights the till then has. */
const back = (form, name, wrong) =>
  h("div", { class: "apart" }, form(
    h("input", { type: "hidden", name: "person", value: "" }),
    field("back", _("PIN or password of %(name)s", { name }), { name: "pin", type: "password", maxlength: 200 }, wrong),
    h("div", { class: "buttons" }, h("button", { class: "button quiet" }, _("Back to %(name)s", { name })))));

/** "" when the till has changed hands, else why not. */
async function handOver(data, fields) {
  try {
    const answer = await fetch(`${data.root}/till/cashier`, { method: "POST", body: fields, credentials: "same-origin" });
    if (answer.ok) return "";
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    return page.querySelector("[role=alert]")?.firstChild?.textContent ?? _("This did not work.");
  } catch {
    return _("No line to the service: try again.");
  }
}

/** Signed out, or another role since: the page can do nothing more. */
export function signedOut() {
  say(_("You are signed out."), "warn", h("a", { class: "button", href: `${given("till").root}/sign-in?to=/till/` }, _("Sign in")));
}
