import type { Box } from "@/ask/answer";

export interface Size {
  width: number;
  height: number;
}

/** A box as shares of its page, for CSS: marks stay in place at every zoom. */
export interface Placed {
  left: string;
  top: string;
  width: string;
  height: string;
}

export function placed([x0, y0, x1, y1]: Box, page: Size): Placed {
  const share = (value: number, whole: number) => `${(100 * value) / whole}%`;
  return {
    left: share(x0, page.width),
    top: share(y0, page.height),
    width: share(x1 - x0, page.width),
    height: share(y1 - y0, page.height),
  };
}

/** The box around boxes. */
export function around(boxes: readonly Box[]): Box | null {
  const [first, ...rest] = boxes;
  if (first === undefined) return null;
  return rest.reduce<Box>(
    ([x0, y0, x1, y1], box) => [
      Math.min(x0, box[0]),
      Math.min(y0, box[1]),
      Math.max(x1, box[2]),
      Math.max(y1, box[3]),
    ],
    first,
  );
}

/** A box with some room around it, within the page. */
export function widened([x0, y0, x1, y1]: Box, by: number, page: Size): Box {
  return [
    Math.max(0, x0 - by),
    Math.max(0, y0 - by),
    Math.min(page.width, x1 + by),
    Math.min(page.height, y1 + by),
  ];
}

/** Resolutions in which pages are drawn, and the one that suits a page shown `pixels` wide. */
export const RESOLUTIONS = [96, 150] as const;

export function resolutionFor(pixels: number, page: Size): (typeof RESOLUTIONS)[number] {
  return pixels > (page.width / 72) * RESOLUTIONS[0] * 1.1 ? RESOLUTIONS[1] : RESOLUTIONS[0];
}
