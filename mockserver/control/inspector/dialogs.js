// Questions to the person, in dialogs of the browser: focus stays in them, Escape says no, and focus goes back.

import { button, field, h } from "./dom.js";

function ask(title, content, verb, attributes) {
  return new Promise((resolve) => {
    const said = h("button", { type: "submit", class: "main", value: "yes", ...attributes }, verb);
    const form = h("form", { method: "dialog" }, h("h2", { id: "question" }, title), content, h("p", { class: "actions" }, said, button("Cancel", () => dialog.close(""))));
    const dialog = h("dialog", { "aria-labelledby": "question", onclose: () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    } }, form);
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Whether the person means it. */
export function confirmed(title, text, verb) {
  return ask(title, h("p", null, text), verb, { class: "main danger", autofocus: true });
}

/** A text from the person, or null. */
export async function asked(title, label, verb, attributes) {
  const input = h("input", { required: true, autocomplete: "off", spellcheck: "false", autofocus: true, ...attributes });
  return (await ask(title, field(label, input), verb)) ? input.value : null;
}

/** Puts a text into the clipboard, or shows it where the browser lets no page do so. */
export async function copied(text, what, say) {
  try {
    await navigator.clipboard.writeText(text);
    say(`${what} copied`);
  } catch {
    const area = h("textarea", { readonly: true, rows: "8", class: "code", autofocus: true, "aria-label": what }, text);
    await ask(what, area, "Done");
  }
}
