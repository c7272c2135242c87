import type { Schemas } from "../api/client";
import { State } from "./Mark";
import { When } from "./When";
import { LEGS } from "./words";

const NAMES = [
  ["session", "Session", "Its live connections are cut and new ones refused or limited."],
  ["identity", "Identity", "What its certificate still opens."],
  ["network", "Network", "Whether a gateway of ours drops its packets."],
] as const;

/// The three legs of an isolation: each is enforced, pending, or not available, and says so.
export function Legs({ legs }: { legs: Schemas["Legs"] }) {
  return (
    <div className="legs">
      {NAMES.map(([key, name, meaning]) => {
        const leg = legs[key];
        const { word, tone } = LEGS[leg.state];
        return (
          <div key={key} className="leg">
            <span className="leg-name" title={meaning}>{name}</span>
            <State tone={tone}>{word}</State>
            <span className="small quiet break">
              {leg.detail}
              {leg.at && <>{leg.detail ? ", " : ""}<When at={leg.at} /></>}
            </span>
          </div>
        );
      })}
    </div>
  );
}
