// The openai package as its users call it: `with_openai.mjs ADDRESS KEY CHAT` prints what it got as JSON.
import OpenAI from "openai";

const [address, apiKey, chat] = process.argv.slice(2);
const client = new OpenAI({ baseURL: `${address}/v1`, apiKey, maxRetries: 0, timeout: 30000 });
const HARBOUR = "When was the harbour of Lindvik built?";
const roles = ["user", "assistant"];

const ask = (said, more = {}) =>
  client.chat.completions.create({
    model: "atoll/default",
    messages: said.map((content, at) => ({ role: roles[at % 2], content })),
    ...more,
  });

async function talk() {
  const first = (await ask([HARBOUR])).choices[0].message;
  const second = (await ask([HARBOUR, first.content, "And who built it?"])).choices[0].message;
  return [first.content, second.content];
}

async function cited() {
  const { message } = (await ask([HARBOUR])).choices[0];
  return message.annotations.map((mark) => mark.url_citation.title);
}

async function models() {
  return (await client.models.retrieve("atoll/default")).id;
}

async function stream() {
  const run = client.chat.completions.stream({ model: "atoll/default", messages: [{ role: "user", content: HARBOUR }] });
  return (await run.finalMessage()).content;
}

async function refusal() {
  return (await ask(["Quantum chromodynamics lattice gauge?"])).choices[0].message.content;
}

async function before() {
  try {
    await ask([HARBOUR], { response_format: { type: "json_object" } });
  } catch (error) {
    return `${error.constructor.name} ${error.code}: ${error.message}`;
  }
  return null;
}

async function midway() {
  let text = "";
  try {
    for await (const chunk of await ask([`${HARBOUR} Break off half-way.`], { stream: true }))
      text += chunk.choices[0].delta.content ?? "";
  } catch (error) {
    return [text, error.message];
  }
  return [text, null];
}

async function written() {
  for await (const chunk of await ask([`${HARBOUR} Tell it at length.`], { stream: true }))
    if (chunk.choices[0].delta.content) break;
  return Date.now() / 1000;
}

async function read() {
  for await (const _ of await ask([`${HARBOUR} Leave while it is read.`], { stream: true })) {
    await untilRead();
    break;
  }
  return Date.now() / 1000;
}

async function untilRead() {
  while ((await (await fetch(`${chat}/reading`)).text()) !== "yes") await new Promise((go) => setTimeout(go, 20));
}

const found = {};
for (const each of [models, talk, cited, stream, refusal, before, midway, written, read]) found[each.name] = await each();
console.log(JSON.stringify(found));
