import * as Radix from "@radix-ui/react-popover";
import type { ReactNode } from "react";

import styles from "./Popover.module.css";

interface PopoverProps {
  trigger: ReactNode;
  label: string;
  children: ReactNode;
  align?: "start" | "center" | "end";
  side?: "top" | "bottom";
  open?: boolean;
  onOpenChange?: (open: boolean) => void;
}

/** A small panel beside what opens it; Escape and a click elsewhere close it. */
export function Popover({
  trigger,
  label,
  children,
  align = "start",
  side = "bottom",
  ...rest
}: PopoverProps) {
  return (
    <Radix.Root {...rest}>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          className={styles.panel}
          align={align}
          side={side}
          sideOffset={6}
          collisionPadding={8}
          aria-label={label}
        >
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
