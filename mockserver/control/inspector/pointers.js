// JSON pointers (RFC 6901): into values, and into the text that a value was read from.

export function steps(pointer) {
  return pointer === "" ? [] : pointer.slice(1).split("/").map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}

export function joined(pointer, step) {
  return `${pointer}/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

export function has(value, step) {
  return value !== null && typeof value === "object" && Object.hasOwn(value, step);
}

/** What a pointer leads to; undefined when it leads nowhere. */
export function at(value, pointer) {
  let found = value;
  for (const step of steps(pointer)) {
    if (!has(found, step)) return undefined;
    found = found[step];
  }
  return found;
}

/** The deepest pointer on the way that leads somewhere. */
export function nearest(value, pointer) {
  let found = value;
  let way = "";
  for (const step of steps(pointer)) {
    if (!has(found, step)) break;
    found = found[step];
    way = joined(way, step);
  }
  return way;
}

const TOKEN = /\s*(?:([{}[\],:])|("(?:[^"\\]|\\.)*")|([^\s{}[\],:"]+))/gys;

/** A JSON text is none from this place on. */
export class Misplaced extends Error {
  constructor(at) {
    super(`no JSON at ${at}`);
    this.at = at;
  }
}

/** Where each value stands in a JSON text: pointers to [start, end]. Throws `Misplaced`. */
export function places(text) {
  const found = new Map();
  const token = new RegExp(TOKEN.source, "gys");
  let next = token.exec(text);
  let seen = 0;
  const take = (isWanted) => {
    const taken = next;
    if (taken === null) throw new Misplaced(text.slice(seen).search(/\S|$/) + seen);
    const end = token.lastIndex;
    const word = taken[1] ?? taken[2] ?? taken[3];
    if (!isWanted(taken)) throw new Misplaced(end - word.length);
    seen = end;
    next = token.exec(text);
    return { word, start: end - word.length, end };
  };
  const isSign = (sign) => (taken) => taken[1] === sign;
  const isName = (taken) => taken[2] !== undefined && isScalar(taken[2]);
  const isValue = (taken) => taken[1] === "{" || taken[1] === "[" || (taken[1] === undefined && isScalar(taken[2] ?? taken[3]));
  const word = () => next?.[1] ?? next?.[2] ?? next?.[3];
  const value = (pointer) => {
    const { word: first, start, end } = take(isValue);
    let last = end;
    if (first === "{" || first === "[") {
      const closing = first === "{" ? "}" : "]";
      for (let index = 0; word() !== closing; index += 1) {
        if (index > 0) take(isSign(","));
        const step = first === "{" ? JSON.parse(take(isName).word) : index;
        if (first === "{") take(isSign(":"));
        value(joined(pointer, step));
      }
      last = take(isSign(closing)).end;
    }
    found.set(pointer, [start, last]);
  };
  value("");
  if (seen !== text.trimEnd().length) throw new Misplaced(text.slice(seen).search(/\S/) + seen);
  return found;
}

function isScalar(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
