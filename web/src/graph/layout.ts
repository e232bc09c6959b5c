import { UndirectedGraph } from "graphology";
import forceAtlas2 from "graphology-layout-forceatlas2";

import type { NeighbourhoodOut } from "@/api/schema";

export interface Placed {
  id: string;
  name: string;
  type: string;
  passages: number;
  hops: number;
  x: number;
  y: number;
}

export interface Joined {
  head: Placed;
  tail: Placed;
  passages: number;
}

export interface Layout {
  nodes: Placed[];
  edges: Joined[];
}

/** The width and height of the plane on which nodes are placed. */
export const PLANE = 1000;
const MARGIN = 60;
const ROUNDS = 150;

/** Places an entity and what is around it; the same neighbourhood always looks the same. */
export function layOut(around: NeighbourhoodOut): Layout {
  const graph = new UndirectedGraph();
  const all = [{ ...around.entity, hops: 0 }, ...around.entities];
  all.forEach((entity, at) => {
    // A spiral to begin with: the layout needs places that differ, and chance would draw it anew each time.
    const angle = at * 2.4;
    graph.mergeNode(entity.id, { x: Math.cos(angle) * Math.sqrt(at), y: Math.sin(angle) * Math.sqrt(at) });
  });
  const links = around.links.filter(({ head, tail }) => graph.hasNode(head) && graph.hasNode(tail));
  for (const { head, tail, passages } of links) graph.mergeEdge(head, tail, { weight: passages });
  const settings = { ...forceAtlas2.inferSettings(graph), adjustSizes: false, gravity: 2, scalingRatio: 12 };
  const placed =
    graph.order > 1
      ? forceAtlas2(graph, { iterations: ROUNDS, settings })
      : { [around.entity.id]: { x: 0, y: 0 } };
  const scale = scaleOf(Object.values(placed));
  const nodes = all.map((entity) => ({ ...entity, ...scale(placed[entity.id] ?? { x: 0, y: 0 }) }));
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const edges = links.flatMap(({ head, tail, passages }) => {
    const [one, other] = [byId.get(head), byId.get(tail)];
    return one === undefined || other === undefined ? [] : [{ head: one, tail: other, passages }];
  });
  return { nodes, edges };
}

interface Point {
  x: number;
  y: number;
}

/** Returns what maps points into the plane, keeping their proportions. */
function scaleOf(points: readonly Point[]): (point: Point) => Point {
  const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  const [width, height] = [Math.max(...xs) - left, Math.max(...ys) - top];
  const factor = (PLANE - 2 * MARGIN) / Math.max(width, height, 1e-9);
  const [marginX, marginY] = [(PLANE - width * factor) / 2, (PLANE - height * factor) / 2];
  return ({ x, y }) => ({ x: marginX + (x - left) * factor, y: marginY + (y - top) * factor });
}

/** How many names are written out at once: the nearest and the most frequent, so that words do not cover each other. */
const MOST_NAMES = 28;

export function namedAtFirst(nodes: readonly Placed[]): Set<string> {
  const order = nodes.toSorted((one, other) => one.hops - other.hops || other.passages - one.passages);
  return new Set(order.slice(0, MOST_NAMES).map(({ id }) => id));
}
