// Talks in realtime sessions with the real SDKs: a line {"arguments": [kind, steps]} of JSON in, a line {"result"} or {"error"} out.
// A kind is a client's class; a step has an event to send and the type of the last event to wait for, and results in all events.
// A line {"environment"} tells where and as whom.
// The SDKs ask for TLS whatever their base URL says, so the connection is made for them: `createConnection` is an option of ws.
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import OpenAI from 'openai';
import { OpenAIRealtimeWS as OldRealtimeWS } from 'openai/beta/realtime/ws';
import { OpenAIRealtimeWS } from 'openai/realtime/ws';
import { createHeaders, Portkey, PortkeyAIRealtimeWS } from 'portkey-ai';

const LONGEST_CALL_MS = 10_000;
let environment;

function open(kind) {
  const { PORTKEY_API_KEY: apiKey, PORTKEY_BASE_URL: baseURL, CLIENT_PROVIDER: provider, MODEL: model } = environment;
  const { hostname: host, port } = new URL(baseURL);
  const options = { createConnection: () => connect({ host, port: Number(port) }), headers: createHeaders({ apiKey, provider }) };
  if (kind === 'PortkeyAIRealtimeWS') {
    return new PortkeyAIRealtimeWS({ model, options: { ...options, headers: {} } }, new Portkey({ apiKey, baseURL, provider }));
  }
  const client = new OpenAI({ apiKey: 'none', baseURL });
  return new (kind === 'OldRealtimeWS' ? OldRealtimeWS : OpenAIRealtimeWS)({ model, options }, client);
}

// The events of each step, errors among them; a connection that is refused rejects.
function talk(kind, steps) {
  const connection = open(kind);
  const found = [];
  return new Promise((resolve, reject) => {
    const next = () => {
      if (found.length === steps.length) {
        connection.close();
        resolve(found);
        return;
      }
      found.push([]);
      const { send } = steps[found.length - 1];
      if (send) connection.send(send);
    };
    connection.on('event', (event) => {
      found.at(-1).push(event);
      if (event.type === steps[found.length - 1].until) next();
    });
    connection.on('error', (error) => error.error === undefined && reject(error));
    next();
  });
}

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  if (asked.environment) {
    environment = asked.environment;
    continue;
  }
  const answer = {};
  const overdue = setTimeout(() => process.exit(1), LONGEST_CALL_MS);
  try {
    answer.result = await talk(...asked.arguments);
  } catch (error) {
    answer.error = { type: error.constructor.name, status: null, message: error.message, body: null };
  }
  clearTimeout(overdue);
  console.log(JSON.stringify(answer));
}
