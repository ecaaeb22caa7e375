// Makes calls with the real SDK: a line {"method", "arguments"} of JSON in, a line {"result"} or {"error"} out.
// Base URL and key come from the environment, as the SDK reads them by itself.
import { createInterface } from 'node:readline';
import { Portkey } from 'portkey-ai';

const LONGEST_LIFE_MS = 60_000;
setTimeout(() => process.exit(1), LONGEST_LIFE_MS).unref();

const client = new Portkey({});

async function call(method, given) {
  const names = method.split('.');
  const name = names.pop();
  const namespace = names.reduce((object, property) => object[property], client);
  return name === 'methods' ? Object.getOwnPropertyNames(Object.getPrototypeOf(namespace)) : namespace[name](...given);
}

for await (const line of createInterface({ input: process.stdin })) {
  const { method, arguments: given } = JSON.parse(line);
  const answer = {};
  try {
    answer.result = await call(method, given);
  } catch (error) {
    const { constructor, status, message, error: body } = error;
    answer.error = { type: constructor.name, status, message, body };
  }
  console.log(JSON.stringify(answer));
}
