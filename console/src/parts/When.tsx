import { useSyncExternalStore } from "react";
import { exact, relative } from "./time";

const listeners = new Set<() => void>();
let now = Date.now();
setInterval(() => {
  now = Date.now();
  listeners.forEach((listener) => listener());
}, 5000);
const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export const useNow = (): number => useSyncExternalStore(subscribe, () => now);

/// A moment: relative to read, exact on hover, machine-readable underneath.
export function When({ at, none = "never" }: { at: string | undefined; none?: string }) {
  const present = useNow();
  if (!at) return <span className="quiet">{none}</span>;
  const millis = Date.parse(at);
  return (
    <time dateTime={at} title={exact(millis)} className="nowrap">
      {relative(millis, Math.max(present, Date.now() - 5000))}
    </time>
  );
}
