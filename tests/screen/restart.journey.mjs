// The last of the journeys: it restarts the stack under an open page, with a chat model that never comes to an end.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";

import { accessible, address, api, ask, atoll, journey, picture, signIn } from "./browser.mjs";

const QUESTION = "How long will the usable fuel at Osk Head last in winter?";
const WORD_MILLISECONDS = 100;

test("a page that was open goes on by itself after a restart; an answer being written ends with its key", async () => {
  const chat = await endlessChat();
  try {
    const { secret, id } = await api("POST", "/v1/keys", { name: "revoked while it asks", role: "reader" });
    await journey({ refusals: [401], away: true }, async (page, context) => {
      await signIn(page, "/kb/default/documents", secret);
      await page.locator("[data-status=ready]").first().waitFor();
      const asking = await context.newPage();
      await asking.goto(`${address}/kb/default/ask`);
      await (await ask(asking, QUESTION)).getByText("118 days").first().waitFor();

      await atoll(["down"]);
      await page.getByText("Atoll does not answer").first().waitFor();
      await accessible(page);
      await picture(page, "away-1280-light");
      await atoll(["up", "--local"], { ATOLL_CHAT__URL: `${chat.address}/v1` });
      await page.getByText("Atoll does not answer").first().waitFor({ state: "detached" });
      // It is the same page, signed in as before, and it hears of what happens from now on.
      const { documents } = await api("POST", "/v1/kbs/default/documents", {
        documents: [{ name: "after-the-restart.txt", text: "The kettle of the station is blue.\n" }],
      });
      await page.getByRole("link", { name: documents[0].name }).waitFor();

      await asking.getByLabel("Question", { exact: true }).fill(QUESTION);
      await asking.keyboard.press("Enter");
      await chat.asked;
      await asking.locator("[data-turn=writing]").waitFor();
      await api("DELETE", `/v1/keys/${id}`);
      await asking.getByText("You were signed out").waitFor();
      assert.equal(await asking.locator("[data-turn]").count(), 0);
      await chat.left;
      await page.getByText("You were signed out").waitFor();
    });
  } finally {
    chat.server.closeAllConnections();
    chat.server.close();
  }
});

/** A chat server that writes until whoever asked has gone. */
async function endlessChat() {
  const [asked, left] = [Promise.withResolvers(), Promise.withResolvers()];
  const server = createServer((request, response) => {
    if (request.method !== "POST") return response.writeHead(404).end();
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    const say = () => response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: "fuel " } }] })}\n\n`);
    const timer = setInterval(say, WORD_MILLISECONDS);
    response.on("close", () => {
      clearInterval(timer);
      left.resolve();
    });
    asked.resolve();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, address: `http://127.0.0.1:${server.address().port}`, asked: asked.promise, left: left.promise };
}
