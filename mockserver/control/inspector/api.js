// Calls the admin API, below whatever path this page came from, in the world that is asked for.

import { asked } from "./dialogs.js";

const found = location.pathname.match(/^(.*?)(?:\/worlds\/([^/]+))?\/__admin\/?$/);
/** Where the server's paths begin. */
export const root = found ? found[1] : "";
/** The world whose page this is. */
export const homeWorld = found?.[2] ? decodeURIComponent(found[2]) : "default";
const TOKEN = "mockserver-admin-token";
let asking = null;

/** What the server refused: `status`, `problem` (its RFC 9457 body) and `violations`. */
export class Refusal extends Error {
  constructor(status, problem) {
    super(problem?.detail ?? problem?.title ?? `The server answered ${status}.`);
    this.status = status;
    this.problem = problem;
    this.violations = problem?.violations ?? [];
  }
}

/** The server does not answer at all. */
export class Unreachable extends Error {}

async function send(world, method, path, body, signal) {
  const headers = { "x-mock-world": world };
  const token = sessionStorage.getItem(TOKEN);
  if (token) headers.authorization = `Bearer ${token}`;
  if (body !== undefined) headers["content-type"] = "application/json";
  try {
    return await fetch(`${root}/__admin${path}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal, cache: "no-cache" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Unreachable("The server does not answer.");
  }
}

async function tokenGiven() {
  asking ??= asked("This server asks for its admin token", "Admin token", "Use it", { type: "password" });
  const token = await asking;
  asking = null;
  if (token !== null) sessionStorage.setItem(TOKEN, token.trim());
  return token !== null;
}

/** Calls and returns the reply; asks for the token when the server does. Throws `Refusal` and `Unreachable`. */
export async function reply(world, method, path, body, signal) {
  const used = sessionStorage.getItem(TOKEN);
  const answer = await send(world, method, path, body, signal);
  if (answer.status === 401) {
    // Another call may have asked for it in the meantime.
    if (sessionStorage.getItem(TOKEN) !== used || (await tokenGiven())) return reply(world, method, path, body, signal);
  }
  if (!answer.ok) throw new Refusal(answer.status, await answer.json().catch(() => null));
  return answer;
}

/** Calls and returns the value of the reply. */
export async function call(world, method, path, body, signal) {
  return (await reply(world, method, path, body, signal)).json();
}

/** A path of the API from its pieces and filters; what is empty is left out. */
export function path(pieces, query = {}) {
  const told = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const text = new URLSearchParams(told).toString();
  return `/${pieces.map((piece) => encodeURIComponent(piece)).join("/")}${text ? `?${text}` : ""}`;
}
