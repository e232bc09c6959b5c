import assert from "node:assert/strict";
import { test } from "node:test";

import { api, ask, journey, signIn } from "./browser.mjs";

const QUESTION = "How long will the usable fuel at Osk Head last in winter?";

/** Shares of a page by which two boxes may differ: pixels are whole, and the gateway marks with a margin. */
const NEAR = 0.012;

test("marks lie where the gateway says that the sentence stands, and over its ink; the heat map is shown", async () => {
  const body = { query: QUESTION, answer: "extract", top_k: 20 };
  const { sentences, citations } = await api("POST", "/v1/kbs/default/query", body);
  const { places } = sentences.find(({ text }) => text.includes("118 days"));
  const [place] = places;
  const there = places.filter(({ n, page }) => n === place.n && page === place.page).flatMap(({ boxes }) => boxes);
  const { document_id, passage_id } = citations.find(({ n }) => n === place.n).evidence;
  const { width, height } = await api("GET", `/v1/kbs/default/documents/${document_id}/pages/${place.page}`);
  await journey({}, async (page) => {
    await signIn(page);
    const turn = await ask(page, QUESTION);
    await turn.locator("[data-citation]").first().click();
    await page.locator("[data-mark]").first().waitFor();
    await page.waitForFunction(() => document.querySelector("img[src*='/pages/']")?.naturalWidth > 0);
    const shown = await page.evaluate(boxesOnScreen);
    const wanted = there.map(([x0, y0, x1, y1]) => [x0 / width, y0 / height, x1 / width, y1 / height]);
    assert.equal(shown.marks.length, wanted.length);
    shown.marks.forEach((box, at) => near(box, wanted[at]));
    assert.ok(shown.ink > 50, `${shown.ink} dark pixels under the first mark`);

    // The gateway's own drawing of the passage changes just the pixels that the screen frames.
    const drawn = `/v1/kbs/default/documents/${document_id}/pages/${place.page}.png?dpi=96`;
    const changed = await page.evaluate(changedPart, [drawn, `${drawn}&mark=${passage_id}`]);
    near(changed, around(shown.frames));

    await page.getByRole("button", { name: "Where the page answers the question" }).click();
    await page.locator("canvas[data-heat]").waitFor();
    await page.getByRole("button", { name: "Text of the page" }).click();
    await page.getByText(/118 days/).last().waitFor();
  });
});

function near(box, wanted) {
  const off = box.map((value, at) => Math.abs(value - wanted[at]));
  assert.ok(Math.max(...off) < NEAR, `${box} is not ${wanted}`);
}

function around(boxes) {
  const [left, top, right, bottom] = [0, 1, 2, 3].map((at) => boxes.map((box) => box[at]));
  return [Math.min(...left), Math.min(...top), Math.max(...right), Math.max(...bottom)];
}

/** In the browser: marks and frames as shares of the page's picture, and the dark pixels under the first mark. */
function boxesOnScreen() {
  const image = document.querySelector("img[src*='/pages/']");
  const whole = image.getBoundingClientRect();
  const boxes = (name) =>
    [...document.querySelectorAll(name)].map((each) => {
      const { left, top, right, bottom } = each.getBoundingClientRect();
      return [left - whole.left, top - whole.top, right - whole.left, bottom - whole.top].map(
        (value, at) => value / (at % 2 === 0 ? whole.width : whole.height),
      );
    });
  const [marks, frames] = [boxes("[data-mark]"), boxes("[data-frame]")];
  const [x0, y0, x1, y1] = marks[0];
  const { naturalWidth: wide, naturalHeight: high } = image;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [Math.ceil((x1 - x0) * wide), Math.ceil((y1 - y0) * high)];
  const context = canvas.getContext("2d");
  context.drawImage(image, -x0 * wide, -y0 * high);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  let ink = 0;
  for (let at = 0; at < data.length; at += 4) if (data[at] < 128) ink += 1;
  return { marks, frames, ink };
}

/** In the browser: the box around all pixels in which two pictures differ, as shares of their size. */
async function changedPart(addresses) {
  const [plain, marked] = await Promise.all(
    addresses.map(async (address) => {
      const bitmap = await createImageBitmap(await (await fetch(address)).blob());
      const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
      context.drawImage(bitmap, 0, 0);
      return context.getImageData(0, 0, bitmap.width, bitmap.height);
    }),
  );
  const box = [Infinity, Infinity, 0, 0];
  for (let at = 0; at < plain.data.length; at += 4) {
    if ([0, 1, 2].every((channel) => plain.data[at + channel] === marked.data[at + channel])) continue;
    const [x, y] = [(at / 4) % plain.width, Math.floor(at / 4 / plain.width)];
    box.splice(0, 4, Math.min(box[0], x), Math.min(box[1], y), Math.max(box[2], x + 1), Math.max(box[3], y + 1));
  }
  return box.map((value, at) => value / (at % 2 === 0 ? plain.width : plain.height));
}
