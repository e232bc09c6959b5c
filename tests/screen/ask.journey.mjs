import assert from "node:assert/strict";
import { test } from "node:test";

import { accessible, address, ask, fits, journey, ownerKey, picture, signIn } from "./browser.mjs";

/** Questions over the samples, and words that stand in the sentence that answers. */
const QUESTIONS = [
  ["How long will the usable fuel at Osk Head last in winter?", /118 days/],
  ["What torque should the clutch of the Osk Head lamp changer slip at?", /6\.5 newton metres/],
  ["How much did Brackwell Hydraulics' repair of the ramp cost?", /11,480/],
  ["How many stairs are there inside the tower at Osk Head?", /142/],
  ["What is the dummy for the person-overboard drill called?", /Hector/],
  ["Which ship was wrecked under Osk Head in 1866?", /Constance Merrow/],
];

test("a wrong key is refused in words, and a key is in no address", async () => {
  await journey({ refusals: [401] }, async (page) => {
    await page.goto(`${address}/`);
    const key = page.getByLabel("Key");
    assert.equal(await key.getAttribute("type"), "password");
    await accessible(page);
    await key.fill("atoll_0000000000000000_wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("This key is not valid").waitFor();
    await signIn(page);
    await page.getByLabel("Question", { exact: true }).waitFor();
    assert.ok(!page.url().includes(ownerKey));
    const stored = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
    assert.ok(!stored.includes(ownerKey));
  });
});

for (const [width, height, theme] of [
  [1280, 800, "light"],
  [390, 844, "dark"],
]) {
  test(`six questions, each citation opens its page with the mark over the words, at ${width}`, async () => {
    await journey({ width, height, theme }, async (page) => {
      await signIn(page);
      await page.getByLabel("Question", { exact: true }).waitFor();
      await accessible(page);
      for (const [question, words] of QUESTIONS) {
        await page.goto(`${address}/kb/default/ask`);
        const turn = await ask(page, question);
        const sentence = turn.locator("[data-sentence]").filter({ hasText: words }).first();
        await sentence.waitFor();
        const mark = sentence.locator("[data-citation]").first();
        assert.match(await mark.innerText(), /^\d+$/);
        await mark.click();
        await marked(page, words);
        if (question === QUESTIONS[0][0]) {
          await picture(page, `ask-${width}-${theme}`);
          await accessible(page);
        }
        await page.getByRole("button", { name: "Close" }).last().click();
        await page.locator("[data-mark]").first().waitFor({ state: "detached" });
      }
      await fits(page);
    });
  });
}

test("a question that the documents do not answer shows the nearest passages; history can be deleted", async () => {
  await journey({}, async (page) => {
    await signIn(page);
    const turn = await ask(page, "What is the boiling point of tungsten hexafluoride?");
    await turn.getByRole("heading", { name: "Nearest passages" }).waitFor();
    await turn.getByRole("button", { name: "Why this?" }).first().click();
    await turn.getByText("Meaning").first().waitFor();
    await page.reload();
    await page.getByRole("heading", { name: /tungsten/ }).last().waitFor();
    page.on("dialog", (dialog) => void dialog.accept());
    await page.getByRole("button", { name: "Delete all" }).click();
    await page.getByText("What would you like to know?").waitFor();
    assert.equal(await page.getByText("tungsten").count(), 0);
  });
});

test("signing out in one tab signs the other out", async () => {
  await journey({}, async (page, context) => {
    await signIn(page);
    await page.getByLabel("Question", { exact: true }).waitFor();
    const other = await context.newPage();
    await other.goto(`${address}/`);
    await other.getByLabel("Question", { exact: true }).waitFor();
    await other.locator("button").filter({ hasText: "Owner" }).click();
    await other.getByRole("menuitem", { name: /Sign out/ }).click();
    await page.getByLabel("Key").waitFor();
    const cookies = await context.cookies();
    assert.deepEqual(cookies, []);
  });
});

/** The page behind a citation is open, its picture loaded, and marks lie over it. */
async function marked(page, words) {
  const image = page.locator("img[src*='/pages/']").first();
  await image.waitFor();
  await page.locator("[data-mark]").first().waitFor();
  await page.waitForFunction(() => document.querySelector("img[src*='/pages/']")?.naturalWidth > 0);
  assert.match(await image.getAttribute("src"), /\/pages\/\d+\.png/);
  const inside = await page.evaluate(() => {
    const whole = document.querySelector("img[src*='/pages/']").getBoundingClientRect();
    return [...document.querySelectorAll("[data-mark]")].every((each) => {
      const mark = each.getBoundingClientRect();
      return mark.width > 4 && mark.left >= whole.left - 1 && mark.right <= whole.right + 1 && mark.bottom <= whole.bottom + 1;
    });
  });
  assert.ok(inside, "a mark lies outside of its page");
  const said = await page.locator("p[role=status]").filter({ hasText: "marked" }).innerText();
  assert.match(said, words);
}

test("a follow-up says what it follows and can be asked on its own; a filter stands in words and holds", async () => {
  await journey({}, async (page) => {
    await signIn(page);
    await ask(page, QUESTIONS[1][0]);
    await page.getByText("Follows up").waitFor();
    const second = await ask(page, "And how many stairs are there inside the tower?");
    await second.getByText("Understood as").waitFor();
    await second.getByText("142").first().waitFor();
    await page.getByRole("button", { name: "Ask on its own" }).click();
    const third = await ask(page, QUESTIONS[0][0]);
    assert.equal(await third.getByText("Understood as").count(), 0);
    await third.getByText("118 days").first().waitFor();

    await page.getByRole("link", { name: "New question" }).click();
    await page.getByRole("button", { name: "Filters" }).click();
    await page.getByLabel("Names").fill("*.txt");
    await accessible(page);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Remove Names: *.txt" }).waitFor();
    const narrowed = await ask(page, QUESTIONS[0][0]);
    await narrowed.getByText("Names: *.txt").waitFor();
    assert.equal(await narrowed.getByText("118 days").count(), 0);
    await page.getByRole("button", { name: "Remove Names: *.txt" }).click();
    await page.getByRole("button", { name: "Filters" }).click();
    await page.getByLabel("Documents", { exact: true }).fill("STATION-man");
    await page.getByRole("button", { name: "osk-head-station-manual.pdf" }).click();
    await page.getByRole("button", { name: "Remove osk-head-station-manual.pdf" }).first().waitFor();
    await accessible(page);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Ask on its own" }).click();
    const picked = await ask(page, QUESTIONS[0][0]);
    await picked.getByText("118 days").first().waitFor();
    await picked.getByText("osk-head-station-manual.pdf").first().waitFor();
    await picked.locator("summary").click();
    const names = await picked.locator("ol bdi").allInnerTexts();
    assert.deepEqual([...new Set(names)], ["osk-head-station-manual.pdf"]);
  });
});
