// Faults set by hand: how calls fail, wait and break.

import { path } from "./api.js";
import { confirmed } from "./dialogs.js";
import { button, count, field, h, select, suggested, table } from "./dom.js";
import { jsonEditor } from "./editor.js";
import { operations } from "./served.js";

/** What a fault may do: the word of the API, its name here, and the numbers that it needs: [name, label, default]. */
const EFFECTS = [
  { kind: "error", label: "Refuse", needs: [["status", "Status", 429], ["retry_after_s", "Retry after, s", ""]] },
  { kind: "delay", label: "Answer late", needs: [["milliseconds", "Milliseconds", 1000]], fixed: { type: "fixed" } },
  { kind: "slow_body", label: "Send the body slowly", needs: [["bytes_per_s", "Bytes per second", 100]] },
  { kind: "cut", label: "Cut the body off", needs: [["after_bytes", "After bytes", 10]] },
  { kind: "half_stream", label: "Cut a stream off", needs: [["after_events", "After events", 1]] },
  { kind: "truncated", label: "Send half of the body" },
  { kind: "malformed", label: "Send a body that is no JSON" },
  { kind: "reset", label: "Reset the connection" },
  { kind: "empty", label: "Close the connection" },
  { kind: "garbage", label: "Send what is no HTTP" },
];

export async function show(page) {
  const [id] = page.parts;
  return id === undefined ? list(page) : existing(page, id);
}

async function list(page) {
  const { faults, meta } = await page.call("GET", path(["faults"], { limit: 500 }));
  const rows = faults.map((each) => h("tr", null,
    h("td", { class: "path" }, h("a", { href: page.link("faults", [each.id]) }, nameOf(each))),
    h("td", null, effectOf(each.effect)),
    h("td", { class: "number" }, `${each.usage.matched} / ${each.usage.used}${each.times ? ` of ${each.times}` : ""}`),
    h("td", null, each.usage.expired ? "expired" : ""),
    h("td", null, button("Delete", async () => {
      await page.call("DELETE", path(["faults", each.id]));
      page.say("Deleted");
      page.refresh();
    }, { "aria-label": `Delete the fault of ${nameOf(each)}` }))));
  const clear = button("Delete all", async () => {
    if (!(await confirmed("Delete all faults?", `Nothing fails any more in world ${page.world} but what would by itself.`, "Delete them"))) return;
    await page.call("DELETE", "/faults");
    page.refresh();
  }, { "data-focus": "clear" });
  return [
    rows.length
      ? [h("p", { class: "told" }, `${count(meta.total, "fault")}, in the order in which they are tried`),
        table("Faults", ["Calls", "Effect", ["Fitted / struck", "number"], ["State", "unseen"], ["What to do", "unseen"]], rows).element, h("p", { class: "actions" }, clear)]
      : h("p", { class: "empty" }, "No faults: nothing fails but what would by itself."),
    h("h2", null, "Set a fault"),
    await fresh(page),
  ];
}

function nameOf({ name, match = {} }) {
  const where = [match.method, match.operation ?? match.url ?? match.urlPath ?? match.urlPathTemplate ?? match.urlPathPattern ?? match.urlPattern];
  const who = [match.provider ? `provider ${match.provider}` : null, match.key ? `key ${match.key}` : null];
  const which = [match.call === undefined ? null : typeof match.call === "number" ? `call ${match.call}` : JSON.stringify(match.call)];
  return name ?? ([...where, ...who, ...which].filter(Boolean).join(", ") || "all calls");
}

function effectOf(effect) {
  return Object.entries(effect).map(([kind, told]) => {
    const label = EFFECTS.find((each) => each.kind === kind)?.label ?? kind;
    if (told === true) return label;
    return `${label}: ${Object.entries(told).filter(([name]) => name !== "type").map(([name, value]) => `${name} ${JSON.stringify(value)}`).join(", ")}`;
  }).join("; ");
}

/** The form writes the JSON below it; what is sent is the JSON. */
async function fresh(page) {
  const operation = suggested({}, (await operations()).map((each) => each.id));
  const provider = h("input", { autocomplete: "off" });
  const key = h("input", { autocomplete: "off" });
  const nth = h("input", { type: "number", min: "1" });
  const times = h("input", { type: "number", min: "1" });
  const effect = select({}, EFFECTS.map(({ kind, label }) => [kind, label]), "error");
  const needs = h("div", { class: "needs" });
  const editor = jsonEditor("Definition", {}, "docs/stubs.md tells all that it may say.");
  const chosen = () => EFFECTS.find((each) => each.kind === effect.value);

  const drawNeeds = () => needs.replaceChildren(...(chosen().needs ?? []).map(([name, label, value]) => field(label, h("input", { type: "number", min: "0", value, name }))));
  const write = () => {
    const match = Object.fromEntries([["operation", operation.input.value], ["provider", provider.value], ["key", key.value], ["call", nth.value && Number(nth.value)]].filter(([, value]) => value));
    const numbers = [...needs.querySelectorAll("input")].filter((each) => each.value !== "").map((each) => [each.name, Number(each.value)]);
    const told = chosen().needs ? { ...chosen().fixed, ...Object.fromEntries(numbers) } : true;
    editor.write({ ...(Object.keys(match).length ? { match } : {}), effect: { [chosen().kind]: told }, ...(times.value ? { times: Number(times.value) } : {}) });
  };
  effect.addEventListener("change", drawNeeds);
  drawNeeds();
  write();
  const form = h("form", { class: "setting", "aria-label": "Set a fault", onsubmit: (event) => event.preventDefault(), oninput: write, onchange: write },
    field("Operation", operation.input, "all when empty"), operation.list, field("Provider", provider), field("API key", key, "id or name"),
    field("N-th call", nth, "each when empty"), field("Times", times, "always when empty"), field("Effect", effect), needs);
  const save = () => editor.send(page, "POST", "/faults", () => page.refresh());
  return [h("div", { class: "halves" }, form, editor.element), h("p", { class: "actions" }, button("Set it", save, { class: "main", "data-focus": "set" }))];
}

async function existing(page, id) {
  page.title = [h("a", { href: page.link("faults") }, "Faults"), " / ", id];
  const { usage, passes_over: passed, ...definition } = await page.call("GET", path(["faults", id]));
  const editor = jsonEditor("Definition", definition, "Saved, its counts begin anew.");
  const save = () => editor.send(page, "PUT", path(["faults", id]), () => page.go("faults"));
  return [
    h("p", { class: "told" }, `${count(usage.matched, "call")} fitted, ${count(usage.used)} of them it struck.`),
    passed.length ? h("p", { class: "dim" }, `It passes over operations that do not document the error: ${passed.join(", ")}.`) : null,
    editor.element,
    h("p", { class: "actions" }, button("Save", save, { class: "main" })),
  ];
}
