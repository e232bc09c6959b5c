import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";

import { accessible, address, api, ask, fits, journey, picture, samples, signIn } from "./browser.mjs";

const KB = "screen-documents";

test("four formats are added, become ready, are asked about, and one is deleted", async () => {
  await journey({ refusals: [404] }, async (page) => {
    await signIn(page);
    const made = await page.evaluate(
      async (name) => (await fetch("/v1/kbs", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ name }) })).status,
      KB,
    );
    assert.equal(made, 201);
    await page.goto(`${address}/kb/${KB}/documents`);
    await page.getByText("No documents yet").waitFor();
    await page.getByRole("button", { name: "Add documents" }).click();
    await accessible(page);
    const names = ["staff-directory.txt", "osk-head-station-manual.pdf", "fares-and-concessions.md", "emergency-procedures.docx"];
    await page.locator("input[type=file][multiple]").setInputFiles(names.map((name) => join(samples, name)));
    await page.getByText("4 files,").waitFor();
    await page.getByRole("button", { name: "Add 4 files" }).click();
    await page.getByText("4 files sent").waitFor();
    await page.locator("[data-status=ready]").nth(3).waitFor({ timeout: 90_000 });
    await accessible(page);
    await fits(page);
    await picture(page, "documents-1280-light");

    await page.getByRole("columnheader", { name: "Name" }).getByRole("button").click();
    const order = await page.getByRole("cell").filter({ has: page.getByRole("link") }).allInnerTexts();
    assert.deepEqual(order.map((text) => text.trim()), [...names].sort());
    await page.getByLabel("Find by name").fill("fares");
    await page.getByText("staff-directory.txt").first().waitFor({ state: "attached" });
    assert.equal(await page.getByRole("row").count(), 2);
    await page.getByLabel("Find by name").fill("");

    await page.getByRole("link", { name: "osk-head-station-manual.pdf" }).click();
    await page.locator("img[src*='/pages/1.png']").first().waitFor();
    await page.getByRole("tab", { name: "Journey" }).click();
    await page.getByText("Making visible").waitFor();
    await page.getByRole("tab", { name: "Passages" }).click();
    await page.getByRole("tabpanel").getByRole("button").nth(4).click();
    await page.locator("[data-mark]").first().waitFor();
    await accessible(page);
    await picture(page, "document-1280-light");
    const kept = page.url();
    assert.match(kept, /\/kb\/screen-documents\/doc\/[^/]+\/p\/\d+\?mark=/);

    await page.getByRole("link", { name: "New question" }).click();
    const answered = await ask(page, "How long will the usable fuel at Osk Head last in winter?");
    await answered.getByText("118 days").waitFor();
    await page.goto(`${address}/kb/${KB}/documents`);
    await page.getByRole("button", { name: "Actions for osk-head-station-manual.pdf" }).click();
    await page.getByRole("menuitem", { name: "Delete" }).click();
    await page.locator("[data-receipt]").getByText("Passages").waitFor();
    await page.getByRole("button", { name: "Delete now" }).click();
    await page.getByRole("link", { name: "osk-head-station-manual.pdf" }).waitFor({ state: "detached" });
    await page.getByRole("link", { name: "New question" }).click();
    const after = await ask(page, "How long will the usable fuel at Osk Head last in winter?");
    assert.equal(await after.getByText("118 days").count(), 0);
    await page.goto(kept);
    await page.getByText("This document is not there any more").waitFor();
  });
});

test("a link to a page leads to the version that replaced it; documents are moved and read again together", async () => {
  const kb = "screen-links";
  await api("POST", "/v1/kbs", { name: kb });
  const texts = (words) => [
    { name: "ferry.txt", source: "north", text: `The ferry leaves at ${words}.\n` },
    { name: "ferry.txt", source: "south", text: `The southern ferry leaves at ${words}.\n` },
  ];
  await api("POST", `/v1/kbs/${kb}/documents`, { documents: texts("nine") });
  await journey({ refusals: [404] }, async (page) => {
    await signIn(page, `/kb/${kb}/documents`);
    await page.locator("[data-status=ready]").nth(1).waitFor({ timeout: 60_000 });
    await page.getByRole("button", { name: "north" }).last().click();
    await page.getByRole("link", { name: "ferry.txt" }).nth(1).waitFor({ state: "detached" });
    await page.getByRole("link", { name: "ferry.txt" }).click();
    await page.getByRole("tab", { name: "Passages" }).click();
    await page.getByRole("tabpanel").getByRole("button").first().click();
    await page.locator("[data-mark]").first().waitFor();
    const kept = page.url();
    assert.match(kept, /\/p\/1\?mark=[^&]+&name=ferry.txt&source=north$/);
    const [replaced] = (await api("POST", `/v1/kbs/${kb}/documents`, { documents: texts("ten").slice(0, 1), replace: true })).documents;
    for (let at = 0; (await api("GET", `/v1/kbs/${kb}/documents/${replaced.id}`)).status !== "ready"; at += 1) {
      assert.ok(at < 300, "the second version is not ready");
      await page.waitForTimeout(100);
    }
    await page.goto(kept);
    await page.getByText("Replaced by version 2").waitFor();
    assert.equal(await page.getByText("nine").count(), 0);
    await accessible(page);
    await page.getByRole("link", { name: "Open ferry.txt, version 2" }).click();
    await page.waitForURL(new RegExp(`/doc/${replaced.id}/p/1`));

    await page.goto(`${address}/kb/${kb}/documents`);
    await page.locator("[data-status=ready]").nth(1).waitFor();
    await page.getByRole("button", { name: "Choose all" }).click();
    await page.getByText("2 documents chosen").waitFor();
    await accessible(page);
    await page.getByRole("button", { name: "Read again (2)" }).click();
    await page.getByText("Done for 2 documents").waitFor();
    await page.goto(`${address}/kb/${kb}/doc/${replaced.id}/p/1?mark=of-an-earlier-reading`);
    await page.getByText("belongs to an earlier reading").waitFor();
    assert.equal(await page.locator("[data-mark]").count(), 0);
    await accessible(page);
    await page.goto(`${address}/kb/${kb}/documents`);
    await page.getByRole("button", { name: "Actions for ferry.txt" }).first().click();
    await page.getByRole("menuitem", { name: "Name, labels, metadata" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name", { exact: true }).fill("timetable.txt");
    await dialog.getByLabel("Folder").fill("west/2024");
    await accessible(page);
    await dialog.getByRole("button", { name: "Save" }).click();
    await page.getByRole("link", { name: "timetable.txt" }).waitFor();
    await page.getByRole("button", { name: "west" }).last().waitFor();
  });
});
