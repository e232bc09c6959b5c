import { Maximize, ZoomIn, ZoomOut } from "lucide-react";
import { type PointerEvent, useMemo, useRef, useState } from "react";

import type { NeighbourhoodOut } from "@/api/schema";
import { IconButton } from "@/design/Button";
import { useTexts } from "@/texts";

import styles from "./Drawing.module.css";
import { layOut, namedAtFirst, PLANE, type Placed } from "./layout";

const [LEAST, MOST, STEP] = [1, 6, 1.5];

interface DrawingProps {
  around: NeighbourhoodOut;
  onChoose: (entity: string) => void;
}

/** An entity and what is around it as points and lines; every point is a button. */
export function Drawing({ around, onChoose }: DrawingProps) {
  const t = useTexts();
  const { nodes, edges } = useMemo(() => layOut(around), [around]);
  const named = useMemo(() => namedAtFirst(nodes), [nodes]);
  const [zoom, setZoom] = useState(1);
  const [middle, setMiddle] = useState({ x: PLANE / 2, y: PLANE / 2 });
  const [pointed, setPointed] = useState<string | null>(null);
  const picture = useRef<SVGSVGElement>(null);
  const side = PLANE / zoom;
  const strongest = Math.max(1, ...edges.map(({ passages }) => passages));

  function turn(factor: number) {
    setZoom((now) => Math.min(MOST, Math.max(LEAST, now * factor)));
  }
  function drag(event: PointerEvent) {
    if (event.buttons !== 1 || picture.current === null) return;
    const scale = side / picture.current.getBoundingClientRect().width;
    setMiddle(({ x, y }) => ({
      x: within(x - event.movementX * scale),
      y: within(y - event.movementY * scale),
    }));
  }
  return (
    <div className={styles.place}>
      <svg
        ref={picture}
        className={styles.picture}
        viewBox={`${middle.x - side / 2} ${middle.y - side / 2} ${side} ${side}`}
        role="group"
        aria-label={t.graph.drawn(around.entity.name, around.entities.length)}
        onPointerMove={drag}
        onWheel={(event) => turn(event.deltaY < 0 ? 1.15 : 1 / 1.15)}
      >
        {edges.map(({ head, tail, passages }) => (
          <line
            key={`${head.id} ${tail.id}`}
            x1={head.x}
            y1={head.y}
            x2={tail.x}
            y2={tail.y}
            className={[head.id, tail.id].includes(pointed ?? "") ? styles.strong : styles.line}
            strokeWidth={(1 + (2.5 * passages) / strongest) / zoom}
          />
        ))}
        {nodes.map((node) => (
          <Point
            key={node.id}
            node={node}
            zoom={zoom}
            isNamed={named.has(node.id) || zoom > 2.5 || pointed === node.id}
            label={`${node.name}, ${node.type}`}
            onPoint={setPointed}
            onChoose={onChoose}
          />
        ))}
      </svg>
      <div className={styles.tools}>
        <IconButton icon={ZoomIn} label={t.graph.larger} tipSide="above" onClick={() => turn(STEP)} />
        <IconButton icon={ZoomOut} label={t.graph.smaller} tipSide="above" onClick={() => turn(1 / STEP)} />
        <IconButton
          icon={Maximize}
          label={t.graph.whole}
          tipSide="above"
          onClick={() => {
            setZoom(1);
            setMiddle({ x: PLANE / 2, y: PLANE / 2 });
          }}
        />
      </div>
    </div>
  );
}

interface PointProps {
  node: Placed;
  zoom: number;
  isNamed: boolean;
  label: string;
  onPoint: (id: string | null) => void;
  onChoose: (id: string) => void;
}

function Point({ node, zoom, isNamed, label, onPoint, onChoose }: PointProps) {
  const radius = (node.hops === 0 ? 14 : Math.min(11, 5 + Math.sqrt(node.passages))) / Math.sqrt(zoom);
  return (
    <g
      role="button"
      tabIndex={0}
      aria-label={label}
      className={node.hops === 0 ? `${styles.point} ${styles.centre}` : styles.point}
      transform={`translate(${node.x} ${node.y})`}
      data-node={node.id}
      onPointerEnter={() => onPoint(node.id)}
      onPointerLeave={() => onPoint(null)}
      onFocus={() => onPoint(node.id)}
      onBlur={() => onPoint(null)}
      onClick={() => onChoose(node.id)}
      onKeyDown={(event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        onChoose(node.id);
      }}
    >
      <circle r={radius} />
      {isNamed ? (
        <text y={-radius - 5 / zoom} fontSize={24 / zoom} textAnchor="middle">
          {shortened(node.name)}
        </text>
      ) : null}
    </g>
  );
}

const MOST_LETTERS = 28;

/** The first words of a name: a long one would lie over its neighbours. The whole one is what the point is called. */
function shortened(name: string): string {
  if (name.length <= MOST_LETTERS) return name;
  const end = name.lastIndexOf(" ", MOST_LETTERS);
  return end > 0 ? name.slice(0, end) : [...name].slice(0, MOST_LETTERS).join("");
}

function within(place: number): number {
  return Math.min(PLANE, Math.max(0, place));
}
