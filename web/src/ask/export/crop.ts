import type { Box } from "@/ask/answer";
import { call } from "@/api/client";
import type { Hit } from "@/page/hits";
import { around, widened } from "@/page/geometry";
import { imageOf } from "@/page/queries";

const DPI = 150;
const ROOM_POINTS = 14;
const MARK = "#ffd23f8c";
const EDGE = "#d08a00";

/** The marked place of a page as a PNG in a `data:` address, or null where it cannot be had any more. */
export async function cropOf(kb: string, hit: Hit): Promise<string | null> {
  const box = around([...hit.marks, ...hit.frame]);
  if (box === null) return null;
  try {
    const page = await call("get_page", { path: { kb, document: hit.documentId, page: hit.page } });
    const image = await picture(imageOf(kb, hit.documentId, hit.page, DPI));
    return draw(image, widened(box, ROOM_POINTS, page), hit.marks, image.naturalWidth / page.width);
  } catch {
    return null;
  }
}

function picture(source: string): Promise<HTMLImageElement> {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.addEventListener("load", () => resolve(image));
    image.addEventListener("error", () => reject(new Error("the page was not drawn")));
    image.src = source;
  });
}

function draw(
  image: HTMLImageElement,
  [x0, y0, x1, y1]: Box,
  marks: readonly Box[],
  scale: number,
): string | null {
  const canvas = document.createElement("canvas");
  canvas.width = Math.round((x1 - x0) * scale);
  canvas.height = Math.round((y1 - y0) * scale);
  const context = canvas.getContext("2d");
  if (context === null) return null;
  context.drawImage(image, -x0 * scale, -y0 * scale);
  context.globalCompositeOperation = "multiply";
  for (const [left, top, right, bottom] of marks) {
    const place = [(left - x0) * scale, (top - y0) * scale, (right - left) * scale] as const;
    context.fillStyle = MARK;
    context.fillRect(...place, (bottom - top) * scale);
    context.fillStyle = EDGE;
    context.fillRect(place[0], (bottom - y0) * scale, place[2], 2);
  }
  return canvas.toDataURL("image/png");
}
