import type { LucideIcon } from "lucide-react";
import type { ComponentProps, ReactNode } from "react";

import styles from "./Button.module.css";

export type Look = "plain" | "primary" | "quiet" | "danger";

interface ButtonProps extends ComponentProps<"button"> {
  look?: Look;
  icon?: LucideIcon;
  small?: boolean;
  children: ReactNode;
}

/** A button with words. */
export function Button({ look = "plain", icon: Icon, small, className, children, ...rest }: ButtonProps) {
  const names = [styles.button, styles[look], small ? styles.small : "", className ?? ""];
  return (
    <button type="button" {...rest} className={names.filter(Boolean).join(" ")}>
      {Icon ? <Icon size={16} aria-hidden="true" /> : null}
      <span className={styles.words}>{children}</span>
    </button>
  );
}

interface IconButtonProps extends Omit<ComponentProps<"button">, "children"> {
  icon: LucideIcon;
  /** What the button does: its accessible name, and the word that appears beside it. */
  label: string;
  tipSide?: "below" | "end" | "above";
  size?: number;
  pressed?: boolean;
}

/** A button whose word appears when it is pointed at. */
export function IconButton({
  icon: Icon,
  label,
  tipSide = "below",
  size = 18,
  pressed,
  className,
  ...rest
}: IconButtonProps) {
  return (
    <button
      type="button"
      aria-label={label}
      aria-pressed={pressed}
      data-tip={label}
      data-tip-side={tipSide}
      {...rest}
      className={[styles.icon, className ?? ""].join(" ")}
    >
      <Icon size={size} aria-hidden="true" />
    </button>
  );
}
