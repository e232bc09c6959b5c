import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { accessible, api, ask, atoll, journey, picture, signIn } from "./browser.mjs";

const QUESTION = "How long will the usable fuel at Osk Head last in winter?";

test("an answer is saved as one file that needs nothing else, and as Markdown with numbered sources", async () => {
  await journey({}, async (page) => {
    await signIn(page);
    const turn = await ask(page, QUESTION);
    async function saved(choice) {
      await turn.getByRole("button", { name: "Save answer" }).click();
      const [download] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("menuitem", { name: choice }).click(),
      ]);
      return [download.suggestedFilename(), await readFile(await download.path(), "utf8")];
    }
    const [page_, html] = await saved(/HTML/);
    assert.equal(page_, "how-long-will-the-usable-fuel-at-osk-head-last-in-winter.html");
    assert.match(html, /118 days/);
    assert.match(html, /src="data:image\/(png|webp|jpeg);base64,/);
    assert.doesNotMatch(html, /<script|src="(?!data:)|<link/);
    const [name, markdown] = await saved(/Markdown/);
    assert.equal(name, "how-long-will-the-usable-fuel-at-osk-head-last-in-winter.md");
    assert.match(markdown, /118 days.* \[1\]/);
    assert.match(markdown, /^\[1\] osk-head-station-manual\.pdf, page \d+: </m);
    assert.match(markdown, /!\[\[1\]\]\(data:image/);
  });
});

test("answers that people judged are a file by which atoll eval measures", async () => {
  await journey({}, async (page) => {
    await signIn(page);
    const right = await ask(page, QUESTION);
    await right.getByRole("button", { name: "This is right" }).click();
    const dialog = page.getByRole("dialog");
    assert.equal(await dialog.getByLabel("Words that a right answer must hold").inputValue(), "118 days");
    await accessible(page);
    await dialog.getByRole("button", { name: "Add to the file" }).click();
    await dialog.waitFor({ state: "detached" });
    const wrong = await ask(page, "How much did Brackwell Hydraulics' repair of the ramp cost?");
    await wrong.getByRole("button", { name: "This is wrong" }).click();
    await dialog.getByLabel("Words that a right answer must hold").fill("£11,480 (paid)");
    await dialog.getByRole("button", { name: "Add to the file" }).click();
    await dialog.waitFor({ state: "detached" });
    await wrong.getByRole("button", { name: "This is wrong" }).click();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      dialog.getByRole("button", { name: "Save the file (2)" }).click(),
    ]);
    const run = JSON.parse(await atoll(["eval", await download.path(), "--json"]));
    assert.deepEqual(run.questions.map(({ good }) => good), [true, false], JSON.stringify(run));
  });
});

test("all pages are shown small, and lead to each other by the keyboard", async () => {
  await journey({}, async (page) => {
    await signIn(page);
    const turn = await ask(page, QUESTION);
    await turn.locator("[data-citation]").first().focus();
    await page.keyboard.press("Enter");
    await page.locator("[data-mark]").first().waitFor();
    await page.getByRole("button", { name: "All pages" }).focus();
    await page.keyboard.press("Enter");
    const pages = page.getByRole("navigation", { name: "All pages" });
    await page.waitForFunction(() => {
      const images = [...document.querySelectorAll("nav img[src*='/pages/']")];
      return images.length > 1 && images.every((image) => image.naturalWidth > 0);
    });
    await pages.getByRole("button", { name: "Go to page 1", exact: true }).focus();
    await page.keyboard.press("Enter");
    await page.locator("img[alt*='page 1']").first().waitFor();
    assert.equal(await page.locator("[data-mark]").count(), 0);
    await picture(page, "thumbnails-1280-light");
  });
});

test("text that runs from right to left does so in the question, the answer and the list", async () => {
  const kb = "screen-hebrew";
  await api("POST", "/v1/kbs", { name: kb, language: "und" });
  const text = "המעבורת יוצאת מן הנמל בשעה תשע ורבע בבוקר.\n";
  await api("POST", `/v1/kbs/${kb}/documents`, { documents: [{ name: "מעבורת.txt", text }] });
  await journey({}, async (page) => {
    await signIn(page, `/kb/${kb}/documents`);
    await page.locator("[data-status=ready]").first().waitFor({ timeout: 60_000 });
    await page.getByRole("link", { name: "New question" }).click();
    const turn = await ask(page, "מתי יוצאת המעבורת מן הנמל?");
    const direction = (element) => getComputedStyle(element).direction;
    assert.equal(await turn.getByRole("heading", { name: /מתי/ }).evaluate(direction), "rtl");
    const answer = turn.getByText(/תשע ורבע/).first();
    await answer.waitFor();
    assert.equal(await answer.evaluate((element) => getComputedStyle(element.closest("p, button, li")).direction), "rtl");
    await picture(page, "right-to-left-1280-light");
  });
});
