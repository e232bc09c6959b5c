import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";

import { request } from "@/api/client";
import { Problem } from "@/api/problem";
import { Working } from "@/design/Empty";
import { useTexts } from "@/texts";

import styles from "./HeatMap.module.css";

interface HeatMapProps {
  kb: string;
  document: string;
  page: number;
  question: string;
}

/** The page lit where it answers a question. It is drawn on a canvas: pictures come from the gateway only. */
export function HeatMap({ kb, document, page, question }: HeatMapProps) {
  const t = useTexts();
  const canvas = useRef<HTMLCanvasElement>(null);
  const { data, error } = useQuery({
    queryKey: ["heat", kb, document, page, question],
    async queryFn({ signal }) {
      const wanted = { path: { kb, document, page }, body: { query: question }, signal };
      const response = await request("draw_heatmap", wanted, "image/png");
      return createImageBitmap(await response.blob());
    },
    staleTime: 60_000,
    gcTime: 60_000,
  });
  useEffect(() => {
    if (canvas.current === null || data === undefined) return;
    canvas.current.width = data.width;
    canvas.current.height = data.height;
    canvas.current.getContext("2d")?.drawImage(data, 0, 0);
  }, [data]);
  if (error !== null) {
    return <p className={styles.note}>{error instanceof Problem ? error.detail : t.page.noHeat}</p>;
  }
  if (data === undefined) {
    return (
      <p className={styles.note}>
        <Working label={t.page.heating}>{t.page.heating}</Working>
      </p>
    );
  }
  return (
    <canvas
      ref={canvas}
      className={styles.canvas}
      role="img"
      aria-label={t.page.heatOf(question)}
      data-heat=""
    />
  );
}
