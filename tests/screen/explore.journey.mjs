import assert from "node:assert/strict";
import { test } from "node:test";

import { accessible, address, fits, journey, picture, signIn } from "./browser.mjs";

const QUESTION = "How long will the usable fuel at Osk Head last in winter?";

for (const [width, height, theme] of [
  [1280, 800, "light"],
  [390, 844, "dark"],
]) {
  test(`one question is searched in several ways side by side, and each place opens, at ${width}`, async () => {
    await journey({ width, height, theme }, async (page, context) => {
      await context.grantPermissions(["clipboard-read", "clipboard-write"]);
      await signIn(page, "/kb/default/search");
      await page.getByRole("searchbox", { name: "Question" }).fill(QUESTION);
      await page.getByLabel("Around entities").uncheck();
      await page.getByLabel("Page images").check();
      await page.getByRole("button", { name: "Search", exact: true }).click();
      for (const mode of ["mix", "naive", "visual"]) {
        await page.locator(`[data-mode=${mode}] ol > li`).first().waitFor();
      }
      const first = page.locator("[data-mode=mix] ol > li").first();
      await page.locator("[data-mode=mix]").getByText(/Also place \d+ in Meaning and words/).first().waitFor();
      await first.getByRole("button", { name: "Why this?" }).click();
      await first.getByRole("rowheader", { name: "Words" }).waitFor();
      await accessible(page);
      await fits(page);
      await picture(page, `search-${width}-${theme}`);
      await page.locator("[data-mode=naive]").getByRole("button", { name: "Copy as curl" }).click();
      await page.getByText("Command copied").waitFor();
      const command = await page.evaluate(() => navigator.clipboard.readText());
      assert.match(command, /\/v1\/kbs\/default\/search' /);
      assert.match(command, /"mode":"naive"/);
      assert.doesNotMatch(command, /atoll_[0-9a-f]{8}/);
      await page.reload();
      await page.locator("[data-mode=visual] ol > li").first().waitFor();
      await first.getByRole("button").first().click();
      await page.locator("[data-mark]").first().waitFor();
      assert.match(page.url(), /search\?q=How\+long.*modes=mix%2Cnaive%2Cvisual/);
    });
  });

  test(`a name is found, what is around it is drawn and listed, and its sentences open their pages, at ${width}`, async () => {
    await journey({ width, height, theme }, async (page) => {
      await signIn(page, "/kb/default/graph");
      await page.getByRole("searchbox", { name: "Find a name" }).fill("osk head");
      await page.getByRole("link", { name: /^osk head / }).first().click();
      await page.locator("[data-node]").nth(2).waitFor();
      await accessible(page);
      await fits(page);
      await picture(page, `graph-${width}-${theme}`);
      await page.getByRole("tab", { name: "List" }).click();
      const neighbours = page.getByRole("tabpanel").getByRole("link");
      const count = await neighbours.count();
      assert.ok(count >= 2, `${count} names around it`);
      await accessible(page);
      await page.getByRole("tab", { name: "Drawing" }).click();
      assert.equal(await page.locator("[data-node]").count(), count + 1);
      const kept = page.url();
      await page.locator("[data-node]").nth(1).focus();
      await page.keyboard.press("Enter");
      await page.waitForURL((url) => url.href !== kept);
      await page.goto(kept);
      await page.getByRole("heading", { name: "Where it stands" }).waitFor();
      await page.getByRole("link", { name: /, page \d+$/ }).first().click();
      await page.locator("[data-mark]").first().waitFor();
    });
  });
}

test("the palette leads everywhere by the keyboard alone", async () => {
  await journey({}, async (page) => {
    await signIn(page);
    await page.getByLabel("Question", { exact: true }).waitFor();
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: "Go to" }).waitFor();
    await accessible(page);
    await picture(page, "palette-1280-light");
    await page.keyboard.type("search la");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Search lab" }).waitFor();
    await page.keyboard.press("Control+k");
    await page.keyboard.type("staff-dir");
    await page.getByRole("option", { name: /staff-directory/ }).waitFor();
    await page.keyboard.press("Enter");
    await page.locator("img[src*='/pages/1.png']").first().waitFor();
    await page.keyboard.press("Control+k");
    await page.keyboard.type("audit");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Administration" }).waitFor();
    assert.equal(new URL(page.url()).pathname, "/admin/audit");
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: "Go to" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("combobox", { name: "Go to" }).waitFor({ state: "detached" });
  });
});
