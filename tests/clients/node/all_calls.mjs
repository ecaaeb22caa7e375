// Makes calls with the real SDK as calls.mjs does, and reads their replies to the end.
// In: a line {"method", "arguments"} of JSON, where {"$upload": path} in the arguments is a file.
// A line {"environment"} makes a new client.
// Out: a line {"result"} or {"error"}; of a stream, the events. The method "methods" answers the names of all methods.
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import OpenAI from 'openai';
import { createHeaders, Portkey } from 'portkey-ai';

const LONGEST_CALL_MS = 60_000;
let client;

function open(environment) {
  Object.assign(process.env, environment);
  const { CLIENT, CLIENT_PROVIDER: provider, CLIENT_CONFIG, PORTKEY_API_KEY: apiKey, PORTKEY_BASE_URL: baseURL } = environment;
  const config = CLIENT_CONFIG && JSON.parse(CLIENT_CONFIG);
  return CLIENT === 'openai'
    ? new OpenAI({ apiKey: 'none', baseURL, defaultHeaders: createHeaders({ apiKey, provider, config }), maxRetries: 0 })
    : new Portkey({ provider, config });
}

function given(value) {
  if (value === null || typeof value !== 'object') return value;
  if (value.$upload) return createReadStream(value.$upload);
  if (Array.isArray(value)) return value.map(given);
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, given(each)]));
}

async function call({ method, arguments: positions }) {
  const names = method.split('.');
  const name = names.pop();
  const namespace = names.reduce((object, property) => object[property], client);
  const reply = await namespace[name](...positions.map(given));
  const streams = /stream/i.test(name) || positions.some((each) => each?.stream);
  return streams ? events(reply) : read(reply);
}

async function events(stream) {
  const found = [];
  for await (const event of stream) found.push(event);
  return found;
}

async function read(reply) {
  if (typeof reply?.done === 'function') await reply.done(); // a runner goes on by itself
  if (typeof reply?.arrayBuffer === 'function') return (await reply.arrayBuffer()).byteLength;
  return reply;
}

// A resource is an object whose prototype has methods; it holds others, and the client that it belongs to.
function* methods(object, path) {
  for (const [name, value] of Object.entries(object)) {
    const isRaw = path === '' && typeof value === 'function';
    if (isRaw) yield name;
    if (name === 'client' || value === null || typeof value !== 'object') continue;
    const inner = `${path}${name}.`;
    for (const own of Object.getOwnPropertyNames(Object.getPrototypeOf(value))) {
      if (own !== 'constructor' && Object.getPrototypeOf(value) !== Object.prototype) yield inner + own;
    }
    yield* methods(value, inner);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  if (asked.environment) {
    client = open(asked.environment);
    continue;
  }
  const answer = {};
  const overdue = setTimeout(() => process.exit(1), LONGEST_CALL_MS);
  try {
    answer.result = asked.method === 'methods' ? [...methods(client, '')] : await call(asked);
  } catch (error) {
    const { constructor, status, message, error: body } = error;
    answer.error = { type: constructor.name, status: status ?? null, message, body: body ?? null };
  }
  clearTimeout(overdue);
  console.log(JSON.stringify(answer));
}
