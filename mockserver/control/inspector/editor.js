// A JSON text to write by hand. What the server says against it is shown at its place in it.

import { Refusal, Unreachable } from "./api.js";
import { button, field, h } from "./dom.js";
import { jsonView } from "./json.js";
import { Misplaced, nearest, places } from "./pointers.js";

/**
 * Makes an editor: `element`, `write(value)`, and `send(page, method, path, then)`, which calls the admin API with what was
 * written. What is wrong with it, be it that it is no JSON, is shown; `then` gets the reply when nothing is.
 */
export function jsonEditor(label, value, hint) {
  const area = h("textarea", { class: "code", rows: "14", spellcheck: "false", autocomplete: "off" });
  const told = h("div", { class: "refusal", role: "alert" });
  const fit = () => {
    area.rows = Math.min(30, Math.max(6, area.value.split("\n").length + 1));
  };
  const write = (given) => {
    area.value = JSON.stringify(given, null, 2);
    fit();
  };
  write(value);
  area.addEventListener("input", () => {
    told.replaceChildren();
    fit();
  });

  const pick = ([start, end]) => {
    area.focus();
    area.setSelectionRange(start, end);
  };

  const read = () => {
    told.replaceChildren();
    try {
      return JSON.parse(area.value);
    } catch {
      const at = faultIn(area.value);
      const before = area.value.slice(0, at).split("\n");
      told.append(h("p", null, `This is no JSON: see line ${before.length}, column ${before.at(-1).length + 1}.`));
      pick([at, Math.min(at + 1, area.value.length)]);
      return undefined;
    }
  };

  const refuse = (error) => {
    told.replaceChildren(h("p", null, error.message));
    const inBody = (error.violations ?? []).filter((each) => each.in === "body");
    if (!inBody.length) return;
    const sent = JSON.parse(area.value);
    const found = places(area.value);
    const items = inBody.map((each) => {
      const go = button(each.pointer || "/", () => pick(found.get(nearest(sent, each.pointer))), { class: "place" });
      return h("li", null, go, " ", each.message);
    });
    const marks = inBody.map((each) => ({ pointer: each.pointer, text: each.message }));
    told.append(h("ul", null, items), jsonView(sent, { label: "What was sent, with what is wrong", marks }));
  };

  const send = async (page, method, path, then) => {
    const given = read();
    if (given === undefined) return;
    try {
      const reply = await page.call(method, path, given);
      page.say("Saved");
      then(reply);
    } catch (error) {
      if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
      refuse(error);
    }
  };

  return { element: h("div", { class: "editor" }, field(label, area, hint), told), write, send };
}

/** Where a text stops being JSON. */
function faultIn(text) {
  try {
    places(text);
  } catch (error) {
    if (error instanceof Misplaced) return error.at;
    throw error;
  }
  return text.length;
}
