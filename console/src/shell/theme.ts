import { useSyncExternalStore } from "react";

export type Theme = "auto" | "light" | "dark";
export type Density = "dense" | "roomy";

const root = document.documentElement;
const listeners = new Set<() => void>();
let version = 0;

function stored(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

let theme: Theme = stored("theme") === "light" ? "light" : stored("theme") === "dark" ? "dark" : "auto";
let density: Density = stored("density") === "roomy" ? "roomy" : "dense";

function apply(): void {
  if (theme === "auto") delete root.dataset.theme;
  else root.dataset.theme = theme;
  root.dataset.density = density;
  version++;
  listeners.forEach((listener) => listener());
}

function keep(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // A browser that keeps nothing still shows what was chosen until the page closes.
  }
}

export function setTheme(next: Theme): void {
  theme = next;
  keep("theme", next);
  apply();
}

export function setDensity(next: Density): void {
  density = next;
  keep("density", next);
  apply();
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", apply);
apply();

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export const useTheme = () => useSyncExternalStore(subscribe, () => theme);
export const useDensity = () => useSyncExternalStore(subscribe, () => density);
/// Changes whenever colours or sizes may have, for what is painted on a canvas.
export const useThemeVersion = () => useSyncExternalStore(subscribe, () => version);
