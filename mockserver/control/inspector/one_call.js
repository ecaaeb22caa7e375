// One call: what was sent and answered, and each violation at its place in both, the call and the document.

import { path } from "./api.js";
import { confirmed, copied } from "./dialogs.js";
import { button, facts, h } from "./dom.js";
import { statusOf, took } from "./journal.js";
import { jsonView } from "./json.js";
import { steps } from "./pointers.js";
import { docsLink, operations, ruleAt } from "./served.js";

export async function show(page) {
  const number = Number(page.parts[0]);
  const call = await page.call("GET", path(["requests", page.parts[0]]));
  page.title = [`Call ${number}: `, h("span", { class: "code" }, `${call.method} ${call.path}`), " ", statusOf(call.status)];
  const ofReply = call.verdict.reply === "broke";
  const [asked, answered] = ofReply ? [[], call.violations] : [call.violations, []];
  return [
    h("p", { class: "actions" },
      h("a", { class: "button", href: page.link("journal") }, "All calls"),
      number > 1 ? h("a", { href: page.link("journal", [number - 1]) }, "Previous") : null,
      h("a", { href: page.link("journal", [number + 1]) }, "Next"),
      button("Copy as curl", () => copied(curl(call), "curl command", page.say)),
      call.operation === null ? null : h("a", { class: "button", href: page.link("stubs", ["new"], { from: number }) }, "Make a stub of this"),
      button("Forget", () => forget(page, number))),
    facts([
      ["Operation", await operationOf(call)],
      ["Verdict", verdictTold(call)],
      ["Problem", call.problem === null ? null : `${call.problem}: ${call.detail}`],
      ["Answered by", call.stub === null ? null : answeredBy(call.stub, page)],
      ["Caller", call.caller === null ? null : `${call.caller.name} (${call.caller.id})`],
      ["Time of the world", call.at],
      ["Took", took(call.duration_us)],
      ["Due", call.due_at],
      ["Stream", call.stream === null ? null : `${call.stream.chunks} pieces`],
      ["Ending", call.ending === "whole" ? null : { cut: "broken off", left: "the client left before" }[call.ending]],
    ]),
    await violations(call, ofReply),
    await nearMisses(call, page),
    h("div", { class: "sides" },
      h("section", { "aria-labelledby": "sent" }, h("h2", { id: "sent" }, "Request"), requestOf(call, asked)),
      h("section", { "aria-labelledby": "answered" }, h("h2", { id: "answered" }, "Reply"), replyOf(call, answered))),
  ];
}

async function operationOf(call) {
  if (call.operation === null) return null;
  const found = (await operations()).find((each) => each.id === call.operation);
  return found ? h("a", { href: docsLink(found) }, call.operation) : call.operation;
}

function verdictTold(call) {
  const { request, reply, blame } = call.verdict;
  const words = { kept: "keeps the contract", broke: "breaks the contract", unchecked: "was not checked" };
  return `The request ${words[request]}, the reply ${words[reply]}.${blame ? ` It is the doing of the ${blame}.` : ""}`;
}

function answeredBy(stub, page) {
  const link = (view, id) => h("a", { href: page.link(view, [id]) }, id);
  return [stub.kind, stub.mapping ? [": stub ", link("stubs", stub.mapping)] : null, stub.fault ? [": fault ", link("faults", stub.fault)] : null];
}

async function forget(page, number) {
  if (!(await confirmed("Forget this call?", "It leaves the journal. What it did stays.", "Forget it"))) return;
  await page.call("DELETE", path(["requests", number]));
  page.go("journal");
}

/** The violations one by one, each beside the part of the document that it breaks. */
async function violations(call, ofReply) {
  if (!call.violations.length) return null;
  const items = await Promise.all(call.violations.map(async (each) => {
    const place = h("code", { class: "place" }, `${each.in}${each.pointer}`);
    const sides = h("div", { class: "sides" }, ofReply ? null : excerpt(call, each), await ruleShown(each));
    return h("li", null, h("p", null, place, " ", each.message), sides);
  }));
  const title = ofReply ? "Violations of the reply that was withheld" : "Violations";
  return h("section", { class: "violations", "aria-labelledby": "violations" }, h("h2", { id: "violations" }, title), h("ol", null, items));
}

/** The value that breaks a rule, with no more around it than it takes to find it. */
function excerpt(call, violation) {
  const { body } = call.request;
  const named = { query: [...new URLSearchParams(call.query)], path: Object.entries(call.path_parameters), header: Object.entries(call.request.headers) }[violation.in];
  const shown = named ? rows(null, named.filter(([name]) => meant(violation, violation.in === "header") === folded(name, violation.in === "header")), [violation], violation.in === "header")
    : violation.in === "body" && body !== null && typeof body === "object" ? jsonView(body, { label: `The request at ${violation.pointer}`, marks: [{ pointer: violation.pointer, text: "" }], depth: 1 }) : null;
  return shown && h("figure", null, h("figcaption", null, "In the request"), shown);
}

async function ruleShown(violation) {
  if (!violation.schema) return null;
  const rule = await ruleAt(violation.schema).catch(() => null);
  const pointer = h("code", { class: "pointer" }, `#${violation.schema}`);
  if (rule === null) return h("p", { class: "dim" }, "By the document: ", pointer);
  const marks = [{ pointer: `/${rule.keyword.replaceAll("~", "~0").replaceAll("/", "~1")}`, text: "" }];
  return h("figure", null, h("figcaption", null, "By the document: ", pointer), jsonView(rule.value, { label: `The document at ${violation.schema}`, marks, depth: 2 }));
}

async function nearMisses(call, page) {
  if (call.operation !== null || call.stub?.mapping) return null;
  const given = { method: call.method, url: call.path + (call.query ? `?${call.query}` : ""), headers: call.request.headers };
  if (call.request.body !== null) given.body = textOf(call.request.body);
  const { nearMisses: found } = await page.call("POST", "/near-misses/request", given);
  if (!found.length) return null;
  const items = found.map(({ operation, stubMapping, matchResult }) => {
    const what = operation
      ? ["operation ", h("b", null, operation.id), ` ${operation.method} ${operation.path}`]
      : ["stub ", h("a", { href: page.link("stubs", [stubMapping.id]) }, stubMapping.name ?? stubMapping.id)];
    const why = matchResult.mismatches.map((each) => h("li", null, `${each.criterion}: `, h("code", null, textOf(each.expected)), " wanted, ", each.found === null ? "nothing found" : [h("code", null, textOf(each.found)), " found"]));
    return h("li", null, what, h("ul", null, why));
  });
  return h("section", { "aria-labelledby": "near" }, h("h2", { id: "near" }, "What it came close to"), h("ol", null, items));
}

function requestOf(call, found) {
  const at = (part) => found.filter((each) => each.in === part);
  const query = [...new URLSearchParams(call.query)];
  const cookies = at("cookie").map((each) => ({ ...each, pointer: "/cookie" }));
  return [
    rows("Path", Object.entries(call.path_parameters), at("path")),
    rows("Query", query, at("query")),
    rows("Headers", Object.entries(call.request.headers), [...at("header"), ...cookies], true),
    bodyOf(call.request, at("body"), "Body of the request"),
  ];
}

function replyOf(call, found) {
  const others = found.length ? h("p", { class: "dim" }, "The violations are of the reply that was withheld; this one went out in its place.") : null;
  return [others, rows("Headers", Object.entries(call.reply.headers), [], true), bodyOf(call.reply, [], "Body of the reply")];
}

/** Names and values of one part of a call, with what is wrong with each below it, and what is missing at the end. */
function rows(title, pairs, found, foldsCase = false) {
  if (!pairs.length && !found.length) return null;
  const known = new Set(pairs.map(([name]) => folded(name, foldsCase)));
  const notes = (list) => list.map((each) => h("span", { class: "note" }, `↑ ${each.message}`));
  const shown = pairs.map(([name, value]) => {
    const own = found.filter((each) => meant(each, foldsCase) === folded(name, foldsCase));
    return h("tr", null, h("th", { scope: "row" }, name), h("td", null, own.length ? h("mark", null, value) : value, notes(own)));
  });
  const absent = found.filter((each) => !known.has(meant(each, foldsCase))).map((each) =>
    h("tr", null, h("th", { scope: "row" }, h("mark", { class: "missing" }, meant(each, foldsCase) || title)), h("td", null, h("span", { class: "note" }, each.message))));
  return [title && h("h3", null, title), h("table", { class: "pairs", "aria-label": title }, h("tbody", null, shown, absent))];
}

function folded(name, foldsCase) {
  return foldsCase ? name.toLowerCase() : name;
}

/** The name that a violation of one part of a call is about. */
function meant(violation, foldsCase) {
  return folded(steps(violation.pointer)[0] ?? "", foldsCase);
}

function bodyOf(message, found, label) {
  if (message.body === null && !found.length) return null;
  const cut = message.truncated ? h("p", { class: "dim" }, `Cut off: it had ${message.size} bytes.`) : null;
  const marks = found.map((each) => ({ pointer: each.pointer, text: each.message }));
  if (typeof message.body === "string" || message.body === null) {
    const notes = found.map((each) => h("p", { class: "note" }, `${each.in}${each.pointer} ${each.message}`));
    return [h("h3", null, "Body"), notes, message.body === null ? null : h("pre", { tabindex: "0", role: "region", "aria-label": label }, message.body), cut];
  }
  return [h("h3", null, "Body"), jsonView(message.body, { label, marks }), cut];
}

function textOf(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The call as a line for a shell. Secrets are not known here, so they are to be filled in. */
function curl(call) {
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const url = `${location.origin}${call.path}${call.query ? `?${call.query}` : ""}`;
  const pieces = ["curl", quoted(url)];
  if (call.method !== (call.request.body === null ? "GET" : "POST")) pieces.push("-X", call.method);
  const own = ["host", "content-length", "accept-encoding", "connection", "user-agent", "x-mock-world"];
  for (const [name, value] of Object.entries(call.request.headers)) {
    if (!own.includes(name.toLowerCase())) pieces.push("-H", quoted(`${name}: ${value}`));
  }
  pieces.push("-H", quoted(`x-mock-world: ${call.world}`));
  if (call.request.body !== null) pieces.push("--data-raw", quoted(textOf(call.request.body)));
  return pieces.join(" ");
}
