import type { Schemas } from "../api/client";
import { count } from "./time";

export const LANES = [
  { key: "healthy", word: "healthy" },
  { key: "undecided", word: "undecided" },
  { key: "failed", word: "failed" },
  { key: "rolledBack", word: "rolled back" },
  { key: "withdrawn", word: "withdrawn" },
  { key: "waiting", word: "waiting" },
] as const;

/// Where the devices of a rollout stand, to scale; patterns as well as colours tell the parts apart.
export function RolloutBar({ counts, tall }: { counts: Schemas["RolloutCounts"]; tall?: boolean }) {
  const words = LANES.filter(({ key }) => counts[key] > 0).map(({ key, word }) => `${count(counts[key])} ${word}`).join(", ");
  return (
    <span className={`bar${tall ? " tall" : ""}`} role="img" aria-label={words || "no devices"}>
      {LANES.map(({ key }) => (counts[key] > 0 ? <span key={key} className={`bar-${key}`} style={{ flexGrow: counts[key], flexBasis: 3 }} /> : null))}
    </span>
  );
}
