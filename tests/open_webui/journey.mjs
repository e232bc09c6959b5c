// A person in Open WebUI, in a real Chromium; prints what they saw as JSON.
import { createRequire } from "node:module";

const { CHROMIUM, MODULES, PICTURE, WEBUI } = process.env;
const { chromium } = createRequire(MODULES)("playwright-core");
const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
const context = await browser.newContext({ viewport: { width: 1280, height: 480 }, locale: "en-GB" });
context.setDefaultTimeout(30_000);
const elsewhere = [];
context.on("request", (request) => {
  if (/^https?:/.test(request.url()) && !request.url().startsWith(WEBUI)) elsewhere.push(request.url());
});
const page = await context.newPage();

/** Asks in a conversation of its own; returns what holds the answer. */
async function ask(question) {
  await page.goto(WEBUI);
  await page.getByText("atoll/default").first().waitFor();
  const news = page.getByRole("dialog");
  await page.addLocatorHandler(news, () => page.keyboard.press("Escape"));
  await page.locator("#chat-input").click();
  await page.removeLocatorHandler(news);
  await page.keyboard.type(question);
  await page.keyboard.press("Enter");
  return page.locator("#response-content-container");
}

try {
  const cited = await ask("Tell me three things about the lamp of Osk Head.");
  await cited.getByRole("button", { name: "Toggle 3 sources" }).waitFor();
  const chips = await cited.getByRole("button", { name: "View source" }).all();
  const names = await Promise.all(chips.map((chip) => chip.getAttribute("aria-label")));
  await page.screenshot({ path: PICTURE });
  const opened = [];
  for (const chip of chips) {
    await chip.click();
    const dialog = page.getByRole("dialog");
    await dialog.waitFor();
    opened.push(await dialog.innerText());
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
  }
  const answer = await cited.innerText();
  // Titles, tags and follow-ups are asked after the answer; the title stands over the conversation then.
  await page.waitForFunction(() => document.title.startsWith("Tell me three things"));

  const endless = await ask("When was the harbour of Lindvik built? Tell it at length.");
  await endless.getByText("Ada Lind").waitFor();
  const stop = page.getByRole("button", { name: "Stop" });
  await stop.click();
  const stopped = Date.now() / 1000;
  await stop.waitFor({ state: "detached" });
  console.log(JSON.stringify({ answer, names, opened, stopped, elsewhere }));
} catch (error) {
  await page.screenshot({ path: PICTURE });
  throw error;
} finally {
  await browser.close();
}
