import { useRoute } from "wouter";

import { rememberedKb } from "./places";

/** The knowledge base of the address, else the one that was used last. */
export function useCurrentKb(): string | null {
  const [, found] = useRoute<{ kb: string }>("/kb/:kb/*?");
  return found?.kb ?? rememberedKb();
}
