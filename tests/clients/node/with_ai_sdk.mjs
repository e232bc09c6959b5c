// The Vercel AI SDK as its users call it: `with_ai_sdk.mjs ADDRESS KEY CHAT` prints what it got as JSON.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, Output, streamText, jsonSchema } from "ai";

const [address, apiKey, chat] = process.argv.slice(2);
const provider = createOpenAICompatible({ name: "atoll", baseURL: `${address}/v1`, apiKey });
const model = provider.chatModel("atoll/default");
const HARBOUR = "When was the harbour of Lindvik built?";
const options = { model, maxRetries: 0 };

async function talk() {
  const first = await generateText({ ...options, prompt: HARBOUR });
  const messages = [
    { role: "user", content: HARBOUR },
    { role: "assistant", content: first.text },
    { role: "user", content: "And who built it?" },
  ];
  return [first.text, (await generateText({ ...options, messages })).text];
}

async function cited() {
  const told = await generateText({ ...options, prompt: HARBOUR, include: { responseBody: true } });
  return told.response.body.choices[0].message.annotations.map((mark) => mark.url_citation.title);
}

async function stream() {
  const told = streamText({ ...options, prompt: HARBOUR });
  let text = "";
  for await (const part of told.textStream) text += part;
  return `${text} (${await told.finishReason})`;
}

async function refusal() {
  return (await generateText({ ...options, prompt: "Quantum chromodynamics lattice gauge?" })).text;
}

async function before() {
  const schema = jsonSchema({ type: "object", properties: { year: { type: "number" } } });
  try {
    await generateText({ ...options, prompt: HARBOUR, output: Output.object({ schema }) });
  } catch (error) {
    return error.message;
  }
  return null;
}

async function midway() {
  let text = "";
  let told = null;
  const run = streamText({ ...options, prompt: `${HARBOUR} Break off half-way.`, onError: () => {} });
  for await (const part of run.fullStream) {
    if (part.type === "text-delta") text += part.text ?? part.delta;
    if (part.type === "error") told = part.error.message ?? JSON.stringify(part.error);
  }
  return [text, told];
}

async function leave(prompt, isTime) {
  const leaving = new AbortController();
  const run = streamText({ ...options, prompt, abortSignal: leaving.signal, onError: () => {} });
  for await (const part of run.fullStream) {
    if (await isTime(part)) {
      leaving.abort();
      break;
    }
  }
  return Date.now() / 1000;
}

async function written() {
  return await leave(`${HARBOUR} Tell it at length.`, (part) => part.type === "text-delta");
}

async function read() {
  return await leave(`${HARBOUR} Leave while it is read.`, async (part) => {
    if (part.type !== "start-step") return false;
    await untilRead();
    return true;
  });
}

async function untilRead() {
  while ((await (await fetch(`${chat}/reading`)).text()) !== "yes") await new Promise((go) => setTimeout(go, 20));
}

const found = {};
for (const each of [talk, cited, stream, refusal, before, midway, written, read]) found[each.name] = await each();
console.log(JSON.stringify(found));
