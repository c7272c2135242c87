import { useSyncExternalStore } from "react";
import { Mark, type Tone } from "./Mark";

interface Toast {
  readonly id: number;
  readonly tone: Tone;
  readonly text: string;
}

let toasts: readonly Toast[] = [];
let next = 1;
const listeners = new Set<() => void>();

function set(value: readonly Toast[]): void {
  toasts = value;
  listeners.forEach((listener) => listener());
}

/// Says what has happened; goes away by itself after a while, or at once when told.
export function say(tone: Tone, text: string): void {
  const id = next++;
  set([...toasts.slice(-3), { id, tone, text }]);
  setTimeout(() => set(toasts.filter((toast) => toast.id !== id)), 8000);
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export function Toasts() {
  const shown = useSyncExternalStore(subscribe, () => toasts);
  return (
    <div className="toasts" role="status" aria-live="polite">
      {shown.map((toast) => (
        <div key={toast.id} className="toast">
          <span className="row grow">
            <Mark tone={toast.tone} />
            <span className="break">{toast.text}</span>
          </span>
          <button type="button" className="btn bare" aria-label="Dismiss" onClick={() => set(toasts.filter((t) => t.id !== toast.id))}>
            ✕
          </button>
        </div>
      ))}
    </div>
  );
}
