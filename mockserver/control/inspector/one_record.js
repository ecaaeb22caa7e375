// One record as the world holds it: to read, to change, to take out; or a new one.

import { path } from "./api.js";
import { confirmed } from "./dialogs.js";
import { button, h } from "./dom.js";
import { jsonEditor } from "./editor.js";

export async function show(page) {
  const [collection, key] = page.parts;
  const isNew = key === undefined;
  const list = h("a", { href: page.link("resources", [collection]) }, collection);
  page.title = [h("a", { href: page.link("resources") }, "Resources"), " / ", list, " / ", isNew ? "new" : key];
  const where = isNew ? path(["records", collection]) : path(["records", collection, key]);
  const editor = isNew ? await blank(page, collection) : jsonEditor("Record", await page.call("GET", where), "Secrets are shown as none; they stay as they are.");

  const save = () => editor.send(page, isNew ? "POST" : "PUT", where, (saved) => {
    if (isNew) page.go("resources", [collection]);
    else editor.write(saved);
  });
  const remove = async () => {
    if (!(await confirmed("Take the record out?", `${key} leaves ${collection}, and nothing with it: what refers to it stays.`, "Take it out"))) return;
    await page.call("DELETE", where);
    page.go("resources", [collection]);
  };
  return [
    h("p", { class: "dim" }, "A record is taken as it is written: whether the service would have made it is not checked."),
    editor.element,
    h("p", { class: "actions" }, button("Save", save, { class: "main" }), isNew ? null : button("Delete", remove, { class: "danger" })),
  ];
}

/** A new record starts as the newest one does, with another key. */
async function blank(page, collection) {
  const { key, records } = await page.call("GET", path(["records", collection], { limit: 1 }));
  const like = JSON.stringify(records[0] ?? { [key]: null });
  const own = crypto.randomUUID?.() ?? "";
  const value = JSON.parse(like.replaceAll(JSON.stringify(records[0]?.[key] ?? null), JSON.stringify(own)));
  return jsonEditor("New record", value, `It starts as the newest one does. ${key} must be one that no other record has.`);
}
