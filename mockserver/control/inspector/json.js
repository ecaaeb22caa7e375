// Shows a JSON value as text, line by line, with what is to be said of its parts at their place.

import { h } from "./dom.js";
import { has, joined, nearest, steps } from "./pointers.js";

const MOST_LINES = 4000;

/**
 * Shows a value. `marks` are {pointer, text}: the value there is marked and the text put below it; what is not there gets a
 * line of its own in the object that should have it. `depth` folds what lies deeper and holds no mark.
 */
export function jsonView(value, { label, marks = [], depth = Infinity } = {}) {
  const placed = placedIn(value, marks);
  const lines = [];
  write(value, { pointer: "", indent: 0, key: null, comma: "" }, { lines, placed, depth });
  const shown = lines.slice(0, MOST_LINES);
  if (lines.length > shown.length) shown.push(h("span", { class: "line note" }, `… ${lines.length - shown.length} more lines`));
  return h("pre", { class: "json", tabindex: "0", role: "region", "aria-label": label ?? "JSON" }, h("code", null, shown));
}

/** Marks by the pointer of a value that is there: those of the value itself, and those of what is missing in it. */
function placedIn(value, marks) {
  const own = new Map();
  const missing = new Map();
  const ways = new Set();
  for (const mark of marks) {
    const pointer = nearest(value, mark.pointer);
    const rest = steps(mark.pointer).slice(steps(pointer).length);
    const list = rest.length ? missing : own;
    if (!list.has(pointer)) list.set(pointer, []);
    list.get(pointer).push(rest.length ? { name: rest.join("/"), text: mark.text } : mark);
    let way = "";
    for (const step of ["", ...steps(pointer)]) {
      way = step === "" && way === "" ? "" : joined(way, step);
      ways.add(way);
    }
  }
  return { own, missing, ways };
}

function write(value, place, sheet) {
  const { pointer, indent, comma } = place;
  const { lines, placed } = sheet;
  if (lines.length > MOST_LINES + 1) {
    lines.length += 1;
    return;
  }
  const marks = placed.own.get(pointer) ?? [];
  const missing = placed.missing.get(pointer) ?? [];
  const isList = Array.isArray(value);
  const names = value !== null && typeof value === "object" ? Object.keys(value) : null;
  const [open, close] = isList ? ["[", "]"] : ["{", "}"];
  if (names === null) {
    lines.push(line(place, [marked(scalar(value), marks), comma]));
    lines.push(...notes(marks, indent));
  } else if (names.length + missing.length === 0) {
    lines.push(line(place, [marked(h("span", null, open + close), marks), comma]));
    lines.push(...notes(marks, indent));
  } else if (indent >= sheet.depth && !placed.ways.has(pointer)) {
    const told = isList ? `[ … ${names.length} ]` : `{ … ${names.length} }`;
    lines.push(line(place, [h("span", { class: "folded" }, told), comma]));
  } else {
    lines.push(line(place, [marked(h("span", null, open), marks)]));
    lines.push(...notes(marks, indent + 1));
    names.forEach((name, index) => {
      const last = index === names.length - 1 && missing.length === 0;
      write(value[name], { pointer: joined(pointer, name), indent: indent + 1, key: isList ? null : name, comma: last ? "" : "," }, sheet);
    });
    for (const { name, text } of missing) {
      const ghost = h("mark", { class: "missing" }, JSON.stringify(name));
      lines.push(line({ indent: indent + 1, key: null }, [ghost, h("span", { class: "note" }, ` ${text}`)]));
    }
    lines.push(line({ indent, key: null }, [close, comma]));
  }
}

function line({ indent, key }, pieces) {
  const name = key === null || key === undefined ? null : [h("span", { class: "key" }, JSON.stringify(key)), ": "];
  return h("span", { class: "line" }, "  ".repeat(indent), name, pieces, "\n");
}

function marked(element, marks) {
  return marks.length ? h("mark", null, element) : element;
}

function notes(marks, indent) {
  return marks.filter((mark) => mark.text).map((mark) => h("span", { class: "line note" }, `${"  ".repeat(indent)}↑ ${mark.text}\n`));
}

function scalar(value) {
  const kind = value === null ? "null" : typeof value;
  return h("span", { class: kind }, JSON.stringify(value));
}

/** A short word for a value, for a cell of a table. */
export function brief(value) {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return value.every((each) => each === null || typeof each !== "object") ? value.join(", ") : `${value.length} items`;
  if (typeof value === "object") return has(value, "id") ? String(value.id) : `${Object.keys(value).length} fields`;
  return String(value);
}
