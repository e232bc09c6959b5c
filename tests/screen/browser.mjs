// A real Chromium for journeys. Every request to elsewhere and every error on the console fails the journey.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { promisify } from "node:util";

const require = createRequire(process.env.SCREEN_MODULES);
const { chromium } = require("playwright-core");
const { AxeBuilder } = require("@axe-core/playwright");

export const address = process.env.SCREEN_ADDRESS;
export const ownerKey = process.env.SCREEN_KEY;
export const adminKey = process.env.SCREEN_ADMIN_KEY;
export const samples = process.env.SCREEN_SAMPLES;

const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];
/** A request that was refused is told on the console too; journeys that want one name its status. */
const REFUSED = /Failed to load resource: the server responded with a status of (\d+)/;
/** What the browser says of a gateway that is away; journeys that take it down allow for it. */
const AWAY = /Failed to load resource: net::ERR_|ERR_INCOMPLETE_CHUNKED_ENCODING/;

export function openBrowser() {
  return chromium.launch({ executablePath: process.env.SCREEN_CHROMIUM, args: FLAGS });
}

/** Runs a journey in a browser of its own. */
export async function journey(options, walk) {
  const { width = 1280, height = 800, theme = "light", refusals = [], away = false } = options;
  const browser = await openBrowser();
  const troubles = [];
  try {
    const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme, locale: "en-GB" });
    context.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(address) && !url.startsWith("blob:") && !url.startsWith("data:")) troubles.push(`request ${url}`);
    });
    context.on("page", (page) => {
      page.on("pageerror", (error) => troubles.push(`error ${error.message}`));
      page.on("console", (message) => {
        if (message.type() !== "error" || (away && AWAY.test(message.text()))) return;
        const status = REFUSED.exec(message.text())?.[1];
        if (status === undefined || !refusals.includes(Number(status))) troubles.push(`console ${message.text()}`);
      });
    });
    context.setDefaultTimeout(30_000);
    await walk(await context.newPage(), context);
    assert.deepEqual(troubles, []);
  } finally {
    await browser.close();
  }
}

export async function signIn(page, path = "/", key = ownerKey) {
  await page.goto(address + path);
  await page.getByLabel("Key").fill(key);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByLabel("Key").waitFor({ state: "detached" });
}

/** Asks and waits for the whole answer; returns the turn. */
export async function ask(page, question) {
  const before = await page.locator("[data-turn]").count();
  await page.getByLabel("Question", { exact: true }).fill(question);
  await page.keyboard.press("Enter");
  const turn = page.locator("[data-turn]").nth(before);
  await page.locator("[data-turn=done]").nth(before).waitFor();
  return turn;
}

/** Fails on what axe calls serious or critical. */
export async function accessible(page) {
  // What is still fading in has no colour yet.
  await page.evaluate(() =>
    Promise.allSettled(
      document.getAnimations().filter((each) => each.effect?.getTiming().iterations !== Infinity).map((each) => each.finished),
    ),
  );
  const { violations } = await new AxeBuilder({ page }).analyze();
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  assert.deepEqual(
    serious.map(({ id, nodes }) => [id, nodes.map(({ html }) => html.slice(0, 160))]),
    [],
  );
}

export async function picture(page, name) {
  await page.screenshot({ path: join(process.env.SCREEN_PICTURES, `${name}.png`) });
}

/** Fails where the page is wider than its window. */
export async function fits(page) {
  const [inside, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(inside <= window, `${inside} pixels in a window of ${window}`);
}

/** Asks the API as the owner, beside the browser: for what a journey needs and does not show. */
export async function api(method, path, body) {
  const headers = { Authorization: `Bearer ${ownerKey}`, "Content-Type": "application/json" };
  const answer = await fetch(address + path, { method, headers, body: body === undefined ? null : JSON.stringify(body) });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${await answer.clone().text()}`);
  return answer.status === 204 ? null : answer.json();
}

/** Runs `atoll` as the operator of this stack does; returns what it printed. */
export async function atoll(words, settings = {}) {
  const env = { ...JSON.parse(process.env.SCREEN_STACK), ...settings };
  return (await promisify(execFile)(process.env.SCREEN_ATOLL, words, { env, cwd: "/" })).stdout;
}
