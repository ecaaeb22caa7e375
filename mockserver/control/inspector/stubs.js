// Stubs set by hand: what calls are answered in the place of an operation.

import { path } from "./api.js";
import { confirmed } from "./dialogs.js";
import { button, count, field, h, suggested, table } from "./dom.js";
import { jsonEditor } from "./editor.js";
import { exampleOf, operations } from "./served.js";

const PAGE = 200;

export async function show(page) {
  const [id] = page.parts;
  if (id === undefined) return list(page);
  return id === "new" ? fresh(page) : existing(page, id);
}

async function list(page) {
  const offset = Number(page.query.offset ?? 0);
  const { mappings, meta } = await page.call("GET", path(["mappings"], { limit: PAGE, offset }));
  const rows = mappings.map((each) => {
    const link = h("a", { href: page.link("stubs", [each.id]) }, nameOf(each));
    return h("tr", null,
      h("td", { class: "number" }, each.priority ?? 5),
      h("td", { class: "path" }, link, each.scenarioName ? h("span", { class: "dim" }, ` in ${each.scenarioName}`) : null),
      h("td", null, answerOf(each.response)),
      h("td", { class: "number" }, `${each.usage.matched} / ${each.usage.used}${each.times ? ` of ${each.times}` : ""}`),
      h("td", null, each.usage.expired ? "expired" : "", each.off_contract ? "off contract" : ""),
      h("td", null, button("Delete", () => remove(page, each), { "aria-label": `Delete ${nameOf(each)}` })));
  });
  const clear = button("Delete all", async () => {
    if (!(await confirmed("Delete all stubs?", `World ${page.world} forgets its stubs and the states of its scenarios.`, "Delete them"))) return;
    await page.call("DELETE", "/mappings");
    page.refresh();
  }, { "data-focus": "clear" });
  const more = offset + PAGE < meta.total ? h("a", { href: page.link("stubs", [], { offset: offset + PAGE }) }, "More") : null;
  return [
    h("p", { class: "actions" }, h("a", { class: "button main", href: page.link("stubs", ["new"]) }, "Add a stub"), rows.length ? clear : null),
    rows.length
      ? [h("p", { class: "told" }, `${count(meta.total, "stub")}, in the order in which they are tried`),
        table("Stubs", [["Priority", "number"], "Calls", "Answer", ["Fitted / used", "number"], ["State", "unseen"], ["What to do", "unseen"]], rows).element]
      : h("p", { class: "empty" }, "No stubs: the operations answer."),
    h("p", null, more),
  ];
}

async function remove(page, mapping) {
  if (!(await confirmed("Delete the stub?", `${nameOf(mapping)} is answered by the operation again.`, "Delete it"))) return;
  await page.call("DELETE", path(["mappings", mapping.id]));
  page.refresh();
}

/** Which calls a stub answers, in a line. */
function nameOf({ id, name, request = {} }) {
  const where = request.operation ?? request.url ?? request.urlPath ?? request.urlPathTemplate ?? request.urlPattern ?? request.urlPathPattern;
  return name ?? (where ? [request.method, where].filter(Boolean).join(" ") : (request.method ?? id));
}

function answerOf(response) {
  const kind = response.fault ?? (response.fall_through ? "the operation's, changed" : response.stream ? "a stream" : "");
  return [response.status ?? (response.fall_through ? "" : 200), kind].filter(Boolean).join(", ");
}

/** The form writes the JSON below it; what is sent is the JSON. */
async function fresh(page) {
  page.title = [h("a", { href: page.link("stubs") }, "Stubs"), " / new"];
  const all = await operations();
  const start = page.query.from ? await fromCall(page, page.query.from) : { request: { operation: "" }, response: { status: 200, jsonBody: {} } };
  const editor = jsonEditor("Definition", start, "In the words of WireMock. docs/stubs.md tells all that it may say.");
  const operation = suggested({ value: start.request.operation, required: true }, all.map((each) => each.id));
  const status = suggested({ value: start.response.status, size: "5", inputmode: "numeric" }, []);
  const times = h("input", { type: "number", min: "1", size: "5" });
  const body = h("textarea", { class: "code", rows: "6", spellcheck: "false", value: JSON.stringify(start.response.jsonBody ?? null, null, 2) });
  let isOwn = Boolean(page.query.from);

  const write = async (event) => {
    const found = all.find((each) => each.id === operation.input.value);
    if (found) status.list.replaceChildren(...Object.keys(found.responses).filter((each) => /^\d+$/.test(each)).map((each) => h("option", { value: each })));
    if (event.target === body) isOwn = true;
    if (found && !isOwn && event.target !== times) {
      const example = await exampleOf(found, status.input.value).catch(() => undefined);
      body.value = JSON.stringify(example ?? null, null, 2);
    }
    editor.write({ request: { operation: operation.input.value }, response: { status: numberOf(status.input.value), ...answer(body.value) }, ...(times.value ? { times: Number(times.value) } : {}) });
  };
  const form = h("form", { class: "setting", "aria-label": "Set a stub", onsubmit: (event) => event.preventDefault(), oninput: write },
    field("Operation", operation.input), operation.list, field("Status", status.input), status.list, field("Times", times, "always when empty"),
    field("Body", body, "the document's example until you write"));
  const save = () => editor.send(page, "POST", "/mappings", () => page.go("stubs"));
  return [h("div", { class: "halves" }, form, editor.element), h("p", { class: "actions" }, button("Save", save, { class: "main" }))];
}

function numberOf(text) {
  return /^\d+$/.test(text) ? Number(text) : text;
}

/** A body that is JSON is given as such, another as a text, an empty one not at all. */
function answer(text) {
  if (text.trim() === "") return {};
  try {
    return { jsonBody: JSON.parse(text) };
  } catch {
    return { body: text };
  }
}

/** A stub that answers calls like one of the journal as that one was answered. */
async function fromCall(page, number) {
  const call = await page.call("GET", path(["requests", number]));
  const request = { operation: call.operation };
  if (Object.keys(call.path_parameters).length) {
    request.pathParameters = Object.fromEntries(Object.entries(call.path_parameters).map(([name, value]) => [name, { equalTo: value }]));
  }
  const body = call.reply.body;
  const response = { status: call.status, ...(typeof body === "string" ? { body } : body === null ? {} : { jsonBody: body }) };
  return { request, response };
}

async function existing(page, id) {
  page.title = [h("a", { href: page.link("stubs") }, "Stubs"), " / ", id];
  const { uuid, usage, ...definition } = await page.call("GET", path(["mappings", id]));
  const editor = jsonEditor("Definition", definition, "Saved, its counts begin anew.");
  const save = () => editor.send(page, "PUT", path(["mappings", uuid]), () => page.go("stubs"));
  return [
    h("p", { class: "told" }, `${count(usage.matched, "call")} fitted, ${count(usage.used)} of them it answered.`),
    editor.element,
    h("p", { class: "actions" }, button("Save", save, { class: "main" })),
  ];
}
