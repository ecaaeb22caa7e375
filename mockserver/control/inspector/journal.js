// The calls of a world, newest first; new ones come in by themselves.

import { path, Refusal, reply, Unreachable } from "./api.js";
import { confirmed } from "./dialogs.js";
import { afterPause, button, count, field, h, select, suggested, table } from "./dom.js";
import { operations } from "./served.js";

const PAGE = 100;
const WAIT_S = 25;
/** Those with a control, and those that links of other views bring along. */
const FILTERS = ["operation", "status", "verdict", "blame", "text", "problem"];
const COLUMNS = [["Nr", "number"], "Call", ["Operation", "wide"], "Status", "Verdict", ["Time", "wide"], ["Took", "wide number"]];

export async function show(page) {
  const filters = Object.fromEntries(FILTERS.filter((name) => page.query[name]).map((name) => [name, page.query[name]]));
  const { cursor } = page.query;
  const list = table("Calls, newest first", COLUMNS, []);
  list.element.classList.add("calls");
  const told = h("p", { class: "told" });
  const pages = h("p", { class: "pages" });
  const live = { paused: false, last: 0, total: 0, lost: "", turn: 0, rows: new Map() };

  const draw = (calls, total) => {
    live.rows = new Map(calls);
    live.last = calls[0]?.[0] ?? 0;
    live.total = total;
    put(list.body, calls.length ? calls.map(([, shown]) => shown) : [nothing(filters)]);
    told.textContent = count(total, "call") + live.lost;
  };
  live.add = (calls) => {
    const added = calls.map((call) => [call.number, row(call, page, "new")]);
    draw([...added, ...live.rows].slice(0, PAGE), live.total + calls.length);
  };

  const load = async () => {
    const found = await page.call("GET", path(["requests"], { ...filters, cursor, limit: PAGE }));
    const { dropped, capacity } = found;
    live.lost = dropped ? `; ${count(dropped)} older ones were dropped, the journal holds ${count(capacity)}` : "";
    draw(found.requests.map((call) => [call.number, live.rows.get(call.number) ?? row(call, page, null)]), found.total);
    const older = found.next === null ? null : h("a", { href: page.link("journal", [], { ...filters, cursor: found.next }) }, "Older calls");
    const newest = cursor ? h("a", { href: page.link("journal", [], filters) }, "Newest calls") : null;
    pages.replaceChildren(...[newest, older].filter(Boolean));
    return found.total;
  };

  const filter = async () => {
    page.note(filters);
    live.turn += 1;
    try {
      live.rows = new Map();
      page.say(count(await load(), "call"));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      told.textContent = error.message;
      return;
    }
    if (!cursor) follow(page, live, filters, load, told);
  };

  await load();
  if (!cursor) follow(page, live, filters, load, told);
  return [form(page, filters, filter, live, cursor), told, list.element, pages];
}

function form(page, filters, filter, live, cursor) {
  const later = afterPause(filter);
  const set = (name) => (event) => {
    filters[name] = event.target.value.trim();
    if (!filters[name]) delete filters[name];
    if (cursor) page.go("journal", [], filters);
    else later();
  };
  const operation = suggested({ value: filters.operation ?? "", onchange: set("operation") }, []);
  operations().then((all) => operation.list.append(...all.map((each) => h("option", { value: each.id })))).catch(() => {});
  const status = h("input", { value: filters.status ?? "", oninput: set("status"), size: "5", placeholder: "4xx" });
  const verdict = select({ onchange: set("verdict") }, [["", "any"], ["broke", "broke the contract"], ["kept", "kept it"], ["unchecked", "unchecked"]], filters.verdict ?? "");
  const blame = select({ onchange: set("blame") }, [["", "anybody"], "client", "service", "stub", "mock"], filters.blame ?? "");
  const text = h("input", { type: "search", value: filters.text ?? "", oninput: set("text") });
  const pause = button("Pause", () => {
    live.paused = !live.paused;
    pause.setAttribute("aria-pressed", String(live.paused));
    page.say(live.paused ? "New calls are held back" : "New calls come in");
    live.resume?.();
  }, { "aria-pressed": "false" });
  const clear = button("Clear", async () => {
    if (!(await confirmed("Forget the calls?", `All calls of world ${page.world} are forgotten. What they did stays.`, "Forget them"))) return;
    await page.call("DELETE", "/requests");
    page.refresh();
  });
  const har = button("HAR", () => download(page, filters), { title: "Download these calls as HAR 1.2" });
  return h("form", { class: "filters", role: "search", "aria-label": "Filter the calls", onsubmit: (event) => event.preventDefault() },
    field("Operation", operation.input), operation.list, field("Status", status), field("Request", verdict), field("Blame", blame), field("Text", text),
    h("p", { class: "actions" }, cursor ? null : pause, har, clear));
}

function nothing(filters) {
  const text = Object.keys(filters).length ? "No call fits." : "No calls yet. They appear here as they come.";
  return h("tr", null, h("td", { colspan: COLUMNS.length, class: "empty" }, text));
}

/** Lets calls come in as they are made: the server is asked to answer when there is one, and no oftener than twice a second. */
async function follow(page, live, filters, load, told) {
  const { turn } = live;
  const isOver = () => page.signal.aborted || live.turn !== turn;
  while (!isOver()) {
    if (live.paused || document.hidden) {
      await new Promise((resolve) => {
        live.resume = resolve;
        document.addEventListener("visibilitychange", resolve, { once: true });
        page.signal.addEventListener("abort", resolve, { once: true });
      });
      continue;
    }
    try {
      const found = await page.call("POST", "/requests/wait", { request: filters, after: live.last, count: 1, limit: PAGE, timeout_s: WAIT_S });
      const { count: total } = await page.call("GET", path(["requests", "count"], filters));
      if (isOver()) return;
      if (live.paused) continue;
      // What has come goes on top; when that is not all that has changed (calls were forgotten, the ring is full), all is read anew.
      if (found.count === found.requests.length && total === live.total + found.count) live.add(found.requests);
      else await load();
      if (found.count) page.say(count(found.count, "new call"));
    } catch (error) {
      if (isOver()) return;
      if (!(error instanceof Unreachable)) throw error;
      told.textContent = "The server does not answer; trying again.";
      await pause(2000);
    }
    await pause(500);
  }
}

/** Puts rows in, and leaves those alone that stay, one of which may have the focus. */
function put(body, rows) {
  const wanted = new Set(rows);
  for (const each of [...body.rows]) if (!wanted.has(each)) each.remove();
  rows.forEach((each, index) => {
    if (body.rows[index] !== each) body.insertBefore(each, body.rows[index] ?? null);
  });
}

function pause(time_ms) {
  return new Promise((resolve) => setTimeout(resolve, time_ms));
}

function row(call, page, name) {
  const href = page.link("journal", [call.number]);
  const open = (event) => {
    if (event.target.closest("a") || String(getSelection())) return;
    location.hash = href;
  };
  const where = [h("b", { class: "method" }, call.method), " ", call.path, call.query ? h("span", { class: "dim" }, `?${call.query}`) : null];
  return h("tr", { class: name, onclick: open },
    h("td", { class: "number" }, h("a", { href, "aria-label": `Call ${call.number}` }, call.number)),
    h("td", { class: "path" }, where),
    h("td", { class: "wide" }, call.operation),
    h("td", null, statusOf(call.status)),
    h("td", null, verdictOf(call)),
    h("td", { class: "wide time" }, h("time", { datetime: call.at }, call.at.slice(11, 23))),
    h("td", { class: "wide number" }, took(call.duration_us)));
}

export function statusOf(status) {
  return h("span", { class: `status s${Math.floor(status / 100)}` }, status);
}

/** What is to be said of a call beyond its status, in a word or two. */
export function verdictOf(call) {
  const { blame, request, reply: answered } = call.verdict;
  if (answered === "broke") return h("span", { class: "bad" }, `mock: ${call.problem}`);
  if (request === "broke") return h("span", { class: "bad" }, call.violations.length > 1 ? `${call.violations.length} violations` : call.problem);
  if (call.stub?.fault) return h("span", { class: "odd" }, "fault");
  if (call.stub?.mapping) return h("span", { class: "odd" }, "stub");
  return h("span", { class: "dim" }, blame ? call.problem ?? blame : "");
}

export function took(us) {
  return us < 1000 ? `${us} µs` : us < 1e6 ? `${(us / 1000).toFixed(1)} ms` : `${(us / 1e6).toFixed(1)} s`;
}

async function download(page, filters) {
  const answer = await reply(page.world, "GET", path(["requests", "har"], filters), undefined, page.signal);
  const href = URL.createObjectURL(await answer.blob());
  h("a", { href, download: `${page.world}.har` }).click();
  setTimeout(() => URL.revokeObjectURL(href), 10000);
  page.say("HAR downloaded");
}
