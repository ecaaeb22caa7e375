// Makes calls with the real SDK: a line {"method", "arguments"} of JSON in, a line {"result"} or {"error"} out.
// A line {"environment"} makes a new client: base URL and key come from there, as the SDK reads them by itself.
import { createInterface } from 'node:readline';
import { Portkey } from 'portkey-ai';

const LONGEST_CALL_MS = 60_000;
let client;

async function call(method, given) {
  const names = method.split('.');
  const name = names.pop();
  const namespace = names.reduce((object, property) => object[property], client);
  return name === 'methods' ? Object.getOwnPropertyNames(Object.getPrototypeOf(namespace)) : namespace[name](...given);
}

for await (const line of createInterface({ input: process.stdin })) {
  const { environment, method, arguments: given } = JSON.parse(line);
  if (environment) {
    Object.assign(process.env, environment);
    client = new Portkey({});
    continue;
  }
  const answer = {};
  const overdue = setTimeout(() => process.exit(1), LONGEST_CALL_MS);
  try {
    answer.result = await call(method, given);
  } catch (error) {
    const { constructor, status, message, error: body } = error;
    answer.error = { type: constructor.name, status, message, body };
  }
  clearTimeout(overdue);
  console.log(JSON.stringify(answer));
}
