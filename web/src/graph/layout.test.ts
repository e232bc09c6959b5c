import { expect, test } from "vitest";

import type { NeighbourhoodOut } from "@/api/schema";

import { layOut, namedAtFirst, PLANE } from "./layout";

function neighbourhood(count: number): NeighbourhoodOut {
  const entity = (at: number) => ({ id: `e${at}`, name: `Name ${at}`, type: "place", passages: count - at });
  return {
    entity: entity(0),
    entities: Array.from({ length: count - 1 }, (_, at) => ({ ...entity(at + 1), hops: 1 })),
    links: Array.from({ length: count - 1 }, (_, at) => ({ head: "e0", tail: `e${at + 1}`, passages: 1 })),
    relations: [],
    truncated: false,
  };
}

test("two hundred names lie inside the plane, apart from each other, and each time at the same place", () => {
  const { nodes, edges } = layOut(neighbourhood(200));
  expect([nodes.length, edges.length]).toEqual([200, 199]);
  for (const { x, y } of nodes) expect(Math.min(x, y) >= 0 && Math.max(x, y) <= PLANE).toBe(true);
  const places = new Set(nodes.map(({ x, y }) => `${Math.round(x / 4)} ${Math.round(y / 4)}`));
  expect(places.size).toBeGreaterThan(190);
  expect(layOut(neighbourhood(200)).nodes).toEqual(nodes);
  expect(namedAtFirst(nodes).size).toBe(28);
});

test("a name alone stands in the middle, and a link to what is not shown is left out", () => {
  const alone = { ...neighbourhood(1), links: [{ head: "e0", tail: "elsewhere", passages: 1 }] };
  const { nodes, edges } = layOut(alone);
  expect(nodes.map(({ x, y }) => [x, y])).toEqual([[PLANE / 2, PLANE / 2]]);
  expect(edges).toEqual([]);
});
