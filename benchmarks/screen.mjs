// The measurements of benchmarks/screen.py, in a real Chromium; prints JSON.
import { address, ask, openBrowser, signIn } from "../tests/screen/browser.mjs";

const TIMES = 5;
const QUESTIONS = [
  "How long will the usable fuel at Osk Head last in winter?",
  "What torque should the clutch of the Osk Head lamp changer slip at?",
  "How much did Brackwell Hydraulics' repair of the ramp cost?",
  "How many stairs are there inside the tower at Osk Head?",
  "What is the dummy for the person-overboard drill called?",
];
const MANY = 20_000;
const SCROLLED = 60;

const median = (values) => values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)];
const rounded = (value) => Math.round(value * 10) / 10;

const browser = await openBrowser();
const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-GB" });
// What is looked for is noted in the moment in which it stands on the page, not when somebody asks.
await context.addInitScript(() => {
  window.noted = {};
  const note = (name, isThere) => {
    if (window.noted[name] === undefined && isThere()) window.noted[name] = performance.now();
  };
  const look = () => {
    note("usable", () => document.querySelector("textarea[name=question]:not(:disabled)"));
    note("evidence", () => document.querySelector("[data-turn]:last-of-type:not([data-turn=searching])"));
    note("page", () => {
      const image = document.querySelector("img[src*='/pages/']");
      return image?.complete && image.naturalWidth > 0 && document.querySelector("[data-mark]");
    });
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true });
  addEventListener("load", look, true);
  const begin = (name) => {
    window.begun = performance.now();
    delete window.noted[name];
  };
  addEventListener("keydown", (event) => event.key === "Enter" && begin("evidence"), true);
  addEventListener("click", () => begin("page"), true);
});
const page = await context.newPage();
const took = (name) => page.evaluate((each) => window.noted[each] - window.begun, name);
await signIn(page);
await page.getByLabel("Question", { exact: true }).waitFor();

const usable = [];
for (let time = 0; time < TIMES; time += 1) {
  // A profile without a cache, as on a first visit, but with the session.
  const fresh = await browser.newContext({ storageState: await context.storageState(), locale: "en-GB" });
  await fresh.addInitScript(() => {
    const look = () => {
      if (document.querySelector("textarea[name=question]")) window.usable ??= performance.now();
    };
    new MutationObserver(look).observe(document, { subtree: true, childList: true });
  });
  const visit = await fresh.newPage();
  await visit.goto(`${address}/kb/default/ask`);
  await visit.getByLabel("Question", { exact: true }).waitFor();
  usable.push(await visit.evaluate(() => window.usable));
  await fresh.close();
}

await ask(page, "Who keeps the light?");
const [evidence, pane] = [[], []];
for (const question of QUESTIONS) {
  await page.goto(`${address}/kb/default/ask`);
  await page.getByLabel("Question", { exact: true }).waitFor();
  const turn = await ask(page, question);
  evidence.push(await took("evidence"));
  await turn.locator("[data-citation]").first().click();
  await page.waitForFunction(() => window.noted.page !== undefined);
  pane.push(await took("page"));
}

const memory = await context.newCDPSession(page);
async function heapBytes() {
  await memory.send("HeapProfiler.collectGarbage");
  return (await memory.send("Runtime.getHeapUsage")).usedSize;
}
const count = Number(process.argv[2]);
await page.goto(`${address}/kb/default/ask`);
await page.getByLabel("Question", { exact: true }).waitFor();
let settled = 0;
for (let at = 0; at < count; at += 1) {
  if (at === 10) settled = await heapBytes();
  await page.getByRole("link", { name: "New question" }).click();
  await page.locator("[data-turn]").first().waitFor({ state: "detached" });
  await ask(page, `${QUESTIONS[at % QUESTIONS.length]} (${at})`);
}
const grown = (await heapBytes()) - settled;

await page.goto(`${address}/kb/many/documents`);
await page.locator(`[role=table][aria-rowcount='${MANY + 1}']`).waitFor({ timeout: 120_000 });
const scrolling = await page.evaluate(async (steps) => {
  const tasks = [];
  const table = document.querySelector("[role=table]");
  await new Promise((resolve) => requestIdleCallback(resolve));
  const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration)));
  observer.observe({ entryTypes: ["longtask"] });
  for (let step = 1; step <= steps; step += 1) {
    table.scrollTop = (table.scrollHeight * step) / steps;
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 30)));
  }
  await new Promise((resolve) => setTimeout(resolve, 200));
  observer.disconnect();
  return { longest: Math.max(0, ...tasks), rows: document.querySelectorAll("[role=row]").length };
}, SCROLLED);
await browser.close();

const report = {
  usable_ms: rounded(median(usable)),
  first_evidence_ms: rounded(median(evidence)),
  page_with_mark_ms: rounded(median(pane)),
  questions: count,
  heap_grown_bytes: grown,
  documents: MANY,
  rows_drawn: scrolling.rows,
  longest_task_while_scrolling_ms: rounded(scrolling.longest),
};
console.log(JSON.stringify(report));
