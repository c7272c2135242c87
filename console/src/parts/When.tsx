import { useSyncExternalStore } from "react";
import { exact, relative } from "./time";

const listeners = new Set<() => void>();
let now = Date.now();
// Once a second, so that what has just happened does not seem to lie in the future.
setInterval(() => {
  now = Date.now();
  listeners.forEach((listener) => listener());
}, 1000);
const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

/// A moment: relative to read, exact on hover, machine-readable underneath.
export function When({ at, none = "never" }: { at: string | undefined; none?: string }) {
  const millis = at ? Date.parse(at) : 0;
  // The words are the snapshot: a moment is painted again only when they change.
  const words = useSyncExternalStore(subscribe, () => relative(millis, now));
  if (!at) return <span className="quiet">{none}</span>;
  return (
    <time dateTime={at} title={exact(millis)} className="nowrap">
      {words}
    </time>
  );
}
