import type { AnswerMode, Mode } from "@/api/schema";

import type { Wishes } from "./answer";
import { type FilterChoice, NO_FILTERS } from "./filters";

export const MODES: readonly Mode[] = ["mix", "naive", "local", "global", "hybrid", "visual", "bypass"];
export const ANSWERS: readonly AnswerMode[] = ["auto", "extract", "generate"];

const KEPT = "atoll.wishes";

/** How a question was asked last; filters hold for one conversation and are not kept. */
export function rememberedWishes(): Wishes {
  const [mode, answer] = (localStorage.getItem(KEPT) ?? "").split("/");
  return {
    mode: MODES.find((each) => each === mode) ?? "mix",
    answer: ANSWERS.find((each) => each === answer) ?? "auto",
    filters: NO_FILTERS,
  };
}

export function rememberWishes({ mode, answer }: Wishes): void {
  localStorage.setItem(KEPT, `${mode}/${answer}`);
}

let next: FilterChoice | null = null;

/** Lets the next conversation begin with these filters. */
export function askWith(filters: FilterChoice): void {
  next = filters;
}

/** The wishes of a new conversation: as the last one, with the filters that were chosen elsewhere. */
export function firstWishes(): Wishes {
  const filters = next ?? NO_FILTERS;
  next = null;
  return { ...rememberedWishes(), filters };
}
