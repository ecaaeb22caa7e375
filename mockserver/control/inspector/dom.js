// Makes elements. Whatever comes from the server goes in as text: nothing here or elsewhere on the page parses markup.

/** Makes an element: functions are listeners (`onclick`), true sets an attribute, null and false leave it or a child out. */
export function h(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(key.slice(2), value);
    else if (key === "value") element.value = value;
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

let drawn = 0;

/** An id that no other element has, for labels. */
export function freshId(word) {
  drawn += 1;
  return `${word}-${drawn}`;
}

/** A control with its label above it, and beside that a hint, which is read with it. */
export function field(label, control, hint) {
  control.id ||= freshId("field");
  const told = hint ? h("small", { id: `${control.id}-hint` }, hint) : null;
  if (told) control.setAttribute("aria-describedby", told.id);
  return h("p", { class: "field" }, h("span", null, h("label", { for: control.id }, label), told && " ", told), control);
}

/** A text input with suggestions. */
export function suggested(attributes, choices) {
  const list = h("datalist", { id: freshId("choices") }, choices.map((choice) => h("option", { value: choice })));
  const input = h("input", { autocomplete: "off", spellcheck: "false", ...attributes, list: list.id });
  return { input, list };
}

export function select(attributes, choices, chosen) {
  const options = choices.map((choice) => {
    const [value, label] = Array.isArray(choice) ? choice : [choice, choice];
    return h("option", { value, selected: value === chosen }, label);
  });
  return h("select", attributes, options);
}

/** A table that scrolls within itself when it is too wide; `columns` are headings, or [heading, class]. */
export function table(label, columns, rows) {
  const body = h("tbody", null, rows);
  const heads = columns.map((column) => {
    const [heading, kind] = Array.isArray(column) ? column : [column, null];
    return kind === "unseen" ? h("th", { scope: "col" }, h("span", { class: "unseen" }, heading)) : h("th", { scope: "col", class: kind }, heading);
  });
  const element = h("table", { "aria-label": label }, h("thead", null, h("tr", null, heads)), body);
  return { body, element: h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, element) };
}

/** Names and values side by side; pairs whose value is null are left out. */
export function facts(pairs, kind = "facts") {
  const told = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return h("dl", { class: kind }, told.map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, value))));
}

export function button(label, onclick, attributes) {
  return h("button", { type: "button", onclick, ...attributes }, label);
}

const plain = new Intl.NumberFormat("en");

/** A number as people read it, with a word after it in the right form. */
export function count(number, one, many = `${one}s`) {
  const shown = plain.format(number);
  return one === undefined ? shown : `${shown} ${number === 1 ? one : many}`;
}

/** Waits for a pause in the calls, then does what the last one asked. */
export function afterPause(act, pause_ms = 250) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => act(...given), pause_ms);
  };
}
