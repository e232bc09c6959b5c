import { Menu as MenuIcon, Plus } from "lucide-react";
import { lazy, type ReactNode, Suspense, useEffect, useState } from "react";
import { useLocation } from "wouter";

import { Brand } from "@/design/Brand";
import { IconButton } from "@/design/Button";
import { Dialog } from "@/design/Dialog";
import { Working } from "@/design/Empty";
import { UploadPanel } from "@/documents/UploadPanel";
import { useTexts } from "@/texts";

import { useIsThere } from "./connection";
import styles from "./Frame.module.css";
import { places } from "./places";
import { Rail } from "./Rail";
import { useCurrentKb } from "./useCurrentKb";

const loadPalette = async () => ({ default: (await import("./Palette")).Palette });
const Palette = lazy(loadPalette);

/** What surrounds every view: the rail, or on narrow screens a bar with the rail behind a button. */
export function Frame({ children }: { children: ReactNode }) {
  const t = useTexts();
  const [location, navigate] = useLocation();
  const kb = useCurrentKb();
  const isThere = useIsThere();
  // The drawer belongs to the address at which it was opened: whoever follows a link has left it.
  const [drawer, setDrawer] = useState<string | null>(null);
  const [palette, setPalette] = useState(false);
  // Letters typed right after its keys must not be lost to its loading.
  useEffect(() => {
    const waiting = requestIdleCallback(() => void loadPalette());
    return () => cancelIdleCallback(waiting);
  }, []);
  useEffect(() => {
    function onKeyDown(event: KeyboardEvent) {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      setPalette(true);
    }
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, []);
  return (
    <div className={styles.frame}>
      <a className={styles.skip} href="#view">
        {t.shell.skip}
      </a>
      <header className={styles.bar}>
        <IconButton icon={MenuIcon} label={t.shell.menu} onClick={() => setDrawer(location)} />
        <Brand />
        <span className={styles.where}>
          <bdi>{kb}</bdi>
        </span>
        {kb === null ? null : (
          <IconButton
            icon={Plus}
            label={t.shell.newQuestion}
            tipSide="end"
            onClick={() => navigate(places.ask(kb))}
          />
        )}
      </header>
      <div className={styles.rail}>
        <Rail />
      </div>
      {drawer === location ? (
        <Dialog title="Atoll" form="side" onClose={() => setDrawer(null)}>
          <Rail inDrawer />
        </Dialog>
      ) : null}
      <main id="view" className={styles.view} tabIndex={-1}>
        {isThere ? null : (
          <div className={styles.away} role="status">
            <Working label={t.shell.away}>{t.shell.away}</Working>
          </div>
        )}
        <div className={styles.inside}>{children}</div>
      </main>
      <UploadPanel />
      {palette ? (
        <Suspense fallback={null}>
          <Palette onClose={() => setPalette(false)} />
        </Suspense>
      ) : null}
    </div>
  );
}
