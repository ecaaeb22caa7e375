// The worlds of the server: which there are, and all that can be done to one as a whole.

import { homeWorld, path, Refusal } from "./api.js";
import { asked, confirmed } from "./dialogs.js";
import { button, count, field, h, select, table } from "./dom.js";

/** From so many on they can be searched, and so many are shown: a test run may leave thousands. */
const FEW = 10;
const MOST = 200;
const NAME = { pattern: "[A-Za-z0-9][A-Za-z0-9._~\\-]*", maxlength: "100", title: "Letters, digits and . _ ~ -, the first a letter or a digit" };

export async function show(page) {
  const { worlds } = await page.call("GET", "/worlds");
  const list = table("Worlds", ["World", ["Records", "number"], ["Calls", "number"], "Time", "Snapshots", ["What to do", "unseen"]], []);
  const told = h("p", { class: "told" });
  const draw = (text) => {
    const found = worlds.filter((world) => world.name.includes(text));
    list.body.replaceChildren(...found.slice(0, MOST).map((world) => row(page, world)));
    told.textContent = found.length > MOST ? `${count(MOST)} of ${count(found.length, "world")}` : count(found.length, "world");
  };
  draw(page.query.text ?? "");
  const search = h("input", { type: "search", value: page.query.text ?? "", oninput: (event) => {
    page.note({ text: event.target.value });
    draw(event.target.value);
  } });
  const form = h("form", { class: "filters", role: "search", "aria-label": "Search the worlds", onsubmit: (event) => event.preventDefault() }, field("Text", search));
  return [
    worlds.length > FEW ? form : null,
    told,
    list.element,
    h("h2", null, "Make a world"),
    fresh(page, worlds),
  ];
}

function row(page, world) {
  const { name } = world;
  const act = (label, deed) => button(label, deed, { "aria-label": `${label} ${name}`, "data-focus": `${label} ${name}` });
  const done = (told) => {
    page.say(told);
    page.refresh();
  };
  const snapshot = async () => {
    const called = await asked(`Take a snapshot of ${name}`, "Name of the snapshot", "Take it", NAME);
    if (!called) return;
    await page.call("PUT", path(["worlds", name, "snapshots", called]));
    done(`Snapshot ${called} taken`);
  };
  const reset = async () => {
    if (!(await confirmed(`Reset ${name}?`, "It goes back to its seed, journal, stubs and faults included. Its snapshots stay.", "Reset it"))) return;
    await page.call("POST", path(["worlds", name, "reset"]));
    done(`${name} is back at its seed`);
  };
  const remove = async () => {
    if (!(await confirmed(`Delete ${name}?`, "It is forgotten with its snapshots. The next call that names it makes it anew.", "Delete it"))) return;
    await page.call("DELETE", path(["worlds", name]));
    if (name === page.world && name !== homeWorld) page.go("worlds");
    done(`${name} is deleted`);
  };
  const link = h("a", { href: page.link("worlds").replace(/^#\/[^/]+/, `#/${encodeURIComponent(name)}`), "aria-current": name === page.world ? "true" : null }, name);
  return h("tr", null,
    h("td", null, link, name === page.world ? h("span", { class: "dim" }, " shown") : null),
    h("td", { class: "number" }, count(world.records)),
    h("td", { class: "number" }, count(world.calls)),
    h("td", { class: "time" }, world.now.replace("T", " ").replace(/\.\d+Z$/, ""), world.frozen ? h("span", { class: "dim" }, " stands still") : null),
    h("td", null, world.snapshots.map((each) => snapshotOf(page, name, each, done))),
    h("td", { class: "deeds" }, act("Snapshot", snapshot), act("Reset", reset), act("Delete", remove)));
}

function snapshotOf(page, world, name, done) {
  const restore = async () => {
    if (!(await confirmed(`Restore ${name}?`, `World ${world} goes back to it, its clock included. The journal stays.`, "Restore it"))) return;
    await page.call("POST", path(["worlds", world, "snapshots", name, "restore"]));
    done(`${world} is back at ${name}`);
  };
  const drop = async () => {
    await page.call("DELETE", path(["worlds", world, "snapshots", name]));
    done(`Snapshot ${name} dropped`);
  };
  return h("span", { class: "snapshot" }, name, " ", button("Restore", restore, { "aria-label": `Restore ${name} of ${world}` }), button("Drop", drop, { "aria-label": `Drop ${name} of ${world}` }));
}

/** A world from the seed, from another as it is, or from a snapshot of one. */
function fresh(page, worlds) {
  const name = h("input", { required: true, autocomplete: "off", spellcheck: "false", ...NAME });
  const sources = [["", "the seed"], ...worlds.flatMap((world) => [[JSON.stringify({ from: world.name }), world.name], ...world.snapshots.map((snapshot) => [JSON.stringify({ from: world.name, snapshot }), `${world.name}, ${snapshot}`])])];
  const from = select({}, sources, "");
  const told = h("p", { class: "refusal", role: "alert" });
  const make = async (event) => {
    event.preventDefault();
    told.replaceChildren();
    if (worlds.some((world) => world.name === name.value) && !(await confirmed(`Make ${name.value} anew?`, "There is a world of that name; it is lost.", "Make it anew"))) return;
    try {
      await page.call("POST", "/worlds", { name: name.value, ...(from.value ? JSON.parse(from.value) : {}) });
      page.say(`${name.value} is made`);
      page.refresh();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      told.replaceChildren(error.message);
    }
  };
  return [h("form", { class: "filters", onsubmit: make }, field("Name", name), field("From", from), h("p", { class: "actions" }, h("button", { type: "submit", class: "main" }, "Make it"))), told];
}
