import assert from "node:assert/strict";
import { test } from "node:test";

import { accessible, address, adminKey, api, ask, fits, journey, picture, signIn } from "./browser.mjs";

const KB = "screen-admin";

/** Makes a key in the administration and returns its secret, as whoever makes it sees it once. */
async function makeKey(page, name, fill = async () => undefined) {
  await page.goto(`${address}/admin/keys`);
  await page.getByRole("button", { name: "New key" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill(name);
  await fill(dialog);
  await dialog.getByRole("button", { name: "Create" }).click();
  const secret = await page.getByRole("dialog", { name: "The new key" }).getByLabel("Key").inputValue();
  assert.match(secret, /^atoll_/);
  return secret;
}

test("a link signs a browser in once, and stands in no address afterwards", async () => {
  const { link } = await api("POST", "/v1/session/links");
  await journey({ refusals: [401] }, async (page, context) => {
    await page.goto(`${address}/link#${link}`);
    await page.getByLabel("Question", { exact: true }).waitFor();
    assert.ok(!page.url().includes(link));
    await page.reload();
    await page.getByLabel("Question", { exact: true }).waitFor();
    const other = await context.browser().newContext();
    const again = await other.newPage();
    await again.goto(`${address}/link#${link}`);
    await again.getByRole("heading", { name: "This link does not work any more" }).waitFor();
    await accessible(again);
    await again.getByRole("button", { name: "Sign in with a key" }).click();
    await again.getByLabel("Key").waitFor();
    // In the first browser the same dead link ends nothing.
    await page.goto(`${address}/link#${link}`);
    await page.getByRole("button", { name: "Sign in with a key" }).click();
    await page.getByLabel("Question", { exact: true }).waitFor();
  });
});

for (const [width, height, theme] of [
  [1280, 800, "light"],
  [390, 844, "dark"],
]) {
  test(`an owner makes, limits and deletes a knowledge base, and sees who did what, at ${width}`, async () => {
    await journey({ width, height, theme }, async (page) => {
      await signIn(page, "/admin");
      await page.getByRole("link", { name: "default", exact: true }).waitFor();
      await page.getByRole("button", { name: "New knowledge base" }).click();
      await accessible(page);
      const dialog = page.getByRole("dialog");
      const name = `${KB}-${width}`;
      await dialog.getByLabel("Name", { exact: true }).fill(name);
      await dialog.getByLabel("Most documents").fill("3");
      await dialog.getByRole("button", { name: "Create" }).click();
      const row = page.getByRole("row").filter({ hasText: name });
      await row.getByText("0 of 3").waitFor();
      await accessible(page);
      await fits(page);
      await picture(page, `admin-kbs-${width}-${theme}`);
      await row.getByRole("button", { name: `Actions for ${name}` }).click();
      await page.getByRole("menuitem", { name: "Settings" }).click();
      await dialog.getByLabel("Most documents").fill("7");
      await dialog.getByLabel("Kinds of names").fill("ship, lighthouse");
      await dialog.getByRole("button", { name: "Save" }).click();
      await row.getByText("0 of 7").waitFor();
      assert.deepEqual((await api("GET", `/v1/kbs/${name}`)).settings, { entity_types: ["ship", "lighthouse"] });
      await row.getByRole("button", { name: `Actions for ${name}` }).click();
      await page.getByRole("menuitem", { name: "Delete" }).click();
      const remove = page.getByRole("button", { name: "Delete now" });
      assert.ok(await remove.isDisabled());
      await page.getByLabel(`Write ${name} to confirm`).fill(name);
      await remove.click();
      await row.waitFor({ state: "detached" });

      await page.getByRole("link", { name: "Audit trail" }).click();
      await page.getByLabel("What").fill("kb.deleted");
      await page.getByRole("cell", { name: `kb ${name}` }).first().waitFor();
      await page.getByRole("button", { name: "Verify the trail" }).click();
      await page.getByText("The trail is what was written").waitFor();
      await accessible(page);
      await fits(page);
      await picture(page, `admin-audit-${width}-${theme}`);
      await page.getByRole("link", { name: "System" }).click();
      await page.getByText("Everything that is needed answers.").waitFor();
      await page.getByRole("rowheader", { name: "records" }).waitFor();
      await page.getByRole("rowheader", { name: "Embedding model" }).waitFor();
      await page.getByText("Nothing waits, and nothing failed.").waitFor();
      await accessible(page);
      await fits(page);
      await picture(page, `admin-system-${width}-${theme}`);
      await page.getByRole("link", { name: "Use", exact: true }).click();
      await page.getByRole("rowheader", { name: "default" }).waitFor();
      await accessible(page);
      await fits(page);
      await picture(page, `admin-usage-${width}-${theme}`);
    });
  });
}

test("a key is shown once, sees what its labels allow, and is out the moment it is revoked", async () => {
  const kb = `${KB}-labels`;
  await api("POST", "/v1/kbs", { name: kb });
  const documents = [
    { name: "open.txt", text: "The ferry to Osk Head leaves at 9.15 in the morning.\n" },
    { name: "closed.txt", text: "The safe of the station opens with the number 4711.\n", labels: ["board"] },
  ];
  await api("POST", `/v1/kbs/${kb}/documents`, { documents });
  await journey({ refusals: [401] }, async (page, context) => {
    await signIn(page, "/admin/keys");
    const secret = await makeKey(page, "a reader of the crew", async (dialog) => {
      await dialog.getByLabel("All knowledge bases, later ones too").uncheck();
      await dialog.getByLabel(kb).check();
      await dialog.getByLabel("All documents, whatever their labels").uncheck();
      await dialog.getByLabel("Labels that it may see").fill("crew");
      await dialog.getByLabel("Ends on").fill("2999-12-31");
      await accessible(page);
      await picture(page, "admin-new-key-1280-light");
    });
    await accessible(page);
    await page.getByRole("button", { name: "Done" }).click();
    const row = page.getByRole("row").filter({ hasText: "a reader of the crew" });
    await row.getByText("crew", { exact: true }).waitFor();
    assert.equal(await page.getByText(secret).count(), 0);
    await picture(page, "admin-keys-1280-light");

    await page.goto(`${address}/kb/${kb}/documents`);
    await page.locator("[data-status=ready]").nth(1).waitFor({ timeout: 60_000 });
    const theirs = await context.browser().newContext({ viewport: { width: 1280, height: 800 } });
    const reader = await theirs.newPage();
    await signIn(reader, `/kb/${kb}/ask`, secret);
    const shut = await ask(reader, "Which number opens the safe of the station?");
    assert.equal(await shut.getByText("4711").count(), 0);
    assert.equal(await shut.getByText("closed.txt").count(), 0);
    const open = await ask(reader, "When does the ferry to Osk Head leave?");
    await open.getByText("9.15").first().waitFor();
    assert.equal(await reader.getByRole("link", { name: "Administration" }).count(), 0);

    // Other labels of the document, and other labels of the key, hold from the next answer on.
    await page.getByRole("checkbox", { name: "Choose open.txt" }).check();
    await page.getByRole("button", { name: "Change labels" }).click();
    await page.getByLabel("Labels to add").fill("board");
    await accessible(page);
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Done for 1 document").waitFor();
    const relabelled = await ask(reader, "When does the ferry to Osk Head leave?");
    assert.equal(await relabelled.getByText("9.15").count(), 0);
    await page.goto(`${address}/admin/keys`);
    await row.getByRole("button", { name: "Actions for a reader of the crew" }).click();
    await page.getByRole("menuitem", { name: "Change" }).click();
    await page.getByLabel("Labels that it may see").fill("crew, board");
    await page.getByRole("button", { name: "Save" }).click();
    await row.getByText("board, crew").waitFor();
    const again = await ask(reader, "When does the ferry to Osk Head leave?");
    await again.getByText("9.15").first().waitFor();

    await reader.getByRole("link", { name: "Documents" }).click();
    await reader.getByRole("link", { name: "open.txt" }).waitFor();
    await reader.getByRole("link", { name: "closed.txt" }).waitFor();

    // The list of documents listens to a stream of events; it ends with the key, and the page says so by itself.
    await row.getByRole("button", { name: "Actions for a reader of the crew" }).click();
    await page.getByRole("menuitem", { name: "Revoke" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
    await row.waitFor({ state: "detached" });
    await reader.getByText("You were signed out").waitFor({ timeout: 30_000 });
    assert.equal(await reader.getByText("open.txt").count(), 0);
    await page.getByLabel(/^Also \d+ that ended$/).check();
    await row.getByText("Revoked").first().waitFor();
  });
});

test("an auditor is led to what they may see", async () => {
  const { secret } = await api("POST", "/v1/keys", { name: "auditor of the screen", role: "auditor" });
  await journey({}, async (page) => {
    await signIn(page, "/", secret);
    await page.getByRole("heading", { name: "Administration" }).waitFor();
    assert.equal(new URL(page.url()).pathname, "/admin/audit");
    assert.equal(await page.getByRole("link", { name: "Keys" }).count(), 0);
    await page.getByRole("cell").first().waitFor();
  });
});

test("an admin makes a tenant, limits it, suspends it and lets it in again, and sees no document", async () => {
  await journey({ refusals: [403] }, async (page, context) => {
    await signIn(page, "/", adminKey);
    await page.getByRole("link", { name: "Tenants" }).waitFor();
    assert.equal(await page.getByRole("link", { name: "Documents" }).count(), 0);
    await page.getByRole("button", { name: "New tenant" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name", { exact: true }).fill("harbour");
    await dialog.getByLabel("Most documents").fill("5");
    await accessible(page);
    await dialog.getByRole("button", { name: "Create" }).click();
    const owner = await page.getByRole("dialog", { name: "The first owner key of harbour" }).getByLabel("Key").inputValue();
    assert.match(owner, /^atoll_/);
    await page.getByRole("button", { name: "Done" }).click();
    const row = page.getByRole("row").filter({ hasText: "harbour" });
    await row.getByText("5 Documents").waitFor();
    await accessible(page);
    await fits(page);
    await picture(page, "admin-tenants-1280-light");

    const theirs = await context.browser().newContext();
    const there = await theirs.newPage();
    await signIn(there, "/admin/usage", owner);
    await there.getByRole("heading", { name: "Administration" }).waitFor();
    for (const [verb, state] of [["Suspend", "Suspended"], ["Let in again", "Active"]]) {
      await row.getByRole("button", { name: "Actions for harbour" }).click();
      await page.getByRole("menuitem", { name: verb }).click();
      await row.getByText(state, { exact: true }).waitFor();
      if (verb === "Suspend") {
        await there.reload();
        await there.getByText("This key may not do that").waitFor();
        await there.getByLabel("Key").waitFor();
      }
    }
    await row.getByRole("button", { name: "Actions for harbour" }).click();
    await page.getByRole("menuitem", { name: "Limits and use" }).click();
    await dialog.getByText("Questions today").waitFor();
    assert.equal(await dialog.getByLabel("Most documents").inputValue(), "5");
  });
});
