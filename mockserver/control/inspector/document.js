// The operations of the document that is served, each with its way into the page of the document.

import { root } from "./api.js";
import { afterPause, count, field, h, table } from "./dom.js";
import { docsLink, operations } from "./served.js";

export async function show(page) {
  const all = await operations();
  const list = h("div", { class: "even" });
  const draw = (text) => {
    const wanted = text.toLowerCase();
    const found = all.filter((each) => `${each.id} ${each.method} ${each.path} ${each.tag} ${each.summary}`.toLowerCase().includes(wanted));
    const tags = [...new Set(found.map((each) => each.tag))];
    const groups = tags.map((tag) => {
      const rows = found.filter((each) => each.tag === tag).map((each) => h("tr", null,
        h("td", null, h("a", { href: docsLink(each) }, each.id)),
        h("td", { class: "path" }, h("b", { class: "method" }, each.method), " ", each.path),
        h("td", { class: "wide" }, each.summary),
        h("td", null, h("a", { href: page.link("journal", [], { operation: each.id }), "aria-label": `Calls of ${each.id}` }, "calls"))));
      return [h("h2", null, tag), table(tag, ["Operation", "Path", ["What it does", "wide"], ["What to do", "unseen"]], rows).element];
    });
    list.replaceChildren(h("p", { class: "told" }, count(found.length, "operation")), ...groups.flat());
  };
  const text = page.query.text ?? "";
  const search = afterPause((wanted) => {
    page.note({ text: wanted });
    draw(wanted);
    page.say(list.firstChild.textContent);
  }, 150);
  const input = h("input", { type: "search", value: text, oninput: (event) => search(event.target.value.trim()) });
  draw(text);
  const faults = page.health.not_served ?? [];
  return [
    h("p", { class: "actions" }, h("a", { class: "button", href: `${root}/docs` }, "Browse it"), h("a", { href: `${root}/openapi.json` }, "JSON"), h("a", { href: `${root}/openapi.yaml` }, "YAML"),
      h("a", { href: `${root}/__admin/openapi.json` }, "Admin API")),
    faults.length ? h("div", { class: "refusal" }, h("p", null, "Not served of the document:"), h("ul", null, faults.map((each) => h("li", null, each)))) : null,
    h("form", { class: "filters", role: "search", "aria-label": "Search the operations", onsubmit: (event) => event.preventDefault() }, field("Text", input)),
    list,
  ];
}
