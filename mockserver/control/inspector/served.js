// The document that is served: its operations, and the places in it that violations point to.

import { root } from "./api.js";
import { at, joined, steps } from "./pointers.js";

let loaded = null;

/** The document, fetched once. */
export function served() {
  loaded ??= fetch(`${root}/openapi.json`).then((answer) => answer.json()).catch((error) => {
    loaded = null;
    throw error;
  });
  return loaded;
}

const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/** The operations: {id, method, path, tag, summary, statuses, responses}. */
export async function operations() {
  const document = await served();
  return Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => {
      const told = item[method];
      const name = method.toUpperCase();
      return { id: told.operationId ?? snakeCase(`${method} ${path}`), method: name, path, tag: told.tags?.[0] ?? "default", summary: told.summary ?? "", pointer: joined(joined("/paths", path), method), responses: told.responses ?? {} };
    }),
  );
}

/** The name that the server gives an operation that has none: `snake_case` of its `contract/operations.py`. */
function snakeCase(name) {
  const spaced = name.replace(/(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, "_");
  return spaced.toLowerCase().replace(/[^0-9a-z]+/g, "_").replace(/^_+|_+$/g, "");
}

export function docsLink(operation) {
  return `${root}/docs#/${encodeURIComponent(operation.tag)}/${encodeURIComponent(operation.id)}`;
}

/** The example of a documented reply, undefined when there is none. */
export async function exampleOf(operation, status) {
  const document = await served();
  const responses = operation.responses;
  const response = followed(document, responses[status] ?? responses[`${String(status)[0]}XX`] ?? responses.default);
  const content = Object.entries(response?.content ?? {}).find(([type]) => type.includes("json"))?.[1];
  const listed = followed(document, Object.values(content?.examples ?? {})[0]);
  return content?.example ?? listed?.value ?? followed(document, content?.schema)?.example;
}

function followed(document, value) {
  let found = value;
  for (let hops = 0; found?.$ref?.startsWith("#/") && hops < 20; hops += 1) found = at(document, found.$ref.slice(1));
  return found;
}

/** What lies around a rule of the document: {pointer of what holds it, value, keyword}; null when there is no such place. */
export async function ruleAt(pointer) {
  const document = await served();
  const way = steps(pointer);
  const keyword = way.at(-1);
  const holder = way.slice(0, -1).reduce(joined, "");
  const value = at(document, holder);
  if (value === undefined || value === null || typeof value !== "object") return null;
  return { pointer: holder, value, keyword };
}
