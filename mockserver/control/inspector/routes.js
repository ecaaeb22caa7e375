// Addresses of views: `#/<world>/<view>/<what of it>?<filters>`, so that each can be linked to and gone back to.

import { homeWorld } from "./api.js";

/** What an address says; `parts` are what comes after the view. */
export function parsed(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  const [world, view, ...parts] = path.split("/").filter(Boolean).map(decoded);
  return { world: world ?? homeWorld, view: view ?? "journal", parts, query: Object.fromEntries(new URLSearchParams(query)) };
}

export function address(world, view, parts = [], query = {}) {
  const told = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const text = new URLSearchParams(told).toString();
  return `#/${[world, view, ...parts].map((part) => encodeURIComponent(part)).join("/")}${text ? `?${text}` : ""}`;
}

function decoded(piece) {
  try {
    return decodeURIComponent(piece);
  } catch {
    return piece;
  }
}
