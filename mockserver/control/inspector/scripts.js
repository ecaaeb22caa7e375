// Scripts: what models answer, where the served API has any.

import { path } from "./api.js";
import { confirmed } from "./dialogs.js";
import { button, h, table } from "./dom.js";
import { jsonEditor } from "./editor.js";

const START = { match: { model: "*" }, answer: { text: "Four." } };

export async function show(page) {
  const { scripts } = await page.call("GET", "/scripts");
  const rows = scripts.map((each) => h("tr", null,
    h("td", { class: "number" }, each.priority),
    h("td", { class: "code" }, Object.entries(each.match).map(([name, value]) => `${name}: ${value}`).join(", ") || "all calls of models"),
    h("td", { class: "code" }, h("span", { class: "cell" }, JSON.stringify(each.answer))),
    h("td", { class: "number" }, `${each.matched} / ${each.used}${each.times ? ` of ${each.times}` : ""}`),
    h("td", null, button("Delete", async () => {
      await page.call("DELETE", path(["scripts", each.id]));
      page.refresh();
    }, { "aria-label": `Delete ${each.id}` }))));
  const clear = button("Delete all", async () => {
    if (!(await confirmed("Delete all scripts?", "Models answer by themselves again.", "Delete them"))) return;
    await page.call("DELETE", "/scripts");
    page.refresh();
  }, { "data-focus": "clear" });
  const editor = jsonEditor("Definition", START, "docs/gateway.md tells what a script may say.");
  const save = () => editor.send(page, "POST", "/scripts", () => page.refresh());
  return [
    rows.length
      ? [table("Scripts", [["Priority", "number"], "Calls", "Answer", ["Fitted / used", "number"], ["What to do", "unseen"]], rows).element, h("p", { class: "actions" }, clear)]
      : h("p", { class: "empty" }, "No scripts: models answer by themselves."),
    h("h2", null, "Add a script"),
    editor.element,
    h("p", { class: "actions" }, button("Add it", save, { class: "main", "data-focus": "add" })),
  ];
}
