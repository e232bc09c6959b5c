import type { KeyOut } from "@/api/schema";

/** Whether a key is let in, and if not, why. */
export function keyState(key: Pick<KeyOut, "revoked_at" | "expires_at">, now = Date.now()) {
  if (key.revoked_at !== null) return "revoked";
  return key.expires_at !== null && new Date(key.expires_at).getTime() <= now ? "expired" : "active";
}

/** The day of a moment as a date field writes it; "" for never. */
export function dayOf(moment: string | null): string {
  if (moment === null) return "";
  const day = new Date(moment);
  const parts = [day.getFullYear(), day.getMonth() + 1, day.getDate()];
  return parts.map((part) => String(part).padStart(2, "0")).join("-");
}

/** The last moment of a day as it is written in a date field, in the person's own time zone; null for no day. */
export function endOf(day: string): string | null {
  return day === "" ? null : new Date(`${day}T23:59:59.999`).toISOString();
}
