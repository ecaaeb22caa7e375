// The scenarios that stubs name, and the state that each is in.

import { path } from "./api.js";
import { button, h, select, table } from "./dom.js";

export async function show(page) {
  const { scenarios } = await page.call("GET", "/scenarios");
  if (!scenarios.length) return h("p", { class: "empty" }, "No stub names a scenario.");
  const rows = scenarios.flatMap((each) => [row(page, each, each.state, null), ...Object.entries(each.keys).map(([key, state]) => row(page, each, state, key))]);
  const reset = button("Put all back", async () => {
    await page.call("POST", "/scenarios/reset");
    page.say("All scenarios are back at Started");
    page.refresh();
  }, { "data-focus": "reset" });
  return [table("Scenarios", ["Scenario", "Resource", "State", "Stubs"], rows).element, h("p", { class: "actions" }, reset)];
}

function row(page, scenario, state, key) {
  const name = key === null ? scenario.name : `${scenario.name}, ${key}`;
  const states = scenario.possibleStates.includes(state) ? scenario.possibleStates : [state, ...scenario.possibleStates];
  const choice = select({ "aria-label": `State of ${name}`, "data-focus": name, onchange: async (event) => {
    await page.call("PUT", path(["scenarios", scenario.name, "state"]), { state: event.target.value, ...(key === null ? {} : { key }) });
    page.say(`${name} is at ${event.target.value}`);
    page.refresh();
  } }, states, state);
  const stubs = scenario.mappings.map((id, index) => [index ? ", " : "", h("a", { href: page.link("stubs", [id]) }, String(index + 1))]);
  return h("tr", null, h("td", null, scenario.name), h("td", null, key ?? ""), h("td", null, choice), h("td", null, key === null ? stubs : ""));
}
