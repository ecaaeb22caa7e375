// What a world holds: its collections, and the records of one.

import { path } from "./api.js";
import { afterPause, count, field, h, table } from "./dom.js";
import { brief } from "./json.js";

const PAGE = 50;
const FIRST = ["name", "slug", "email", "title", "status", "type", "role", "model", "created_at"];
/** Fields that tell most of a record, most telling first. */

export async function show(page) {
  return page.parts.length ? records(page) : collections(page);
}

async function collections(page) {
  const { collections: sizes } = await page.call("GET", "/records");
  const rows = Object.entries(sizes).map(([name, size]) =>
    h("tr", null, h("td", null, h("a", { href: page.link("resources", [name]) }, name)), h("td", { class: "number" }, count(size))));
  if (!rows.length) return h("p", { class: "empty" }, "This world holds no records.");
  return table("Collections", ["Collection", ["Records", "number"]], rows).element;
}

async function records(page) {
  const [collection] = page.parts;
  page.title = [h("a", { href: page.link("resources") }, "Resources"), " / ", collection];
  const offset = Number(page.query.offset ?? 0);
  const text = page.query.text ?? "";
  const list = h("div");
  const load = async (wanted, from) => {
    const found = await page.call("GET", path(["records", collection], { text: wanted, offset: from, limit: PAGE }));
    list.replaceChildren(...drawn(page, collection, found, wanted, from));
    return found.total;
  };
  await load(text, offset);
  const search = afterPause(async (wanted) => {
    page.note({ text: wanted });
    page.say(count(await load(wanted, 0), "record"));
  });
  const input = h("input", { type: "search", value: text, oninput: (event) => search(event.target.value.trim()) });
  const add = h("a", { class: "button", href: page.link("resources", [collection], { new: "record" }) }, "Add a record");
  const form = h("form", { class: "filters", role: "search", "aria-label": "Search the records", onsubmit: (event) => event.preventDefault() }, field("Text", input), h("p", { class: "actions" }, add));
  return [form, list];
}

function drawn(page, collection, { total, key, records: found }, text, offset) {
  if (!found.length) return [h("p", { class: "empty" }, text ? "No record holds this text." : "The collection is empty.")];
  const spread = found.map((record) => spreadOut(record, key));
  const names = [key, ...telling(spread, key)];
  const rows = spread.map((record) => {
    const link = h("a", { href: page.link("resources", [collection, String(record[key])]) }, brief(record[key]));
    return h("tr", null, h("td", { class: "code" }, link), names.slice(1).map((name) => h("td", null, h("span", { class: "cell" }, brief(record[name])))));
  });
  const pages = [
    offset > 0 ? h("a", { href: page.link("resources", [collection], { text, offset: Math.max(0, offset - PAGE) || "" }) }, "Newer") : null,
    offset + PAGE < total ? h("a", { href: page.link("resources", [collection], { text, offset: offset + PAGE }) }, "Older") : null,
  ];
  const told = `${count(offset + 1)} to ${count(offset + found.length)} of ${count(total, "record")}, newest first`;
  return [h("p", { class: "told" }, told), table(`Records of ${collection}`, names, rows).element, h("p", { class: "pages" }, pages.filter(Boolean))];
}

/** A record with the fields of the object that it is on the wire, where it keeps that as one of its fields. */
function spreadOut(record, key) {
  const shown = Object.values(record).find((each) => each !== null && typeof each === "object" && each[key] === record[key]);
  return { ...record, ...shown };
}

/** Up to five fields worth a column: those that tell most, then those that most of the records have. */
function telling(found, key) {
  const held = new Map();
  for (const record of found) {
    for (const [name, value] of Object.entries(record)) {
      if (name === key || name.startsWith("_") || name === "object" || value === null || typeof value === "object") continue;
      held.set(name, (held.get(name) ?? 0) + 1);
    }
  }
  const rank = (name) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
  return [...held.keys()].sort((one, other) => rank(one) - rank(other) || held.get(other) - held.get(one)).slice(0, 5);
}
