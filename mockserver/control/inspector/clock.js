// The clock of a world: what it shows, and how it is stopped, set and moved.

import { Refusal } from "./api.js";
import { button, field, h } from "./dom.js";

const MINUTE_S = 60;
const HOUR_S = 3600;
const DAY_S = 86400;
const MOVES = [["1 day back", -DAY_S], ["1 hour back", -HOUR_S], ["1 minute on", MINUTE_S], ["1 hour on", HOUR_S], ["1 day on", DAY_S], ["7 days on", 7 * DAY_S], ["30 days on", 30 * DAY_S]];

export async function show(page) {
  const shown = h("time", { class: "clock" });
  const state = h("p", { class: "told" });
  const told = h("p", { class: "refusal", role: "alert" });
  const frozen = button("", () => act("PUT", "/clock", { frozen: !now.frozen }));
  const to = h("input", { spellcheck: "false", autocomplete: "off", placeholder: "2027-01-01T00:00:00Z", size: "24" });
  const by = h("input", { type: "number", step: "any", size: "8" });
  let now = null;
  let read_ms = 0;

  const draw = () => {
    const at = shownAt(now, read_ms);
    shown.textContent = timeOf(at);
    shown.setAttribute("datetime", at);
  };
  const take = (given) => {
    now = given;
    read_ms = performance.now();
    state.textContent = now.frozen ? "It stands still." : "It runs.";
    frozen.textContent = now.frozen ? "Let it run" : "Stop it";
    draw();
  };
  const act = async (method, where, body) => {
    told.replaceChildren();
    try {
      take(await page.call(method, where, body));
      page.say(`It is ${shown.textContent}`);
      await page.refreshFrame();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      told.replaceChildren(error.message);
    }
  };

  take(await page.call("GET", "/clock"));
  const timer = setInterval(draw, 1000);
  page.signal.addEventListener("abort", () => clearInterval(timer), { once: true });
  const set = (event) => {
    event.preventDefault();
    act("PUT", "/clock", { now: to.value.trim() });
  };
  const move = (event) => {
    event.preventDefault();
    act("POST", "/clock/move", { seconds: Number(by.value) });
  };
  return [
    h("p", { class: "clock" }, shown),
    state,
    h("p", { class: "actions" }, frozen),
    h("h2", null, "Move it"),
    h("p", { class: "actions" }, MOVES.map(([label, seconds]) => button(label, () => act("POST", "/clock/move", { seconds })))),
    h("form", { class: "filters", onsubmit: move }, field("Seconds", by, "back when negative"), h("p", { class: "actions" }, h("button", { type: "submit" }, "Move"))),
    h("h2", null, "Set it"),
    h("form", { class: "filters", onsubmit: set }, field("Time", to, "RFC 3339, with its zone"), h("p", { class: "actions" }, h("button", { type: "submit" }, "Set"))),
    told,
    h("p", { class: "dim" }, "What falls due in between happens when somebody looks: keys expire, limits reset, jobs get on."),
  ];
}

/** What a clock shows by now that was read at a time of the page's own. */
export function shownAt({ now, frozen }, read_ms) {
  const at = Date.parse(now) + performance.now() - read_ms;
  return frozen || Number.isNaN(new Date(at).valueOf()) ? now : new Date(at).toISOString();
}

export function timeOf(at) {
  return at.replace("T", " ").replace(/\.\d+Z$/, " UTC");
}
