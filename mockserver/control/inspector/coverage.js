// Which operations the calls so far have used, and with what result; and what nobody has called yet.

import { button, count, facts, h, select, table } from "./dom.js";
import { statusOf } from "./journal.js";
import { docsLink, operations } from "./served.js";

export async function show(page) {
  const all = await operations();
  if (page.parts.length) return oneOperation(page, all.find((each) => each.id === page.parts[0]));
  const measured = await page.call("GET", "/coverage");
  const found = new Map(Object.entries(measured.operations));
  const list = h("div", { class: "even" });
  const wanted = { which: page.query.show ?? "" };
  const draw = () => list.replaceChildren(...families(all, found, wanted.which, page).flat(Infinity));
  draw();
  const which = select({ onchange: (event) => {
    wanted.which = event.target.value;
    page.note({ show: wanted.which });
    draw();
  } }, [["", "all operations"], ["holes", "those that nobody has called"], ["called", "those that were called"]], wanted.which);
  which.id = "which";
  const called = all.filter((each) => found.has(nameOf(each))).length;
  const unmatched = Object.values(measured.unmatched).reduce((sum, each) => sum + each, 0);
  return [
    h("p", null, h("strong", null, `${count(called)} of ${count(all.length, "operation")}`), " called by the calls in the journal",
      unmatched ? [", ", h("a", { href: page.link("journal", [], { problem: "no-such-path" }) }, `${count(unmatched, "call")} of none`)] : null, "."),
    meter(called, all.length),
    shares(measured.kinds),
    h("p", { class: "actions" }, h("label", { for: "which", class: "dim" }, "Show"), which, button("Refresh", () => page.refresh(), { "data-focus": "refresh" })),
    list,
  ];
}

function nameOf({ method, path: template }) {
  return `${method} ${template}`;
}

/** How much of each kind of thing was touched: parameters, fields, values and the like. */
function shares(kinds) {
  const told = Object.entries(kinds).filter(([, share]) => share.total);
  return told.length ? facts(told.map(([kind, { touched, total, percent }]) => [kind, `${percent} % (${count(touched)} of ${count(total)})`]), "facts dense") : null;
}

function meter(part, whole) {
  return h("meter", { min: "0", max: String(whole || 1), value: String(part), "aria-label": `${part} of ${whole}` });
}

function families(all, found, which, page) {
  const wanted = all.filter((each) => which === "" || found.has(nameOf(each)) === (which === "called"));
  const tags = [...new Set(wanted.map((each) => each.tag))];
  if (!tags.length) return [h("p", { class: "empty" }, which === "holes" ? "Every operation was called." : "Nothing was called yet.")];
  return tags.map((tag) => {
    const own = all.filter((each) => each.tag === tag);
    const called = own.filter((each) => found.has(nameOf(each))).length;
    const rows = wanted.filter((each) => each.tag === tag).map((each) => row(each, found.get(nameOf(each)), page));
    return [
      h("h2", null, tag, " ", h("span", { class: "dim" }, `${called} of ${own.length}`)),
      table(tag, ["Operation", ["Path", "wide"], ["Calls", "number"], "Statuses seen", "Statuses not seen"], rows).element,
    ];
  });
}

function row(operation, tally, page) {
  const { calls = 0, statuses = {}, coverage } = tally ?? {};
  const seen = Object.entries(statuses).map(([status, number]) => h("span", { class: "tally" }, statusOf(status), ` × ${count(number)} `));
  const missing = Object.keys(operation.responses).filter((each) => !isSeen(each, statuses));
  return h("tr", null,
    h("td", null, h("a", { href: page.link("coverage", [operation.id]) }, operation.id)),
    h("td", { class: "wide path" }, h("b", { class: "method" }, operation.method), " ", operation.path),
    h("td", { class: "number" }, calls ? count(calls) : h("span", { class: "dim" }, "0"), calls ? h("span", { class: "dim" }, `, ${coverage.percent} %`) : null),
    h("td", null, seen),
    h("td", { class: "dim" }, missing.join(" ")));
}

/** Whether a documented status, such as `404`, `4XX` or `default`, was answered. */
function isSeen(documented, statuses) {
  const known = Object.keys(statuses);
  return documented === "default" ? known.length > 0 : known.some((each) => each === documented || documented === `${each[0]}XX`);
}

/** What of one operation was not touched, why, and what call would. */
async function oneOperation(page, operation) {
  page.title = [h("a", { href: page.link("coverage") }, "Coverage"), " / ", page.parts[0]];
  if (!operation) return h("p", { class: "empty" }, "The document has no such operation.");
  const measured = await page.call("GET", "/coverage?holes=true");
  const tally = measured.operations[nameOf(operation)];
  const holes = measured.holes.filter((each) => each.operation === nameOf(operation));
  const rows = holes.map((each) => h("tr", null,
    h("td", null, each.kind), h("td", { class: "code" }, each.name), h("td", null, each.reason, each.excluded ? h("span", { class: "dim" }, " (does not count)") : null), h("td", null, each.suggestion)));
  return [
    h("p", null, h("b", { class: "code" }, nameOf(operation)), tally ? `: ${count(tally.calls, "call")}, ${tally.coverage.percent} % of it touched.` : ": not called yet."),
    h("p", { class: "actions" }, h("a", { href: page.link("journal", [], { operation: operation.id }) }, "Its calls"), h("a", { href: docsLink(operation) }, "In the document")),
    rows.length ? table("What was not touched", ["Kind", "What", "Why", "What would"], rows).element : h("p", { class: "empty" }, "All of it was touched."),
  ];
}
