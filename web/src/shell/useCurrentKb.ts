import { useQuery } from "@tanstack/react-query";
import { useRoute } from "wouter";

import { may, useSession } from "@/session/session";

import { kbsQuery } from "./kbs";
import { rememberedKb } from "./places";

/** The knowledge base of the address, else the one that was used last, else the first. */
export function useCurrentKb(): string | null {
  const [, found] = useRoute<{ kb: string }>("/kb/:kb/*?");
  const session = useSession();
  const known = found?.kb ?? rememberedKb();
  const { data } = useQuery({ ...kbsQuery, enabled: known === null && may(session, "read") });
  return known ?? data?.[0]?.name ?? null;
}
