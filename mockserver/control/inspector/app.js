// Puts the page together: which view an address shows, in which world, and where the focus goes.

import { call, homeWorld, path, Refusal, Unreachable } from "./api.js";
import { button, h } from "./dom.js";
import { address, parsed } from "./routes.js";
import { show as clock, shownAt, timeOf } from "./clock.js";
import { show as coverage } from "./coverage.js";
import { show as documented } from "./document.js";
import { show as faults } from "./faults.js";
import { show as journal } from "./journal.js";
import { show as oneCall } from "./one_call.js";
import { show as resources } from "./resources.js";
import { show as oneRecord } from "./one_record.js";
import { show as scenarios } from "./scenarios.js";
import { show as scripts } from "./scripts.js";
import { show as stubs } from "./stubs.js";
import { show as worlds } from "./worlds.js";

const VIEWS = [
  { name: "journal", title: "Journal", show: (page) => (page.parts.length ? oneCall(page) : journal(page)) },
  { name: "resources", title: "Resources", show: (page) => (page.parts.length > 1 || "new" in page.query ? oneRecord(page) : resources(page)) },
  { name: "stubs", title: "Stubs", show: stubs },
  { name: "faults", title: "Faults", show: faults },
  { name: "scenarios", title: "Scenarios", show: scenarios },
  { name: "scripts", title: "Scripts", show: scripts, extra: "Scripts" },
  { name: "clock", title: "Clock", show: clock },
  { name: "coverage", title: "Coverage", show: coverage },
  { name: "document", title: "Document", show: documented },
  { name: "worlds", title: "Worlds", show: worlds },
];

const main = document.getElementById("main");
const news = document.getElementById("news");
const chooser = document.getElementById("world");
const now = document.getElementById("now");
let health = { serves: "mockserver", adds: [] };
let left = new AbortController();
let shownBefore = null;
let clockShown = null;

function say(text) {
  news.textContent = text;
}

/** What a view gets: where it is, and what it may do. */
function pageOf(route) {
  const { world } = route;
  const { signal } = left;
  return {
    ...route,
    signal,
    health,
    say,
    title: null,
    call: (method, where, body) => call(world, method, where, body, signal),
    link: (view, parts, query) => address(world, view, parts, query),
    go: (view, parts, query) => {
      location.hash = address(world, view, parts, query);
    },
    /** Shows the same view again, with what has changed; the focus stays with what it names. */
    refresh: () => show({ focus: false }),
    /** Notes filters in the address without going anywhere. */
    note: (query) => history.replaceState(null, "", address(world, route.view, route.parts, query)),
    refreshFrame: () => frame(route),
  };
}

async function show({ focus = true } = {}) {
  left.abort();
  left = new AbortController();
  const { signal } = left;
  const route = parsed(location.hash);
  const view = VIEWS.find((each) => each.name === route.view);
  const page = pageOf(route);
  const heading = h("h1", { tabindex: "-1" }, view?.title ?? "No such view");
  navigation(route);
  main.setAttribute("aria-busy", "true");
  let content;
  try {
    await frame(route);
    content = await contentOf(view, page);
  } catch (error) {
    if (signal.aborted) return;
    content = failure(error);
  }
  if (signal.aborted) return;
  if (page.title) heading.replaceChildren(...page.title);
  document.title = `${heading.textContent} · ${route.world} · ${health.serves}`;
  main.removeAttribute("aria-busy");
  const place = focus ? null : focusPath();
  main.replaceChildren(heading, ...[content].flat(Infinity).filter(Boolean));
  if (focus && shownBefore !== null) {
    heading.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  } else if (place !== null) {
    restoreFocus(place);
  }
  shownBefore = route;
}

async function contentOf(view, page) {
  if (!view) return h("p", null, "The address names no view. Choose one of the list.");
  if (page.world !== homeWorld && view.name !== "worlds") {
    const known = [...chooser.options].some((option) => option.value === page.world && !("missing" in option.dataset));
    if (!known) return missingWorld(page);
  }
  return view.show(page);
}

function missingWorld(page) {
  const make = button("Make it from the seed", async () => {
    await page.call("POST", "/worlds", { name: page.world });
    show();
  }, { class: "main" });
  return [h("p", null, `There is no world ${page.world}: it was deleted, or no call has named it yet.`), h("p", { class: "actions" }, make)];
}

function failure(error) {
  const title = error instanceof Unreachable ? "The server does not answer" : "This cannot be shown";
  const again = button("Try again", () => show());
  return h("div", { class: "refusal", role: "alert" }, h("p", null, h("strong", null, title)), h("p", null, error.message), h("p", { class: "actions" }, again));
}

/** After a view was drawn anew, the focus goes to what has the name of what had it: `data-focus` or an id. */
function focusPath() {
  const active = document.activeElement;
  return main.contains(active) ? (active.dataset.focus ?? active.id ?? null) : null;
}

function restoreFocus(place) {
  const same = place && (main.querySelector(`[data-focus="${CSS.escape(place)}"]`) ?? document.getElementById(place));
  (same || main.querySelector("h1")).focus({ preventScroll: true });
}

function navigation(route) {
  const items = VIEWS.filter((view) => !view.extra || health.adds.includes(view.extra)).map((view) => {
    const link = h("a", { href: address(route.world, view.name), "aria-current": view.name === route.view ? "page" : null }, view.title);
    return h("li", null, link);
  });
  document.getElementById("views").replaceChildren(h("ul", null, items));
}

/** Draws the worlds to choose from and the time of the one that is shown. */
async function frame(route) {
  const { worlds } = await call(homeWorld, "GET", "/worlds", undefined, left.signal);
  const names = worlds.map((each) => each.name);
  const all = names.includes(route.world) ? names : [route.world, ...names];
  chooser.replaceChildren(...all.map((name) => h("option", { value: name, selected: name === route.world, "data-missing": !names.includes(name) }, name)));
  const world = worlds.find((each) => each.name === route.world);
  now.href = address(route.world, "clock");
  clockShown = world ? { ...world, read_ms: performance.now() } : null;
  drawTime();
}

function drawTime() {
  const at = clockShown === null ? null : shownAt(clockShown, clockShown.read_ms);
  now.replaceChildren(...(at === null ? [] : [h("time", { datetime: at }, timeOf(at)), clockShown.frozen ? " stands still" : ""]));
}

/** Whatever a listener could not do is told at the top of the view; errors of the page's own go to the console. */
function complain(event) {
  const error = event.reason;
  if (error?.name === "AbortError") event.preventDefault();
  if (!(error instanceof Refusal || error instanceof Unreachable)) return;
  event.preventDefault();
  main.querySelector(".complaint")?.remove();
  main.querySelector("h1")?.after(h("p", { class: "refusal complaint", role: "alert" }, error.message));
}

chooser.addEventListener("change", () => {
  const route = parsed(location.hash);
  location.hash = address(chooser.value, route.view);
});
document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
window.addEventListener("hashchange", () => show());
window.addEventListener("unhandledrejection", complain);
setInterval(drawTime, 1000);

async function start() {
  try {
    health = await call(homeWorld, "GET", path(["health"]));
    document.getElementById("serves").textContent = `${health.serves}, mocked`;
  } catch (error) {
    main.replaceChildren(failure(error));
  }
  await show();
}

start();
